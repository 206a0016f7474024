"""An application server that asks again: a real node, killed with ``kill -9`` in the middle."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from recents.webhooks import verify

KEY = "admin-key-for-tests"
ADMIN = {"Authorization": f"Bearer {KEY}"}
AT_ONCE = 4
KILLS = 3


class Node:
    """A node in a process of its own; ``address`` is where it listens now."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._process: asyncio.subprocess.Process
        self.address = ""

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "recents.cli", "serve", "--port", "0"),
            *("--store", str(self._store)),
            env={**os.environ, "RECENTS_ADMIN_KEY": KEY},
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode()
        self.address = line.split()[-1]

    async def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


async def ask(
    node: Node, http: aiohttp.ClientSession, path: str, body: object, key: str
) -> dict[str, object]:
    """Ask until there is an answer, always with the same key."""
    while True:
        try:
            async with http.post(
                f"{node.address}{path}", json=body, headers={**ADMIN, "Idempotency-Key": key}
            ) as answer:
                assert answer.status in {201, 503}, await answer.text()
                if answer.status == 201:
                    found = await answer.json()
                    assert isinstance(found, dict)
                    return found
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
@pytest.mark.timeout(180)
async def test_c4_with_keys_everything_is_done_once_and_told(tmp_path: Path) -> None:
    told: dict[str, int] = {}
    news = asyncio.Event()
    secret = ""

    async def take(request: web.Request) -> web.Response:
        event = verify(secret, request.headers, await request.read())
        data = event["data"]
        assert isinstance(data, dict)
        told.setdefault(data["message"]["text"], data["message"]["seq"])
        news.set()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    node = Node(tmp_path / "recents.db")
    await node.start()
    async with TestServer(app) as receiver, aiohttp.ClientSession() as http:
        for account in ("alice", "bob"):
            await ask(node, http, "/v1/accounts", {"account": account}, account)
        made = await ask(node, http, "/v1/webhooks", {"url": str(receiver.make_url("/"))}, "w")
        secret = str(made["secret"])

        async def send(number: int) -> int:
            body = {"conversation": "p2p:bob", "text": str(number)}
            key = f"key-{number}"
            answer = await ask(node, http, "/v1/accounts/alice/messages", body, key)
            return int(str(answer["seq"]))

        async def keep_killing() -> None:
            for _ in range(KILLS):
                await asyncio.sleep(random.uniform(0.05, 0.3))
                await node.kill()
                await node.start()

        killing = asyncio.create_task(keep_killing())
        seqs: list[int] = []
        while not killing.done():
            seqs += await asyncio.gather(*map(send, range(len(seqs), len(seqs) + AT_ONCE)))
        await killing
        assert sorted(seqs) == list(range(1, len(seqs) + 1))
        await _until(lambda: len(told) == len(seqs), news)
        assert told == {str(number): seq for number, seq in enumerate(seqs)}
    await node.kill()


async def _until(done: Callable[[], bool], news: asyncio.Event) -> None:
    async with asyncio.timeout(60):
        while not done():
            news.clear()
            await news.wait()
