"""Forgetting what became of old commands (rule C4); the clock of the loop is a virtual one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from recents.server.forgetting import DAY_MS, PAUSE_S, ROUND_S, Forgetting
from recents.server.settings import Settings
from recents.server.store.workspace import Verdict, Wanted, Workspace
from tests.server.failing_store import FailingStore

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

NOW_MS = 1_700_000_000_000
OLDEST_KEPT_MS = NOW_MS - 14 * DAY_MS


class SlowStore(FailingStore):
    """Forgets one verdict per call, and notes when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_at: list[float] = []
        self.asked_before: list[int] = []
        self.under_way = 0

    async def forget_verdicts(self, before_ms: int) -> int:
        assert self.under_way == 0, "one call at a time"
        self.asked_at.append(asyncio.get_running_loop().time())
        self.asked_before.append(before_ms)
        self._fail("forget_verdicts")
        self.under_way += 1
        await asyncio.sleep(1)
        self.under_way -= 1
        old = [asked for asked, verdict in self._verdicts.items() if verdict.at_ms < before_ms]
        for asked in old[:1]:
            del self._verdicts[asked]
        return len(old[:1])

    @property
    def remembered(self) -> set[str]:
        return {command_id for _, command_id in self._verdicts}


async def with_verdicts(**times_ms: int) -> SlowStore:
    """Return a store that remembers commands from these times."""

    def decide(workspace: Workspace) -> None:
        for command_id, at_ms in times_ms.items():
            workspace.verdicts["alice", command_id] = Verdict(at_ms)

    store = SlowStore()
    await store.transact(Wanted(), decide)
    return store


@asynccontextmanager
async def forgetting(
    store: SlowStore, clock_ms: Callable[[], int] = lambda: NOW_MS
) -> AsyncIterator[Forgetting]:
    beside = Forgetting(store, Settings(), clock_ms)
    running = asyncio.create_task(beside.run())
    yield beside
    beside.stop()
    await running


async def test_C4_what_is_older_than_two_weeks_is_forgotten_and_nothing_else() -> None:
    store = await with_verdicts(
        a=1, b=OLDEST_KEPT_MS - 1, c=OLDEST_KEPT_MS, d=NOW_MS, future=NOW_MS + DAY_MS
    )
    async with forgetting(store):
        await asyncio.sleep(ROUND_S + 10)
    assert store.remembered == {"c", "d", "future"}
    assert set(store.asked_before) == {OLDEST_KEPT_MS}


async def test_a_round_ends_when_nothing_is_left_and_pauses_between_its_calls() -> None:
    store = await with_verdicts(a=1, b=2)
    async with forgetting(store):
        await asyncio.sleep(2 * ROUND_S + 10)
    first, second, third, next_round = store.asked_at
    assert first == pytest.approx(ROUND_S)
    assert second - first == third - second == pytest.approx(1 + PAUSE_S)
    assert next_round - third == pytest.approx(1 + ROUND_S)


async def test_each_round_looks_at_the_clock() -> None:
    times = iter([NOW_MS, NOW_MS + 5])
    store = await with_verdicts()
    async with forgetting(store, lambda: next(times)):
        await asyncio.sleep(2 * ROUND_S + 10)
    assert store.asked_before == [OLDEST_KEPT_MS, OLDEST_KEPT_MS + 5]


async def test_a_store_that_fails_is_asked_again_in_the_next_round(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = await with_verdicts(a=1)
    store.failures["forget_verdicts"] = 2
    async with forgetting(store):
        await asyncio.sleep(2 * ROUND_S + 1)
        assert store.remembered == {"a"}
        await asyncio.sleep(ROUND_S + 1)
        assert store.remembered == set()
    assert caplog.text.count("forgetting old commands failed") == 2


async def test_it_stops_at_once_between_rounds_and_between_calls() -> None:
    for waiting, calls in ((ROUND_S / 2, 0), (ROUND_S + 1 + PAUSE_S / 2, 1)):
        store = await with_verdicts(a=1, b=2, c=3)
        began = asyncio.get_running_loop().time()
        async with forgetting(store):
            await asyncio.sleep(waiting)
        assert asyncio.get_running_loop().time() - began == pytest.approx(waiting)
        assert len(store.asked_at) == calls


async def test_stopping_waits_for_the_call_that_is_under_way() -> None:
    store = await with_verdicts(a=1, b=2)
    async with forgetting(store):
        await asyncio.sleep(ROUND_S + 0.5)
        assert store.under_way
    assert not store.under_way
    assert store.remembered == {"b"}
