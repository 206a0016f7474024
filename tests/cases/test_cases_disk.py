"""Complaints about what a device keeps, with copies on a disk; numbers are those of the list."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import signal
from pathlib import Path

import pytest

import recents
from recents.client.changes import ChangeBatch
from recents.client.store.port import DeviceStore
from recents.client.store.sqlite import SqliteDeviceStore
from recents.core.totals import Totals
from tests.cases.world import PATIENCE_S, Device, World
from tests.cli.terminal import serving


class Disk:
    """Where the devices of a test keep their copies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids = (f"device{number}" for number in itertools.count(1))

    def store(self, device: str, account: str = "bob") -> DeviceStore:
        path = self._folder / device / f"{account}.db"
        return SqliteDeviceStore(path, account, lambda: next(self._ids))

    def wipe(self, device: str) -> None:
        shutil.rmtree(self._folder / device)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "devices")


async def bobs_history(world: World, bob: Device) -> None:
    """Give bob rows of every sort, hidden ones too."""
    alice = await world.login("alice")
    peers = [f"peer{number:02}" for number in range(20)]
    await world.hire(*peers)
    inbox = bob.client.inbox
    for peer in peers:
        await bob.client.messages.send(f"p2p:{peer}", "hello")
    for kind in ("team", "super_team"):
        team = await alice.client.teams.create(kind.title(), ["bob"], kind=kind)
        await alice.client.messages.send(team, "hi")
        await alice.client.messages.send(team, "you there?")
        await bob.caught_up()
        await inbox.mark_unread_from(team, 2)
    left = await alice.client.teams.create("Left", ["bob"])
    ended = await alice.client.teams.create("Ended", ["bob"])
    await bob.caught_up()
    await bob.client.teams.leave(left)
    await alice.client.teams.dismiss(ended)
    await inbox.delete_many(["p2p:peer01", "p2p:peer02"])
    await inbox.delete("p2p:peer03", clear_history=True)
    await inbox.clear_history("p2p:peer04")
    await inbox.mark_unread("p2p:peer05")
    await inbox.set_draft("p2p:peer06", "not yet")
    await inbox.mute("p2p:peer07")
    await inbox.mute("p2p:peer08", "mentions")
    await bob.caught_up()


@pytest.mark.asyncio
async def test_case_7_what_was_read_stays_read_when_the_copy_is_wiped(
    world: World, disk: Disk
) -> None:
    alice = await world.login("alice")
    bob = await world.login("bob", disk.store("laptop"))
    await alice.client.messages.send("p2p:bob", "one")
    await alice.client.messages.send("p2p:bob", "two")
    await bob.caught_up()
    await bob.client.inbox.mark_read("p2p:alice")
    await bob.client.close()
    disk.wipe("laptop")
    again = await world.login("bob", disk.store("laptop"))
    row = await again.row("p2p:alice")
    assert (row.unread, row.read_seq) == (0, 2)
    assert await again.unread() == 0
    assert all(batch.totals.unread == 0 for batch in again.batches)


@pytest.mark.asyncio
async def test_case_10_a_wiped_copy_comes_back_identical_and_hidden_rows_stay_hidden(
    world: World, disk: Disk
) -> None:
    bob = await world.login("bob", disk.store("laptop"))
    await bobs_history(world, bob)
    before, totals = await bob.rows(), await bob.client.inbox.totals()
    assert len(before) == 21
    await bob.client.close()
    disk.wipe("laptop")
    again = await world.login("bob", disk.store("laptop"))
    assert await again.rows() == before == await world.rows("bob")
    assert await again.client.inbox.totals() == totals
    hidden = {"p2p:peer01", "p2p:peer02", "p2p:peer03"}
    assert hidden.isdisjoint(await again.names())
    assert (await again.client.messages.history("p2p:peer03")).messages == ()
    assert (await again.client.messages.history("p2p:peer04")).messages == ()
    assert len((await again.client.messages.history("p2p:peer01")).messages) == 1


@pytest.mark.asyncio
async def test_case_17_the_list_is_restored_identically_before_any_network(
    world: World, disk: Disk
) -> None:
    bob = await world.login("bob", disk.store("laptop"))
    await bobs_history(world, bob)
    await bob.go_offline()
    await bob.client.messages.send("p2p:peer09", "from the train")
    await bob.client.inbox.delete("p2p:peer10")
    await bob.client.inbox.mark_all_read()
    await bob.client.inbox.mark_unread("p2p:peer11")
    await bob.client.inbox.set_draft("p2p:alice", "a new one")
    before, totals = await bob.rows(), await bob.client.inbox.totals()
    assert [row.conversation for row in before[:2]] == ["p2p:alice", "p2p:peer09"]
    for _ in range(2):
        bob.store = disk.store("laptop")
        bob.batches.clear()
        await bob.restart()
        assert bob.client.state != "synced"
        assert await bob.rows() == before
        assert await bob.client.inbox.totals() == totals
        pages = [await bob.client.inbox.list(7)]
        while pages[-1].next_cursor:
            pages.append(await bob.client.inbox.list(7, pages[-1].next_cursor))
        assert tuple(row for page in pages for row in page.entries) == before
        assert bob.batches == [], "nothing has changed"
    await bob.come_back()
    async with world.for_a_moment("bob") as fresh:
        assert await bob.rows() == await fresh.rows()
        assert [row.conversation for row in await bob.rows()] == [
            row.conversation for row in before
        ], "and no row jumps when the answers come"


@pytest.mark.asyncio
@pytest.mark.parametrize("restarts", [False, True])
async def test_case_19_catching_up_is_one_batch_and_then_synced(
    world: World, disk: Disk, restarts: bool
) -> None:
    alice = await world.login("alice")
    bob = await world.login("bob", disk.store("laptop"))
    create = alice.client.teams.create
    teams = await asyncio.gather(*(create(f"{number}", ["bob"]) for number in range(600)))
    await bob.caught_up()
    await bob.go_offline()
    before = await bob.rows()
    await asyncio.gather(*(alice.client.messages.send(team, "hi") for team in teams))
    if restarts:
        bob.store = disk.store("laptop")
        await bob.restart()
    assert await bob.rows() == before
    told: list[str | ChangeBatch] = []
    bob.client.inbox.on_change(told.append)
    bob.client.on_state(told.append)
    await bob.come_back()
    (batch,) = [one for one in told if isinstance(one, ChangeBatch)]
    assert (batch.cause, len(batch.updated), batch.totals.unread) == ("catch_up", 600, 600)
    assert batch.synced
    assert told[-2:] == [batch, "synced"]
    assert told[-3] == "syncing", "the list stood still until then"


@pytest.mark.timeout(120)
def test_case_24_all_read_survives_a_crash_right_after_the_answer(tmp_path: Path) -> None:
    """Node and device are killed at the moment of the answer; each keeps its word alone."""
    node, phone, crashed = tmp_path / "node", tmp_path / "phone", tmp_path / "crashed"
    node.mkdir()
    with serving(node) as at:
        tokens = {
            account: at.here.as_json("account", "add", account)["token"]
            for account in ("alice", "bob")
        }
        with recents.connect_blocking(
            at.address, account="alice", token=tokens["alice"], data_dir=None
        ) as alice:
            for number in range(20):
                alice.messages.send(alice.teams.create(f"{number}", ["bob"]), "hi")
        bob = recents.connect_blocking(
            at.address, account="bob", token=tokens["bob"], data_dir=phone
        )
        bob.open()
        assert bob.synced(PATIENCE_S)
        assert bob.inbox.totals().unread == 20
        bob.inbox.mark_all_read()
        at.running.process.send_signal(signal.SIGKILL)
        # What is on the disk at this moment is what a crash leaves.
        shutil.copytree(phone, crashed)
        assert at.running.process.wait() == -signal.SIGKILL
        with recents.connect_blocking(
            at.address, account="bob", token=tokens["bob"], data_dir=crashed
        ) as again:
            assert again.inbox.totals() == Totals(conversations=20)
            assert again.unsent == 0
        bob.close()
    port = at.address.rpartition(":")[2]
    with serving(node, "--port", port) as at:
        for folder in (crashed, None):
            with recents.connect_blocking(
                at.address, account="bob", token=tokens["bob"], data_dir=folder
            ) as back:
                assert back.synced(PATIENCE_S)
                assert back.inbox.totals() == Totals(conversations=20)


@pytest.mark.asyncio
async def test_case_30_a_flood_of_updates_blocks_nobody(world: World, disk: Disk) -> None:
    """Who does not listen costs as much as the list, however much is told."""
    alice = await world.login("alice")
    bob = await world.login("bob", disk.store("laptop"))
    teams = [await alice.client.teams.create(f"{number}", ["bob"]) for number in range(5)]
    await bob.caught_up()
    states: list[str] = []
    bob.client.on_state(states.append)
    slow, never = bob.client.inbox.changes(), bob.client.inbox.changes()
    taken: list[ChangeBatch] = []

    async def consume() -> None:
        async for batch in slow:
            taken.append(batch)
            await asyncio.sleep(0.02)

    consuming = asyncio.create_task(consume())
    for number in range(0, 2_000, 100):
        await asyncio.gather(
            *(
                alice.client.messages.send(teams[one % 5], f"{one}")
                for one in range(number, number + 100)
            )
        )
    await bob.caught_up()
    assert await bob.unread() == 2_000
    assert states == [], "the connection stayed"
    assert len(taken) < len(bob.batches), "batches melted together"
    batch = await anext(never)
    assert len(batch.added + batch.updated) <= 5, "as large as the list, not as the flood"
    assert batch.totals.unread == 2_000
    await bob.client.close()
    await asyncio.wait_for(consuming, PATIENCE_S)
    assert taken[-1].totals.unread == 2_000, "and nothing is missing at the end"
