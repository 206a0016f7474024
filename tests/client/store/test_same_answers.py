"""Law: whatever steps come, memory and file give the same answers, after any restart (C3)."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recents.client.store.port import Saved, Step
from recents.core.membership import Draft
from recents.core.phrases import phrases_of
from recents.core.replica import Gone
from recents.core.totals import Totals
from tests.client.store.conftest import MemoryDevice, SqliteDevice
from tests.client.store.steps import BOB, CAROL, DAVE, all_rows, message, row, waiting, writing

NAMES = (BOB, CAROL, DAVE)

names = st.sampled_from(NAMES)
small = st.integers(0, 4)
seqs = st.integers(1, 9)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
said = st.lists(
    st.sampled_from(["Can't", "canoe", "今天", "天", "é", "\uff25!", "e x", "👍", "_"])
).map(" ".join)


@st.composite
def rows(draw: st.DrawFn) -> tuple[object, ...]:
    chosen = draw(st.lists(names, unique=True))
    return tuple(
        replace(
            row(name, draw(small), version=draw(small), cleared_seq=draw(small)),
            draft=draw(st.none() | st.builds(Draft, texts, small)),
        )
        for name in chosen
    )


messages = st.builds(message, seqs, texts | said).map(
    lambda one: replace(one, attachment=[one.text])
)
numbers = st.integers(1, 6)
commands = st.builds(waiting, numbers, version=st.none() | st.integers(1, 9)) | st.builds(
    writing, numbers, texts
)

steps = st.builds(
    Step,
    rows=rows(),
    gone=st.lists(st.builds(Gone, names, small, small), max_size=2).map(tuple),
    replaces_all=st.booleans(),
    token=st.none() | texts,
    totals=st.none() | st.builds(Totals, unread=small),
    messages=st.dictionaries(names, st.lists(messages, max_size=7).map(tuple)),
    forgets_messages=st.booleans(),
    outbox=st.lists(commands, max_size=3).map(tuple),
    settled=st.lists(numbers, max_size=2).map(tuple),
    clock_ahead_ms=st.none() | st.integers(-5, 5),
    durable=st.booleans(),
)
deeds = st.lists(steps | st.sampled_from(["kill", "restart", "begin anew"]), max_size=12)


async def everything(device: MemoryDevice | SqliteDevice) -> list[object]:
    store = device.store
    found: list[object] = list(await all_rows(store, 2))
    for name in NAMES:
        found += [await store.messages(name, 10, 10), await store.messages(name, 6, 2)]
    return found


async def lived_through(
    device: MemoryDevice | SqliteDevice, history: list[Step | str]
) -> list[object]:
    """Return all that a device saw on its way."""
    seen: list[object] = [await device.store.open()]
    for deed in history:
        if isinstance(deed, Step):
            await device.store.commit(deed)
        elif deed == "begin anew":
            await device.store.begin_anew()
        else:
            seen.append(await device.restart(kill=deed == "kill"))
        seen += [await everything(device), await device.store.search(phrases_of("e"), BOB, 3)]
    for query in ("can", "can't", "天", "今天", "天 e", "👍", "e x", "a"):
        seen.append(await device.store.search(phrases_of(query), None, 50))
    seen.append(await device.restart(kill=False))
    await device.end()
    return [without_what_was_set_aside(one) for one in seen]


def without_what_was_set_aside(seen: object) -> object:
    return replace(seen, set_aside=None) if isinstance(seen, Saved) else seen


@given(deeds)
def test_C3_memory_and_sqlite_give_the_same_answers(history: list[Step | str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "device"
        sqlite = asyncio.run(lived_through(SqliteDevice(folder), history))
        memory = asyncio.run(lived_through(MemoryDevice(folder), history))
    assert sqlite == memory
