"""Contract: what a decision is given: accounts, inboxes, positions, cutoffs (U2, R5, D4)."""

from __future__ import annotations

from random import Random

import pytest

from recents.core.face import Face
from recents.core.ids import Conversation, ConversationKey, key_of, p2p, team
from recents.core.membership import Position
from recents.core.message import Message
from recents.server.store.port import Account, Store
from recents.server.store.workspace import Loaded, Wanted, Workspace
from tests.contracts.batches import Batch, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
KEY = ConversationKey("p2p:alice|bob")
TEAM = team("t1")
KEY_OF_TEAM = ConversationKey(TEAM)


async def position(store: Store, account: str, key: ConversationKey, seq: int) -> Position:
    found: list[Position] = []
    wanted = Wanted(heads={key}, memberships={(account, key)}, positions={(account, key, seq)})
    await store.transact(wanted, lambda work: found.append(work.position(account, key, seq)))
    return found[-1]


def recount(messages: list[Message], account: str, seq: int) -> Position:
    before = [message for message in messages if message.seq <= seq]
    after = [message for message in messages if message.seq > seq]
    return Position(
        seq,
        sum(message.counts for message in before),
        sum(message.counts and message.sender == account for message in after),
    )


async def chat(store: Store, length: int, seed: int = 1) -> list[Message]:
    """Let Alice and Bob write, some messages without ``counts``, some recalled."""
    random = Random(seed)
    for number in range(length):
        sender, to = random.choice([("alice", BOB), ("bob", p2p("alice"))])
        batch = Batch()
        if random.random() < 0.2:
            batch.post_recalled(sender, to, f"m{number}")
        else:
            batch.post(sender, to, f"m{number}", counts=random.random() < 0.7)
        await batch.commit(store)
    return await history(store, KEY)


async def test_U2_a_position_is_a_recount_at_every_seq(store: Store) -> None:
    messages = await chat(store, 60)
    for account in ("alice", "bob"):
        for seq in range(61):
            assert await position(store, account, KEY, seq) == recount(messages, account, seq)


async def test_a_position_beyond_the_end_is_the_end(store: Store) -> None:
    messages = await chat(store, 5)
    for seq in (5, 6, 2**53):
        assert await position(store, "bob", KEY, seq) == recount(messages, "bob", 5)


async def test_a_position_in_a_conversation_that_does_not_exist_is_its_start(
    store: Store,
) -> None:
    assert await position(store, "bob", KEY, 0) == Position(0, 0)
    assert await position(store, "bob", KEY, 7) == Position(0, 0)


async def test_U2_positions_count_the_messages_of_their_own_batch(store: Store) -> None:
    await posted(store, "alice", BOB, "m1", "m2")
    found: dict[int, Position] = {}

    def look(workspace: Workspace) -> None:
        found.update({seq: workspace.position("alice", KEY, seq) for seq in range(6)})

    batch = Batch().post("alice", BOB, "m3").post("bob", p2p("alice"), "m4")
    batch.post("alice", BOB, "m5").then(look)
    batch.wanted.positions.update(("alice", KEY, seq) for seq in range(6))
    await batch.commit(store)
    messages = await history(store, KEY)
    assert found == {seq: recount(messages, "alice", seq) for seq in range(6)}


async def test_R3_the_floor_of_a_membership_is_where_its_history_begins(store: Store) -> None:
    await Batch().create(TEAM, "bob").commit(store)
    await posted(store, "bob", TEAM, "m1", "m2", "m3")
    await Batch().join("late", TEAM).join("me", TEAM).commit(store)
    await posted(store, "bob", TEAM, "m4", "m5", "m6")
    await Batch().post("me", TEAM, "m7").clear("me", TEAM, 5).commit(store)
    messages = await history(store, TEAM)
    for account, floor in (("bob", 0), ("late", 3), ("me", 5)):
        loaded = await _loaded(store, Wanted(heads={KEY_OF_TEAM}, floors={(account, KEY_OF_TEAM)}))
        assert loaded.positions == {
            (account, KEY_OF_TEAM, floor): recount(messages, account, floor)
        }


async def test_R3_a_floor_at_the_end_or_of_no_membership_needs_nothing(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    await Batch().clear("alice", BOB, 1).commit(store)
    floors = {("alice", KEY), ("carol", KEY), ("alice", ConversationKey("team:none"))}
    assert (await _loaded(store, Wanted(heads={KEY}, floors=floors))).positions == {}


async def test_R3_everything_readable_can_be_made_unread_and_no_more(store: Store) -> None:
    await Batch().create(TEAM, "bob").commit(store)
    await posted(store, "bob", TEAM, "m1", "m2", "m3")
    await Batch().join("me", TEAM).commit(store)
    await (
        Batch()
        .post("bob", TEAM, "m4")
        .post("me", TEAM, "m5")
        .post("bob", TEAM, "m6")
        .commit(store)
    )
    await Batch().read("me", TEAM, 6).commit(store)
    for seq, unread in ((0, 2), (3, 2), (4, 1), (5, 1)):
        await Batch().unread_from("me", TEAM, seq).commit(store)
        (seen,) = await store.look([("me", KEY_OF_TEAM)])
        assert seen.entry().unread == unread
    # What lies below moves up in the very batch that asks for it.
    await Batch().clear("me", TEAM, 5).unread_from("me", TEAM, 0).commit(store)
    (seen,) = await store.look([("me", KEY_OF_TEAM)])
    assert (seen.entry().unread, seen.entry().read_seq) == (1, 5)


async def test_D4_a_cutoff_gives_each_conversation_as_it_was(store: Store) -> None:
    random, team_b = Random(3), team("t2")
    await Batch().create(TEAM, "me", "bob").create(team_b, "me", "bob").commit(store)
    names = [TEAM, team_b, *(p2p(f"peer-{n}") for n in range(8))]
    seqs: list[dict[Conversation, int]] = [{}, {}]
    for number in range(60):
        batch, newest = Batch(), dict(seqs[-1])
        for name in random.sample(names, 3):
            batch.post("me", name, f"m{number}")
            newest[name] = newest.get(name, 0) + 1
        await batch.commit(store)
        seqs.append(newest)

    for version in (0, 1, 2, 7, 30, 60, 61):
        found: dict[Conversation, tuple[int, Position]] = {}

        def look(
            work: Workspace,
            version: int = version,
            found: dict[Conversation, tuple[int, Position]] = found,
        ) -> None:
            for name in names:
                key = key_of("me", name)
                seq = work.seq_at("me", key, version)
                found[name] = seq, work.position("me", key, seq)

        wanted = Wanted(inboxes={"me"}, cutoffs={("me", version)})
        await store.transact(wanted, look)
        for name in names:
            seq, at = found[name]
            assert seq == seqs[version].get(name, 0)
            assert at == recount(await history(store, key_of("me", name)), "me", seq)


async def test_D4_a_cutoff_holds_only_what_got_messages_since(store: Store) -> None:
    await Batch().create(TEAM, "me", "bob").commit(store)
    await posted(store, "me", BOB, "m1")
    await posted(store, "me", TEAM, "m1")
    await Batch().rename(TEAM, "Another name").commit(store)
    await posted(store, "me", BOB, "m2")
    await posted(store, "carol", p2p("me"), "m3")
    loaded = await _loaded(store, Wanted(inboxes={"me"}, cutoffs={("me", n) for n in (2, 3, 6)}))
    since = {
        key_of("me", BOB): Position(1, 1, 1),
        key_of("me", p2p("carol")): Position(0, 0, 0),
    }
    assert loaded.cutoffs["me", 2] == since | {ConversationKey(TEAM): Position(0, 0, 1)}
    assert loaded.cutoffs["me", 3] == since
    assert loaded.cutoffs["me", 6] == {}


async def test_a_cutoff_of_the_future_holds_nothing(store: Store) -> None:
    await posted(store, "me", BOB, "m1")
    loaded = await _loaded(store, Wanted(inboxes={"me"}, cutoffs={("me", 2**70)}))
    assert loaded.cutoffs["me", 2**70] == {}


async def test_an_inbox_holds_all_rows_hidden_and_left_ones_too(store: Store) -> None:
    await Batch().create(TEAM, "bob", "me").commit(store)
    await posted(store, "me", BOB, "m1")
    await posted(store, "me", p2p("carol"), "m2")
    await Batch().delete("me", BOB, 1).leave("me", TEAM).commit(store)
    loaded = await _loaded(store, Wanted(inboxes={"me"}))
    keys = {key_of("me", name) for name in (BOB, TEAM, p2p("carol"))}
    assert loaded.inboxes == {"me": keys}
    assert loaded.heads.keys() == keys
    assert loaded.memberships.keys() == {("me", key) for key in keys}


async def test_conversations_of_this_batch_are_in_the_inbox(store: Store) -> None:
    found: list[set[ConversationKey]] = []
    batch = Batch().post("me", BOB, "m1").then(lambda work: found.append(work.keys_of("me")))
    batch.wanted.inboxes.add("me")
    await batch.commit(store)
    assert found[-1] == {key_of("me", BOB)}


async def test_known_accounts_are_told_from_unknown_ones(store: Store) -> None:
    for _ in range(2):
        await store.create_account(Account("alice", "Alice", 1))
        loaded = await _loaded(store, Wanted(accounts={"alice", "bob", "Alice"}))
        assert loaded.accounts == {"alice": Face("Alice")}
    await store.create_account(Account("bob", "", 2, "b.png"))
    loaded = await _loaded(store, Wanted(accounts={"alice", "bob"}))
    assert loaded.accounts == {"alice": Face("Alice"), "bob": Face("", "b.png")}


async def test_a_changed_face_is_loaded_by_the_next_batch(store: Store) -> None:
    for name in ("alice", "bob"):
        await store.create_account(Account(name, "", 1))
    await _loaded(store, Wanted(accounts={"alice"}))
    for face in (Face("Alice", "a.png"), Face("小雨 \0")):
        await Batch().face("alice", face).commit(store)
        loaded = await _loaded(store, Wanted(accounts={"alice", "bob"}))
        assert loaded.accounts == {"alice": face, "bob": Face()}


async def test_all_p2p_conversations_of_an_account_are_found(store: Store) -> None:
    peers = ("a", "bob", "bo", "bobby", "zoe", "me", "}", "~")
    for peer in peers:
        await posted(store, peer, p2p("me"), "m1")
        if peer != "me":
            await posted(store, peer, p2p("other"), "m1")
    await Batch().create(team("t1"), "me", "bob").commit(store)
    # A draft began it: the other one has no row.
    await Batch().begin("ann", p2p("me")).commit(store)
    loaded = await _loaded(store, Wanted(talks={"me", "nobody"}))
    keys = {key_of("me", p2p(peer)) for peer in (*peers, "ann")}
    assert loaded.talks == {"me": keys, "nobody": set()}
    assert loaded.heads.keys() == keys
    both = {(party, key_of("me", p2p(peer))) for peer in peers for party in ("me", peer)}
    assert loaded.memberships.keys() == both | {("ann", key_of("me", p2p("ann")))}


async def test_conversations_that_this_batch_began_are_found(store: Store) -> None:
    await posted(store, "me", p2p("bob"), "m1")
    found: list[set[ConversationKey]] = []
    batch = Batch().post("me", p2p("zoe"), "m1").post("zoe", p2p("bob"), "m2")
    batch.then(lambda work: found.append(work.talks_of("me")))
    batch.wanted.talks.add("me")
    await batch.commit(store)
    assert found[-1] == {key_of("me", p2p("bob")), key_of("me", p2p("zoe"))}


async def test_only_what_is_wanted_is_loaded(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    loaded = await _loaded(store, Wanted(heads={KEY}))
    assert loaded.heads.keys() == {KEY}
    assert not loaded.memberships
    assert not loaded.inboxes


async def _loaded(store: Store, wanted: Wanted) -> Loaded:
    workspace = await store.transact(wanted, lambda _: None)
    return workspace._loaded
