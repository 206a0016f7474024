"""Which rows match a filter."""

import pytest
from msgspec.structs import replace

from recents.core.entry import InboxEntry
from recents.core.filters import MAIN_LIST, Filter
from recents.core.ids import Conversation, Kind
from recents.core.membership import Pinned

BOB = InboxEntry(conversation=Conversation("p2p:bob"), version=1, activity_ms=1)
TEAM = replace(BOB, conversation=Conversation("team:t"))
SUPER_TEAM = replace(BOB, conversation=Conversation("super_team:t"))
UNREAD = replace(BOB, unread=1)
DOT = replace(BOB, marked_unread=True)
MUTED = replace(BOB, mute="none")
MENTIONS = replace(TEAM, mute="mentions", unread=2)
ALL = (BOB, TEAM, SUPER_TEAM, UNREAD, DOT, MUTED, MENTIONS)


@pytest.mark.parametrize(
    ("wanted", "matching"),
    [
        (MAIN_LIST, ALL),
        (Filter(kinds=(Kind.P2P,)), (BOB, UNREAD, DOT, MUTED)),
        (Filter(kinds=(Kind.TEAM, Kind.SUPER_TEAM)), (TEAM, SUPER_TEAM, MENTIONS)),
        (Filter(kinds=()), ()),
        (Filter(unread_only=True), (UNREAD, DOT, MENTIONS)),
        (Filter(muted=True), (MUTED, MENTIONS)),
        (Filter(muted=False), (BOB, TEAM, SUPER_TEAM, UNREAD, DOT)),
        (Filter(kinds=(Kind.TEAM,), muted=True, unread_only=True), (MENTIONS,)),
    ],
)
def test_all_that_is_said_must_hold(wanted: Filter, matching: tuple[InboxEntry, ...]) -> None:
    assert tuple(row for row in ALL if wanted.matches(row)) == matching


PINNED = replace(BOB, pin=Pinned(0, "", 1, 1))
AWAY = replace(TEAM, archived=True, labels=("work",))
WORK = replace(TEAM, labels=("home", "work"), mentions_all=1)
NAMED = replace(TEAM, mentions_me=1)
MARKED = (PINNED, AWAY, WORK, NAMED)


@pytest.mark.parametrize(
    ("wanted", "matching"),
    [
        (MAIN_LIST, (PINNED, WORK, NAMED)),
        (Filter(archived=True), (AWAY,)),
        (Filter(archived=None), MARKED),
        (Filter(pinned=True), (PINNED,)),
        (Filter(pinned=False), (WORK, NAMED)),
        (Filter(label="work"), (WORK,)),
        (Filter(label="work", archived=None), (AWAY, WORK)),
        (Filter(mentioned_only=True), (WORK, NAMED)),
    ],
)
def test_G1_G3_G4_G5_rows_by_what_was_done_to_them(
    wanted: Filter, matching: tuple[InboxEntry, ...]
) -> None:
    assert tuple(row for row in MARKED if wanted.matches(row)) == matching


def test_equal_filters_are_one() -> None:
    assert len({Filter(), MAIN_LIST, Filter(kinds=None), Filter(muted=False)}) == 2
