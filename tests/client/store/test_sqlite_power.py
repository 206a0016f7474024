"""The SQLite store when its program is killed, the power fails, the disk is full or slow."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import apsw
import pytest
import pytest_asyncio

from recents.client.store import sqlite_copy
from recents.client.store.port import (
    CopyDamaged,
    Step,
    StepFailed,
)
from recents.client.store.sqlite import SqliteDeviceStore
from recents.core.ids import p2p
from recents.core.totals import Totals
from tests.client.store.files import store_of
from tests.client.store.obstacles import Gate, disk, full
from tests.client.store.steps import (
    BOB,
    CAROL,
    all_rows,
    names,
    row,
    waiting,
    writing,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def store(path: Path) -> AsyncIterator[SqliteDeviceStore]:
    """An open, empty store."""
    made = store_of(path)
    await made.open()
    yield made
    await made.close()


def driver_of(store: SqliteDeviceStore) -> apsw.Connection:
    """Return the store's connection, to put obstacles in its way."""
    return store._file.copy.connection


# Kills


COMMIT_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from recents.client.store.port import Step
from recents.core.ids import p2p
from recents.core.totals import Totals
from tests.client.store.files import store_of
from tests.client.store.steps import row, waiting

async def main():
    store = store_of(Path(sys.argv[1]))
    saved = await store.open()
    number = int(saved.token or 0)
    while True:
        number += 1
        await store.commit(Step(
            rows=tuple(row(p2p(f"peer-{peer}"), number, version=number) for peer in range(200)),
            token=str(number),
            totals=Totals(unread=number),
            outbox=(waiting(number),),
            settled=(number - 3,),
            durable=number % 2 == 0,
        ))
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.timeout(120)
async def test_C3_token_and_rows_fit_together_after_kill_9(path: Path) -> None:
    kept = 0
    for commits in (1, 13, 50):
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", COMMIT_FOR_EVER, str(path), stdout=asyncio.subprocess.PIPE
        )
        assert program.stdout is not None
        for _ in range(commits):
            kept = int(await program.stdout.readline())
        program.kill()
        rest, _ = await program.communicate()
        kept = int(rest.split()[-1]) if rest.endswith(b"\n") else kept

        store = store_of(path)
        saved = await store.open()
        assert saved.set_aside is None
        assert saved.token is not None
        number = int(saved.token)
        assert kept <= number <= kept + 1
        assert saved.totals == Totals(unread=number)
        assert [one.number for one in saved.outbox][-1] == number
        assert [row.version for row in await all_rows(store)] == [number] * 200
        await store.close()


# Loss of power


@pytest.mark.parametrize("seed", [None, *range(15)])
async def test_D7_what_was_durable_survives_a_loss_of_power(
    path: Path, tmp_path: Path, seed: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Short logs: the power fails also while one is being moved into the file.
    monkeypatch.setattr(sqlite_copy, "LOG_PAGES", 20)
    chance = None if seed is None else Random(seed)
    with disk() as place:
        store = store_of(path, device_id="first")
        await store.open()
        for number in range(1, 40):
            step = Step(
                rows=tuple(row(p2p(f"peer-{peer}"), number, version=number) for peer in range(50)),
                token=str(number),
                outbox=(waiting(number),),
                durable=number % 4 == 0,
            )
            await store.commit(step)
            # Whatever the store does behind a commit is over when it answers again.
            await store.rows_after(None, 1)
            if number % 4 in (0, 1) or number > 35:
                after = tmp_path / f"after-{number}"
                after.mkdir()
                place.after_a_loss_of_power(path.parent, after, chance)
                await looked_at(after / path.name, number)
        await store.close()


async def looked_at(path: Path, number: int) -> None:
    """Look at what a loss of power left: all up to the last durable step, then all or nothing."""
    store = store_of(path)
    saved = await store.open()
    assert saved.set_aside is None
    assert saved.device_id == "first"
    found = int(saved.token or 0)
    assert number - number % 4 <= found <= number
    assert [one.number for one in saved.outbox] == list(range(1, found + 1))
    assert {entry.version for entry in await all_rows(store)} == ({found} if found else set())
    await store.close()


async def test_D7_the_disk_is_waited_for_in_durable_steps_only(path: Path) -> None:
    with disk() as place:
        store = store_of(path)
        await store.open()
        await store.commit(Step(token="e.1"))
        before = place.syncs
        for number in range(10):
            await store.commit(Step(rows=(row(BOB, number),), token=f"e.{number}"))
        assert place.syncs == before
        await store.commit(Step(outbox=(waiting(1),), durable=True))
        assert place.syncs == before + 1
        await store.close()


# A full disk


async def test_a_full_disk_takes_back_the_step_and_only_that(path: Path) -> None:
    with disk() as place:
        store = store_of(path)
        await store.open()
        await store.commit(Step(rows=(row(BOB),), token="e.1"))
        place.before = full
        for _ in range(3):
            with pytest.raises(StepFailed, match="is full; make room") as caught:
                await store.commit(Step(rows=(row(CAROL),), token="e.2", durable=True))
            assert not isinstance(caught.value, CopyDamaged)
            assert caught.value.retry_after_s is not None
        assert await names(store) == [BOB]
        place.before = lambda _what, _file: None
        await store.commit(Step(rows=(row(CAROL),), token="e.3"))
        assert (await store.open()).token == "e.3"
        assert await names(store) == [BOB, CAROL]
        await store.close()


async def test_a_file_that_may_not_grow_takes_back_the_step(store: SqliteDeviceStore) -> None:
    await store.commit(Step(token="e.1"))
    driver_of(store).pragma("max_page_count", driver_of(store).pragma("page_count") + 2)
    with pytest.raises(StepFailed, match="is full; make room"):
        await store.commit(
            Step(outbox=tuple(writing(n, "x" * 5_000) for n in range(50)), token="e.2")
        )
    driver_of(store).pragma("max_page_count", 1_000_000)
    assert (await store.open()).outbox == ()
    await store.commit(Step(token="e.3"))


async def test_a_long_log_is_shortened_and_a_failure_of_that_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_copy, "LOG_PAGES", 10)

    def full_file(what: str, file: str) -> None:
        if file.endswith(".db"):
            full(what, file)

    with disk() as place:
        store = store_of(path)
        await store.open()
        place.before = full_file
        for number in range(100):
            await store.commit(Step(rows=(row(p2p(f"peer-{number}")),)))
        assert "the log stays long" in caplog.text
        place.before = lambda _what, _file: None
        for number in range(100):
            await store.commit(Step(rows=(row(p2p(f"peer-{number}"), version=2),)))
        # Some 4 pages of each commit: 400 of them without shortening.
        assert store._file.copy._log_pages < 50
        assert len(await names(store)) == 100
        await store.close()


# A slow disk


async def test_a_slow_disk_does_not_block_the_loop(path: Path) -> None:
    gate = Gate()
    with disk() as place:
        store = store_of(path)
        await store.open()
        place.before = gate.wait
        slow = asyncio.ensure_future(store.commit(Step(rows=(row(BOB),), durable=True)))
        reading = asyncio.ensure_future(store.rows_after(None, 10))
        # If the loop waited for the disk it would never come to open the gate.
        await gate.reached()
        assert not slow.done()
        gate.open()
        await slow
        assert await reading == [row(BOB)]
        await store.close()


async def test_C3_a_caller_that_is_cancelled_in_the_middle_tears_nothing(path: Path) -> None:
    gate = Gate()
    with disk() as place:
        store = store_of(path)
        await store.open()
        place.before = gate.wait
        slow = asyncio.ensure_future(store.commit(Step(rows=(row(BOB),), token="e.1")))
        await gate.reached()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        gate.open()
        assert (await store.open()).token == "e.1"
        assert await names(store) == [BOB]
        await store.close()


async def test_an_opening_that_is_cancelled_lets_go_of_the_file(path: Path) -> None:
    gate = Gate()
    with disk() as place:
        place.before = gate.wait
        store = store_of(path)
        opening = asyncio.ensure_future(store.open())
        await gate.reached()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        gate.open()
        await store.close()
        other = store_of(path)
        await other.open()
        await other.close()


async def test_a_program_that_holds_the_file_fails_a_step_and_breaks_nothing(
    store: SqliteDeviceStore, path: Path
) -> None:
    await store.commit(Step(token="e.1"))
    driver_of(store).set_busy_timeout(1)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StepFailed, match="the commit failed"):
        await store.commit(Step(token="e.2"))
    other.execute("ROLLBACK")
    other.close()
    await store.commit(Step(token="e.3"))
    assert (await store.open()).token == "e.3"


async def test_a_value_that_cannot_be_stored_leaves_nothing_of_its_step(
    store: SqliteDeviceStore,
) -> None:
    await store.commit(Step(rows=(row(BOB),), token="e.1"))
    half = row(CAROL, 2**70)
    with pytest.raises(StepFailed):
        await store.commit(Step(rows=(half,), replaces_all=True, token="e.2"))
    with pytest.raises(StepFailed, match="cannot be stored"):
        await store.commit(Step(rows=(row(CAROL),), token="\ud800", replaces_all=True))
    assert (await store.open()).token == "e.1"
    assert await names(store) == [BOB]
