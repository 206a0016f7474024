"""Why a row shows what it shows."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.entry import InboxEntry, entry_of
from recents.core.explain import (
    LISTED,
    Explanation,
    Positions,
    Reason,
    Recount,
    Share,
    positions_of,
    share_of,
    why_not_countable,
)
from recents.core.head import Head
from recents.core.membership import Draft, Membership
from recents.core.message import Message, recalled
from tests.core.making import BOB, a_message, a_row

_replace = msgspec.structs.replace
MEMBERSHIP = Membership(version=9, joined_ms=500, joined_seq=1, cleared_seq=2, read_seq=3)


def why(message: Message, membership: Membership = MEMBERSHIP) -> Reason | None:
    return why_not_countable(message, "ann", membership, frozenset({7}))


def test_U1_others_countable_messages_after_all_positions_count() -> None:
    assert why(a_message(4, "bob")) is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (a_message(1, "bob"), Reason.BEFORE_JOINING),
        (a_message(2, "bob"), Reason.CLEARED),
        (a_message(3, "bob"), Reason.READ),
        (a_message(4, "ann"), Reason.OWN),
        (a_message(4, "bob", counts=False), Reason.SILENT),
        (recalled(a_message(4, "bob"), "bob"), Reason.RECALLED),
        (a_message(7, "bob"), Reason.DELETED),
        (recalled(a_message(7, "ann", counts=False), "ann"), Reason.OWN),
    ],
)
def test_U1_each_other_message_has_a_reason(message: Message, reason: Reason) -> None:
    assert why(message) is reason


def test_T2_what_came_after_the_parting_does_not_count() -> None:
    out = _replace(MEMBERSHIP, parting=Head(last_seq=4))
    assert why(a_message(4, "bob"), out) is None
    assert why(a_message(5, "bob"), out) is Reason.AFTER_PARTING


def told(messages: list[Message], row: InboxEntry, membership: Membership) -> Explanation:
    recount = Recount("ann", membership)
    recount.take(messages)
    return recount.explanation(row, positions_of(row, membership), joined_ms=membership.joined_ms)


def test_U2_the_messages_behind_the_badge_are_named_without_their_text() -> None:
    messages = [a_message(4, "bob"), a_message(5, "ann"), a_message(6, "bob")]
    explanation = told(messages, _replace(a_row(), last_seq=6, unread=2), MEMBERSHIP)
    assert [(one.seq, one.client_id, one.sender) for one in explanation.messages] == [
        (4, "c4", "bob"),
        (6, "c6", "bob"),
    ]
    assert [(one.seq, one.reason) for one in explanation.uncounted] == [(5, Reason.OWN)]
    assert (explanation.unread, explanation.counted) == (2, 2)
    assert explanation.reasons == {Reason.OWN: 1}
    assert (explanation.more, explanation.more_uncounted) == (False, False)


def test_what_was_read_is_not_listed() -> None:
    explanation = told([a_message(seq, "bob") for seq in (1, 2, 3)], a_row(), MEMBERSHIP)
    assert (explanation.messages, explanation.uncounted, explanation.reasons) == ((), (), {})


def test_U3_the_lists_are_bounded_and_the_numbers_exact() -> None:
    recount = Recount("ann", Membership())
    last = 2 * (LISTED + 5)
    for first in range(last - 1, 0, -2):
        recount.take([a_message(first, "bob"), a_message(first + 1, "ann")])
    explanation = recount.explanation(a_row(), Positions())
    assert (explanation.counted, explanation.more) == (LISTED + 5, True)
    assert [one.seq for one in explanation.messages] == list(range(11, last, 2))
    assert explanation.reasons == {Reason.OWN: LISTED + 5}
    assert (len(explanation.uncounted), explanation.more_uncounted) == (LISTED, True)


# Positions.


def moved(**fields: int) -> str | None:
    membership = _replace(Membership(version=9, read_seq=5, joined_seq=1), **fields)
    return positions_of(a_row(), membership).read_by


def test_what_moved_the_read_position_is_told_as_far_as_it_is_known() -> None:
    assert moved() == "reading"
    assert moved(cleared_seq=5) == "clearing"
    assert moved(deleted_seq=5, cleared_seq=5) == "deleting"
    assert moved(joined_seq=5) == "joining"
    assert moved(read_epoch=9) == "marking"
    assert moved(read_epoch=8) is None, "read since, or only drafted: nobody noted it"


def test_a_row_that_nobody_deleted_has_no_place_of_deletion() -> None:
    row = _replace(a_row(), last_seq=6)
    assert positions_of(row, MEMBERSHIP) == Positions(
        last_seq=6, read_seq=3, read_by="reading", cleared_seq=2, joined_seq=1
    )
    assert positions_of(row, _replace(MEMBERSHIP, deleted_seq=0)).deleted_seq == 0


# Place.


def placed(row: InboxEntry, *messages: Message, joined_ms: int | None = 500) -> tuple[object, ...]:
    recount = Recount("ann", Membership())
    recount.take(messages)
    place = recount.explanation(row, Positions(), joined_ms=joined_ms).place
    return place.place_ms, place.by, place.seq


def test_O2_the_newest_bumping_message_gives_the_place() -> None:
    quiet = _replace(a_message(5, time_ms=3_000), bumps=False)
    messages = (a_message(3, time_ms=1_000), a_message(4, time_ms=2_000), quiet)
    assert placed(a_row(activity_ms=2_000), *messages) == (2_000, "message", 4)


def test_O2_or_the_draft_or_joining() -> None:
    drafted = _replace(a_row(activity_ms=2_000), draft=Draft("well", 2_500))
    message = a_message(4, time_ms=2_000)
    assert placed(drafted, message) == (2_500, "draft", None)
    older = _replace(a_row(activity_ms=2_000), draft=Draft("well", 1_500))
    assert placed(older, message) == (2_000, "message", 4)
    assert placed(a_row(activity_ms=2_600), message, joined_ms=2_600) == (2_600, "joining", None)


def test_O1_G1_a_pin_gives_the_place_whatever_else_there_is() -> None:
    row = a_row(activity_ms=2_000, rank=-7)
    place = Recount("ann", Membership()).explanation(row, Positions()).place
    assert (place.by, place.rank, place.place_ms) == ("pin", -7, 2_000)


def test_G2_the_end_of_a_mute_is_told() -> None:
    row = _replace(a_row(), mute="none", mute_until_ms=9_000)
    told = Recount("ann", Membership()).explanation(row, Positions())
    assert (told.mute, told.mute_until_ms) == ("none", 9_000)


def test_what_is_not_known_is_not_guessed() -> None:
    assert placed(a_row(activity_ms=2_000), joined_ms=None) == (2_000, None, None)
    assert placed(a_row(activity_ms=2_000)) == (2_000, "message", None), "it lies far back"


# Share.


def test_U4_a_muted_row_adds_nothing_to_the_badge() -> None:
    row = entry_of("ann", BOB, Head(ordinal=3), Membership(mute="none"))
    assert share_of(row) == Share(unread=3, muted_unread=3, badge=0)
    assert share_of(_replace(row, mute=None)) == Share(unread=3, badge=3)


def test_C2_a_row_that_is_not_in_the_list_adds_nothing() -> None:
    recount = Recount("ann", Membership())
    explanation = recount.explanation(a_row(unread=3), Positions(), listed=False)
    assert (explanation.listed, explanation.share) == (False, Share())
