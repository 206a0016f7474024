"""How a command waits for what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.client.client import Client
from recents.client.settings import Settings
from recents.core.commands import Post, Read
from recents.core.errors import CallerMistake, Unavailable
from recents.core.ids import Conversation
from recents.wire.frames import Posted
from tests.client.fake_node import FakeNode, answer_to, first_page, make_client, row, settle

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOB = Conversation("p2p:bob")


@pytest_asyncio.fixture
async def me(node: FakeNode) -> AsyncIterator[Client]:
    node.greets = [[first_page(row("bob"))]]
    node.answers = None
    async with make_client(node, Settings(closing_s=0)) as client:
        yield client


async def test_a_command_waits_for_its_answer(node: FakeNode, me: Client) -> None:
    sending = asyncio.create_task(me.messages.send(BOB, "a"))
    await asyncio.sleep(29)
    assert not sending.done()
    node.connection.say(answer_to(node.heard(Post)[0], Posted(seq=2, ordinal=2, time_ms=5)))
    assert (await sending).status == "sent"


async def test_without_one_in_time_it_goes_on_its_way(node: FakeNode, me: Client) -> None:
    sent = await me.messages.send(BOB, "a")
    assert asyncio.get_running_loop().time() == pytest.approx(30)
    assert (sent.status, sent.seq, me.unsent) == ("sending", 0, 1)


async def test_when_the_connection_is_lost_it_goes_on_its_way_at_once(
    node: FakeNode, me: Client
) -> None:
    sending = asyncio.create_task(me.messages.send(BOB, "a"))
    await settle()
    node.refuses = [Unavailable("gone") for _ in range(99)]
    node.connection.drop()
    assert (await sending).status == "sending"
    assert (await me.messages.send(BOB, "b")).status == "sending"
    assert asyncio.get_running_loop().time() == pytest.approx(0)
    assert me.unsent == 2


async def test_C4_while_a_connection_is_made_a_command_waits(node: FakeNode, me: Client) -> None:
    node.greets = [None]
    node.connection.drop()
    await asyncio.sleep(0.3)
    assert me.state == "connecting"
    reading = asyncio.create_task(me.inbox.mark_read(BOB))
    await asyncio.sleep(5)
    assert not reading.done()
    await asyncio.sleep(6)
    assert reading.done(), "that attempt has failed"
    assert node.heard(Read) == []


async def test_who_gives_up_takes_nothing_back(node: FakeNode, me: Client) -> None:
    sending = asyncio.create_task(me.messages.send(BOB, "a"))
    await settle()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert me.unsent == 1
    node.connection.say(answer_to(node.heard(Post)[0], Posted(seq=2, ordinal=2, time_ms=5)))
    await settle()
    assert me.unsent == 0


async def test_what_cannot_be_right_is_the_callers_mistake_at_once(me: Client) -> None:
    with pytest.raises(CallerMistake):
        await me.inbox.set_draft(BOB, "x" * 5_001)
    with pytest.raises(CallerMistake):
        await me.inbox.mute(BOB, "loud")  # type: ignore[arg-type]
    assert me.unsent == 0
