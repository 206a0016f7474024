"""Messages, as they reach the node."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.client.client import Client
from recents.core.commands import Post
from recents.core.errors import CallerMistake, PeerMistake
from recents.core.message import Message
from recents.wire.frames import History, Messages, Posted
from tests.client.fake_node import FakeNode, make_client

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest_asyncio.fixture
async def me(node: FakeNode) -> AsyncIterator[Client]:
    node.answers = lambda request: Posted(seq=1, ordinal=1, time_ms=5)
    async with make_client(node) as client:
        yield client


async def test_M2_every_message_has_a_client_id_of_its_own(node: FakeNode, me: Client) -> None:
    await me.messages.send("p2p:bob", "hello")
    await me.messages.send("p2p:bob", "hello")
    await me.messages.send("p2p:bob", "hello", client_id="mine")
    first, second, third = node.heard(Post)
    assert first.client_id != second.client_id
    assert third.client_id == "mine"


async def test_M2_sent_again_in_any_moment_a_message_is_the_same(me: Client) -> None:
    async def send_after(steps: int) -> Message:
        for _ in range(steps):
            await asyncio.sleep(0)
        return await me.messages.send("p2p:bob", "hello", client_id="mine")

    sent = await asyncio.gather(*map(send_after, range(60)))
    assert {message.client_id for message in sent} == {"mine"}


async def test_M3_everything_about_a_message_reaches_the_node(node: FakeNode, me: Client) -> None:
    sent = await me.messages.send(
        "team:t1",
        kind="file",
        attachment={"name": "a.pdf"},
        mentions=["bob", "@all"],
        counts=False,
        bumps=False,
        previews=False,
        displayed_seq=4,
    )
    (post,) = node.heard(Post)
    assert (post.kind, post.attachment, post.mentions) == (
        "file",
        {"name": "a.pdf"},
        ("bob", "@all"),
    )
    assert (post.counts, post.bumps, post.previews) == (False, False, False)
    assert post.displayed_seq == 4
    assert sent == Message(
        seq=1,
        ordinal=1,
        sender="alice",
        client_id=post.client_id,
        time_ms=5,
        kind="file",
        attachment={"name": "a.pdf"},
        mentions=("bob", "@all"),
        counts=False,
        bumps=False,
        previews=False,
    )


async def test_a_sent_message_has_its_attachment_as_others_get_it(me: Client) -> None:
    sent = await me.messages.send("p2p:bob", attachment={"size": (3, 4), 5: None})
    assert sent.attachment == {"size": [3, 4], "5": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"conversation": "bob"},
        {"text": "x" * 5_001},
        {"attachment": "x" * 20_000},
        {"attachment": object()},
        {"mentions": "bob"},
        {"mentions": ["a:b"]},
        {"client_id": ""},
        {"kind": "two words"},
        {"displayed_seq": -1},
        {"text": "\ud800"},
    ],
)
async def test_M5_what_cannot_be_right_is_not_sent(
    node: FakeNode, me: Client, wrong: dict[str, object]
) -> None:
    with pytest.raises(CallerMistake):
        await me.messages.send(**({"conversation": "p2p:bob"} | wrong))  # type: ignore[arg-type]
    assert node.heard(Post) == []


async def test_history_comes_in_pages(node: FakeNode, me: Client) -> None:
    old = Message(seq=1, ordinal=1, sender="bob", client_id="c", time_ms=1)
    node.answers = lambda request: Messages(messages=(old,), more=True)
    page = await me.messages.history("p2p:bob", before_seq=9, limit=1)
    (asked,) = node.heard(History)
    assert (asked.conversation, asked.before_seq, asked.limit) == ("p2p:bob", 9, 1)
    assert (page.messages, page.more) == ((old,), True)


@pytest.mark.parametrize(("conversation", "limit"), [("bob", 50), ("p2p:bob", 0)])
async def test_a_wrong_question_is_not_asked(
    node: FakeNode, me: Client, conversation: str, limit: int
) -> None:
    with pytest.raises(CallerMistake):
        await me.messages.history(conversation, limit=limit)
    assert node.heard(History) == []


async def test_an_answer_of_the_wrong_kind_is_the_nodes_mistake(
    node: FakeNode, me: Client
) -> None:
    with pytest.raises(PeerMistake, match="Messages"):
        await me.messages.history("p2p:bob")
