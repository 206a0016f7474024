"""Runs docs/rest.md: every call is answered as written, and every call there is is written."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from recents.core.ids import ConversationKey
from recents.server.doors import http
from recents.server.doors.listening import Listening
from recents.server.doors.rest.messages import MAX_RECEIVERS
from recents.server.doors.rest.once import MAX_KEY_CHARACTERS
from recents.server.doors.rest.table import ROUTES
from recents.server.forgetting import ANSWERS_KEPT_MS
from recents.server.node import Node
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Placed
from recents.server.webhooks import MAX_WEBHOOKS, Event, event_of
from recents.webhooks import sign
from tests.server.doors.sockets import ADMIN_KEY, Place

PAGE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\S[^\n]*)\n(.*?)^```$", PAGE, re.M | re.S)
CALLS = [body for info, body in BLOCKS if info == "http"]

NOW_MS = 1_767_225_600_000


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Place]:
    """A node whose clock stands still and that chooses ids and secrets in order."""
    secrets, new_ids = _numbered("secret"), _numbered("id")
    node = Node(
        MemoryStore(epoch="5f1d3c0a99e2b7d4"),
        clock_ms=lambda: NOW_MS,
        new_secret=lambda: next(secrets),
        new_id=lambda: next(new_ids),
    )
    async with (
        aiohttp.ClientSession() as session,
        Listening(node, port=0, admin_key=ADMIN_KEY) as at,
    ):
        yield Place(at, session)


def _numbered(word: str) -> Iterator[str]:
    return (f"{word}-{number}" for number in itertools.count(1))


def _parts(call: str) -> tuple[str, dict[str, str], str, str, str]:
    """Return first line, headers, body, status and answer of a call."""
    asked, _, answered = call.partition("\n\n")
    line, *others = asked.splitlines()
    headers = dict(one.split(": ", 1) for one in others if not one.startswith("{"))
    body = "".join(one for one in others if one.startswith("{"))
    status, _, expected = answered.partition("\n")
    return line, headers, body, status, expected


@pytest.mark.asyncio
async def test_the_calls_are_answered_as_written(place: Place) -> None:
    for call in CALLS:
        line, headers, body, status, expected = _parts(call)
        method, path = line.split()
        got = await place.rest(method, path, body.encode() or None, headers=headers)
        assert got == (int(status), msgspec.json.decode(expected)), line


def test_every_call_is_written() -> None:
    patterns = {
        (route.method, re.compile(re.sub(r"{\w+}", "[^/?]+", route.path) + r"(\?.*)?")): route.name
        for route in ROUTES
    }
    called = set()
    for call in CALLS:
        method, path = _parts(call)[0].split()
        (name,) = {
            name
            for (known, pattern), name in patterns.items()
            if known == method and pattern.fullmatch(path)
        }
        called.add(name)
    assert called == {route.name for route in ROUTES}


def test_no_block_is_left_out() -> None:
    assert {info for info, _ in BLOCKS} == {"http", "sh", "python", "json event"}


def test_numbers_are_those_of_the_code() -> None:
    for number, said in [
        (http.MAX_BODY_BYTES, "at most {:,} bytes"),
        (Settings().page_limit, "`?limit=` (1 to {:,}, 100"),
        (MAX_KEY_CHARACTERS, "`Idempotency-Key`, on everything that\nchanges something: 1 to {}"),
        (ANSWERS_KEPT_MS // 3_600_000, "For {} hours\nthe same key"),
        (Settings().idempotency_keys, "the node remembers {:,}"),
        (MAX_WEBHOOKS, "A node has at most {} webhooks"),
        (Settings().webhook_deliveries, "Up to {}\n  conversations are told at"),
        (int(Settings().webhook_timeout_s), "after {} seconds without an answer"),
        (Settings().webhook_failing_days, "does not get on for {} days"),
        (MAX_RECEIVERS, "names up to {:,} conversations"),
    ]:
        assert said.format(number) in PAGE


def test_an_event_is_read_as_written() -> None:
    (program,) = [body for info, body in BLOCKS if info == "python"]
    (event,) = [body.strip().encode() for info, body in BLOCKS if info == "json event"]
    told = msgspec.json.decode(event, type=Event)
    message = told.data.message
    assert event_of(Placed(1, ConversationKey("p2p:alice|bob"), message)) == told
    names: dict[str, Callable[..., object]] = {}
    exec(compile(program, "rest.md", "exec"), names)
    secret = "whsec_" + base64.b64encode(b"secret").decode()
    headers = sign(secret, "msg_1", NOW_MS // 1_000, event)
    assert names["received"](secret, headers, event, NOW_MS / 1_000) == "Lunch?"


@pytest.mark.asyncio
async def test_the_lines_for_a_shell_run(place: Place, tmp_path: Path) -> None:
    (lines,) = [body for info, body in BLOCKS if info == "sh"]
    (tmp_path / "recents.db.admin-key").write_text(ADMIN_KEY)
    shell = await asyncio.create_subprocess_exec(
        "sh",
        "-euc",
        lines,
        cwd=tmp_path,
        env={**os.environ, "NODE": place.at.address},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await shell.communicate()
    assert shell.returncode == 0
    assert b'"text":"Lunch?"' in out
