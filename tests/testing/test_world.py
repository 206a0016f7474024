"""The world: real programs in virtual time, and what can happen to them."""

from __future__ import annotations

import asyncio
import time

import pytest

from recents.core.errors import Unavailable
from recents.testing import Device, Faults, World, run
from recents.testing.clock import Process
from recents.testing.network import Lost


async def two(world: World) -> tuple[Device, Device]:
    return await world.device("alice"), await world.device("bob")


def test_an_hour_passes_at_once() -> None:
    async def hour() -> float:
        await asyncio.sleep(3_600)
        return asyncio.get_running_loop().time()

    before = time.monotonic()
    assert run(hour()) == pytest.approx(3_600)
    assert time.monotonic() - before < 60


def test_waiting_for_what_nobody_does_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recents.testing.clock.IDLE_S", 0.01)

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nobody will do"):
        run(wait())


def test_a_process_dies_with_all_that_it_started() -> None:
    done: list[str] = []

    async def child() -> None:
        await asyncio.sleep(1)
        done.append("child")

    async def parent() -> None:
        asyncio.create_task(child())  # noqa: RUF006  # its process holds it
        await asyncio.sleep(1)
        done.append("parent")

    async def main() -> None:
        process = Process()
        task = process.start(parent())
        await asyncio.sleep(0.5)
        process.kill()
        await asyncio.sleep(5)
        assert task.cancelled()

    run(main())
    assert done == []


async def test_what_is_sent_arrives_and_the_oracle_knows(world: World) -> None:
    alice, bob = await two(world)
    await alice.client.messages.send("p2p:bob", "hello")
    await world.settle()
    assert (await bob.row("p2p:alice")).unread == 1
    assert [row.unread for row in world.oracle.rows("bob")] == [1]
    assert [one.account for one in world.accepted] == ["alice"]
    assert [row.conversation for row in await world.rows("bob")] == ["p2p:alice"]
    with pytest.raises(LookupError):
        await bob.row("p2p:carol")


async def test_offline_commands_wait_in_the_store_through_a_crash(world: World) -> None:
    alice, _ = await two(world)
    await alice.offline()
    await alice.client.messages.send("p2p:bob", "hello")
    alice.crash()
    await alice.restart()
    assert alice.client.unsent == 1
    await alice.online()
    await world.settle()
    assert [row.preview and row.preview.text for row in await alice.rows()] == ["hello"]
    assert len(world.accepted) == 1


async def test_a_wiped_device_is_another_one(world: World) -> None:
    alice, _ = await two(world)
    old = alice.client.device_id
    await alice.offline()
    await alice.client.messages.send("p2p:bob", "lost")
    alice.wipe()
    with pytest.raises(Unavailable):
        await alice.restart()
    alice.link.up = True
    await alice.restart()
    await world.settle()
    assert alice.client.device_id != old
    assert world.accepted == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_device_dies_in_a_commit(world: World, when: str) -> None:
    alice, _ = await two(world)
    alice.crash_at_next_commit("after" if when == "after" else "before")
    task = alice.begin(alice.client.messages.send("p2p:bob", "hello"))
    await asyncio.wait([task])
    assert task.cancelled()
    assert not alice.alive
    await world.settle()
    assert len(world.accepted) == (when == "after")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_node_dies_in_a_commit(world: World, when: str) -> None:
    alice, _ = await two(world)
    world.crash_node_at_next_commit("after" if when == "after" else "before")
    task = alice.begin(alice.client.messages.send("p2p:bob", "hello"))
    await asyncio.sleep(0.2)
    with pytest.raises(LookupError):
        _ = world.node
    assert len(world.accepted) == (when == "after")
    await world.settle()
    await task
    assert len(world.accepted) == 1


async def test_a_failed_commit_is_asked_for_again(world: World) -> None:
    alice, _ = await two(world)
    world.fail_next_commit()
    await alice.client.messages.send("p2p:bob", "hello")
    await world.settle()
    assert len(world.accepted) == 1


async def test_a_full_disk_keeps_nothing(world: World) -> None:
    alice, _ = await two(world)
    alice.fail_next_commit()
    with pytest.raises(Unavailable):
        await alice.client.messages.send("p2p:bob", "hello")
    assert await alice.rows() == ()


@pytest.mark.parametrize("what", ["answer", "command", "message"])
async def test_a_lost_message_takes_the_connection_with_it(world: World, what: Lost) -> None:
    alice, _ = await two(world)
    states: list[str] = []
    alice.client.on_state(states.append)
    alice.link.lose_next(what)
    await alice.client.messages.send("p2p:bob", "hello")
    await world.settle()
    assert "offline" in states
    assert len(world.accepted) == 1


@pytest.mark.world(seed=5, faults=Faults(lose=0.1, repeat=0.2, delay=0.3, crash_node=0.1))
async def test_the_mark_makes_the_world(world: World) -> None:
    assert world.faults.lose == 0.1
    alice = await world.device("alice")
    for number in range(20):
        await alice.client.messages.send("p2p:alice", str(number))
    await world.settle()
    assert world.faults.lose == 0.1
    assert world.oracle.rows("alice")[0].last_seq == 20
    assert world.happened["lose"] > 0


def _history(seed: int) -> list[tuple[str, int, int]]:
    async def main() -> list[tuple[str, int, int]]:
        faults = Faults(lose=0.1, repeat=0.1, delay=0.2, crash_device=0.05, crash_node=0.05)
        async with World(seed=seed) as world:
            alice, bob = await two(world)
            world.faults = faults
            for number in range(10):
                for device, other in ((alice, "bob"), (bob, "alice")):
                    if device.alive:
                        device.begin(_quietly(device, other, number))
                await asyncio.sleep(0.1)
            await world.settle()
            return [(one.account, one.at_ms, one.version) for one in world.accepted]

    return run(main())


async def _quietly(device: Device, other: str, number: int) -> None:
    await device.client.messages.send(f"p2p:{other}", str(number))


def test_the_seed_decides_everything() -> None:
    assert _history(1) == _history(1)
    assert _history(1) != _history(2)


async def test_settle_tells_of_what_the_node_may_not_do(world: World) -> None:
    await two(world)
    world.hearing.mistakes.append("something")
    with pytest.raises(AssertionError, match="something"):
        await world.settle()


async def test_a_visitor_comes_and_goes(world: World) -> None:
    await world.device("alice")
    async with world.visitor("alice") as other:
        assert len(world.devices) == 2
        await other.client.messages.send("p2p:alice", "note")
    await world.settle()
    assert len(world.devices) == 1
