"""Messages that were seen: asked of the node, and read from the copy offline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from recents.client.client import Client
from recents.client.store.port import StepFailed
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.wire.frames import Answer, Messages
from tests.client.failing_store import FailingStore
from tests.client.fake_node import FakeNode, changed, first_page, make_client, row, settle

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOB = Conversation("p2p:bob")
THEIRS = Conversation("team:theirs")


def said(*seqs: int) -> tuple[Message, ...]:
    return tuple(
        Message(seq=seq, ordinal=seq, sender="bob", client_id=f"{seq}", time_ms=seq)
        for seq in seqs
    )


@pytest.fixture
def store() -> FailingStore:
    return FailingStore()


@pytest_asyncio.fixture
async def me(node: FakeNode, store: FailingStore) -> AsyncIterator[Client]:
    node.greets = [[first_page(row("bob", last_seq=9))]]
    async with make_client(node, store=store) as client:
        yield client


async def offline(node: FakeNode) -> None:
    node.refuses = [Unavailable("gone") for _ in range(99)]
    node.connection.drop()
    await settle()


def seqs(messages: tuple[Message, ...]) -> list[int]:
    return [message.seq for message in messages]


async def test_what_was_asked_for_is_there_offline(node: FakeNode, me: Client) -> None:
    node.answers = lambda request: Messages(messages=said(4, 5, 6), more=True)
    page = await me.messages.history(BOB)
    assert (seqs(page.messages), page.more, page.complete) == ([4, 5, 6], True, True)
    await offline(node)
    page = await me.messages.history(BOB)
    assert (seqs(page.messages), page.more, page.complete) == ([4, 5, 6], True, False)
    older = await me.messages.history(BOB, before_seq=6, limit=1)
    assert (seqs(older.messages), older.more) == ([5], True)
    first = await me.messages.history(BOB, before_seq=4)
    assert (first.messages, first.more, first.complete) == ((), False, False)


async def test_offline_messages_end_at_the_first_gap(node: FakeNode, me: Client) -> None:
    node.connection.say(changed(row("bob", 2, last_seq=9), messages={BOB: said(1, 2, 4, 5)}))
    await settle()
    await offline(node)
    page = await me.messages.history(BOB)
    assert (seqs(page.messages), page.more) == ([4, 5], True)
    page = await me.messages.history(BOB, before_seq=3)
    assert (seqs(page.messages), page.more) == ([1, 2], False)
    assert seqs((await me.messages.history(BOB, limit=1)).messages) == [5]


async def test_D3_what_was_cleared_is_not_missing(node: FakeNode, me: Client) -> None:
    cleared = msgspec.structs.replace(row("bob", 2, last_seq=9), cleared_seq=7)
    node.connection.say(changed(cleared, messages={BOB: said(8, 9)}))
    await settle()
    await offline(node)
    page = await me.messages.history(BOB)
    assert (seqs(page.messages), page.more) == ([8, 9], False)


async def test_of_an_unknown_conversation_there_is_nothing(node: FakeNode, me: Client) -> None:
    await offline(node)
    page = await me.messages.history("p2p:nobody", before_seq=5)
    assert (page.messages, page.more, page.complete) == ((), False, False)


async def test_own_messages_on_their_way_stand_at_the_end(node: FakeNode, me: Client) -> None:
    node.answers = lambda request: Messages(messages=said(9))
    await me.messages.history(BOB)
    await offline(node)
    await me.messages.send(BOB, "one")
    await me.messages.send("p2p:carol", "elsewhere")
    await me.inbox.mark_read(BOB)
    page = await me.messages.history(BOB)
    assert [(one.seq, one.text, one.status) for one in page.messages] == [
        (9, "", "sent"),
        (0, "one", "sending"),
    ]
    assert seqs((await me.messages.history(BOB, before_seq=10)).messages) == [9]


async def test_a_page_that_is_asked_for_while_the_connection_is_lost_comes_from_the_copy(
    node: FakeNode, me: Client
) -> None:
    node.answers = lambda request: Messages(messages=said(9))
    await me.messages.history(BOB)
    node.answers = None
    asking = asyncio.create_task(me.messages.history(BOB))
    await settle()
    assert not asking.done()
    await offline(node)
    assert asking.done()
    assert (await asking).complete is False
    assert asyncio.get_running_loop().time() < 1


async def test_who_gives_up_asking_is_forgotten(node: FakeNode, me: Client) -> None:
    node.answers = None
    asking = asyncio.create_task(me.messages.history(BOB))
    await settle()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    node.connection.say(Answer(id=node.connection.heard[-1].id))  # type: ignore[union-attr]
    await settle()
    assert me.state == "synced"


async def test_where_the_copy_cannot_be_read_there_is_nothing_offline(
    node: FakeNode, me: Client, store: FailingStore
) -> None:
    node.answers = lambda request: Messages(messages=said(9))
    await me.messages.history(BOB)
    await offline(node)
    store.fails_reading = StepFailed("a bad sector")
    page = await me.messages.history(BOB)
    assert (page.messages, page.complete) == ((), False)


async def test_where_the_copy_cannot_be_written_the_page_is_shown(
    node: FakeNode, me: Client, store: FailingStore
) -> None:
    node.answers = lambda request: Messages(messages=said(9))
    store.fails = [StepFailed("the disk is full")]
    assert seqs((await me.messages.history(BOB)).messages) == [9]


async def test_P4_what_the_node_refused_is_there_though_its_team_is_not(
    node: FakeNode, me: Client
) -> None:
    node.answers = lambda _: Refused(Code.NOT_A_MEMBER, "no such team")
    with pytest.raises(Refused):
        await me.messages.history(THEIRS)
    with pytest.raises(Refused):
        await me.messages.send(THEIRS, "may I?")
    page = await me.messages.history(THEIRS)
    assert [(one.text, one.status) for one in page.messages] == [("may I?", "failed")]
    with pytest.raises(Refused):
        await me.messages.history(THEIRS, before_seq=9)


async def test_what_was_seen_can_be_searched_also_offline(
    node: FakeNode, me: Client, store: FailingStore
) -> None:
    texts = ["今天开会", "Lunch?", "lunch it is"]
    messages = [
        msgspec.structs.replace(one, text=text)
        for one, text in zip(said(1, 2, 3), texts, strict=True)
    ]
    node.answers = lambda request: Messages(messages=tuple(messages))
    assert await me.messages.search("lunch") == ()
    await me.messages.history(BOB)
    await offline(node)
    assert seqs(tuple(one.message for one in await me.messages.search("LUN"))) == [3, 2]
    (found,) = await me.messages.search("开会", conversation=BOB)
    assert (found.conversation, found.message) == (BOB, messages[0])
    assert len(await me.messages.search("lunch", limit=1)) == 1
    assert await me.messages.search("lunch", conversation="p2p:carol") == ()
    assert await me.messages.search("?!") == ()
    store.fails_reading = StepFailed("damaged")
    assert await me.messages.search("lunch") == ()
    with pytest.raises(CallerMistake, match="no text"):
        await me.messages.search(7)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(CallerMistake, match="limit is 0"):
        await me.messages.search("x", limit=0)
    with pytest.raises(CallerMistake, match="does not name"):
        await me.messages.search("x", conversation="bob")
