"""Opening and closing."""

import asyncio
import gc

import pytest

from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import Saved
from recents.core.commands import Read
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.core.ids import Conversation
from recents.wire.frames import Answer, Bye
from tests.client.fake_node import FakeNode, first_page, make_client, row, settle

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOB = Conversation("p2p:bob")


class SlowStore(MemoryDeviceStore):
    """The copy in memory, which takes its time to open, as a file does."""

    async def open(self) -> Saved:
        await asyncio.sleep(1)
        return await super().open()


async def test_opening_returns_after_the_first_page(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob"), upto=None)]]
    async with make_client(node) as me:
        assert len((await me.inbox.list()).entries) == 1
        assert (me.account, me.state) == ("alice", "syncing")


async def test_opening_waits_for_a_node_that_is_just_starting(node: FakeNode) -> None:
    node.refuses = [Unavailable("not yet") for _ in range(3)]
    async with make_client(node) as me:
        assert me.state == "synced"


async def test_opening_fails_in_time_and_says_why(node: FakeNode) -> None:
    node.refuses = [Unavailable("no node answers at X: start one") for _ in range(99)]
    client = make_client(node)
    with pytest.raises(Unavailable, match="no node answers at X: start one"):
        await client.open()
    assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.1)
    assert len(asyncio.all_tasks()) == 1


async def test_opening_fails_in_time_where_nobody_says_anything(node: FakeNode) -> None:
    node.greets = [None]
    client = make_client(node, Settings(open_timeout_s=3))
    with pytest.raises(Unavailable, match="did not answer in 3 s"):
        await client.open()
    assert node.connection.closed


@pytest.mark.parametrize("code", [Code.UNAUTHORIZED, Code.REVOKED, Code.PROTOCOL_VERSION])
async def test_opening_fails_at_once_when_the_node_says_no(node: FakeNode, code: Code) -> None:
    node.greets = [[Bye(code=code, message="no", details={"supported": 1})]]
    with pytest.raises(Refused, match="no") as refusal:
        async with make_client(node):
            pytest.fail("it was refused")
    assert (refusal.value.code, refusal.value.details) == (code, {"supported": 1})
    assert asyncio.get_running_loop().time() < 1
    assert len(asyncio.all_tasks()) == 1


async def test_opening_can_be_called_off(node: FakeNode) -> None:
    node.greets = [None]
    opening = asyncio.create_task(make_client(node).open())
    await settle()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert node.connection.closed
    assert len(asyncio.all_tasks()) == 1


async def test_closing_is_at_once_and_leaves_nothing(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob"))]]
    node.answers = None
    me = make_client(node)
    await me.open()
    calls = [asyncio.create_task(me.inbox.mark_read(BOB)) for _ in range(3)]
    question = asyncio.create_task(me.teams.mine())
    feed = me.inbox.changes()
    await settle()
    await me.close()
    assert asyncio.get_running_loop().time() == pytest.approx(0)
    await asyncio.gather(*calls)
    with pytest.raises(Unavailable, match="closed"):
        await question
    assert [batch.cause async for batch in feed] == ["command"]
    assert node.connection.closed
    assert (me.state, me.unsent) == ("offline", 3)
    assert len(asyncio.all_tasks()) == 1
    del question, calls
    gc.collect()


async def test_C4_the_end_of_a_block_gives_commands_some_time_to_get_through(
    node: FakeNode,
) -> None:
    loop = asyncio.get_running_loop()
    node.greets = [[first_page(row("bob"))]]
    node.answers = None
    async with make_client(node, Settings(closing_s=5)) as me:
        calls = [asyncio.create_task(me.inbox.mark_read(BOB)) for _ in range(2)]
        await settle()
        asyncio.get_running_loop().call_later(
            2, lambda: node.connection.say(*(Answer(id=read.id) for read in node.heard(Read)))
        )
    assert me.unsent == 0
    assert loop.time() == pytest.approx(2)
    await asyncio.gather(*calls)


async def test_C4_the_end_of_a_block_does_not_wait_for_ever_nor_offline(node: FakeNode) -> None:
    loop = asyncio.get_running_loop()
    node.greets = [[first_page(row("bob"))]]
    node.answers = None
    async with make_client(node, Settings(closing_s=5)) as me:
        call = asyncio.create_task(me.inbox.mark_read(BOB))
        await settle()
    assert me.unsent == 1
    assert loop.time() == pytest.approx(5)
    await call
    async with make_client(node) as me:
        node.refuses = [Unavailable("gone") for _ in range(99)]
        node.connection.drop()
        await settle()
        await me.inbox.mark_read(BOB)
        began = loop.time()
    assert me.unsent == 1
    assert loop.time() == pytest.approx(began)


@pytest.mark.parametrize("state", ["connecting", "syncing", "synced", "offline"])
async def test_closing_in_every_state_leaves_nothing(node: FakeNode, state: str) -> None:
    node.greets = [[first_page(row("bob"))], None if state == "connecting" else []]
    me = make_client(node)
    await me.open()
    if state != "synced":
        node.refuses = [Unavailable("gone") for _ in range(99 if state == "offline" else 0)]
        node.connection.drop()
        await asyncio.sleep(0.3)
    assert me.state == state
    node.answers = None
    calls = [asyncio.create_task(me.messages.send(BOB, text)) for text in "ab"]
    await settle()
    await me.close()
    sent = await asyncio.gather(*calls)
    assert [one.status for one in sent] == ["sending"] * 2
    assert (me.state, me.unsent) == ("offline", 2)
    assert len(asyncio.all_tasks()) == 1


async def test_closing_while_waiting_to_reconnect(node: FakeNode) -> None:
    async with make_client(node) as me:
        node.refuses = [Unavailable("gone") for _ in range(99)]
        node.connection.drop()
        await asyncio.sleep(20)
        assert me.state == "offline"
    assert len(asyncio.all_tasks()) == 1


async def test_a_client_opens_once_and_closes_as_often_as_one_likes(node: FakeNode) -> None:
    async with make_client(node) as me:
        with pytest.raises(CallerMistake, match="opened before"):
            await me.open()
        await me.close()
    await me.close()
    with pytest.raises(Unavailable, match="closed"):
        await me.inbox.mark_all_read()


async def test_a_client_opens_once_whoever_calls_at_the_same_time(node: FakeNode) -> None:
    me = make_client(node, store=SlowStore(lambda: "d1"))
    ends = await asyncio.gather(me.open(), me.open(), me.open(), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), CallerMistake, CallerMistake]
    await me.close()
    assert len(asyncio.all_tasks()) == 1


async def test_closing_while_the_copy_is_being_opened_leaves_nothing(node: FakeNode) -> None:
    me = make_client(node, store=SlowStore(lambda: "d1"))
    opening = asyncio.create_task(me.open())
    await asyncio.sleep(0)
    await me.close()
    with pytest.raises(Unavailable, match="closed"):
        await opening
    assert len(asyncio.all_tasks()) == 1


async def test_before_opening_there_is_an_empty_list_and_no_commands(node: FakeNode) -> None:
    me = make_client(node)
    page = await me.inbox.list()
    assert (page.entries, page.complete) == ((), False)
    with pytest.raises(Unavailable, match="async with"):
        await me.inbox.mark_all_read()
    await me.close()


async def test_an_error_inside_passes_through(node: FakeNode) -> None:
    with pytest.raises(ZeroDivisionError):
        async with make_client(node):
            raise ZeroDivisionError
    assert node.connection.closed


async def test_states_are_told(node: FakeNode) -> None:
    me, heard = make_client(node), list[str]()
    remove = me.on_state(heard.append)
    async with me:
        remove()
    assert heard == ["connecting", "syncing", "synced"]


async def test_a_client_does_not_show_its_token(node: FakeNode) -> None:
    assert repr(make_client(node)) == "<recents.Client alice offline>"
