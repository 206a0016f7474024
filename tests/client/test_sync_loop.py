"""Connecting, greeting, applying, and beginning again."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.core.commands import Post, Read
from recents.core.errors import Code, Refused, Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.replica import Gone
from recents.wire.frames import Answer, Bye, CaughtUp, Error, Hello, MyTeams, Posted
from tests.client.fake_node import (
    FakeNode,
    answer_to,
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


class Diary:
    """Everything that a client announces, in order."""

    def __init__(self, me: Client) -> None:
        self.lines: list[str] = []
        self.batches: list[ChangeBatch] = []
        me.inbox.on_change(self._batch)
        me.on_state(self.lines.append)

    def _batch(self, batch: ChangeBatch) -> None:
        self.batches.append(batch)
        self.lines.append(f"batch {batch.cause}")


@pytest_asyncio.fixture
async def me(node: FakeNode) -> AsyncIterator[Client]:
    node.greets = [[first_page(row("bob"), row("carol"))], [CaughtUp(token=token(9))]]
    async with make_client(node) as client:
        yield client


async def test_the_greeting_says_who_and_since_when(node: FakeNode, me: Client) -> None:
    node.connection.say(changed(row("bob", 2, text="x"), upto=token(2)))
    await settle()
    node.connection.drop()
    await asyncio.sleep(1)
    first, second = node.heard(Hello)
    assert (first.protocol, first.account, first.token, first.device) == (
        1,
        "alice",
        "secret",
        "laptop",
    )
    assert (first.since, second.since) == (None, token(2))


async def test_first_start_tells_the_first_page_then_the_rest_then_synced(
    node: FakeNode,
) -> None:
    node.greets = [[first_page(row("bob"), upto=None)]]
    client = make_client(node)
    diary = Diary(client)
    async with client as me:
        assert names((await me.inbox.list()).entries) == ["p2p:bob"]
        node.connection.say(CaughtUp(rows=(row("carol"),), token=token(1)))
        await settle()
    assert diary.lines == [
        "connecting",
        "syncing",
        "batch catch_up",
        "batch catch_up",
        "synced",
        "offline",
    ]


async def test_case19_one_batch_then_synced(node: FakeNode, me: Client) -> None:
    diary = Diary(me)
    node.greets = [
        [
            CaughtUp(rows=(row("bob", 2, text="x"), row("dave", 3))),
            changed(row("eve", 4)),
            CaughtUp(gone=(Gone(Conversation("p2p:carol"), 5),), token=token(5)),
        ]
    ]
    node.connection.drop()
    await asyncio.sleep(1)
    assert diary.lines == ["offline", "connecting", "syncing", "batch catch_up", "synced"]
    (batch,) = diary.batches
    assert names(batch.added) == ["p2p:dave", "p2p:eve"]
    assert (len(batch.updated), len(batch.removed)) == (1, 1)


async def test_C1_a_reconnect_without_news_tells_states_only(node: FakeNode, me: Client) -> None:
    diary = Diary(me)
    node.connection.drop()
    await asyncio.sleep(1)
    assert diary.lines == ["offline", "connecting", "syncing", "synced"]


async def test_a_change_by_a_message_by_me_and_by_others(node: FakeNode, me: Client) -> None:
    diary = Diary(me)
    message = Message(seq=2, ordinal=2, sender="bob", client_id="c", time_ms=1)
    node.connection.say(changed(row("bob", 2, last_seq=2, unread=1), messages={BOB: (message,)}))
    await settle()
    node.answers = None
    reading = asyncio.create_task(me.inbox.mark_read(BOB))
    await settle()
    (request,) = node.heard(Read)
    node.connection.say(changed(row("carol", 3, unread=1)))
    node.connection.say(changed(row("bob", 4, read_seq=2, last_seq=2), upto=token(4)))
    node.connection.say(Answer(id=request.id, version=4))
    await reading
    assert [batch.cause for batch in diary.batches] == ["message", "command", "other_device"]


async def test_when_an_answer_arrives_the_list_shows_it(node: FakeNode, me: Client) -> None:
    node.answers = None
    sending = asyncio.create_task(me.messages.send(BOB, "hello"))
    await settle()
    (post,) = node.heard(Post)
    node.connection.say(changed(row("bob", 2, last_seq=2, text="hello")))
    node.connection.say(answer_to(post, Posted(seq=2, ordinal=2, time_ms=5)))
    assert (await sending).seq == 2
    shown = await me.inbox.get(BOB)
    assert shown is not None
    assert shown.last_seq == 2


async def test_C3_a_command_that_a_catch_up_does_not_show_yet_stays_on_top(
    node: FakeNode, me: Client
) -> None:
    node.greets = [[CaughtUp(rows=(row("bob", 2, unread=1),))]]
    node.answers = lambda request: None
    node.connection.drop()
    await asyncio.sleep(1)
    diary = Diary(me)
    node.answers = None
    reading = asyncio.create_task(me.inbox.mark_read(BOB))
    await settle()
    node.connection.say(Answer(id=node.heard(Read)[0].id, version=3))
    await settle()
    assert not reading.done(), "the rows do not go that far yet"
    node.connection.say(CaughtUp(rows=(row("bob", 3, read_seq=1),), token=token(3)))
    await reading
    assert [batch.totals.unread for batch in diary.batches] == [0]
    shown = await me.inbox.get(BOB)
    assert shown is not None
    assert (shown.version, shown.read_seq) == (3, 1)


async def test_C4_a_lost_connection_sends_again_what_was_not_answered(
    node: FakeNode, me: Client
) -> None:
    node.answers = None
    calls = [asyncio.create_task(me.inbox.mark_read(BOB)) for _ in range(3)]
    await settle()
    first = node.heard(Read)
    node.connection.say(Answer(id=first[0].id))
    await settle()
    node.answers = lambda request: None
    node.connection.drop()
    await asyncio.gather(*calls)
    await me.flush(10)
    assert node.connection.heard[1:] == first[1:]


async def test_C4_an_answer_survives_a_catch_up_that_breaks_off(
    node: FakeNode, me: Client
) -> None:
    node.greets = [[CaughtUp(rows=(row("bob", 2),))], [CaughtUp(token=token(2))]]
    node.connection.drop()
    await asyncio.sleep(1)
    node.answers = None
    reading = asyncio.create_task(me.inbox.mark_read(BOB))
    await settle()
    node.connection.say(Answer(id=node.heard(Read)[0].id, version=2))
    await settle()
    node.connection.drop()
    await reading
    await asyncio.sleep(1)
    assert (me.state, me.unsent, len(node.heard(Read))) == ("synced", 0, 1)


async def test_requests_made_together_travel_together(node: FakeNode, me: Client) -> None:
    await asyncio.gather(*(me.inbox.mark_read(BOB) for _ in range(50)))
    assert len(node.connection.messages) == 2


async def test_waits_grow_while_no_node_is_there_and_start_over_after(
    node: FakeNode, me: Client
) -> None:
    loop = asyncio.get_running_loop()
    node.refuses = [Unavailable("gone") for _ in range(4)]
    node.connection.drop()
    await settle()
    began = loop.time()
    await _until(me, "synced")
    assert loop.time() - began == pytest.approx(0.2 + 0.4 + 0.8 + 1.6 + 3.2)
    node.connection.drop()
    await settle()
    began = loop.time()
    await _until(me, "synced")
    assert loop.time() - began == pytest.approx(0.2)


async def test_a_goodbye_with_a_time_is_honoured(node: FakeNode, me: Client) -> None:
    loop = asyncio.get_running_loop()
    node.connection.say(Bye(code=Code.CLOSING, message="restarting", retry_after_s=5.0))
    await settle()
    began = loop.time()
    assert me.state == "offline"
    await _until(me, "synced")
    assert loop.time() - began == pytest.approx(5.2)


async def test_a_goodbye_without_a_time_is_final(node: FakeNode, me: Client) -> None:
    node.answers = None
    reading = asyncio.create_task(me.inbox.mark_read(BOB))
    feed = me.inbox.changes()
    await settle()
    assert (await anext(feed)).cause == "command"
    node.connection.say(Bye(code=Code.REVOKED, message="this token was revoked"))
    await reading
    for call in (me.teams.mine(), anext(feed), me.synced()):
        with pytest.raises(Refused, match="this token was revoked") as refusal:
            await call
        assert refusal.value.code == Code.REVOKED
    assert (me.state, str(me.trouble)) == ("offline", "this token was revoked [revoked]")
    await asyncio.sleep(100)
    assert len(node.connections) == 1
    assert len((await me.inbox.list()).entries) == 2
    await me.inbox.mark_read(BOB)
    assert me.unsent == 2


async def test_a_refused_request_hurts_no_other(node: FakeNode, me: Client) -> None:
    node.answers = lambda request: Refused(Code.BEYOND_END, "too far", {"newest_seq": 1})
    with pytest.raises(Refused, match="too far") as refusal:
        await me.inbox.mark_read(BOB, 7)
    assert refusal.value.details == {"newest_seq": 1}
    assert me.state == "synced"


async def test_an_overloaded_node_is_unavailable_for_a_time(node: FakeNode, me: Client) -> None:
    node.answers = None
    asking = asyncio.create_task(me.teams.mine())
    await settle()
    request = node.heard(MyTeams)[0]
    node.connection.say(
        Error(id=request.id, code=Code.OVERLOADED, message="busy", retry_after_s=2.0)
    )
    with pytest.raises(Unavailable) as refusal:
        await asking
    assert (refusal.value.retry_after_s, me.state) == (2.0, "synced")


async def test_C4_commands_of_an_overloaded_node_are_sent_again_in_order(
    node: FakeNode, me: Client
) -> None:
    loop = asyncio.get_running_loop()
    node.answers = None
    calls = [asyncio.create_task(me.messages.send(BOB, text)) for text in "abc"]
    await settle()
    first = node.heard(Post)
    began = loop.time()
    busy = Error(code=Code.OVERLOADED, message="busy", retry_after_s=2.0)
    node.connection.say(
        answer_to(first[0], Posted(seq=2, ordinal=2, time_ms=5)),
        msgspec.structs.replace(busy, id=first[1].id),
    )
    sent, *others = await asyncio.gather(*calls)
    assert (sent.status, [one.status for one in others]) == ("sent", ["sending"] * 2)
    assert str(me.trouble) == "busy"
    await _until(me, "synced")
    await settle()
    assert loop.time() - began == pytest.approx(2.2)
    assert node.connection.heard[1:] == first[1:], "nothing overtakes"


async def _until(me: Client, state: str) -> None:
    reached = asyncio.Event()
    remove = me.on_state(lambda new: reached.set() if new == state else None)
    await reached.wait()
    remove()
