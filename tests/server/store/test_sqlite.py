"""The SQLite store in use: opening and closing, its threads, its caches, its log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
import pytest

from recents.core.ids import ConversationKey, p2p, team
from recents.server.store import sqlite_checkpoints, sqlite_writing
from recents.server.store.port import Account, KnownDevice, Store, StoreFailed, Token
from recents.server.store.sqlite import SqliteStore
from recents.server.store.workspace import Verdict, Wanted
from tests.contracts.batches import Batch, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
KEY = ConversationKey("p2p:alice|bob")


def size_of(file: Path) -> int:
    return file.stat().st_size


def connection_of(store: SqliteStore) -> apsw.Connection:
    assert store._opened is not None
    return store._opened.writing.connection


def rights_of(file: Path) -> int:
    return file.stat().st_mode & 0o777


# Opening and closing


async def test_everything_is_there_after_reopening(store: SqliteStore) -> None:
    await Batch().create(team("t1"), "alice", "bob").leave("bob", team("t1")).commit(store)
    await posted(store, "alice", BOB, "m1", "m2")
    await store.create_account(Account("alice", "Alice", 1))
    await store.add_token(Token("t", "alice", b"d" * 32, "", 1))

    async def content() -> list[object]:
        return [
            store.epoch,
            store.version,
            await store.page("bob", 10),
            await history(store, KEY),
            await store.accounts("", 10),
            await store.tokens_of("alice"),
        ]

    before = await content()
    await store.close()
    await store.open()
    assert await content() == before
    await posted(store, "alice", BOB, "m3", "m1")
    assert [message.seq for message in await history(store, KEY)] == [1, 2, 3]
    assert store.version == 3


async def test_two_files_have_two_epochs(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "other.db")
    await other.open()
    assert len(store.epoch) == len(other.epoch) == 16
    assert store.epoch != other.epoch
    await other.close()


async def test_closing_leaves_one_whole_file_and_an_empty_lock(
    store: SqliteStore, path: Path
) -> None:
    await posted(store, "alice", BOB, "m1")
    await store.close()
    assert {file.name for file in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}
    assert size_of(path.parent / f"{path.name}.lock") == 0
    assert apsw.Connection(str(path)).pragma("integrity_check") == "ok"


async def test_what_was_handed_in_before_closing_is_committed(store: SqliteStore) -> None:
    handed_in = [
        asyncio.ensure_future(posted(store, "alice", BOB, f"m{number}")) for number in range(20)
    ]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*handed_in)
    await store.open()
    assert len(await history(store, KEY)) == 20


async def test_closing_twice_or_unopened_is_harmless(path: Path) -> None:
    store = SqliteStore(path)
    await store.close()
    await store.open()
    await store.close()
    await store.close()


async def test_only_this_user_may_read_the_files(store: SqliteStore, path: Path) -> None:
    await posted(store, "alice", BOB, "m1")
    for name in (path.name, f"{path.name}-wal"):
        assert rights_of(path.parent / name) == 0o600


async def test_commits_are_synced_to_the_disk(store: SqliteStore) -> None:
    connection = connection_of(store)
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2


EVERY_CALL: list[Callable[[Store], Awaitable[object]]] = [
    lambda store: store.transact(Wanted(heads={KEY}), lambda _: None),
    lambda store: posted(store, "new", BOB, "m1"),
    lambda store: Batch().once("alice", "c1").commit(store),
    lambda store: store.forget_verdicts(1),
    lambda store: store.head(KEY),
    lambda store: store.look([("alice", KEY)]),
    lambda store: store.changed_since("alice", 0),
    lambda store: store.page("alice", 10),
    lambda store: history(store, KEY),
    lambda store: store.members(KEY, "", 10),
    lambda store: store.count_members(KEY),
    lambda store: store.teams_of("alice"),
    lambda store: store.create_account(Account("alice", "", 1)),
    lambda store: store.account("alice"),
    lambda store: store.accounts("", 10),
    lambda store: store.contacts("alice", ["bob"]),
    lambda store: store.add_token(Token("t", "alice", b"d", "", 1)),
    lambda store: store.token(b"d"),
    lambda store: store.tokens_of("alice"),
    lambda store: store.revoke_tokens("alice", 1),
    lambda store: store.put_devices([KnownDevice("alice", "d", "", "t", 1, 1)], 9),
    lambda store: store.device("alice", "d"),
    lambda store: store.devices_of("alice"),
    lambda store: store.revoke_device("alice", "d", 1),
]


@pytest.mark.parametrize("call", EVERY_CALL)
async def test_every_call_on_a_closed_store_fails_as_the_port_says(
    store: SqliteStore, call: Callable[[Store], Awaitable[object]]
) -> None:
    await store.close()
    with pytest.raises(StoreFailed, match="is not open"):
        await call(store)


@pytest.mark.parametrize("call", EVERY_CALL)
async def test_every_call_turns_the_drivers_errors_into_the_ports(
    store: SqliteStore, call: Callable[[Store], Awaitable[object]]
) -> None:
    assert store._opened is not None
    store._opened.connections.reader.close()
    store._opened.connections.writer.close()
    with pytest.raises(StoreFailed) as caught:
        await call(store)
    assert isinstance(caught.value.__cause__, apsw.Error)


# Commands that were asked before


async def test_C4_a_batch_without_a_known_command_is_decided_once(store: SqliteStore) -> None:
    decided: list[int] = []
    for number in range(3):
        batch = Batch().once("alice", f"c{number}").then(lambda work: decided.append(work.version))
        await batch.commit(store)
    assert len(decided) == 3, "it costs no look-up"
    await Batch().once("alice", "c1").then(lambda work: decided.append(work.version)).commit(store)
    assert len(decided) == 5


async def test_C4_verdicts_are_forgotten_in_small_steps_the_oldest_first(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writing, "FORGOTTEN_AT_ONCE", 3)
    batch = Batch()
    for number in (5, 1, 4, 2, 3, 9):
        batch.once("alice", f"c{number}", Verdict(number))
    await batch.commit(store)
    left = []
    for forgotten in (3, 2, 0):
        assert await store.forget_verdicts(6) == forgotten
        rows = connection_of(store).execute("SELECT at_ms FROM verdicts ORDER BY at_ms")
        left.append([at_ms for (at_ms,) in rows])
    assert left == [[4, 5, 9], [9], [9]]


# Caches, threads, the log


async def test_small_caches_change_no_answer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("KEPT_HEADS", "KEPT_MEMBERSHIPS", "KEPT_ACCOUNTS"):
        monkeypatch.setattr(sqlite_writing, limit, 3)
    store = SqliteStore(path)
    await store.open()
    for number in range(60):
        await posted(store, "alice", p2p(f"peer-{number % 7}"), f"m{number}")
    rows, _ = await store.page("alice", 10)
    assert sum(seen.head.last_seq for seen in rows) == 60
    assert all(seen.membership.skipped_after_read == seen.head.last_seq for seen in rows)
    await store.close()


async def test_memberships_with_a_draft_are_not_kept(store: SqliteStore) -> None:
    assert store._opened is not None
    kept = store._opened.writing._memberships.values
    await posted(store, "alice", BOB, "m1")
    assert kept.keys() == {("alice", KEY), ("bob", KEY)}
    await Batch().draft("alice", BOB, "x" * 5_000).commit(store)
    assert kept.keys() == {("bob", KEY)}
    await Batch().mark_unread("alice", BOB).commit(store)
    assert kept.keys() == {("bob", KEY)}
    await Batch().draft("alice", BOB, "").commit(store)
    assert kept.keys() == {("alice", KEY), ("bob", KEY)}
    assert kept["alice", KEY] == (await store.look([("alice", KEY)]))[0].membership


async def test_reads_do_not_wait_for_a_commit(store: SqliteStore) -> None:
    await posted(store, "alice", BOB, "m1")
    loop, begun, may_go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def decide(_: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(may_go_on.wait(), loop).result()

    slow = asyncio.ensure_future(Batch().post("alice", BOB, "m2").then(decide).commit(store))
    await begun.wait()
    assert len(await history(store, KEY)) == 1
    may_go_on.set()
    await slow
    assert len(await history(store, KEY)) == 2


async def test_a_caller_that_stops_waiting_breaks_nothing(store: SqliteStore) -> None:
    for number in range(20):
        caller = asyncio.ensure_future(posted(store, "alice", BOB, f"m{number}"))
        await asyncio.sleep(0)
        caller.cancel()
    await posted(store, "alice", BOB, "last")
    messages = await history(store, KEY)
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
    assert store.version == len(messages)


async def test_checkpoints_keep_the_log_bounded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "LOG_PAGES", 50)
    store = SqliteStore(path)
    await store.open()
    log = path.parent / f"{path.name}-wal"
    for number in range(400):
        await posted(store, "alice", p2p(f"peer-{number}"), f"m{number}")
        if number % 20 == 0:
            await store.page("alice", 50)
    # Some 8 pages of each commit: without checkpoints there would be 3,200 of them by now.
    assert size_of(log) < 1_000 * 4096
    await store.close()


async def test_a_checkpoint_that_fails_is_tried_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "LOG_PAGES", 1)
    assert store._opened is not None
    store._opened.connections.checkpointer.close()
    for number in range(3):
        await posted(store, "alice", BOB, f"m{number}")
        await asyncio.sleep(0.05)
    assert "checkpoint failed" in caplog.text
    assert len(await history(store, KEY)) == 3


@pytest.mark.asyncio
async def test_a_restored_file_begins_another_line_of_versions(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "recents.db")
    await store.open()
    before = store.epoch
    await store.close()
    restored = SqliteStore(tmp_path / "recents.db", restored=True)
    await restored.open()
    anew = restored.epoch
    await restored.close()
    again = SqliteStore(tmp_path / "recents.db")
    await again.open()
    try:
        assert anew != before
        assert again.epoch == anew
    finally:
        await again.close()
