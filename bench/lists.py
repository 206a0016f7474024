"""Lists and catch-ups of accounts with many conversations."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import msgspec

from bench.load import TEXT, percentiles
from bench.own_node import OwnNode
from bench.processes import cpu_ms
from bench.report import Figure, at_most
from bench.sockets import LoadSocket
from recents.core.commands import Post
from recents.core.ids import Conversation, p2p
from recents.server.node import Node, open_store

_POSTS_AT_ONCE = 500


async def measure_lists(folder: Path, quick: bool) -> list[Figure]:
    """List 50 rows with totals, and all rows as a fresh device, at 1,000 and 10,000."""
    figures = []
    for conversations, budget_ms in ((1_000, 3.0), (10_000, 25.0)):
        path = folder / f"{conversations}.db"
        token = await prepare(path, conversations)
        async with OwnNode(path) as node:
            device = await Device.connect(node.address, token)
            first = [await device.list() for _ in range(20 if quick else 200)][5:]
            device.close()
            whole = []
            for _ in range(3 if quick else 10):
                began = time.perf_counter()
                (await Device.connect(node.address, token)).close()
                whole.append((time.perf_counter() - began) * 1_000)
        p50, _, p99 = percentiles(first)
        name = f"{conversations:,} conversations"
        figures += [
            at_most(f"first 50 rows with totals, {name}, p99", p99, budget_ms, "ms"),
            Figure(f"first 50 rows with totals, {name}, p50", f"{p50:.2f} ms"),
            Figure(f"all rows to a fresh device, {name}", f"{median(whole):.1f} ms"),
        ]
    return figures


async def measure_reconnects(folder: Path, quick: bool) -> list[Figure]:
    """Reconnect with nothing and with 10 of 5,000 conversations changed."""
    path = folder / "5000.db"
    token = await prepare(path, 5_000)
    rounds = 20 if quick else 200
    async with OwnNode(path) as node:
        device = await Device.connect(node.address, token)
        since = device.since
        device.close()
    # Others go on meanwhile: the node has to look whether something changed for alice.
    await post_offline(path, ["peer00000"], p2p("peer00001"))
    async with OwnNode(path) as node:
        before = cpu_ms(node.pid)
        quiet = []
        for _ in range(rounds):
            device = await Device.connect(node.address, token, since)
            quiet.append(device.bytes_after_welcome)
            device.close()
        cost = (cpu_ms(node.pid) - before) / rounds
    await post_offline(path, [f"peer{number:05d}" for number in range(10)], p2p("alice"))
    async with OwnNode(path) as node:
        device = await Device.connect(node.address, token, since)
        changed = device.bytes_after_welcome
        rows = device.rows
        device.close()
    return [
        at_most(
            "reconnect, nothing of 5,000 changed, after the greeting", max(quiet), 200, "bytes"
        ),
        at_most("… processor time of the node", cost, 5, "ms"),
        at_most(
            f"reconnect, 10 of 5,000 changed: {rows} rows, per row", changed / 10, 400, "bytes"
        ),
    ]


class Device:
    """A device that counts what it is sent."""

    def __init__(self) -> None:
        """Prepare; ``connect`` makes one."""
        self.since = ""
        self.rows = 0
        self.bytes_after_welcome = 0
        self._done = asyncio.Event()
        self._welcomed = False

    @classmethod
    async def connect(cls, address: str, token: str, since: str | None = None) -> Device:
        """Log in as ``alice`` and wait until everything is there."""
        device = cls()
        at = urlsplit(address)
        device._socket = LoadSocket(device._received)
        await device._socket.open(at.hostname or "", at.port or 0)
        hello = {"type": "hello", "protocol": 1, "account": "alice", "token": token}
        if since is not None:
            hello["since"] = since
        device._socket.send(msgspec.json.encode(hello))
        await device._done.wait()
        return device

    async def list(self) -> float:
        """Ask for the first 50 rows; return the ms until they are here."""
        self._done.clear()
        began = time.perf_counter()
        self._socket.send(b'{"type":"list","id":"l","limit":50}')
        await self._done.wait()
        return (time.perf_counter() - began) * 1_000

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    _socket: LoadSocket

    def _received(self, _: LoadSocket, message: bytes) -> None:
        for line in message.split(b"\n"):
            if line.startswith(b'{"type":"welcome"'):
                continue
            self.bytes_after_welcome += len(line)
            frame = msgspec.json.decode(line)
            self.rows += len(frame.get("rows", ()))
            if frame["type"] == "answer" or frame.get("token"):
                self.since = frame.get("token", self.since)
                self._done.set()


async def prepare(path: Path, conversations: int) -> str:
    """Make a store in which ``alice`` has so many conversations; return a token for her."""
    node = Node(open_store(path))
    await node.start()
    await node.accounts.create("alice")
    _, secret = await node.accounts.give_token("alice")
    peers = [f"peer{number:05d}" for number in range(conversations)]
    for peer in peers:
        await node.accounts.create(peer)
    await _post(node, peers, p2p("alice"))
    await node.stop()
    return secret


async def post_offline(path: Path, senders: list[str], to: Conversation) -> None:
    node = Node(open_store(path))
    await node.start()
    await _post(node, senders, to)
    await node.stop()


async def _post(node: Node, peers: list[str], to: Conversation) -> None:
    for at in range(0, len(peers), _POSTS_AT_ONCE):
        await asyncio.gather(
            *(
                node.command(
                    peer,
                    Post(
                        id=node.new_command_id(),
                        conversation=to,
                        client_id=node.new_command_id(),
                        text=TEXT,
                    ),
                )
                for peer in peers[at : at + _POSTS_AT_ONCE]
            )
        )
