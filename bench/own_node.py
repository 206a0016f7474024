"""A real node in a process of its own, for a measurement or a replay.

`python -m bench.own_node [FILE]` is that process: it prints its address and serves until its
standard input ends, so it never outlives whoever started it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
import uvloop
from yarl import URL

from recents.server.doors.listening import Listening
from recents.server.node import Node, open_store
from recents.wire.frames import Rows

T = TypeVar("T")

_ADMIN_KEY = "RECENTS_OWN_NODE_ADMIN_KEY"
_ROOT = Path(__file__).resolve().parent.parent
_START_S = 30.0
_STOP_S = 30.0


class NodeFailed(Exception):
    """The node did not start, or answered what it must not."""


class _NewToken(msgspec.Struct):
    token: str


class OwnNode:
    """Starts a node, and speaks to its REST face: ``async with OwnNode(path) as node``.

    Attributes:
        address: where it listens.
    """

    def __init__(self, path: Path | None) -> None:
        """Prepare; without a path the node keeps everything in memory."""
        self.address = ""
        self._path = path
        self._admin_key = secrets.token_urlsafe(32)
        self._running: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        arguments = [] if self._path is None else [str(self._path)]
        self._running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.own_node",
            *arguments,
            cwd=_ROOT,
            env={**os.environ, _ADMIN_KEY: self._admin_key},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._running.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                self.address = (await self._running.stdout.readline()).decode().strip()
        except TimeoutError:
            await self._stop()
            raise NodeFailed(f"the node did not start within {_START_S:g} s") from None
        if not self.address:
            await self._stop()
            raise NodeFailed("the node did not start; its own words are above")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._admin_key}"},
            connector=aiohttp.TCPConnector(limit=0),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        await self._stop()

    @property
    def pid(self) -> int:
        """The process of the node."""
        assert self._running is not None, "the node is not running"
        return self._running.pid

    async def make_account(self, account: str) -> str:
        """Make an account and return a token for it."""
        await self._call("POST", "/v1/accounts", dict, {"account": account})
        path = f"/v1/accounts/{quote(account, safe='')}/tokens"
        return (await self._call("POST", path, _NewToken)).token

    async def list(self, account: str, limit: int, cursor: str | None = None) -> Rows:
        """Return a page of an account's rows as the node lists them."""
        path = f"/v1/accounts/{quote(account, safe='')}/inbox?limit={limit}"
        if cursor is not None:
            path += f"&cursor={quote(cursor, safe='')}"
        return await self._call("GET", path, Rows)

    async def _call(
        self, method: str, path: str, kind: type[T], body: dict[str, str] | None = None
    ) -> T:
        assert self._session is not None, "the node is not running"
        content = None if body is None else msgspec.json.encode(body)
        # The path is quoted already; yarl must not undo it.
        url = URL(self.address + path, encoded=True)
        try:
            async with self._session.request(
                method, url, data=content, headers={"Content-Type": "application/json"}
            ) as response:
                answer = await response.read()
        except aiohttp.ClientError as error:
            raise NodeFailed(f"{method} {path}: no answer: {error}") from error
        if response.status >= 400:
            raise NodeFailed(f"{method} {path}: {response.status} {answer.decode()}")
        return msgspec.json.decode(answer, type=kind)

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        assert running.stdin is not None
        running.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await running.wait()
        except TimeoutError:
            running.kill()
            await running.wait()


async def _serve(path: Path | None) -> None:
    node = Node(open_store(path))
    async with Listening(node, port=0, admin_key=os.environ[_ADMIN_KEY]) as at:
        print(at.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
