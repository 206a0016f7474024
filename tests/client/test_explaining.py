"""Explaining a row: asked of the node, and from what this device keeps offline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from recents.client.client import Client
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.core.explain import Explanation, Positions, Reason
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.wire.frames import Explain
from tests.client.fake_node import FakeNode, changed, first_page, make_client, row, settle

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOB = Conversation("p2p:bob")


def said(*seqs: int, sender: str = "bob") -> tuple[Message, ...]:
    return tuple(
        Message(seq=seq, ordinal=seq, sender=sender, client_id=f"{seq}", time_ms=seq)
        for seq in seqs
    )


@pytest_asyncio.fixture
async def me(node: FakeNode) -> AsyncIterator[Client]:
    node.greets = [[first_page(row("bob", last_seq=2))]]
    async with make_client(node) as client:
        yield client


async def offline(node: FakeNode) -> None:
    node.refuses = [Unavailable("gone") for _ in range(99)]
    node.connection.drop()
    await settle()


async def hear(node: FakeNode, messages: tuple[Message, ...], **fields: int) -> None:
    """A new image of the row of bob, and messages in it."""
    image = msgspec.structs.replace(row("bob", 2), **fields)
    node.connection.say(changed(image, messages={BOB: messages}))
    await settle()


async def test_the_node_is_asked(node: FakeNode, me: Client) -> None:
    expected = Explanation(conversation=BOB, unread=3, positions=Positions(joined_seq=0))
    asked: list[object] = []

    def answer(request: object) -> Explanation:
        asked.append(request)
        return expected

    node.answers = answer
    assert await me.inbox.explain("p2p:bob") == expected
    assert [type(request) for request in asked] == [Explain]
    with pytest.raises(CallerMistake):
        await me.inbox.explain("bob")


async def test_a_refusal_is_raised(node: FakeNode, me: Client) -> None:
    node.answers = lambda request: Refused(Code.NOT_A_MEMBER, "no")
    with pytest.raises(Refused):
        await me.inbox.explain("team:theirs")


async def test_offline_it_is_found_from_what_is_kept(node: FakeNode, me: Client) -> None:
    messages = said(3, 5) + said(6, sender="alice")
    await hear(node, said(4, sender="alice") + messages, last_seq=6, read_seq=2, unread=2)
    await offline(node)
    told = await me.inbox.explain(BOB)
    assert (told.unread, told.counted, told.complete, told.listed) == (2, 2, True, True)
    assert [one.seq for one in told.messages] == [3, 5]
    assert told.reasons == {Reason.OWN: 2}
    assert told.positions == Positions(last_seq=6, read_seq=2), "of more the row says nothing"


async def test_offline_a_gap_is_told_and_the_row_is_believed(node: FakeNode, me: Client) -> None:
    await hear(node, said(3, 6), last_seq=6, read_seq=2, unread=4)
    await offline(node)
    told = await me.inbox.explain(BOB)
    assert (told.unread, told.counted, told.complete) == (4, 2, False)


async def test_offline_pending_commands_are_in_it(node: FakeNode, me: Client) -> None:
    await hear(node, said(3, 4), last_seq=4, read_seq=2, unread=2)
    await offline(node)
    await me.inbox.mark_read(BOB)
    await me.inbox.set_draft(BOB, "well")
    told = await me.inbox.explain(BOB)
    assert (told.unread, told.messages, told.complete) == (0, (), True)
    assert told.place.by == "draft"


async def test_offline_of_an_unknown_row_there_is_nothing(node: FakeNode, me: Client) -> None:
    await offline(node)
    told = await me.inbox.explain("p2p:nobody")
    assert told == Explanation(conversation=Conversation("p2p:nobody"), complete=False)


async def test_a_question_that_is_lost_with_the_connection_is_answered_from_the_copy(
    node: FakeNode, me: Client
) -> None:
    node.answers = None
    asking = asyncio.create_task(me.inbox.explain(BOB))
    await settle()
    assert not asking.done()
    await offline(node)
    assert not (await asking).complete
