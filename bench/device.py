"""Devices for measurements: their copies, and what they are put together from."""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from bench.load import TEXT
from recents.client.client import Client
from recents.client.link.port import Connection, Link
from recents.client.opening import assemble
from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import DeviceStore, Step
from recents.client.store.sqlite import SqliteDeviceStore
from recents.core.entry import InboxEntry
from recents.core.errors import Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message, Preview
from recents.core.totals import totals_of
from recents.wire.frames import Hello
from recents.wire.sync_token import token_of

T = TypeVar("T")

EPOCH = "0123456789abcdef"
_START_MS = 1_700_000_000_000


class Nowhere:
    """A way to no node: the device is offline."""

    async def open(self) -> Connection:
        raise Unavailable("there is no network in this measurement")


def device(
    store: DeviceStore, link: Link | None = None, secret: str = "", *, deflate: bool = True
) -> Client:
    """Return alice's client with this copy; without a link it is offline."""
    return assemble(
        link or Nowhere(),
        Hello(protocol=1, account="alice", token=secret, deflate=deflate),
        Settings(first_delay_s=0.001 if link else 3_600.0, longest_delay_s=3_600.0),
        store,
        lambda: time.time_ns() // 1_000_000,
        random.random,
        lambda: uuid.uuid4().hex,
    )


def sqlite_copy(path: Path) -> SqliteDeviceStore:
    return SqliteDeviceStore(path, "alice", lambda: "bench")


def memory_copy() -> MemoryDeviceStore:
    return MemoryDeviceStore(lambda: "bench")


def row(number: int, version: int) -> InboxEntry:
    """Return a row whose newest message has the version's number and time."""
    at_ms = _START_MS + version
    preview = Preview(
        seq=version,
        client_id=f"{at_ms:011x}{number:016x}",
        sender=peer(number),
        time_ms=at_ms,
        text=TEXT,
    )
    return InboxEntry(
        conversation=Conversation(f"p2p:{peer(number)}"),
        version=version,
        activity_ms=at_ms,
        last_seq=version,
        unread=version % 10,
        preview=preview,
    )


def message(number: int, version: int) -> Message:
    """Return the message behind ``row(number, version)``."""
    at_ms = _START_MS + version
    return Message(
        seq=version,
        ordinal=version,
        sender=peer(number),
        client_id=f"{at_ms:011x}{number:016x}",
        time_ms=at_ms,
        text=TEXT,
    )


def peer(number: int) -> str:
    return f"peer{number:06d}"


def token(version: int) -> str:
    return token_of(EPOCH, version)


async def fill(store: DeviceStore, rows: int) -> None:
    """Give a copy so many rows, of versions from 1 on."""
    everything = tuple(row(number, number + 1) for number in range(rows))
    await store.open()
    await store.commit(
        Step(
            rows=everything,
            replaces_all=True,
            token=token(rows),
            totals=totals_of(everything),
            durable=True,
        )
    )
    await store.close()


async def offline(me: Client) -> None:
    """Return when the client has found that there is no node."""
    found = asyncio.Event()
    remove = me.on_state(lambda state: found.set() if state == "offline" else None)
    if me.state != "offline":
        await found.wait()
    remove()


def disk_ms(path: Path) -> float:
    """Return the ms that this disk takes now for 4 KB: what every durable command waits for."""
    with path.open("ab") as file:
        file.write(bytes(4_096))
        file.flush()
        watch = Stopwatch()
        os.fdatasync(file.fileno())
        return watch.ms()


class Stopwatch:
    """Measures in ms, again and again."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def ms(self) -> float:
        """Return the ms since it was made, or asked last."""
        began, self._began = self._began, time.perf_counter()
        return (self._began - began) * 1_000


async def in_an_application(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run something as applications do: in asyncio's own loop, not in that of the node."""
    return await asyncio.to_thread(lambda: asyncio.run(work()))
