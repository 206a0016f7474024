"""What it takes a device to come back: nothing changed, little changed, a full outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import aiohttp

from bench.device import Stopwatch, device, in_an_application, offline, sqlite_copy
from bench.lists import post_offline, prepare
from bench.load import TEXT
from bench.own_node import OwnNode
from bench.report import Figure, at_most
from recents.client.client import Client
from recents.client.link.port import MAX_MESSAGE_BYTES, Connection
from recents.client.link.websocket import WebSocketConnection, WebSocketLink
from recents.core.ids import p2p
from recents.wire import codec

CONVERSATIONS = 5_000
COMMANDS = 1_000

_WELCOME = b'{"type":"welcome"'


class CountingLink:
    """A way to a node that counts frames and bytes, and can be cut.

    Attributes:
        asked: frames that the device sent.
        told: bytes of the node's messages, as they came over the network.
        rows: rows in them.
    """

    def __init__(self, address: str) -> None:
        self._link = WebSocketLink(address)
        self._open: WebSocketConnection | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        self.asked, self.told, self.rows = 0, 0, 0

    async def open(self) -> Connection:
        self._open = await self._link.open()
        return _Counting(self._open, self)

    async def cut(self) -> None:
        """Lose the connection."""
        assert self._open is not None
        await self._open.close()


class _Counting:
    def __init__(self, connection: WebSocketConnection, link: CountingLink) -> None:
        self._connection = connection
        self._link = link

    async def send(self, message: str) -> None:
        self._link.asked += len(codec.split(message))
        await self._connection.send(message)

    async def receive(self) -> str | None:
        received = await self._connection._socket.receive()
        if received.type is aiohttp.WSMsgType.BINARY:
            return self._counted(
                codec.inflated(received.data, MAX_MESSAGE_BYTES), len(received.data)
            )
        if received.type is aiohttp.WSMsgType.TEXT:
            lines = codec.split(received.data)
            after_greeting = [line for line in lines if not line.startswith(_WELCOME)]
            return self._counted(received.data, sum(map(len, after_greeting)))
        return None

    def _counted(self, text: str, size: int) -> str:
        self._link.told += size
        self._link.rows += text.count('"conversation":')
        return text

    async def close(self) -> None:
        await self._connection.close()


async def measure_coming_back(folder: Path, quick: bool) -> list[Figure]:
    """Measure reconnects of a client, first starts, and an outbox that is sent."""
    path = folder / "node.db"
    secret = await prepare(path, CONVERSATIONS)
    rounds = 3 if quick else 15

    async def at_node(work: Callable[[str], Awaitable[list[Figure]]]) -> list[Figure]:
        async with OwnNode(path) as node:
            return await in_an_application(lambda: _awaited(work(node.address)))

    copy = folder / "device.db"
    figures = await at_node(lambda address: _first_starts(folder, address, secret, rounds))
    figures += await at_node(lambda address: _unchanged(copy, address, secret, rounds))
    await post_offline(path, [f"peer{number:05d}" for number in range(10)], p2p("alice"))
    figures += await at_node(lambda address: _changed(copy, address, secret))
    figures += await at_node(lambda address: _outbox(folder, address, secret, 2 if quick else 5))
    return figures


async def _awaited(work: Awaitable[list[Figure]]) -> list[Figure]:
    return await work


async def _first_starts(folder: Path, address: str, secret: str, rounds: int) -> list[Figure]:
    figures = []
    for how, deflate in (("plain", False), ("deflated", True)):
        took, first = [], []
        link = CountingLink(address)
        for turn in range(rounds):
            link.begin_anew()
            watch = Stopwatch()
            store = sqlite_copy(folder / f"{how}{turn}.db")
            me = device(store, link, secret, deflate=deflate)
            await me.open()
            await me.inbox.list(50)
            first.append(watch.ms())
            await me.synced()
            took.append(first[-1] + watch.ms())
            assert (await me.inbox.totals()).conversations == CONVERSATIONS
            await me.close()
        n = f"first start with {CONVERSATIONS:,} conversations, {how}"
        figures += [
            Figure(f"{n}: bytes", f"{link.told:,}"),
            Figure("… first 50 rows", f"{median(first):.0f} ms"),
            Figure("… all rows, kept on the disk", f"{median(took):.0f} ms"),
        ]
    return figures


async def _unchanged(copy: Path, address: str, secret: str, rounds: int) -> list[Figure]:
    link = CountingLink(address)
    async with device(sqlite_copy(copy), link, secret) as me:
        await me.synced()
    started, back = [], []
    for _ in range(rounds):
        watch = Stopwatch()
        me = device(sqlite_copy(copy), link, secret)
        await me.open()
        await me.synced()
        started.append(watch.ms())
        link.begin_anew()
        await link.cut()
        back.append(await _back(me))
        assert link.rows == 0
        await me.close()
    n = f"nothing of {CONVERSATIONS:,} changed"
    return [
        at_most(f"the SDK reconnects, {n}: requests", link.asked, 1, ""),
        at_most("… bytes after the greeting", link.told, 200, "bytes"),
        Figure("… from the loss to synced, without the wait", f"{median(back):.1f} ms"),
        Figure("… from the start of the program to synced", f"{median(started):.0f} ms"),
    ]


async def _back(me: Client) -> float:
    """Return the ms from the beginning of the next attempt to synced."""
    trying = asyncio.Event()
    remove = me.on_state(lambda state: trying.set() if state == "connecting" else None)
    await trying.wait()
    remove()
    watch = Stopwatch()
    await me.synced()
    return watch.ms()


async def _changed(copy: Path, address: str, secret: str) -> list[Figure]:
    link = CountingLink(address)
    watch = Stopwatch()
    me = device(sqlite_copy(copy), link, secret)
    await me.open()
    await me.synced()
    took = watch.ms()
    await me.close()
    return [
        at_most(f"10 of {CONVERSATIONS:,} changed: rows", link.rows, 10, "rows"),
        at_most("… bytes per row", link.told / 10, 400, "bytes"),
        Figure("… from the start of the program to synced", f"{took:.0f} ms"),
    ]


async def _outbox(folder: Path, address: str, secret: str, rounds: int) -> list[Figure]:
    took = []
    for turn in range(rounds):
        path = folder / f"outbox{turn}.db"
        async with device(sqlite_copy(path), CountingLink(address), secret) as me:
            await me.synced()
        me = device(sqlite_copy(path))
        await me.open()
        await offline(me)
        await asyncio.gather(
            *(me.messages.send(p2p(f"peer{number % 100:05d}"), TEXT) for number in range(COMMANDS))
        )
        await me.close()
        me = device(sqlite_copy(path), CountingLink(address), secret)
        await me.open()
        watch = Stopwatch()
        assert await me.flush(60)
        took.append(watch.ms())
        await me.close()
    return [
        Figure(
            f"an outbox of {COMMANDS:,} messages, until all are answered", f"{median(took):.0f} ms"
        )
    ]
