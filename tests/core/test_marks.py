"""What an account keeps with a row: rules G1, D2."""

from __future__ import annotations

import msgspec

from recents.core.commands import Mute, Pin, RowCommand, SetDraft, Unpin
from recents.core.head import Head
from recents.core.marks import asks_for_nothing, organized, pinned, unpinned
from recents.core.membership import Membership, Pinned, Position, joined, without_row
from tests.core.making import BOB, a_post, head_after

HEAD = head_after(a_post(), a_post(client_id="c2"))
MEMBER = Membership(version=1, joined_ms=900)


def changed(membership: Membership, **fields: object) -> Membership:
    return msgspec.structs.replace(membership, version=8, **fields)


def test_g1_a_pin_has_a_place_a_text_and_two_times() -> None:
    first = pinned(MEMBER, -5, "red", 2_000, 8)
    assert first == changed(MEMBER, pin=Pinned(-5, "red", 2_000, 2_000))
    moved = pinned(first, 7, "red", 3_000, 9)
    assert moved.pin == Pinned(7, "red", 2_000, 3_000)
    assert pinned(moved, 7, "blue", 1_000, 10).pin == Pinned(7, "blue", 2_000, 3_000)


def test_g1_pinning_twice_and_taking_away_nothing_change_nothing() -> None:
    first = pinned(MEMBER, -5, "red", 2_000, 8)
    assert pinned(first, -5, "red", 9_000, 9) is first
    assert unpinned(MEMBER, 8) is MEMBER
    assert unpinned(first, 8) == changed(MEMBER)


def test_g1_d2_a_row_that_is_not_in_the_list_gets_no_pin() -> None:
    hidden = without_row(MEMBER, Position(2, 2), 2, clear_history=False)
    pin = Pin(id="r", conversation=BOB, rank=0)
    assert organized(HEAD, hidden, pin, 2_000, 8) is hidden
    assert organized(HEAD, MEMBER, pin, 2_000, 8).pin == Pinned(0, "", 2_000, 2_000)


def test_d2_a_deletion_takes_the_pin_away_and_an_older_one_does_not() -> None:
    held = pinned(MEMBER, 0, "", 2_000, 2)
    gone = without_row(held, Position(2, 2), 8, clear_history=False)
    assert (gone.pin, gone.deleted_seq) == (None, 2)
    again = pinned(gone, 0, "", 2_000, 9)
    assert without_row(again, Position(1, 1, 0), 10, clear_history=False) is again


def test_g1_joining_again_keeps_the_pin() -> None:
    held = pinned(MEMBER, 0, "", 2_000, 2)
    assert joined(HEAD, 950, 9, held).pin == held.pin


def test_what_takes_away_is_done_where_nothing_is() -> None:
    nothing: list[RowCommand] = [
        SetDraft(id="r", conversation=BOB),
        Mute(id="r", conversation=BOB),
        Unpin(id="r", conversation=BOB),
    ]
    something: list[RowCommand] = [
        SetDraft(id="r", conversation=BOB, text="x"),
        Mute(id="r", conversation=BOB, level="none"),
        Pin(id="r", conversation=BOB, rank=0),
    ]
    assert all(asks_for_nothing(command) for command in nothing)
    assert not any(asks_for_nothing(command) for command in something)
    for command in nothing:
        assert organized(Head(), MEMBER, command, 1, 8) is MEMBER
