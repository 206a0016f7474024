"""The bare toy that a node is compared with: socket in, one commit, socket out.

It has the node's libraries (aiohttp, uvloop, msgspec, apsw with `synchronous=FULL`) and nothing
else: no rules, no rows, no counters, no accounts. What it does per second is what these parts can
do at most on this machine; the node's share of it is what the rules cost.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import msgspec
import uvloop
from aiohttp import WSMsgType, web

from recents.server.doors.listening import SWITCH_INTERVAL_S


class _Hello(msgspec.Struct, tag="hello"):
    account: str


class _Post(msgspec.Struct, tag="post"):
    id: str
    conversation: str
    client_id: str
    text: str


_decoder = msgspec.json.Decoder(_Hello | _Post)
_MOST = 512


class Toy:
    """Answers posts after a commit, and passes them on."""

    def __init__(self, path: Path) -> None:
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._queue: list[tuple[web.WebSocketResponse, str, _Post]] = []
        self._wake = asyncio.Event()
        self._writer = ThreadPoolExecutor(1)
        self._file = apsw.Connection(str(path))
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute(
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, conversation TEXT, sender TEXT,"
            " client_id TEXT, text TEXT) STRICT"
        )

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        account = ""
        async for message in socket:
            frame = _decoder.decode(message.data)
            if isinstance(frame, _Hello):
                account = frame.account
                self._sockets[account] = socket
                await socket.send_frame(b'{"type":"caught_up"}', WSMsgType.TEXT)
            else:
                self._queue.append((socket, account, frame))
                self._wake.set()
        return socket

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch, self._queue = self._queue[:_MOST], self._queue[_MOST:]
                rows = [
                    (post.conversation, sender, post.client_id, post.text)
                    for _, sender, post in batch
                ]
                await loop.run_in_executor(self._writer, self._commit, rows)
                for socket, _, post in batch:
                    answer = b'{"type":"answer","id":"%s"}' % post.id.encode()
                    await socket.send_frame(answer, WSMsgType.TEXT)
                    peer = self._sockets.get(post.conversation[4:])
                    if peer is not None:
                        await peer.send_frame(msgspec.json.encode(post), WSMsgType.TEXT)

    def _commit(self, rows: list[tuple[str, str, str, str]]) -> None:
        with self._file:
            self._file.executemany(
                "INSERT INTO messages (conversation, sender, client_id, text) VALUES (?, ?, ?, ?)",
                rows,
            )


async def _serve(path: Path) -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    toy = Toy(path)
    app = web.Application()
    app.router.add_get("/v1/connect", toy.connect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4_096)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    running = asyncio.create_task(toy.run())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    running.cancel()
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
