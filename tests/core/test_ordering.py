"""The order of the rows and places in it: rules O1, O2, O4, case 31."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.errors import Code, Refused
from recents.core.ordering import PINS_END, cursor_after, place_after, place_of
from tests.core.making import a_row


def names_in_order(*rows: tuple[int, str]) -> list[str]:
    entries = [a_row(name, activity_ms=activity_ms) for activity_ms, name in rows]
    return [entry.conversation for entry in sorted(entries, key=place_of)]


def test_o1_the_newest_activity_comes_first() -> None:
    assert names_in_order((1, "p2p:a"), (3, "p2p:b"), (2, "p2p:c")) == ["p2p:b", "p2p:c", "p2p:a"]


def test_o1_at_equal_times_the_name_decides_byte_by_byte() -> None:
    names = ["super_team:a", "p2p:~", "p2p:a", "p2p:_", "p2p:Z", "p2p:9", "p2p:!", "team:A"]
    assert names_in_order(*((7, name) for name in names)) == [
        *("p2p:!", "p2p:9", "p2p:Z", "p2p:_", "p2p:a", "p2p:~", "super_team:a", "team:A")
    ]


def test_o1_a_shorter_name_comes_before_its_longer_one() -> None:
    assert names_in_order((7, "p2p:a!"), (7, "p2p:a"), (7, "p2p:a~")) == [
        *("p2p:a", "p2p:a!", "p2p:a~")
    ]


def test_o2_a_draft_saved_since_moves_its_row_up() -> None:
    rows = [
        a_row("p2p:a", activity_ms=3),
        a_row("p2p:b", activity_ms=1, draft_ms=4),
        a_row("p2p:c", activity_ms=5, draft_ms=2),
        a_row("p2p:d", activity_ms=3, draft_ms=3),
    ]
    assert [row.conversation for row in sorted(rows, key=place_of)] == [
        *("p2p:c", "p2p:b", "p2p:a", "p2p:d")
    ]


def test_g1_pinned_rows_stand_first_by_rank_then_name() -> None:
    rows = [
        a_row("p2p:a", activity_ms=9_007_199_254_740_991),
        a_row("p2p:b", rank=2**53 - 1),
        a_row("p2p:c", rank=0),
        a_row("p2p:d", rank=1 - 2**53),
        a_row("p2p:B", rank=0, activity_ms=7),
    ]
    assert [row.conversation for row in sorted(rows, key=place_of)] == [
        *("p2p:d", "p2p:B", "p2p:c", "p2p:b", "p2p:a")
    ]
    pins = [row for row in rows if row.pinned]
    assert all(place_of(row) < PINS_END for row in pins)
    assert place_of(rows[0]) > PINS_END


@given(st.integers(1 - 2**53, 2**53 - 1))
def test_o4_a_pinned_row_has_a_cursor_of_its_rank(rank: int) -> None:
    row = a_row(rank=rank)
    assert cursor_after(row) == f"p{rank}.p2p:bob"
    assert place_after(cursor_after(row)) == place_of(row)


def test_case_31_ten_thousand_equal_times_have_one_order() -> None:
    rows = [a_row(f"p2p:{number:05}", activity_ms=1) for number in range(10_000)]
    mixed = rows[:]
    random.Random(31).shuffle(mixed)
    assert sorted(mixed, key=place_of) == rows


def test_o4_a_cursor_names_the_place_of_a_row() -> None:
    row = a_row("team:t1", activity_ms=1_700_000_000_000)
    assert place_after(cursor_after(row)) == place_of(row) == (-1_700_000_000_000, "team:t1")


def test_o4_a_cursor_names_the_place_that_a_draft_gave() -> None:
    row = a_row(activity_ms=1_000, draft_ms=2_000)
    assert place_after(cursor_after(row)) == place_of(row) == (-2_000, "p2p:bob")


@given(
    st.integers(0, 10**16 - 1),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=63),
)
def test_o4_every_row_has_a_cursor(activity_ms: int, name: str) -> None:
    row = a_row(f"super_team:{name}", activity_ms=activity_ms)
    assert place_after(cursor_after(row)) == place_of(row)


@pytest.mark.parametrize(
    "cursor",
    [
        *(
            "",
            ".",
            "1",
            "1.",
            ".p2p:a",
            "-1.p2p:a",
            "1.p2p:a ",
            "1. p2p:a",
            "1.p2p:a\n",
            "x.p2p:a",
            "p.p2p:a",
            "p--1.p2p:a",
        ),
        *("1.p2p:ä", "\uff11.p2p:a", "1" * 17 + ".p2p:a", "1.p2p:" + "x" * 80),
    ],
)
def test_o4_what_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(Refused, match="is not a cursor: pass next_cursor") as refused:
        place_after(cursor)
    assert refused.value.code is Code.BAD_VALUE
