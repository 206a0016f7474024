"""What a device does without a network: its list from disk, a change, a command (budgets: SDK).

`python -m bench.offline FILE` is a program that holds all rows of a copy: it prints how much
memory it takes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.device import (
    Stopwatch,
    device,
    disk_ms,
    fill,
    in_an_application,
    memory_copy,
    message,
    offline,
    row,
    sqlite_copy,
    token,
)
from bench.load import TEXT, percentiles
from bench.processes import resident_bytes
from bench.report import Figure, at_most
from recents.client.client import Client
from recents.client.incoming import Arrival
from recents.client.keeper import Keeper
from recents.client.store.port import DeviceStore
from recents.core.ids import Conversation
from recents.core.message import Message

ROWS = 100_000
HELD = 10_000
"""Rows of the list to which changes are applied."""

TOGETHER = 256


async def measure_offline(folder: Path, quick: bool) -> list[Figure]:
    """Measure the list from disk, applying changes, and giving commands."""
    return await in_an_application(lambda: _measure(folder, quick))


async def _measure(folder: Path, quick: bool) -> list[Figure]:
    return [
        *await _lists(folder / "rows.db", 3 if quick else 15),
        *await _memory(folder),
        *await _changes(folder, 3 if quick else 15),
        *await _commands(folder, 100 if quick else 1_000, 2 if quick else 10),
    ]


# The list from disk


async def _lists(path: Path, rounds: int) -> list[Figure]:
    await fill(sqlite_copy(path), ROWS)
    opening, reading, listing, everything = [], [], [], []
    for _ in range(rounds):
        store = sqlite_copy(path)
        gc.collect()
        watch = Stopwatch()
        await store.open()
        opening.append(watch.ms())
        assert len(await store.rows_after(None, 50)) == 50
        reading.append(watch.ms())
        await store.close()
        whole, rest = await _start(path)
        listing.append(whole)
        everything.append(rest)
    n = f"{ROWS:,} conversations on disk"
    return [
        at_most(f"first 50 rows with totals, {n}", median(listing), 5, "ms"),
        Figure("… of which opening the store", f"{median(opening):.2f} ms"),
        Figure("… of which 50 rows are read in", f"{median(reading):.2f} ms"),
        Figure(f"all {ROWS:,} rows in memory", f"{median(everything):.0f} ms"),
    ]


async def _start(path: Path) -> tuple[float, float]:
    """Start a client; return the ms to the first 50 rows, and to all."""
    gc.collect()
    watch = Stopwatch()
    me = device(sqlite_copy(path))
    await me.open()
    page = await me.inbox.list(50)
    first = watch.ms()
    assert (len(page.entries), page.totals.conversations) == (50, ROWS)
    assert await me.inbox.get("p2p:nobody") is None
    rest = first + watch.ms()
    await me.close()
    return first, rest


async def _memory(folder: Path) -> list[Figure]:
    few, many = 1_000, ROWS
    held = {}
    for rows in (few, many):
        path = folder / f"{rows}.db"
        await fill(sqlite_copy(path), rows)
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.offline", str(path), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await running.communicate()
        held[rows] = int(said)
    each = (held[many] - held[few]) / (many - few) / 1_024
    return [at_most("memory per row held", each, 1.5, "KB")]


async def _hold(path: Path) -> None:
    me = device(sqlite_copy(path))
    await me.open()
    await me.inbox.get("p2p:nobody")
    gc.collect()
    print(resident_bytes(os.getpid()), flush=True)
    await me.close()


# Changes


async def _changes(folder: Path, rounds: int) -> list[Figure]:
    stores: dict[str, Callable[[], DeviceStore]] = {
        "SQLite": lambda: sqlite_copy(folder / "held.db"),
        "memory": memory_copy,
    }
    one: dict[str, float] = {}
    many: dict[str, float] = {}
    for name, make in stores.items():
        store = make()
        await fill(store, HELD)
        me = device(store)
        await me.open()
        await me.inbox.get("p2p:nobody")
        one[name], many[name] = await _take(_keeper_of(me), rounds)
        await me.close()
    return [
        at_most("apply one changed row and its message", one["SQLite"], 0.3, "ms"),
        Figure("… with a copy in memory", f"{one['memory']:.3f} ms"),
        at_most("apply 1,000 changed rows", many["SQLite"], 40, "ms"),
        Figure("… with a copy in memory", f"{many['memory']:.1f} ms"),
    ]


def _keeper_of(me: Client) -> Keeper:
    # The part that applies changes; applications never see it.
    return me._parts.keeper


async def _take(keeper: Keeper, rounds: int) -> tuple[float, float]:
    version = HELD
    one, many = [], []
    for _ in range(rounds):
        for _ in range(50):
            version += 1
            number = version * 7919 % HELD
            arrival = _arrival([number], version, with_messages=True)
            watch = Stopwatch()
            await keeper.take(arrival, {})
            one.append(watch.ms())
        version += 1
        arrival = _arrival(range(0, HELD, HELD // 1_000), version)
        watch = Stopwatch()
        await keeper.take(arrival, {})
        many.append(watch.ms())
    return median(one), median(many)


def _arrival(numbers: range | list[int], version: int, *, with_messages: bool = False) -> Arrival:
    rows = tuple(row(number, version) for number in numbers)
    messages: dict[Conversation, tuple[Message, ...]] = {
        one.conversation: (message(number, version),)
        for one, number in zip(rows, numbers, strict=True)
        if with_messages
    }
    return Arrival(cause="message", rows=rows, token=token(version), messages=messages)


# Commands


async def _commands(folder: Path, commands: int, rounds: int) -> list[Figure]:
    store = sqlite_copy(folder / "commands.db")
    await fill(store, HELD)
    me = device(store)
    await me.open()
    await offline(me)
    await me.inbox.get("p2p:nobody")
    single, disk = [], []
    for number in range(commands):
        disk.append(disk_ms(folder / "disk"))
        name = row(number, 1).conversation
        watch = Stopwatch()
        await me.messages.send(name, TEXT)
        single.append(watch.ms())
    shown = await me.inbox.list(1)
    assert shown.entries[0].status == "sending"
    together = []
    for turn in range(rounds):
        names = [row(turn * TOGETHER + number, 1).conversation for number in range(TOGETHER)]
        watch = Stopwatch()
        await asyncio.gather(*(me.messages.send(name, TEXT) for name in names))
        together.append(watch.ms())
    assert me.unsent == commands + rounds * TOGETHER
    await me.close()
    p50, _, p99 = percentiles(single)
    return [
        Figure("a message offline: on the disk and shown, p50", f"{p50:.2f} ms"),
        Figure("… p99", f"{p99:.2f} ms"),
        Figure("… 4 KB to this disk in the same moments, p50", f"{median(disk):.2f} ms"),
        Figure(f"… {TOGETHER} at once", f"{median(together):.1f} ms"),
    ]


if __name__ == "__main__":
    asyncio.run(_hold(Path(sys.argv[1])))
