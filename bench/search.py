"""Searching rows and messages, beside looking through everything; what an index costs a step."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from bench.device import (
    Stopwatch,
    device,
    fill,
    in_an_application,
    memory_copy,
    message,
    row,
    sqlite_copy,
    token,
)
from bench.report import Figure, at_most
from recents.client.store.port import Step
from recents.core.entry import InboxEntry
from recents.core.folding import folded
from recents.core.message import Message
from recents.core.phrases import phrases_of, says_all
from recents.core.totals import totals_of

ROWS = 10_000
CONVERSATIONS, KEPT = 200, 100
"""Messages that are searched: 20,000."""

_SURNAMES, _NAMES = "王李张刘陈杨黄赵吴周", "伟芳娜秀英敏静丽强磊军洋勇艳杰涛明超"
_CHINESE = "我们今天下午开会讨论项目计划吃饭了没有明天见面谢谢大家"
_ENGLISH = ("could", "you", "have", "a", "look", "at", "the", "numbers", "before", "lunch")
QUERIES = {
    "a name": "张伟",
    "by sound": "zw",
    "a word": "numbers",
    "a letter": "a",
    "nothing": "xq",
}


async def measure_search(folder: Path, quick: bool) -> list[Figure]:
    """Measure searching rows and messages."""
    return await in_an_application(lambda: _measure(folder, 3 if quick else 15))


async def _measure(folder: Path, rounds: int) -> list[Figure]:
    return [*await _rows(rounds), *await _messages(folder, rounds)]


async def _rows(rounds: int) -> list[Figure]:
    chance = random.Random(1)
    rows = tuple(_row(chance, number) for number in range(ROWS))
    store = memory_copy()
    await store.open()
    await store.commit(Step(rows=rows, token=token(ROWS), totals=totals_of(rows)))
    me = device(store)
    await me.open()
    await me.inbox.get("p2p:nobody")
    watch = Stopwatch()
    await me.inbox.search("第一")
    figures = [Figure(f"{ROWS:,} rows: the first search", f"{watch.ms():.0f} ms")]
    await me.inbox.search("zw")
    figures.append(
        Figure("… the first by sound, a third of the names Chinese", f"{watch.ms():.0f} ms")
    )
    for what, query in QUERIES.items():
        spent = await _median(rounds, partial(me.inbox.search, query))
        figures.append(at_most(f"… {what}, {query}", spent, 10, "ms"))
    naive = await _median(rounds, lambda: _look_through(rows, "numbers"))
    figures.append(Figure("… a word, folding every row each time", f"{naive:.1f} ms"))
    await me.close()
    return figures


async def _look_through(rows: tuple[InboxEntry, ...], word: str) -> list[InboxEntry]:
    return [
        one
        for one in rows
        if word in folded(f"{one.title}\n{one.id}\n{one.preview.text if one.preview else ''}")
    ][:50]


async def _messages(folder: Path, rounds: int) -> list[Figure]:
    chance = random.Random(2)
    store = sqlite_copy(folder / "messages.db")
    await fill(store, CONVERSATIONS)
    await store.open()
    kept: list[Message] = []
    watch = Stopwatch()
    for number in range(CONVERSATIONS):
        some = tuple(
            replace(message(number, number * KEPT + turn + 1), text=_text(chance))
            for turn in range(KEPT)
        )
        kept += some
        await store.commit(Step(messages={row(number, 1).conversation: some}))
    keeping = watch.ms()
    await store.search(phrases_of("first"), None, 50)
    figures = [
        Figure(
            f"{len(kept):,} messages kept / then indexed", f"{keeping:.0f} / {watch.ms():.0f} ms"
        )
    ]
    for what, query in {"a word": "numbers", "two characters": "开会", "nothing": "xq"}.items():
        phrases = phrases_of(query)
        spent = await _median(rounds, partial(store.search, phrases, None, 50))
        figures.append(Figure(f"… {what}, {query}", f"{spent:.1f} ms"))
    naive = await _median(rounds, lambda: _read_through(kept, "开会"))
    figures.append(Figure("… two characters, looking at every message", f"{naive:.0f} ms"))
    await store.close()
    return figures


async def _read_through(kept: list[Message], query: str) -> list[Message]:
    phrases = phrases_of(query)
    return [one for one in kept if says_all(one.text, phrases)]


async def _median(rounds: int, work: Callable[[], Awaitable[object]]) -> float:
    spent = []
    for _ in range(rounds):
        await asyncio.sleep(0)
        watch = Stopwatch()
        await work()
        spent.append(watch.ms())
    return median(spent)


def _row(chance: random.Random, number: int) -> InboxEntry:
    made = row(number, number + 1)
    chinese = f"{chance.choice(_SURNAMES)}{chance.choice(_NAMES)}{chance.choice(_NAMES)}"
    name = chinese if number % 3 == 0 else f"Team {number} Müller"
    assert made.preview is not None
    return replace(made, name=name, preview=replace(made.preview, text=_text(chance)[:200]))


def _text(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return "".join(chance.choices(_CHINESE, k=40))
    return " ".join(chance.choices(_ENGLISH, k=12))
