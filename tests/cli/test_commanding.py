"""Commands whose answer comes late, or not at all."""

import pytest

from recents.cli import commanding
from recents.client.settings import Settings
from recents.core.commands import Post, Read
from recents.core.errors import Code, RecentsError, Refused, Unavailable
from recents.wire.frames import Bye, Posted
from tests.client.fake_node import FakeNode, Reply, first_page, make_client, row

pytestmark = pytest.mark.asyncio


class Node(FakeNode):
    """Loses the connection at each command, so often."""

    def __init__(self, losses: int, reply: Reply = None) -> None:
        super().__init__()
        self.greets = [[first_page(row("bob", unread=1))]]
        self._losses = losses
        self._reply = reply
        self.answers = self._answer

    def _answer(self, request: object) -> Reply:
        if self._losses:
            self._losses -= 1
            self.connection.drop()
            # What is said behind it is not heard any more.
            return None
        return self._reply


async def done(node: FakeNode) -> None:
    settings = Settings(first_delay_s=0.001, longest_delay_s=0.001, closing_s=0.0)
    async with make_client(node, settings) as me:
        assert await me.synced(10)
        await commanding.carried_out(me, me.inbox.mark_read("p2p:bob"))


async def test_a_lost_answer_is_asked_for_again() -> None:
    node = Node(losses=2)
    await done(node)
    asked = node.heard(Read)
    assert len(asked) == 3
    assert len({one.id for one in asked}) == 1


async def test_without_an_answer_nothing_is_said_to_have_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commanding, "PATIENCE_S", 0.05)
    with pytest.raises(Unavailable, match="perhaps it was carried out"):
        await done(Node(losses=1_000_000))


async def test_a_refusal_that_comes_late_is_one() -> None:
    with pytest.raises(Refused, match="not yours"):
        await done(Node(losses=1, reply=Refused(Code.NOT_A_MEMBER, "not yours")))


async def test_the_end_of_the_connection_for_good_is_the_end() -> None:
    node = Node(losses=1)
    node.greets += [[Bye(code=Code.REVOKED, message="the token is revoked")]]
    with pytest.raises(RecentsError, match="the token is revoked"):
        await done(node)


async def test_a_message_is_returned_as_it_stands_on_the_node() -> None:
    node = Node(losses=1, reply=Posted(seq=7, ordinal=7, time_ms=5))
    settings = Settings(first_delay_s=0.001, longest_delay_s=0.001)
    async with make_client(node, settings) as me:
        assert await me.synced(10)
        message = await commanding.sent(me, me.messages.send("p2p:bob", "hello"))
    assert (message.seq, message.status) == (7, "sent")
    assert len(node.heard(Post)) == 2


async def test_a_message_without_an_answer_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding, "PATIENCE_S", 0.05)
    settings = Settings(first_delay_s=0.001, longest_delay_s=0.001, closing_s=0.0)
    async with make_client(Node(losses=1_000_000), settings) as me:
        assert await me.synced(10)
        with pytest.raises(Unavailable, match="perhaps it was carried out"):
            await commanding.sent(me, me.messages.send("p2p:bob", "hello"))
