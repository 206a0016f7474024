"""What an account keeps with a row: rules G1, G2, G4, I1, D2."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.commands import (
    MAX_LABELS,
    AddLabel,
    Archive,
    Mute,
    MuteLevel,
    Pin,
    RemoveLabel,
    RowCommand,
    SetAlias,
    SetDraft,
    SetExtension,
    Unarchive,
    Unpin,
)
from recents.core.entry import entry_of
from recents.core.head import Head, absorb
from recents.core.marks import (
    aliased,
    archived,
    asks_for_nothing,
    labelled,
    mute_ended,
    muted,
    organized,
    pinned,
    takes_label,
    unarchived,
    unlabelled,
    unpinned,
    with_extension,
)
from recents.core.membership import (
    Archived,
    Draft,
    Membership,
    Pinned,
    Position,
    after_own_removal,
    after_own_send,
    is_archived,
    joined,
    parted,
    read_upto,
    was_archived,
    without_row,
)
from tests.core.making import BOB, a_message, a_post, head_after

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
        Unarchive(id="r", conversation=BOB),
        RemoveLabel(id="r", conversation=BOB, label="x"),
        SetExtension(id="r", conversation=BOB),
    ]
    something: list[RowCommand] = [
        SetDraft(id="r", conversation=BOB, text="x"),
        Mute(id="r", conversation=BOB, level="none"),
        Pin(id="r", conversation=BOB, rank=0),
        Archive(id="r", conversation=BOB),
        AddLabel(id="r", conversation=BOB, label="x"),
        SetExtension(id="r", conversation=BOB, text="x"),
    ]
    assert all(asks_for_nothing(command) for command in nothing)
    assert not any(asks_for_nothing(command) for command in something)
    for command in nothing:
        assert organized(Head(), MEMBER, command, 1, 8) is MEMBER


def mute(
    head: Head,
    membership: Membership,
    level: MuteLevel | None,
    version: int,
    *,
    until_ms: int | None = None,
) -> Membership:
    return muted(head, membership, level, until_ms, 2_000, version)


def test_g2_a_mute_is_a_level_or_none() -> None:
    silent = mute(HEAD, MEMBER, "none", 8)
    assert silent == changed(MEMBER, mute="none")
    assert mute(HEAD, silent, "mentions", 8) == changed(MEMBER, mute="mentions")
    assert mute(HEAD, silent, None, 8) == changed(MEMBER)
    assert mute(HEAD, silent, "none", 9) is silent
    assert mute(HEAD, MEMBER, None, 9) is MEMBER


def later(sender: str = "ann", *, counts: bool = True, head: Head = HEAD) -> Head:
    """The head after a message more."""
    ordinal = head.ordinal + counts
    message = a_message(head.last_seq + 1, sender, ordinal=ordinal, time_ms=5_000, counts=counts)
    return absorb(head, message, 7)


MEMBER_AT_8 = changed(MEMBER)
AWAY = archived(HEAD, MEMBER, None, 5)


def test_g4_an_archived_row_is_back_when_somebody_else_writes() -> None:
    assert AWAY.archived == Archived(2, 2, 0, 5)
    assert is_archived(HEAD, AWAY)
    assert entry_of("bob", BOB, HEAD, AWAY).archived
    assert is_archived(later(counts=False), AWAY), "what does not count changes nothing"
    assert not is_archived(later(), AWAY)
    assert not entry_of("bob", BOB, later(), AWAY).archived
    assert not is_archived(HEAD, unarchived(AWAY, 8))
    assert unarchived(MEMBER, 8) is MEMBER
    assert archived(HEAD, AWAY, None, 8) is AWAY


def test_g4_own_messages_reading_and_removing_leave_a_row_where_it_is() -> None:
    head = later("bob")
    sent = after_own_send(AWAY, a_message(3, "bob"), 8)
    assert is_archived(head, sent)
    tip = after_own_send(sent, a_message(4, "bob", ordinal=3, counts=False), 8)
    assert is_archived(later("bob", counts=False, head=head), tip)
    back = later("ann", head=head)
    assert not is_archived(back, sent)
    read = read_upto(sent, Position(4, 4), 9)
    assert not is_archived(back, read)
    assert not is_archived(back, after_own_removal(read, "bob", a_message(4, "ann"), 10))


def test_g4_a_muted_row_stays_archived_and_muting_moves_none() -> None:
    silent = mute(HEAD, AWAY, "none", 8)
    assert is_archived(later(), silent)
    assert not is_archived(later(), silent, mentioned=1)
    loud = mute(later(), silent, None, 9)
    assert is_archived(later(), loud), "what came while it was muted is left behind"
    assert loud.archived == Archived(3, 3, 0, 5)
    back = mute(later(), AWAY, "none", 9)
    assert back.archived is None, "it was back, and stays"


def test_g4_a_late_archiving_covers_what_its_device_had_seen() -> None:
    head = later()
    assert archived(head, MEMBER, Position(2, 2), 8) is MEMBER
    assert is_archived(head, archived(head, MEMBER, Position(3, 3), 8))
    own = later("bob")
    assert is_archived(own, archived(own, MEMBER, Position(2, 2, 1), 8))
    silent = mute(head, MEMBER, "mentions", 8)
    assert is_archived(head, archived(head, silent, Position(2, 2), 8))


def test_g4_d2_a_deleted_row_is_not_archived_and_cannot_be() -> None:
    hidden = without_row(AWAY, Position(2, 2), 8, clear_history=False)
    assert hidden.archived is None
    assert organized(HEAD, hidden, Archive(id="r", conversation=BOB), 1, 9) is hidden


def test_g4_t2_who_left_keeps_the_archived_row_and_who_joins_again_has_it_in_the_list() -> None:
    left = parted(AWAY, HEAD, 6, removed=False)
    assert is_archived(later(), left)
    assert joined(later(), 950, 9, left).archived is None


def test_g4_r5_d4_whether_a_row_was_archived_for_one_who_had_seen_less() -> None:
    sent = after_own_send(AWAY, a_message(3, "bob"), 8)
    assert was_archived(sent, Position(2, 2, 1), 5)
    assert was_archived(sent, Position(3, 3), 5)
    assert not was_archived(sent, Position(3, 3), 4), "it was archived later"
    assert not was_archived(sent, Position(4, 4), 5), "it was back"
    assert not was_archived(MEMBER, Position(2, 2))


def test_g2_a_mute_may_end_by_itself_and_one_that_is_over_is_none() -> None:
    short = mute(HEAD, MEMBER, "none", 8, until_ms=2_001)
    assert short == changed(MEMBER, mute="none", mute_until_ms=2_001)
    assert mute(HEAD, short, "none", 9, until_ms=2_001) is short
    assert mute(HEAD, short, "none", 9).mute_until_ms is None, "for ever now"
    assert mute(HEAD, MEMBER, "none", 8, until_ms=2_000) is MEMBER
    assert mute(HEAD, short, "none", 8, until_ms=2_000) == MEMBER_AT_8
    assert mute(HEAD, short, None, 8) == MEMBER_AT_8


def test_g2_the_end_comes_when_the_clock_shows_it_and_not_before() -> None:
    short = mute(HEAD, MEMBER, "mentions", 8, until_ms=3_000)
    assert mute_ended(HEAD, short, 2_999, 9) is short
    assert mute_ended(HEAD, short, 3_000, 8) == MEMBER_AT_8
    for_ever = mute(HEAD, MEMBER, "none", 8)
    assert mute_ended(HEAD, for_ever, 2**53, 9) is for_ever
    assert mute_ended(HEAD, MEMBER, 2**53, 9) is MEMBER


def test_g2_g4_the_end_of_a_mute_moves_no_row_and_joining_again_keeps_it() -> None:
    silent = mute(HEAD, AWAY, "none", 8, until_ms=3_000)
    assert is_archived(later(), mute_ended(later(), silent, 3_000, 9))
    assert joined(HEAD, 950, 9, silent).mute_until_ms == 3_000


def test_g5_labels_stand_in_byte_order_once_each() -> None:
    some = labelled(labelled(MEMBER, "é", 7), "Z", 8)
    assert some == changed(MEMBER, labels=("Z", "é"))
    assert labelled(some, "é", 9) is some
    assert unlabelled(some, "é", 9).labels == ("Z",)
    assert unlabelled(some, "a", 9) is some


def test_g5_a_row_has_room_for_twenty() -> None:
    full = MEMBER
    for number in range(MAX_LABELS):
        assert takes_label(full, f"{number:02}")
        full = labelled(full, f"{number:02}", 8)
    assert not takes_label(full, "one more")
    assert takes_label(full, "00")
    assert labelled(full, "one more", 9) is full


def test_g7_the_last_extension_stands() -> None:
    kept = with_extension(MEMBER, "x", 8)
    assert kept == changed(MEMBER, extension="x")
    assert with_extension(kept, "x", 9) is kept
    assert with_extension(kept, "", 9).extension == ""


def test_g5_g7_labels_and_extension_outlive_deleting_and_joining_again() -> None:
    kept = with_extension(labelled(MEMBER, "x", 2), "y", 2)
    gone = without_row(kept, Position(2, 2), 8, clear_history=True)
    again = joined(HEAD, 950, 9, gone)
    assert (gone.labels, gone.extension) == (again.labels, again.extension) == (("x",), "y")


def test_I1_an_alias_stands_until_another_and_the_same_is_no_change() -> None:
    plain = Membership(version=7)
    named = aliased(plain, "Dear", 8)
    assert named == Membership(version=8, alias="Dear")
    assert aliased(named, "Dear", 9) is named
    assert aliased(named, "", 9) == Membership(version=9)


@pytest.mark.parametrize(
    ("command", "field", "value"),
    [
        (SetDraft(id="r", conversation=BOB, text="x"), "draft", Draft("x", 2_000)),
        (Mute(id="r", conversation=BOB, level="none"), "mute", "none"),
        (AddLabel(id="r", conversation=BOB, label="work"), "labels", ("work",)),
        (SetExtension(id="r", conversation=BOB, text="x"), "extension", "x"),
        (SetAlias(id="r", conversation=BOB, alias="Dear"), "alias", "Dear"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_G_each_command_changes_its_own_field(
    command: RowCommand, field: str, value: object
) -> None:
    after = organized(HEAD, MEMBER, command, 2_000, 8)
    assert getattr(after, field) == value
    assert not asks_for_nothing(command)
    assert organized(HEAD, after, command, 2_000, 9) is after


def test_G1_G4_what_was_put_on_a_row_is_taken_off() -> None:
    marked = changed(MEMBER, pin=Pinned(1, "", 1, 1), labels=("a",))
    marked = organized(HEAD, marked, Archive(id="r", conversation=BOB), 1, 8)
    assert is_archived(HEAD, marked)
    for taking in (
        Unpin(id="r", conversation=BOB),
        Unarchive(id="r", conversation=BOB),
        RemoveLabel(id="r", conversation=BOB, label="a"),
    ):
        marked = organized(HEAD, marked, taking, 1, 8)
    assert (marked.pin, marked.archived, marked.labels) == (None, None, ())


def test_I1_no_alias_asks_for_nothing() -> None:
    assert asks_for_nothing(SetAlias(id="r", conversation=BOB))
