"""Runs docs/protocol.md: every example, every table, the whole conversation."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import get_args

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from recents.client.link.port import MAX_MESSAGE_BYTES
from recents.core import commands, explain, face, ids, message
from recents.core.checking import check
from recents.core.entry import InboxEntry
from recents.core.errors import Code, Refused
from recents.core.membership import Draft, Pinned
from recents.core.message import Message, Preview
from recents.core.replica import Gone
from recents.core.totals import Totals
from recents.server import questions
from recents.server.doors.listening import Listening
from recents.server.doors.problems import problem_for
from recents.server.node import Node
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.wire import codec, frames
from recents.wire.frames import DeviceFrame, NodeFrame
from recents.wire.greeting import TRANSITIONS, Phase
from recents.wire.sync_token import parts_of, token_of
from tests.server.doors.sockets import ADMIN_KEY, Place, Socket

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\S[^\n]*)\n(.*?)^```$", PAGE, re.M | re.S)

NOW_MS = 1_767_225_600_000
EPOCH = "5f1d3c0a99e2b7d4"

RESULTS = {
    kind.__name__: kind
    for kind in (
        frames.Posted,
        frames.Rows,
        frames.Messages,
        frames.Members,
        frames.Teams,
        frames.Devices,
        frames.Revoked,
        explain.Explanation,
        frames.Profiles,
        frames.Mentions,
    )
}
VALUES = {
    "Row": InboxEntry,
    "Draft": Draft,
    "Pin": Pinned,
    "Device": frames.Device,
    "Preview": Preview,
    "Profile": frames.Profile,
    "Totals": Totals,
    "Message": Message,
    "Gone": Gone,
    "Explanation": explain.Explanation,
    "NamedMessage": explain.NamedMessage,
    "Positions": explain.Positions,
    "Placement": explain.Placement,
    "Share": explain.Share,
    **{kind.__struct_config__.tag: kind for kind in get_args(DeviceFrame)},
    **{kind.__struct_config__.tag: kind for kind in get_args(NodeFrame)},
}


def _examples(direction: str) -> list[bytes]:
    return [body.encode() for info, body in BLOCKS if info == f"json {direction}"]


def _table(after: str) -> list[list[str]]:
    """Return the cells of the first table after a text, without its head."""
    assert PAGE.count(after) == 1, after
    lines = PAGE.partition(after)[2].splitlines()
    rows = itertools.dropwhile(lambda line: not line.startswith("|"), lines)
    table = list(itertools.takewhile(lambda line: line.startswith("|"), rows))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def _bare(cell: str) -> str:
    return cell.strip("`")


# Sentences


def test_sentences_are_numbered_without_gaps() -> None:
    for section in range(1, 7):
        numbers = re.findall(rf"^{section}\.(\d+) ", PAGE, re.M)
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)], section


def test_every_sentence_that_is_quoted_exists() -> None:
    numbers = set(re.findall(r"^(\d\.\d+) ", PAGE, re.M))
    quoted = re.findall(r"\((\d\.\d+)\)", PAGE)
    assert quoted
    assert set(quoted) <= numbers


# Examples


@pytest.mark.parametrize("example", _examples("device"))
def test_examples_of_a_device_are_frames(example: bytes) -> None:
    frame = codec.decode_device_frame(example)
    assert msgspec.json.decode(codec.encode(frame)) == msgspec.json.decode(example)
    if not isinstance(frame, frames.Hello | frames.Query):
        check(frame)


@pytest.mark.parametrize("example", _examples("node"))
def test_examples_of_a_node_are_frames(example: bytes) -> None:
    frame = codec.decode_node_frame(example)
    assert msgspec.json.decode(codec.encode(frame)) == msgspec.json.decode(example)


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_has_an_example(name: str) -> None:
    examples = _examples(f"result:{name}")
    assert examples
    for example in examples:
        result = codec.decode_result(msgspec.Raw(example), RESULTS[name])
        assert msgspec.json.decode(msgspec.json.encode(result)) == msgspec.json.decode(example)


def test_every_frame_has_an_example() -> None:
    shown = {type(codec.decode_device_frame(example)) for example in _examples("device")}
    assert shown == set(get_args(DeviceFrame))
    told = {type(codec.decode_node_frame(example)) for example in _examples("node")}
    assert told == set(get_args(NodeFrame))


def test_no_block_is_left_out() -> None:
    known = {"json device", "json node", "http", "transcript"}
    known |= {f"json result:{name}" for name in RESULTS}
    assert {info for info, _ in BLOCKS} == known


# Tables


@pytest.mark.parametrize("name", VALUES)
def test_every_field_is_described_with_its_default(name: str) -> None:
    described = {_bare(row[0]): row[2] for row in _table(f"\n### {name}\n")}
    assert described == {
        field.encode_name: _default(field) for field in msgspec.structs.fields(VALUES[name])
    }


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{msgspec.json.encode(field.default_factory()).decode()}`"
    return f"`{msgspec.json.encode(field.default).decode()}`"


def test_a_token_is_what_the_page_says() -> None:
    assert "`<epoch>.<version>`, 16 hexadecimal digits and the number" in PAGE
    assert token_of(EPOCH, 41) == "5f1d3c0a99e2b7d4.41"
    assert parts_of("5f1d3c0a99e2b7d4.41") == (EPOCH, 41)


def test_the_table_of_the_greeting_is_that_of_the_code() -> None:
    written = {}
    for phase, hello, other in _table("depends on the phase alone:"):
        written[Phase(_bare(phase)), True] = hello
        written[Phase(_bare(phase)), False] = other
    assert written == {
        case: f"refused: `{outcome.code}`" if isinstance(outcome, Refused) else f"`{outcome}`"
        for case, outcome in TRANSITIONS.items()
    }


def test_every_code_is_documented_with_its_http_status() -> None:
    written = {_bare(row[0]): int(row[2]) for row in _table("5.3 These are the codes")}
    assert list(written) == [str(code) for code in Code]
    assert written == {str(code): problem_for(Refused(code, "")).status for code in Code}


def test_the_reasons_are_those_of_the_code_in_its_order() -> None:
    written = [_bare(row[0]) for row in _table("3.33 These are the reasons")]
    assert written == list(explain.Reason)


def test_the_limits_are_those_of_the_code() -> None:
    assert [int(row[1]) for row in _table("1.7 These are the limits.")] == [
        codec.MAX_DEVICE_FRAME_BYTES,
        codec.MAX_DEVICE_MESSAGE_BYTES,
        message.MAX_CLIENT_ID_CHARACTERS,
        message.MAX_KIND_CHARACTERS,
        message.MAX_TEXT_CHARACTERS,
        message.MAX_ATTACHMENT_BYTES,
        codec.MAX_ATTACHMENT_DEPTH,
        message.MAX_MENTIONS,
        commands.MAX_MEMBERS_PER_COMMAND,
        Settings().team_members,
        Settings().page_limit,
        questions.MOST_PROFILES,
        ids.MAX_ID_BYTES,
        ids.MAX_DISPLAY_NAME_CHARACTERS,
        face.MAX_AVATAR_BYTES,
        commands.MAX_PIN_EXT_BYTES,
        commands.MAX_LABEL_CHARACTERS,
        commands.MAX_LABELS,
        commands.MAX_EXTENSION_BYTES,
    ]


def test_other_numbers_are_those_of_the_settings() -> None:
    settings = Settings()
    for number, said in [
        (settings.rows_per_frame, "at most {} rows in a frame"),
        (settings.unanswered_requests, "has {} requests under way"),
        (settings.backlog_bytes // 1024, "more\nthan {} KiB of answers unread"),
        (int(settings.greeting_timeout_s), "A device has {} seconds to say"),
        (settings.deflate_bytes // 1024, "gets messages of {} KiB or more as binary"),
        (MAX_MESSAGE_BYTES // 2**20, "should accept messages of {} MiB"),
        (settings.devices_per_account, "of an account, the {} that were seen last"),
        (settings.remembered_days, "The node remembers that for {} days"),
        (explain.LISTED, "at most {:,} of\neach sort"),
    ]:
        assert said.format(number) in PAGE


# HTTP


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Place]:
    """A node whose clock stands still and that chooses ids and secrets in order."""
    secrets, new_ids = _numbered("secret"), _numbered("id")
    node = Node(
        MemoryStore(epoch=EPOCH),
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


@pytest.mark.asyncio
async def test_the_calls_are_answered_as_written(place: Place) -> None:
    for call in [body for info, body in BLOCKS if info == "http"]:
        asked, _, answered = call.partition("\n\n")
        method, path = asked.split()
        status, _, expected = answered.partition("\n")
        assert await place.rest(method, path) == (int(status), msgspec.json.decode(expected))


# The whole conversation


@pytest.mark.asyncio
async def test_the_conversation_goes_as_written(place: Place) -> None:
    talk, end = [body.splitlines() for info, body in BLOCKS if info == "transcript"]
    await place.hire("alice", "bob")
    devices = {"alice": await place.connect(), "bob": await place.connect()}
    for line in talk:
        await _play(line, devices)
    stopping = place.node.stop()
    await stopping
    for line in end:
        await _play(line, devices)
    for device in devices.values():
        assert await device.receive() is None
        assert device.socket.close_code == 1001


async def _play(line: str, devices: dict[str, Socket]) -> None:
    who, way, said = line.split(" ", 2)
    if way == ">":
        await devices[who].say(said)
        return
    assert way == "<"
    frame = await devices[who].receive()
    assert frame is not None
    assert msgspec.json.decode(codec.encode(frame)) == msgspec.json.decode(said), line
