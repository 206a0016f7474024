"""A row is a head seen through a membership: rules U2, P, R3, R4, R6, D1, D2, G, O2, T2."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.commands import MuteLevel
from recents.core.entry import (
    InboxEntry,
    Tally,
    entry_of,
    is_visible,
    membership_state,
    needs_tally,
    row_version,
    status_of,
    unread,
)
from recents.core.face import Face
from recents.core.head import Head
from recents.core.ids import Conversation, Kind
from recents.core.membership import Draft, Membership
from recents.core.message import Preview
from tests.core.making import a_row

BOB = Conversation("p2p:bob")
TEAM = Conversation("team:t1")
BIG = Conversation("super_team:big")


def a_preview(seq: int = 9, sender: str = "bob", text: str = "hi") -> Preview:
    return Preview(seq=seq, client_id=f"c{seq}", sender=sender, time_ms=800, text=text)


HEAD = Head(
    version=7,
    last_seq=9,
    ordinal=6,
    time_ms=900,
    activity_ms=850,
    preview=a_preview(),
    receipts=(2, 5),
)
MEMBER = Membership(
    version=5, joined_ms=100, read_seq=4, read_ordinal=2, skipped_after_read=1, cleared_seq=3
)


def test_a_row_is_made_of_head_and_membership() -> None:
    assert entry_of("ann", BOB, HEAD, MEMBER) == InboxEntry(
        conversation=BOB,
        version=7,
        activity_ms=850,
        last_seq=9,
        read_seq=4,
        unread=3,
        preview=a_preview(),
        cleared_seq=3,
    )


@pytest.mark.parametrize(
    ("account", "peer", "shown"),
    [("ann", "bob", Face("Bob", "b.png")), ("bob", "ann", Face("", "a.png"))],
)
def test_i1_each_of_two_sees_the_face_of_the_other(account: str, peer: str, shown: Face) -> None:
    head = msgspec.structs.replace(HEAD, faces=(Face("", "a.png"), Face("Bob", "b.png")))
    row = entry_of(account, Conversation(f"p2p:{peer}"), head, MEMBER)
    assert (row.name, row.avatar) == (shown.name or None, shown.avatar)
    assert row.title == (shown.name or peer)


def test_i1_a_row_is_called_by_its_alias_and_keeps_its_name() -> None:
    head = msgspec.structs.replace(HEAD, faces=(Face(), Face("Bob Lee")))
    row = entry_of("ann", BOB, head, msgspec.structs.replace(MEMBER, alias="Dear"))
    assert (row.title, row.alias, row.name, row.initials) == ("Dear", "Dear", "Bob Lee", "D")
    plain = entry_of("ann", BOB, head, MEMBER)
    assert (plain.title, plain.initials) == ("Bob Lee", "BL")
    assert plain.colour == row.colour == entry_of("ann", BOB, HEAD, MEMBER).colour


def test_t2_who_has_left_sees_the_avatar_of_then() -> None:
    then = Head(name="Crew", owner="bob", avatar="then.png")
    now = msgspec.structs.replace(then, avatar="now.png")
    assert entry_of("ann", TEAM, now, MEMBER).avatar == "now.png"
    left = msgspec.structs.replace(MEMBER, parting=then)
    assert entry_of("ann", TEAM, now, left).avatar == "then.png"


def test_i2_notes_to_oneself_have_ones_own_face() -> None:
    head = msgspec.structs.replace(HEAD, faces=(Face("Ann"), Face("Ann")))
    assert entry_of("ann", Conversation("p2p:ann"), head, MEMBER).title == "Ann"


def test_u2_unread_is_what_came_less_what_is_not_countable() -> None:
    assert unread(HEAD, MEMBER) == 6 - 2 - 1
    assert unread(HEAD, MEMBER, Tally(retracted_after_read=2)) == 1
    assert entry_of("ann", BOB, HEAD, MEMBER, Tally(retracted_after_read=2)).unread == 1


def test_u2_only_recalls_after_the_read_position_need_a_tally() -> None:
    recalled = msgspec.structs.replace(HEAD, last_retraction=MEMBER.read_seq)
    assert not needs_tally(recalled, MEMBER)
    assert needs_tally(msgspec.structs.replace(HEAD, last_retraction=MEMBER.read_seq + 1), MEMBER)


def test_u3_there_is_no_cap() -> None:
    busy = msgspec.structs.replace(HEAD, last_seq=2_000_000, ordinal=1_000_003)
    assert entry_of("ann", BOB, busy, MEMBER).unread == 1_000_000


@pytest.mark.parametrize(("deleted_seq", "listed"), [(-1, True), (8, True), (9, False)])
def test_d2_a_deleted_row_is_back_with_a_later_message(deleted_seq: int, listed: bool) -> None:
    membership = msgspec.structs.replace(MEMBER, deleted_seq=deleted_seq)
    assert is_visible(HEAD, membership) is listed


def test_d1_an_empty_row_is_listed_until_it_is_deleted() -> None:
    assert is_visible(Head(), Membership())
    assert not is_visible(Head(), Membership(deleted_seq=0))
    assert is_visible(Head(last_seq=1), Membership(deleted_seq=0))


def test_the_version_of_a_row_is_the_newer_of_the_two() -> None:
    assert row_version(HEAD, MEMBER) == 7
    assert row_version(HEAD, msgspec.structs.replace(MEMBER, version=8)) == 8


def test_p1_what_was_cleared_is_not_shown() -> None:
    cleared = msgspec.structs.replace(MEMBER, cleared_seq=9)
    row = entry_of("ann", BOB, HEAD, cleared)
    assert row.preview is None
    assert row.activity_ms == 850, "D5: the row keeps its place"
    kept = msgspec.structs.replace(MEMBER, cleared_seq=8)
    assert entry_of("ann", BOB, HEAD, kept).preview == a_preview()


def test_p2_a_hidden_preview_gives_way_to_the_next_older_one() -> None:
    older = a_preview(6, text="older")
    row = entry_of("ann", BOB, HEAD, MEMBER, Tally(preview_hidden=True, older=older))
    assert row.preview == older
    assert entry_of("ann", BOB, HEAD, MEMBER, Tally(preview_hidden=True)).preview is None
    assert entry_of("ann", BOB, HEAD, MEMBER, Tally(older=older)).preview == (a_preview())


def test_p2_the_next_older_one_may_be_cleared() -> None:
    row = entry_of("ann", BOB, HEAD, MEMBER, Tally(preview_hidden=True, older=a_preview(3)))
    assert row.preview is None


def test_o2_an_empty_row_stands_where_its_account_joined() -> None:
    joined_later = msgspec.structs.replace(MEMBER, joined_ms=860)
    assert entry_of("ann", BOB, HEAD, joined_later).activity_ms == 860
    assert entry_of("ann", BOB, Head(), MEMBER).activity_ms == 100


DRAFTED = msgspec.structs.replace(MEMBER, draft=Draft("dear", 900))


def test_g6_o2_a_draft_stands_in_the_row_and_places_it() -> None:
    row = entry_of("ann", BOB, HEAD, DRAFTED)
    assert row.draft == Draft("dear", 900)
    assert (row.place_ms, row.activity_ms, row.time_ms) == (900, 850, 800)


@pytest.mark.parametrize(("draft_ms", "place_ms"), [(849, 850), (850, 850), (851, 851)])
def test_o2_a_draft_never_sinks_its_row(draft_ms: int, place_ms: int) -> None:
    drafted = msgspec.structs.replace(MEMBER, draft=Draft("dear", draft_ms))
    assert entry_of("ann", BOB, HEAD, drafted).place_ms == place_ms
    assert entry_of("ann", BOB, HEAD, MEMBER).place_ms == 850


def test_r4_a_dot_is_no_number() -> None:
    marked = msgspec.structs.replace(MEMBER, marked_unread=1)
    assert entry_of("ann", BOB, HEAD, marked).marked_unread is True
    assert entry_of("ann", BOB, HEAD, marked).unread == entry_of("ann", BOB, HEAD, MEMBER).unread
    assert entry_of("ann", BOB, HEAD, MEMBER).marked_unread is False


@pytest.mark.parametrize(("moved_back", "marked"), [(8, 0), (8, 3), (3, 8), (0, 8)])
def test_r3_who_read_this_row_knew_its_newest_mark(moved_back: int, marked: int) -> None:
    membership = msgspec.structs.replace(MEMBER, read_epoch=moved_back, marked_unread=marked)
    assert entry_of("ann", BOB, HEAD, membership).read_epoch == 8


@pytest.mark.parametrize("level", ["none", "mentions"])
def test_u4_muting_changes_no_count_and_no_place(level: MuteLevel) -> None:
    plain = entry_of("ann", BOB, HEAD, MEMBER)
    row = entry_of("ann", BOB, HEAD, msgspec.structs.replace(MEMBER, mute=level))
    assert row == msgspec.structs.replace(plain, mute=level)


def test_p4_only_an_own_message_has_a_status() -> None:
    assert status_of(HEAD, None, "ann", BOB) is None
    assert status_of(HEAD, a_preview(sender="bob"), "ann", BOB) is None
    assert status_of(HEAD, a_preview(sender="ann"), "ann", BOB) == "sent"


@pytest.mark.parametrize(("seq", "status"), [(4, "read"), (5, "read"), (6, "sent")])
def test_r6_it_is_read_when_the_peer_has_read_up_to_it(seq: int, status: str) -> None:
    assert status_of(HEAD, a_preview(seq, "ann"), "ann", BOB) == status


def test_r6_each_side_looks_at_the_others_receipt() -> None:
    assert status_of(HEAD, a_preview(3, "ann"), "ann", BOB) == "read"
    assert status_of(HEAD, a_preview(3, "bob"), "bob", Conversation("p2p:ann")) == "sent"


def test_p4_notes_to_oneself_and_messages_to_teams_are_sent() -> None:
    noted = msgspec.structs.replace(HEAD, receipts=(9, 9))
    for conversation in (Conversation("p2p:ann"), TEAM, BIG):
        assert status_of(noted, a_preview(1, "ann"), "ann", conversation) == "sent"


def test_p4_the_status_is_that_of_the_message_the_row_shows() -> None:
    mine = a_preview(4, "ann")
    assert (
        entry_of("ann", BOB, HEAD, MEMBER, Tally(preview_hidden=True, older=mine)).status == "read"
    )
    sent = msgspec.structs.replace(HEAD, preview=a_preview(9, "ann"))
    assert entry_of("ann", BOB, sent, MEMBER).status == "sent"
    cleared = msgspec.structs.replace(MEMBER, cleared_seq=9)
    assert entry_of("ann", BOB, sent, cleared).status is None


@pytest.mark.parametrize("removed", [False, True])
def test_t2_who_is_gone_sees_the_team_as_it_was_then(removed: bool) -> None:
    then = msgspec.structs.replace(HEAD, name="One", owner="olga")
    now = Head(version=20, last_seq=30, ordinal=30, activity_ms=5_000, name="Two", owner="olga")
    gone = msgspec.structs.replace(MEMBER, version=8, parting=then, removed=removed)
    assert entry_of("ann", TEAM, now, gone) == InboxEntry(
        conversation=TEAM,
        version=8,
        activity_ms=850,
        last_seq=9,
        read_seq=4,
        unread=3,
        preview=a_preview(),
        membership="removed" if removed else "left",
        name="One",
        cleared_seq=3,
    )
    assert is_visible(now, gone)
    assert not is_visible(now, msgspec.structs.replace(gone, deleted_seq=9))


def test_t2_in_a_dismissed_team_everybody_present_is_told_so() -> None:
    over = msgspec.structs.replace(HEAD, dismissed=True)
    assert membership_state(HEAD, MEMBER) == "member"
    assert membership_state(over, MEMBER) == "dismissed"
    assert entry_of("ann", TEAM, over, MEMBER).membership == "dismissed"


def test_t2_who_left_before_the_end_left() -> None:
    over = msgspec.structs.replace(HEAD, dismissed=True)
    gone = msgspec.structs.replace(MEMBER, parting=HEAD)
    assert membership_state(over, gone) == "left"
    assert entry_of("ann", TEAM, over, gone).membership == "left"


def test_a_row_says_what_to_call_it() -> None:
    row = InboxEntry(conversation=TEAM, version=1, activity_ms=5, name="One")
    assert (row.kind, row.id, row.title) == (Kind.TEAM, "t1", "One")
    assert msgspec.structs.replace(row, name="").title == "t1"
    peer = InboxEntry(conversation=BOB, version=1, activity_ms=5)
    assert (peer.kind, peer.id, peer.title) == (Kind.P2P, "bob", "bob")


def test_a_rows_time_is_that_of_the_message_it_shows() -> None:
    assert entry_of("ann", BOB, HEAD, MEMBER).time_ms == 800
    assert InboxEntry(conversation=BOB, version=1, activity_ms=5).time_ms == 5


def test_g3_mentions_are_those_of_the_tally() -> None:
    row = entry_of("ann", BOB, HEAD, MEMBER, Tally(mentions_me=2, mentions_all=1))
    assert (row.mentions_me, row.mentions_all) == (2, 1)
    assert needs_tally(msgspec.structs.replace(HEAD, last_mention=MEMBER.read_seq + 1), MEMBER)


def test_p2_a_hidden_preview_needs_a_tally() -> None:
    assert not needs_tally(HEAD, msgspec.structs.replace(MEMBER, last_hidden=8))
    assert needs_tally(HEAD, msgspec.structs.replace(MEMBER, last_hidden=9))
    assert not needs_tally(Head(), msgspec.structs.replace(MEMBER, last_hidden=9))


def test_G1_a_row_with_a_pin_is_pinned() -> None:
    assert a_row("p2p:bob", rank=1).pinned
    assert not a_row("p2p:bob").pinned
