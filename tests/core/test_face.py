"""Faces: rules I1, C1."""

import pytest

from recents.core.errors import Refused
from recents.core.face import NO_FACE, Face, changed_face, check_avatar


def test_a_part_that_is_not_given_stays() -> None:
    face = Face("Ann", "a.png")
    assert changed_face(face, "Bea", None) == Face("Bea", "a.png")
    assert changed_face(face, None, "b.png") == Face("Ann", "b.png")
    assert changed_face(face, "", "") == NO_FACE


@pytest.mark.parametrize(("name", "avatar"), [(None, None), ("Ann", None), ("Ann", "a.png")])
def test_c1_the_same_again_is_the_very_face(name: str | None, avatar: str | None) -> None:
    face = Face("Ann", "a.png")
    assert changed_face(face, name, avatar) is face


def test_i1_an_avatar_has_at_most_1024_bytes() -> None:
    assert check_avatar("é" * 512) == "é" * 512
    with pytest.raises(Refused, match="1025 bytes; use at most 1024, such as a URL"):
        check_avatar("x" * 1_025)


def test_half_a_surrogate_pair_is_no_avatar() -> None:
    with pytest.raises(Refused, match="character 2 of the avatar is half a surrogate pair"):
        check_avatar("a \ud83d")
