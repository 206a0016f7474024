"""What an idle connected device costs the node."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bench.own_node import OwnNode
from bench.processes import make_logins, resident_bytes
from bench.report import Figure, at_most
from bench.sockets import LoadSocket

DEVICES = 2_000
_AT_ONCE = 100
_SETTLE_S = 2.0


async def measure_memory(folder: Path, quick: bool) -> list[Figure]:
    """Connect devices that then do nothing, and see by how much the node grows."""
    count = DEVICES // 4 if quick else DEVICES
    async with OwnNode(folder / "node.db") as node:
        logins = await make_logins(node, count)
        at = urlsplit(node.address)
        # The first connections fill caches that later ones share.
        sockets = [await _connect(at.hostname or "", at.port or 0, login) for login in logins[:50]]
        await asyncio.sleep(_SETTLE_S)
        before = resident_bytes(node.pid)
        for start in range(50, count, _AT_ONCE):
            part = logins[start : start + _AT_ONCE]
            sockets += await asyncio.gather(
                *(_connect(at.hostname or "", at.port or 0, login) for login in part)
            )
        await asyncio.sleep(_SETTLE_S)
        each = (resident_bytes(node.pid) - before) / (count - 50) / 1_024
        for socket in sockets:
            socket.close()
    return [at_most(f"memory per idle device, {count:,} devices", each, 40, "KB")]


async def _connect(host: str, port: int, login: object) -> LoadSocket:
    ready = asyncio.Event()
    socket = LoadSocket(lambda _, message: ready.set() if b"token" in message else None)
    await socket.open(host, port)
    hello = {"type": "hello", "protocol": 1} | msgspec.to_builtins(login)
    socket.send(msgspec.json.encode(hello))
    await ready.wait()
    return socket
