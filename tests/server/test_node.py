"""A node as a whole: start, graceful stop, revocation; and one walk over both stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from recents.core.commands import CreateTeam, Delete, DeleteAll, Post
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation
from recents.server import deliveries
from recents.server.node import Node, open_store, system_clock_ms
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from recents.wire.frames import Answer, Bye, Changed, Error
from tests.server.conftest import Founder
from tests.server.devices import Company, a_post, new_id, rows_in
from tests.server.failing_store import GatedStore

pytestmark = pytest.mark.asyncio

BOB = Conversation("p2p:bob")

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "recents.db"),
}


@pytest.mark.parametrize("kind", STORES)
async def test_a_walk_through_everything(found: Founder, tmp_path: Path, kind: str) -> None:
    company = await found(store=STORES[kind](tmp_path))
    alice, bob, other = await company.online("alice", "bob", "bob")
    await alice.create_team("team:t1", "bob")
    for number in range(5):
        await alice.post("team:t1", str(number))
        await alice.post("p2p:bob", str(number))
    await bob.read("p2p:alice", 3)
    await bob.do(Delete(id=new_id(), conversation=Conversation("team:t1")))
    for device in (bob, other):
        rows = rows_in(await device.changes())
        assert rows["p2p:alice"].unread == 2
    assert set(await bob.rows()) == {"p2p:alice"}
    token = (await company.device("bob").greet())[-1].token
    await bob.do(DeleteAll(id=new_id(), upto=token))
    assert await bob.rows() == {}
    await alice.post("team:t1", "back")
    assert rows_in(await other.changes())["team:t1"].unread == 1
    assert [message.text for message in await bob.history("team:t1", limit=2)] == ["4", "back"]
    assert [message.seq for message in await bob.history("team:t1", before_seq=3)] == [1, 2]
    assert await bob.history("team:t1", before_seq=0) == []
    assert await bob.history("team:t1", before_seq=-5) == []
    assert len(await bob.history("team:t1", before_seq=2**62)) == 6
    assert [team.conversation for team in await bob.teams()] == ["team:t1"]


# Graceful stop


async def test_stopped_it_tells_devices_why_and_when_to_come_back(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    greeting = company.device("bob")
    await company.node.stop()
    for device in (alice, bob, greeting):
        (bye,) = device.peer.frames
        assert isinstance(bye, Bye)
        assert (bye.code, bye.retry_after_s) == (Code.CLOSING, 1.0)
        assert device.peer.close_reason == Code.CLOSING
    assert not company.node.running
    assert company.node.devices == 0
    await company.node.stop()


async def test_stopping_it_answers_what_was_committed_and_refuses_the_rest(
    found: Founder,
) -> None:
    store = GatedStore()
    company = await found(Settings(batch_commands=1), store)
    alice, bob = await company.online("alice", "bob")
    gate = store.shut("transact")
    posts = [a_post(BOB, "committed"), a_post(BOB, "waits"), a_post(BOB, "waits")]
    await alice.send(*posts)
    await store.reached("transact")
    stopping = asyncio.create_task(company.node.stop())
    await asyncio.sleep(0)
    late = a_post(BOB, "late")
    sending = asyncio.create_task(alice.send(late))
    await asyncio.sleep(0)
    gate.set()
    await stopping
    await sending
    said = [frame for frame in alice.peer.frames if isinstance(frame, Answer | Error)]
    assert [getattr(frame, "code", "done") for frame in said] == ["done"] + [Code.CLOSING] * 3
    assert [frame.id for frame in said] == [post.id for post in [*posts, late]]
    assert all(frame.retry_after_s for frame in said if isinstance(frame, Error))
    assert isinstance(alice.peer.frames[-1], Bye)
    assert [type(frame) for frame in bob.peer.frames] == [Changed, Bye]
    assert store.version == 1


async def test_stopping_waits_a_moment_for_slow_devices(found: Founder) -> None:
    """What was committed is answered also where the device reads slowly."""
    company = await found(Settings(backlog_bytes=10))
    alice, _ = await company.online("alice", "bob")
    alice.peer.held_up = True
    await alice.post(BOB)
    post = a_post(BOB)
    await alice.send(post)
    stopping = asyncio.create_task(company.node.stop())
    await asyncio.sleep(0.02)
    assert not stopping.done()
    alice.peer.let_go()
    await stopping
    answered = [frame.id for frame in alice.told(Answer)]
    assert post.id in answered
    assert isinstance(alice.peer.frames[-1], Bye)


async def test_stopping_does_not_wait_for_a_device_that_never_reads(
    found: Founder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "LAST_WORDS_S", 0.05)
    company = await found(Settings(backlog_bytes=10))
    alice, bob = await company.online("alice", "bob")
    alice.peer.held_up = True
    for _ in range(2):
        await alice.send(a_post(BOB))
        await bob.settle()
    async with asyncio.timeout(2):
        await company.node.stop()
    assert alice.peer.close_reason == Code.CLOSING


async def test_a_stopped_node_takes_nobody_in(company: Company) -> None:
    await company.hire("alice")
    await company.node.stop()
    with pytest.raises(Refused) as refused:
        company.device("alice")
    assert refused.value.code is Code.CLOSING
    with pytest.raises(Refused) as refused:
        await company.node.command("alice", a_post(BOB))
    assert refused.value.code is Code.CLOSING


async def test_d7_what_was_answered_is_there_after_a_new_start(
    found: Founder, tmp_path: Path
) -> None:
    first = await found(store=SqliteStore(tmp_path / "recents.db"))
    alice, _ = await first.online("alice", "bob")
    await alice.post(BOB, "kept")
    token = (await first.device("alice").greet())[-1].token
    await first.node.stop()
    second = await found(store=SqliteStore(tmp_path / "recents.db"))
    second.secrets = first.secrets
    (page,) = await second.device("alice").greet(token)
    assert not page.reset
    assert page.rows == ()
    (bob,) = await second.online("bob")
    assert [message.text for message in await bob.history("p2p:alice")] == ["kept"]


# Commands of the application server


async def test_a_command_of_the_application_server_is_checked_like_a_device_s(
    company: Company,
) -> None:
    (alice,) = await company.online("alice")
    for command in (
        CreateTeam(id="two words", conversation=Conversation("team:x")),
        CreateTeam(id="1", conversation=Conversation("p2p:x")),
        Post(id="1", conversation=BOB, client_id="c", text="x" * 5_001),
    ):
        with pytest.raises(Refused) as refused:
            await company.node.command("alice", command)
        assert refused.value.code is Code.BAD_VALUE
    with pytest.raises(Refused) as refused:
        await company.node.command("alice", a_post(BOB))
    assert refused.value.code is Code.UNKNOWN_ACCOUNT
    await company.node.command("alice", a_post("p2p:alice"))
    assert set(rows_in(await alice.changes())) == {"p2p:alice"}


async def test_a_caller_that_gives_up_does_not_disturb_the_commit(found: Founder) -> None:
    store = GatedStore()
    company = await found(store=store)
    (alice,) = await company.online("alice")
    gate = store.shut("transact")
    calling = asyncio.create_task(company.node.command("alice", a_post("p2p:alice")))
    await store.reached("transact")
    calling.cancel()
    await asyncio.wait([calling])
    store.gates.clear()
    gate.set()
    await alice.told_of(Changed)
    await alice.post("p2p:alice")


# Revoking


async def test_revoking_one_token_ends_its_devices_only(company: Company) -> None:
    (first,) = await company.online("alice")
    token, company.secrets["alice"] = await company.node.accounts.give_token("alice")
    (second,) = await company.online("alice")
    assert await company.node.revoke("alice", token.token_id) == 1
    assert first.peer.close_reason is None
    assert second.peer.close_reason == Code.REVOKED
    assert await company.node.revoke("alice", token.token_id) == 0
    await first.post("p2p:alice")


async def test_revoking_many_devices_takes_no_longer_than_one(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = await company.online(*["alice"] * 20)
    for device in devices:
        close = device.peer.close

        async def slowly(reason: str, close: Callable[[str], object] = close) -> None:
            await asyncio.sleep(0.05)
            await close(reason)  # type: ignore[misc]

        monkeypatch.setattr(device.peer, "close", slowly)
    async with asyncio.timeout(0.5):
        await company.node.revoke("alice")
    assert {device.peer.close_reason for device in devices} == {Code.REVOKED}


async def test_what_a_node_is_made_of_by_default(tmp_path: Path) -> None:
    assert isinstance(open_store(None), MemoryStore)
    assert isinstance(open_store(tmp_path / "x.db"), SqliteStore)
    node = Node(MemoryStore())
    assert node.settings == Settings()
    assert not node.running
    assert len(node.new_command_id()) == 32
    assert system_clock_ms() > 1_700_000_000_000
