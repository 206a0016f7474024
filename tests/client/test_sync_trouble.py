"""Nodes that talk nonsense or fall silent, and mistakes of our own."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.core.errors import Code, Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.wire.frames import CaughtUp, Error, Posted
from tests.client.fake_node import (
    WELCOME,
    FakeNode,
    changed,
    first_page,
    make_client,
    names,
    row,
    settle,
    token,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOB = Conversation("p2p:bob")


@pytest_asyncio.fixture
async def me(node: FakeNode) -> AsyncIterator[Client]:
    node.greets = [[first_page(row("bob"), row("carol"))], [CaughtUp(token=token(9))]]
    async with make_client(node) as client:
        yield client


@pytest.mark.parametrize(
    "nonsense",
    [
        "{",
        '{"type":"surprise"}',
        "[]",
        "\x00",
        '{"type":"answer"}',
        '{"type":"changed","token":"x"}',
        '{"type":"answer","id":"1","result":7}',
    ],
)
async def test_nonsense_from_the_node_ends_the_connection_and_another_begins(
    node: FakeNode, me: Client, nonsense: str
) -> None:
    node.connection.say_text(nonsense)
    await asyncio.sleep(1)
    assert len(node.connections) == 2
    assert node.connections[0].closed
    assert me.state == "synced"


async def test_rows_before_the_welcome_are_nonsense(node: FakeNode, me: Client) -> None:
    node.greets = [None, [CaughtUp(token=token(9))]]
    node.connection.drop()
    await asyncio.sleep(0.3)
    node.connection.say(changed(row("mallory")))
    await asyncio.sleep(1)
    assert await me.inbox.get("p2p:mallory") is None
    assert len(node.connections) == 3


async def test_blank_lines_and_unknown_answers_are_skipped(node: FakeNode, me: Client) -> None:
    node.connection.say_text('\n{"type":"answer","id":"nobody"}\n\n')
    await settle()
    assert me.state == "synced"
    assert len(node.connections) == 1


async def test_a_refused_frame_without_an_id_is_logged(
    node: FakeNode, me: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        node.connection.say(Error(code=Code.BAD_FRAME, message="what?"))
        await settle()
    assert "what?" in caplog.text
    assert me.state == "synced"


async def test_a_node_that_accepts_and_says_nothing_is_given_up(
    node: FakeNode, me: Client
) -> None:
    node.greets = [None, [CaughtUp(token=token(9))]]
    node.connection.drop()
    await asyncio.sleep(10.1)
    assert len(node.connections) == 2
    await _until(me, "synced")
    assert node.connections[1].closed


async def test_a_node_that_is_slow_after_its_welcome_is_waited_for(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob"), upto=None)]]
    async with make_client(node) as me:
        await asyncio.sleep(3_600)
        assert me.state == "syncing"
        assert len(node.connections) == 1


async def test_messages_are_told_after_the_rows_show_them(node: FakeNode, me: Client) -> None:
    heard: list[object] = []
    me.inbox.on_change(lambda batch: heard.append(names(batch.updated)))
    me.messages.on_message(lambda name, message: heard.append((name, message.seq)))
    messages = tuple(
        Message(seq=seq, ordinal=seq, sender="bob", client_id=str(seq), time_ms=1)
        for seq in (2, 3)
    )
    node.connection.say(changed(row("bob", 2, last_seq=3), messages={BOB: messages}))
    await settle()
    assert heard == [["p2p:bob"], ("p2p:bob", 2), ("p2p:bob", 3)]


async def test_a_failing_listener_leaves_the_connection_alone(node: FakeNode, me: Client) -> None:
    def fail(batch: ChangeBatch) -> None:
        raise RuntimeError("mine")

    me.inbox.on_change(fail)
    node.connection.say(changed(row("bob", 2, unread=1)))
    await settle()
    assert (await me.inbox.totals()).unread == 1
    assert len(node.connections) == 1


async def test_case30_a_consumer_that_never_looks_holds_nothing_up(
    node: FakeNode, me: Client
) -> None:
    feed = me.inbox.changes()
    for version in range(2, 2_000):
        node.connection.say(changed(row("bob", version, unread=version)))
    await asyncio.sleep(1)
    assert (await me.inbox.totals()).unread == 1_999
    batch = await anext(feed)
    assert (len(batch.updated), batch.totals.unread) == (1, 1_999)


async def test_a_mistake_of_our_own_ends_the_client_with_a_word(
    node: FakeNode, me: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(frame: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(me._parts.sync_loop, "_take", fail)
    with caplog.at_level(logging.ERROR):
        node.connection.say(WELCOME)
        await settle()
    with pytest.raises(Unavailable, match="see the log"):
        await me.teams.mine()
    assert "ZeroDivisionError" in caplog.text


async def test_a_broken_sender_is_noticed_by_the_receiver(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob"))], [CaughtUp(token=token(1))]]
    async with make_client(node) as me:
        node.connection.closed = True
        await me.inbox.mark_read(BOB)
        assert await me.flush(5)
        assert len(node.connections) == 2


async def test_a_posted_message_comes_back_whole(node: FakeNode, me: Client) -> None:
    node.answers = lambda request: Posted(seq=3, ordinal=2, time_ms=77)
    sent = await me.messages.send(BOB, "hello", client_id="mine")
    assert (sent.seq, sent.ordinal, sent.time_ms, sent.sender, sent.client_id, sent.text) == (
        3,
        2,
        77,
        "alice",
        "mine",
        "hello",
    )


async def _until(me: Client, state: str) -> None:
    reached = asyncio.Event()
    remove = me.on_state(lambda new: reached.set() if new == state else None)
    await reached.wait()
    remove()
