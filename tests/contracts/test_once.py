"""Contract: a command is carried out once however often it is asked, until forgotten (C4)."""

from __future__ import annotations

import pytest

from recents.core.errors import Code, Refused
from recents.core.ids import ConversationKey, p2p
from recents.server.store.port import Store, StoreFailed
from recents.server.store.workspace import Verdict, Wanted, Workspace
from tests.contracts.batches import START_MS, Batch, at_once, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
KEY = ConversationKey("p2p:alice|bob")


def dot(command_id: str, account: str = "alice", at_ms: int = START_MS) -> Batch:
    """Put a dot on a row: each time that it is carried out, the row gets another version."""
    peer = BOB if account == "alice" else p2p("alice")
    return Batch(at_ms).mark_unread(account, peer).once(account, command_id)


async def marked(store: Store, account: str = "alice") -> int:
    (seen,) = await store.look([(account, KEY)])
    return seen.membership.marked_unread


async def forget(store: Store, before_ms: int) -> list[int]:
    """Forget until nothing is left; return what each call said."""
    said: list[int] = []
    while not said or said[-1]:
        said.append(await store.forget_verdicts(before_ms))
    return said


async def test_C4_a_command_asked_twice_is_carried_out_once(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    first, again = dot("c1"), dot("c1", at_ms=START_MS + 5)
    await first.commit(store)
    assert await marked(store) == 2
    workspace = await again.commit(store)
    assert again.verdicts == first.verdicts == [Verdict(START_MS, 2)]
    assert not workspace.changed
    assert not workspace.verdicts
    assert (store.version, await marked(store)) == (2, 2)


async def test_C4_a_command_asked_again_after_reopening_is_known(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    await dot("c1").commit(store)
    await store.close()
    await store.open()
    again = dot("c1", at_ms=START_MS + 5)
    await again.commit(store)
    assert again.verdicts == [Verdict(START_MS, 2)]
    assert (store.version, await marked(store)) == (2, 2)


async def test_C4_a_command_asked_twice_in_one_batch_is_carried_out_once(store: Store) -> None:
    batch = Batch().post("alice", BOB, "m1").once("alice", "c1")
    batch.post("alice", BOB, "m2").once("alice", "c1")
    await batch.commit(store)
    assert batch.verdicts == [Verdict(START_MS, 1)] * 2
    assert len(await history(store, KEY)) == 1


async def test_C4_a_command_asked_twice_at_the_same_moment_is_carried_out_once(
    store: Store,
) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    batches = [dot("c1") for _ in range(5)]
    await at_once(*batches, store=store)
    assert [batch.verdicts for batch in batches] == [[Verdict(START_MS, 2)]] * 5
    assert store.version == 2


async def test_C4_known_commands_do_not_keep_their_batch_from_being_stored(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    await dot("c1").commit(store)
    batch = Batch().post("bob", p2p("alice"), "m1").mark_unread("alice", BOB).once("alice", "c1")
    batch.mark_unread("bob", p2p("alice")).once("bob", "c2").post("bob", p2p("alice"), "m2")
    await batch.commit(store)
    assert batch.verdicts == [Verdict(START_MS, 2), Verdict(START_MS, 3)]
    assert [message.seq for message in batch.messages] == [2]
    assert await marked(store) == 2
    assert await marked(store, "bob") == 3
    assert [message.client_id for message in await history(store, KEY)] == ["m1", "m2"]


async def test_C4_an_id_is_only_taken_for_its_account(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    for batch in (dot("c1"), dot("c1", "bob"), dot("C1"), dot("c1 "), dot("c")):
        await batch.commit(store)
        assert batch.verdicts == [Verdict(START_MS, store.version)]
    assert store.version == 6


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(2**53, 2**53 - 1),
        Verdict(0),
        Verdict(START_MS, code=Code.BAD_VALUE),
        Verdict(
            START_MS,
            7,
            Code.NOT_A_MEMBER,
            "a\0b 'ß' \U0010ffff",
            {"conversation": "team:\"'", "": "", "seq": 2**53, "upto": -1},
        ),
    ],
)
async def test_C4_every_field_of_a_verdict_comes_back(store: Store, verdict: Verdict) -> None:
    command_id = "'\"\\%\0~" + "x" * 60
    await Batch().once("!" * 63, command_id, verdict).commit(store)
    again = Batch().once("!" * 63, command_id)
    await again.commit(store)
    assert again.verdicts == [verdict]
    refusal = again.verdicts[0].refusal()
    if verdict.code is None:
        assert refusal is None
    else:
        assert isinstance(refusal, Refused)
        assert (refusal.code, refusal.args[0], refusal.details) == (
            verdict.code,
            verdict.message,
            verdict.details,
        )


async def test_C4_a_verdict_without_a_changed_row_is_stored_and_takes_no_version(
    store: Store,
) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    before = store.rows_written
    workspace = await Batch().once("alice", "c1").commit(store)
    assert not workspace.changed
    assert (store.version, store.rows_written) == (1, before)
    await store.close()
    await store.open()
    again = dot("c1")
    await again.commit(store)
    assert again.verdicts == [Verdict(START_MS, 2)], "the version that it would have had"
    assert (store.version, await marked(store)) == (1, 0)
    await posted(store, "bob", p2p("alice"), "m2")
    assert store.version == 2


async def test_C4_a_store_keeps_the_second_one_out_whatever_was_decided(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    await dot("c1").commit(store)

    def careless(workspace: Workspace) -> None:
        workspace.verdicts["alice", "c1"] = Verdict(START_MS, 9)

    batch = Batch().mark_unread("bob", p2p("alice")).then(careless)
    with pytest.raises(StoreFailed):
        await batch.commit(store)
    assert (store.version, await marked(store, "bob")) == (2, 0)
    again = dot("c1")
    await again.commit(store)
    assert again.verdicts == [Verdict(START_MS, 2)]


async def test_C4_a_batch_that_is_not_stored_leaves_no_verdict(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    batch = dot("c1").post("bob", p2p("alice"), "m2", text="half a pair: \ud83d")
    with pytest.raises(StoreFailed, match="cannot be stored"):
        await batch.commit(store)

    def refuse(_: Workspace) -> None:
        raise Refused(Code.BAD_VALUE, "no")

    with pytest.raises(Refused):
        await dot("c1").then(refuse).commit(store)
    assert (store.version, await marked(store)) == (1, 0)
    again = dot("c1")
    await again.commit(store)
    assert again.verdicts == [Verdict(START_MS, 2)]
    assert await marked(store) == 2


async def test_C4_a_refusal_that_no_file_can_hold_is_not_stored(store: Store) -> None:
    verdict = Verdict(START_MS, 0, Code.BAD_VALUE, "half a pair: \ud83d")
    with pytest.raises(StoreFailed, match="cannot be stored"):
        await Batch().once("alice", "c1", verdict).commit(store)
    with pytest.raises(StoreFailed):
        await Batch().once("alice", "half a pair: \ud83d").commit(store)


async def test_C4_an_unknown_command_is_not_known(store: Store) -> None:
    found: list[Verdict | None] = []
    wanted = Wanted(commands={("alice", "c1")})
    await store.transact(wanted, lambda work: found.append(work.verdict("alice", "c1")))
    assert found[-1] is None


async def test_C4_old_verdicts_are_forgotten_and_the_others_are_not(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    for number, at_ms in enumerate((START_MS, START_MS + 2, START_MS + 1, START_MS - 7)):
        await dot(f"c{number}", at_ms=at_ms).commit(store)
    assert await forget(store, START_MS - 7) == [0]
    assert sum(await forget(store, START_MS + 1)) == 2
    before = store.version
    again = {f"c{number}": dot(f"c{number}", at_ms=START_MS + 9) for number in range(4)}
    for batch in again.values():
        await batch.commit(store)
    assert {name: batch.verdicts[0].version for name, batch in again.items()} == {
        "c0": before + 1,
        "c1": 3,
        "c2": 4,
        "c3": before + 2,
    }


async def test_forgetting_takes_no_version_and_ends(store: Store) -> None:
    batch = Batch()
    for number in range(2_500):
        batch.once(f"account-{number % 7}", f"c{number:04}", Verdict(START_MS + number))
    await batch.commit(store)
    assert sum(await forget(store, START_MS + 2_400)) == 2_400
    assert sum(await forget(store, -(2**70))) == 0
    assert sum(await forget(store, 2**70)) == 100
    assert await forget(store, 2**70) == [0]
    assert store.version == store.rows_written == 0
