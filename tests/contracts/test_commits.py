"""Contract: commits are numbered, whole, one after another; messages get their place once."""

from __future__ import annotations

import pytest

from recents.core.errors import Code, Refused
from recents.core.head import Head
from recents.core.ids import ConversationKey, p2p, team
from recents.core.membership import Membership
from recents.core.message import Message
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store, StoreFailed
from recents.server.store.workspace import Wanted, Workspace
from tests.contracts.batches import Batch, at_once, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
KEY = ConversationKey("p2p:alice|bob")
TEAM = team("t1")


async def rows_of(store: Store, account: str) -> object:
    return sorted(await store.changed_since(account, 0), key=lambda seen: seen.conversation)


async def test_a_new_store_is_at_version_0_and_has_an_epoch(store: Store) -> None:
    assert store.version == 0
    assert store.epoch
    assert store.rows_written == 0


async def test_two_stores_have_two_epochs(store: Store) -> None:
    assert store.epoch != MemoryStore().epoch


async def test_each_commit_takes_the_next_version(store: Store) -> None:
    for number in (1, 2, 3):
        workspace = await posted(store, "alice", BOB, f"m{number}")
        assert workspace.version == store.version == number


async def test_transacting_without_a_change_commits_nothing(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    wanted = Wanted(heads={KEY}, memberships={("alice", KEY)}, inboxes={"alice"})
    workspace = await store.transact(wanted, lambda _: None)
    assert not workspace.changed
    assert store.version == 1
    assert store.rows_written == 4


async def test_a_decision_that_raises_leaves_everything_as_it_was(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    before = (await rows_of(store, "alice"), await history(store, KEY), store.rows_written)

    def refuse(_: Workspace) -> None:
        raise Refused(Code.BAD_VALUE, "no")

    batch = Batch().post("alice", BOB, "m2").then(refuse)
    with pytest.raises(Refused, match="no"):
        await batch.commit(store)

    assert (await rows_of(store, "alice"), await history(store, KEY), store.rows_written) == before
    assert store.version == 1
    await posted(store, "alice", BOB, "m3")
    assert [message.client_id for message in await history(store, KEY)] == ["m1", "m3"]


async def test_each_row_is_written_once_per_batch_in_its_last_state(store: Store) -> None:
    await posted(store, "alice", BOB, *(f"m{n}" for n in range(100)))
    assert store.rows_written == 100 + 1 + 2
    (seen,) = await store.look([("bob", KEY)])
    assert seen.head.last_seq == seen.head.ordinal == 100
    assert seen.head.version == 1


async def test_rows_written_do_not_depend_on_the_size_of_the_team(store: Store) -> None:
    await Batch().create(TEAM, *(f"member-{n}" for n in range(500))).commit(store)
    before = store.rows_written
    await posted(store, "member-7", TEAM, "m1")
    assert store.rows_written - before == 3


async def test_a_decision_sees_what_was_committed_before(store: Store) -> None:
    found: list[tuple[Head | None, Membership | None]] = []
    wanted = Wanted(heads={KEY}, memberships={("bob", KEY)})
    await posted(store, "alice", BOB, "m1", "m2")
    await store.transact(
        wanted, lambda work: found.append((work.head(KEY), work.membership("bob", KEY)))
    )
    head, membership = found[-1]
    assert head is not None
    assert membership is not None
    assert (head.last_seq, membership.version) == (2, 1)


async def test_a_decision_sees_that_something_does_not_exist(store: Store) -> None:
    found: list[object] = []

    def decide(workspace: Workspace) -> None:
        found.extend((workspace.head(KEY), workspace.membership("bob", KEY)))
        found.append(workspace.account_exists("bob"))
        found.append(workspace.keys_of("bob"))

    wanted = Wanted(heads={KEY}, memberships={("bob", KEY)}, accounts={"bob"}, inboxes={"bob"})
    await store.transact(wanted, decide)
    assert found == [None, None, False, set()]


async def test_M1_messages_get_the_next_seq_without_gaps(store: Store) -> None:
    batches = [
        Batch().post("alice", BOB, f"a{n}").post("bob", p2p("alice"), f"b{n}") for n in range(30)
    ]
    workspaces = await at_once(*batches, store=store)
    assert sorted(workspace.version for workspace in workspaces) == list(range(1, 31))
    assert [message.seq for message in await history(store, KEY)] == list(range(1, 61))


async def test_M1_a_refused_batch_leaves_no_gap(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")

    def refuse(_: Workspace) -> None:
        raise Refused(Code.BAD_VALUE, "no")

    with pytest.raises(Refused):
        await Batch().post("alice", BOB, "m2").then(refuse).commit(store)
    await posted(store, "alice", BOB, "m2")
    assert [message.seq for message in await history(store, KEY)] == [1, 2]


async def test_M2_a_duplicate_of_an_earlier_batch_answers_the_first_result(store: Store) -> None:
    first, again = Batch().post("alice", BOB, "m1", text="one"), Batch(1_800_000_000_000)
    again.post("alice", BOB, "m1", text="two")
    await first.commit(store)
    rows = await rows_of(store, "bob")
    workspace = await again.commit(store)
    assert again.messages == first.messages
    assert not workspace.changed
    assert store.version == 1
    assert await rows_of(store, "bob") == rows


async def test_M2_a_duplicate_inside_one_batch_answers_the_first_result(store: Store) -> None:
    batch = Batch().post("alice", BOB, "m1", text="one").post("alice", BOB, "m1", text="two")
    await batch.commit(store)
    assert batch.messages[0] == batch.messages[1]
    assert [message.text for message in await history(store, KEY)] == ["one"]


async def test_M2_duplicates_do_not_keep_their_batch_from_being_stored(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    await posted(store, "bob", p2p("alice"), "m1", "m2")
    batch = Batch().post("alice", BOB, "m0").post("bob", p2p("alice"), "m2")
    batch.post("alice", BOB, "m1").post("alice", BOB, "m3").post("alice", BOB, "m3")
    await batch.commit(store)
    assert [message.seq for message in batch.messages] == [4, 3, 1, 5, 5]
    assert [message.seq for message in await history(store, KEY)] == [1, 2, 3, 4, 5]


async def test_M2_an_id_is_only_taken_for_its_sender_and_conversation(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    await posted(store, "bob", p2p("alice"), "m1")
    await posted(store, "alice", p2p("carol"), "m1")
    await posted(store, "alice", BOB, "M1")
    assert len(await history(store, KEY)) == 3
    assert len(await history(store, "p2p:alice|carol")) == 1


async def test_M2_a_store_keeps_the_second_one_out_whatever_was_decided(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")

    def careless(workspace: Workspace) -> None:
        message = Message(seq=2, ordinal=2, sender="alice", client_id="m1", time_ms=1)
        workspace.append(KEY, message)
        workspace.put_head(KEY, Head(version=workspace.version, last_seq=2, ordinal=2))

    with pytest.raises(StoreFailed):
        await store.transact(Wanted(heads={KEY}), careless)
    assert store.version == 1
    assert len(await history(store, KEY)) == 1
    await posted(store, "alice", BOB, "m2")
    assert [message.seq for message in await history(store, KEY)] == [1, 2]


async def test_text_that_no_file_can_hold_is_refused_and_nothing_stored(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    with pytest.raises(StoreFailed, match="cannot be stored"):
        await Batch().post("alice", BOB, "m2", text="half a pair: \ud83d").commit(store)
    assert store.version == 1
    await posted(store, "alice", BOB, "m3")
    assert [message.client_id for message in await history(store, KEY)] == ["m1", "m3"]


async def test_what_was_committed_is_read_at_once(store: Store) -> None:
    for number in range(1, 20):
        await posted(store, "alice", BOB, f"m{number}")
        (seen,) = await store.look([("bob", KEY)])
        assert seen.head.last_seq == number
