"""What a batch of commands works on: loaded state with the batch's changes on top (U2, C4)."""

from __future__ import annotations

import pytest

from recents.core.errors import Code
from recents.core.head import Head
from recents.core.ids import ConversationKey
from recents.core.membership import Membership, Position
from recents.core.message import Message
from recents.server.store.workspace import Loaded, Verdict, Workspace
from tests.core.making import a_message

KEY = ConversationKey("team:t1")
OTHER = ConversationKey("team:t2")
HEAD = Head(version=3, last_seq=3, ordinal=3, name="One", owner="ann")
BOB = Membership(version=1, joined_version=1)


def workspace(loaded: Loaded | None = None) -> Workspace:
    return Workspace(4, loaded or Loaded(heads={KEY: HEAD}, memberships={("bob", KEY): BOB}))


def with_messages(*messages: Message, positions: dict[int, Position] | None = None) -> Workspace:
    """Three messages are in the store, these come in this batch."""
    loaded = Loaded(
        heads={KEY: HEAD},
        memberships={("bob", KEY): BOB},
        positions={("bob", KEY, seq): place for seq, place in (positions or {}).items()},
    )
    here = workspace(loaded)
    for message in messages:
        here.append(KEY, message)
    newest = messages[-1] if messages else a_message(3)
    here.put_head(
        KEY,
        Head(version=4, last_seq=newest.seq, ordinal=newest.ordinal, name="One", owner="ann"),
    )
    return here


def test_later_commands_of_a_batch_see_the_earlier_ones() -> None:
    here = workspace()
    assert (here.head(KEY), here.membership("bob", KEY)) == (HEAD, BOB)
    newer, moved = Head(version=4, last_seq=4), Membership(version=4, read_seq=4)
    here.put_head(KEY, newer)
    here.put_membership("bob", KEY, moved)
    assert (here.head(KEY), here.membership("bob", KEY)) == (newer, moved)
    assert (here.heads, here.memberships) == ({KEY: newer}, {("bob", KEY): moved})


def test_putting_what_is_there_is_no_change() -> None:
    here = workspace()
    here.put_head(KEY, HEAD)
    here.put_membership("bob", KEY, BOB)
    assert not here.changed
    here.put_membership("bob", KEY, Membership(version=4))
    assert here.changed


def test_m2_a_message_is_known_from_the_store_or_from_this_batch() -> None:
    stored, new = a_message(3), a_message(4)
    here = workspace(Loaded(posted={(KEY, "ann", "c3"): stored}))
    here.append(KEY, new)
    assert here.posted(KEY, "ann", "c3") == stored
    assert here.posted(KEY, "ann", "c4") == new
    assert here.posted(KEY, "bob", "c4") is None
    assert here.posted(OTHER, "ann", "c4") is None


def test_c4_a_verdict_is_known_from_the_store_or_from_this_batch() -> None:
    stored, new = Verdict(1, 2), Verdict(3, code=Code.BEYOND_END, message="no", details={"seq": 9})
    here = workspace(Loaded(verdicts={("ann", "c1"): stored}))
    here.verdicts["ann", "c2"] = new
    assert here.verdict("ann", "c1") == stored
    assert here.verdict("ann", "c2") == new
    assert here.verdict("bob", "c1") is None
    assert here.verdicts == {("ann", "c2"): new}, "what the store has is not stored again"
    assert not here.changed, "verdicts alone take no version"
    assert stored.refusal() is None
    refusal = new.refusal()
    assert refusal is not None
    assert (refusal.code, refusal.args, refusal.details) == (Code.BEYOND_END, ("no",), {"seq": 9})


def test_r5_an_inbox_holds_what_was_made_in_this_batch() -> None:
    here = workspace(Loaded(inboxes={"bob": {KEY}, "cid": set()}))
    here.put_membership("bob", OTHER, Membership(version=4))
    assert here.keys_of("bob") == {KEY, OTHER}
    assert here.keys_of("cid") == set()


def test_the_end_needs_no_look_up() -> None:
    here = with_messages(a_message(4))
    assert here.position("bob", KEY, 4) == Position(4, 4)
    assert here.position("bob", KEY, 99) == Position(4, 4)
    assert here.position("bob", OTHER, 7) == Position(0, 0)


def test_t2_the_end_of_who_left_is_where_it_left() -> None:
    here = with_messages(a_message(4))
    here.put_membership("bob", KEY, Membership(version=4, parting=HEAD))
    assert here.position("bob", KEY, 4) == Position(3, 3)


def test_u2_a_place_in_the_store_counts_the_own_messages_of_this_batch() -> None:
    here = with_messages(
        a_message(4, "bob"),
        a_message(5, "bob", ordinal=4, counts=False),
        a_message(6, "ann", ordinal=5),
        positions={1: Position(1, 1, 1)},
    )
    assert here.position("bob", KEY, 1) == Position(1, 1, 2)


@pytest.mark.parametrize(
    ("seq", "position"),
    [(3, Position(3, 3, 1)), (4, Position(4, 3, 1)), (5, Position(5, 4, 0))],
)
def test_u2_a_place_in_this_batch_is_counted_from_its_messages(
    seq: int, position: Position
) -> None:
    here = with_messages(
        a_message(4, "ann", ordinal=3, counts=False),
        a_message(5, "bob", ordinal=4),
        a_message(6, "ann", ordinal=5),
    )
    assert here.position("bob", KEY, seq) == position


def test_d4_a_cutoff_ends_before_what_came_later() -> None:
    here = workspace(
        Loaded(
            heads={KEY: HEAD, OTHER: Head(last_seq=7)},
            cutoffs={("bob", 2): {KEY: Position(1, 1)}},
        )
    )
    assert here.seq_at("bob", KEY, 2) == 1
    assert here.seq_at("bob", OTHER, 2) == 7, "nothing came later"
    assert here.seq_at("bob", ConversationKey("team:t3"), 2) == 0


def test_d4_what_comes_in_this_batch_came_later() -> None:
    here = workspace(Loaded(heads={KEY: HEAD}, cutoffs={("bob", 3): {}}))
    here.put_head(KEY, Head(version=4, last_seq=4))
    assert here.seq_at("bob", KEY, 3) == 3


def test_d4_two_cutoffs_of_one_account_are_kept_apart() -> None:
    here = workspace(
        Loaded(
            heads={KEY: HEAD},
            memberships={("bob", KEY): BOB},
            cutoffs={
                ("ann", 1): {KEY: Position(1, 1, 9)},
                ("bob", 1): {KEY: Position(1, 1, 2)},
                ("bob", 2): {OTHER: Position(2, 2, 9)},
                ("bob", 3): {KEY: Position(2, 2, 1)},
            },
        )
    )
    assert here.position("bob", KEY, 1) == Position(1, 1, 2)
    assert here.position("bob", KEY, 2) == Position(2, 2, 1)


def test_a_place_that_nobody_asked_for_is_a_mistake_of_the_program() -> None:
    with pytest.raises(AssertionError, match="position 2 of team:t1 was not wanted"):
        workspace().position("bob", KEY, 2)
