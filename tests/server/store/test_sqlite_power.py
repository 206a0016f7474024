"""The SQLite store when the power fails, the disk is full, or the file is held (M1, C4)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import apsw
import pytest

from recents.core.ids import ConversationKey, p2p
from recents.server.store.port import StoreFailed
from recents.server.store.sqlite import SqliteStore
from recents.server.store.workspace import Verdict
from tests.contracts.batches import START_MS, Batch, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
KEY = ConversationKey("p2p:alice|bob")


def connection_of(store: SqliteStore) -> apsw.Connection:
    """Return the writer's connection, to put obstacles in its way."""
    assert store._opened is not None
    return store._opened.writing.connection


COMMIT_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from recents.core.ids import p2p
from recents.server.store.sqlite import SqliteStore
from tests.contracts.batches import Batch

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    while True:
        batch = Batch()
        for number in range(10):
            batch.post("alice", p2p(f"peer-{number % 3}"), f"{store.version}.{number}")
        await batch.commit(store)
        print(store.version, flush=True)

asyncio.run(main())
"""


@pytest.mark.timeout(120)
async def test_nothing_acknowledged_is_missing_after_kill_9(path: Path) -> None:
    for commits in (1, 17, 60):
        acknowledged = await killed_after(commits, COMMIT_FOR_EVER, path)
        store = SqliteStore(path)
        await store.open()
        assert acknowledged <= store.version <= acknowledged + 1
        seqs = 0
        for number in range(3):
            messages = await history(store, f"p2p:alice|peer-{number}")
            assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
            head = await store.head(ConversationKey(f"p2p:alice|peer-{number}"))
            assert head is not None
            assert head.last_seq == len(messages)
            seqs += len(messages)
        assert seqs == store.version * 10
        await store.close()


COMMAND_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from recents.core.ids import team
from recents.server.store.sqlite import SqliteStore
from tests.contracts.batches import Batch

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    if store.version == 0:
        await Batch().create(team("t1"), "alice").commit(store)
    while True:
        number = store.version + 1
        batch = Batch().mark_unread("alice", team("t1")).once("alice", f"c{number}")
        await batch.once("alice", f"idle{number}").commit(store)
        print(store.version, flush=True)

asyncio.run(main())
"""


@pytest.mark.timeout(120)
async def test_C4_after_kill_9_a_row_and_its_verdict_are_there_or_neither(path: Path) -> None:
    acknowledged = await killed_after(40, COMMAND_FOR_EVER, path)
    store = SqliteStore(path)
    await store.open()
    newest = store.version
    assert acknowledged <= newest <= acknowledged + 1
    (seen,) = await store.changed_since("alice", 0)
    assert seen.membership.marked_unread == newest
    batch = Batch(START_MS + 1)
    for number in range(2, newest + 2):
        batch.once("alice", f"c{number}").once("alice", f"idle{number}")
    workspace = await batch.commit(store)
    assert workspace.verdicts.keys() == {
        ("alice", f"{name}{newest + 1}") for name in ("c", "idle")
    }
    assert [verdict.version for verdict in batch.verdicts[:-2:2]] == list(range(2, newest + 1))
    await store.close()


async def test_C4_a_full_disk_takes_back_row_and_verdict(store: SqliteStore) -> None:
    await posted(store, "bob", p2p("alice"), "m1")
    connection = connection_of(store)
    connection.pragma("max_page_count", connection.pragma("page_count") + 2)
    command = Batch().mark_unread("alice", BOB).once("alice", "c0")
    for number in range(1, 500):
        command.once("alice", f"c{number}")
    with pytest.raises(StoreFailed, match="the disk is full"):
        await command.commit(store)
    assert store.version == 1
    assert connection.execute("SELECT count(*) FROM verdicts").get == 0
    (seen,) = await store.look([("alice", KEY)])
    assert seen.membership.marked_unread == 0
    connection.pragma("max_page_count", 1_000_000)
    await command.commit(store)
    assert command.verdicts == [Verdict(START_MS, 2)] * 500
    (seen,) = await store.look([("alice", KEY)])
    assert seen.membership.marked_unread == 2


async def killed_after(commits: int, program: str, path: Path) -> int:
    """Kill a program that prints the number of each commit; return the last one it printed."""
    node = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert node.stdout is not None
    acknowledged = 0
    for _ in range(commits):
        acknowledged = int(await node.stdout.readline())
    node.kill()
    rest, _ = await node.communicate()
    return int(rest.split()[-1]) if rest.endswith(b"\n") else acknowledged


async def test_a_full_disk_takes_back_the_commit_and_only_that(store: SqliteStore) -> None:
    await posted(store, "alice", BOB, "m1")
    connection = connection_of(store)
    pages = connection.pragma("page_count")
    connection.pragma("max_page_count", pages + 2)
    before = (store.version, store.rows_written, await history(store, KEY))
    batch = Batch()
    for number in range(50):
        batch.post("alice", BOB, f"big-{number}", text="x" * 5_000)
    with pytest.raises(StoreFailed, match="the disk is full") as caught:
        await batch.commit(store)
    assert isinstance(caught.value.__cause__, apsw.FullError)
    assert (store.version, store.rows_written, await history(store, KEY)) == before
    assert not connection.in_transaction

    connection.pragma("max_page_count", 1_000_000)
    await posted(store, "alice", BOB, "m2")
    assert store.version == 2
    assert [message.seq for message in await history(store, KEY)] == [1, 2]
    (seen,) = await store.look([("bob", KEY)])
    assert seen.head.last_seq == 2
    assert (await store.page("bob", 10))[1].unread == 2


async def test_a_program_that_holds_the_file_delays_a_commit_and_breaks_nothing(
    store: SqliteStore, path: Path
) -> None:
    await posted(store, "alice", BOB, "m1")
    connection_of(store).set_busy_timeout(1)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match="the commit failed"):
        await posted(store, "alice", BOB, "m2")
    assert len(await store.changed_since("alice", 0)) == 1
    other.execute("ROLLBACK")
    other.close()
    await posted(store, "alice", BOB, "m2")
    assert [message.seq for message in await history(store, KEY)] == [1, 2]
