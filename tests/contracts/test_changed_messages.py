"""Contract: messages that were recalled or edited, and what rows make of them (P1–P3, U2, T2)."""

from __future__ import annotations

import pytest

from recents.core.ids import key_of, p2p, team
from recents.core.message import Message
from recents.server.store.port import Seen, Store
from recents.server.store.workspace import Wanted, Workspace
from tests.contracts.batches import Batch, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
ALICE = p2p("alice")
KEY = key_of("alice", BOB)
TEAM = team("t1")


async def row(store: Store, account: str, conversation: str) -> Seen:
    (seen,) = await store.look([(account, key_of(account, p2p(conversation[4:])))])
    return seen


async def in_team(store: Store, account: str) -> Seen:
    (seen,) = await store.look([(account, key_of(account, TEAM))])
    return seen


async def loaded(store: Store, *seqs: int) -> tuple[list[Message | None], list[Message | None]]:
    """What a batch finds of messages, and of what a row shows instead."""
    found: tuple[list[Message | None], list[Message | None]] = ([], [])

    def look(workspace: Workspace) -> None:
        found[0][:] = [workspace.message(KEY, seq) for seq in seqs]
        found[1][:] = [workspace.older(KEY, seq) for seq in seqs]

    await store.transact(Wanted(messages={(KEY, seq) for seq in seqs}), look)
    return found


async def test_p2_a_recalled_message_is_stored_as_its_notice(store: Store) -> None:
    await posted(store, "alice", BOB, "c1", "c2")
    await Batch().recall("alice", BOB, 2).commit(store)
    first, second = await history(store, KEY)
    assert (first.state, first.text) == ("normal", "")
    assert (second.state, second.recalled_by, second.client_id) == ("recalled", "alice", "c2")
    seen = await row(store, "bob", ALICE)
    assert (seen.tally.retracted_after_read, seen.entry().unread) == (1, 1)
    assert seen.head.preview is not None
    assert seen.head.preview.state == "recalled"


async def test_p1_one_that_vanished_leaves_history_and_keeps_its_place(store: Store) -> None:
    await posted(store, "alice", BOB, "c1", "c2", "c3")
    await Batch().recall("alice", BOB, 2, notice=False).commit(store)
    assert [message.seq for message in await history(store, KEY)] == [1, 3]
    newest = await store.messages(KEY, after_seq=0, before_seq=4, limit=2)
    assert [message.seq for message in newest] == [1, 3], "what is gone takes no place in a page"
    assert (await row(store, "bob", ALICE)).entry().unread == 2
    workspace = await posted(store, "alice", BOB, "c2", "c4")
    assert [message.seq for message in workspace.messages[KEY]] == [4], "M1, M2"


async def test_p2_a_batch_finds_messages_and_what_is_shown_instead(store: Store) -> None:
    await Batch().post("alice", BOB, "c1").post("alice", BOB, "c2", previews=False).commit(store)
    await posted(store, "alice", BOB, "c3", "c4")
    await Batch().recall("alice", BOB, 3, notice=False).commit(store)
    messages, olders = await loaded(store, 1, 3, 4, 5, 2**60)
    assert [message and message.state for message in messages] == [
        "normal",
        "gone",
        "normal",
        None,
        None,
    ]
    assert [older and older.seq for older in olders] == [None, 1, 1, 4, 4]


@pytest.mark.parametrize("order", [(4, 3), (3, 4)])
async def test_p1_recalls_of_one_batch_see_each_other(
    store: Store, order: tuple[int, ...]
) -> None:
    await posted(store, "alice", BOB, "c1", "c2")
    batch = Batch().post("alice", BOB, "c3").post("alice", BOB, "c4")
    batch.edit("alice", BOB, 2, "better")
    for seq in order:
        batch.recall("alice", BOB, seq, notice=False)
    await batch.commit(store)
    preview = (await row(store, "bob", ALICE)).head.preview
    assert preview is not None
    assert (preview.seq, preview.text, preview.state) == (2, "better", "edited")
    await (
        Batch()
        .recall("alice", BOB, 1, notice=False)
        .recall("alice", BOB, 2, notice=False)
        .commit(store)
    )
    assert (await row(store, "bob", ALICE)).head.preview is None
    assert await history(store, KEY) == []


async def test_p3_an_edit_is_stored_with_its_mentions(store: Store) -> None:
    await posted(store, "alice", BOB, "c1")
    await Batch().edit("alice", BOB, 1, "better", ("bob",)).commit(store)
    (message,) = await history(store, KEY)
    assert (message.text, message.mentions, message.state) == ("better", ("bob",), "edited")


async def test_t2_who_has_left_counts_the_recalls_up_to_the_parting(store: Store) -> None:
    await Batch().create(TEAM, "ann", "me").commit(store)
    await posted(store, "ann", TEAM, "c1", "c2", "c3")
    await Batch().recall("ann", TEAM, 1).leave("me", TEAM).recall("ann", TEAM, 2).commit(store)
    await Batch().recall("ann", TEAM, 3, notice=False).commit(store)
    seen = await in_team(store, "me")
    assert (seen.tally.retracted_after_read, seen.entry().unread) == (1, 2)
    assert seen.entry().preview == seen.membership.parting.preview  # type: ignore[union-attr]
    assert (await in_team(store, "ann")).head.changes == 3
    (changed,) = [one for one in await store.changed_since("me", 0) if one.conversation == TEAM]
    assert changed.entry() == seen.entry()


async def test_p2_what_is_deleted_for_me_leaves_my_row_and_my_history_alone(store: Store) -> None:
    await posted(store, "alice", BOB, "c1", "c2", "c3")
    await Batch().hide("bob", ALICE, 3).hide("bob", ALICE, 3).hide("bob", ALICE, 1).commit(store)
    seen = await row(store, "bob", ALICE)
    assert (seen.entry().unread, seen.tally.preview_hidden) == (1, True)
    assert seen.entry().preview == seen.tally.older
    assert seen.tally.older is not None
    assert seen.tally.older.client_id == "c2"
    mine = await store.messages(KEY, after_seq=0, before_seq=9, limit=9, account="bob")
    assert [message.seq for message in mine] == [2]
    theirs = await store.messages(KEY, after_seq=0, before_seq=9, limit=9, account="alice")
    assert [message.seq for message in theirs] == [1, 2, 3]
    assert (await row(store, "alice", BOB)).entry().preview == seen.head.preview


async def test_u2_positions_skip_what_is_deleted_for_me(store: Store) -> None:
    await posted(store, "alice", BOB, "c1", "c2", "c3", "c4")
    await Batch().read("bob", ALICE, 4).hide("bob", ALICE, 3).commit(store)
    for seq, unread in ((3, 1), (2, 1), (1, 2), (0, 3)):
        await Batch().unread_from("bob", ALICE, seq).commit(store)
        assert (await row(store, "bob", ALICE)).entry().unread == unread
    await (
        Batch()
        .recall("alice", BOB, 3)
        .hide("bob", ALICE, 2)
        .unread_from("bob", ALICE, 1)
        .commit(store)
    )
    assert (await row(store, "bob", ALICE)).entry().unread == 1
    again = Batch().post("alice", BOB, "c5").hide("bob", ALICE, 5).unread_from("bob", ALICE, 4)
    await again.commit(store)
    assert (await row(store, "bob", ALICE)).entry().unread == 0


async def test_c3_a_device_that_was_away_is_told_what_became_of_messages(store: Store) -> None:
    await Batch().create(TEAM, "ann", "me", "old").commit(store)
    await posted(store, "ann", TEAM, "c1", "c2", "c3", "c4", "c5")
    before = store.version
    await Batch().edit("ann", TEAM, 1, "better").hide("me", TEAM, 2).commit(store)
    await Batch().leave("old", TEAM).recall("ann", TEAM, 3).commit(store)
    since = store.version
    await Batch().recall("ann", TEAM, 4, notice=False).edit("ann", TEAM, 2, "x").commit(store)

    async def told(account: str, version: int) -> list[tuple[int, str]]:
        found = await store.amended_since(account, version)
        return [(one.seq, one.state) for some in found.values() for one in some]

    everything = [(1, "edited"), (2, "gone"), (3, "recalled"), (4, "gone")]
    assert await told("me", before) == everything
    assert await told("me", since) == [(4, "gone")], "what is hidden stays so"
    assert await told("ann", since) == [(2, "edited"), (4, "gone")]
    assert await told("old", before) == [], "who has left is told of none (T2)"
    assert await told("me", store.version) == await told("stranger", 0) == []
    await Batch().clear("me", TEAM, 3).commit(store)
    assert (4, "gone") in await told("me", before)
    assert (1, "edited") not in await told("me", before)
