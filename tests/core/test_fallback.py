"""What stands in where there is no name or no picture: rules I1, O3."""

import pytest

from recents.core.fallback import COLOURS, colour_of, initials_of, title_of


@pytest.mark.parametrize(
    ("alias", "name", "title"),
    [
        ("Mum", "Ann Lee", "Mum"),
        ("", "Ann Lee", "Ann Lee"),
        ("Mum", None, "Mum"),
        ("", None, "ann"),
        ("", "", "ann"),
    ],
)
def test_i1_a_title_is_the_alias_or_the_name_or_the_id(
    alias: str, name: str | None, title: str
) -> None:
    assert title_of(alias, name, "ann") == title


@pytest.mark.parametrize(
    ("title", "initials"),
    [
        ("ann", "A"),
        ("Ann Lee", "AL"),
        ("ann marie lee", "AL"),
        ("  (ann)\t-lee! ", "AL"),
        ("7 dwarfs", "7D"),
        ("e\u0301lodie", "É"),
        ("王小明", "小明"),
        ("李雷", "李雷"),
        ("王", "王"),
        ("设计组 Design", "计组"),
        ("김민수", "민수"),
        ("さくら", "くら"),
        ("Ann 王", "A王"),
        ("👋 ann", "A"),
        ("👋", "B"),
        ("", "B"),
    ],
)
def test_initials(title: str, initials: str) -> None:
    assert initials_of(title, "bob") == initials


def test_where_there_is_no_letter_at_all() -> None:
    assert initials_of("👋", "!-!") == "?"


def test_a_colour_is_that_of_the_published_sum() -> None:
    # FNV-1a of 32 bits of "a" and "foobar", as its authors give them.
    assert colour_of("a") == 0xE40C292C % COLOURS
    assert colour_of("foobar") == 0xBF9CF968 % COLOURS


def test_colours_are_spread() -> None:
    assert {colour_of(f"account-{number}") for number in range(200)} == set(range(COLOURS))
