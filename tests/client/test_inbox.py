"""Commands about the list, as they reach the node."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.client.client import Client
from recents.client.settings import Settings
from recents.core.commands import ClearHistory, Delete, DeleteAll, MarkUnread, Read, ReadAll
from recents.core.errors import CallerMistake, Code, Refused
from recents.core.ids import Kind
from tests.client.fake_node import (
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


@pytest_asyncio.fixture
async def me(node: FakeNode) -> AsyncIterator[Client]:
    node.greets = [
        [
            first_page(
                row("bob", at=3, last_seq=7, unread=2), row("carol", at=2), row("team:t1", at=1)
            )
        ]
    ]
    async with make_client(node) as client:
        yield client


async def test_O4_pages_follow_each_other(me: Client) -> None:
    first = await me.inbox.list(limit=2)
    assert names(first.entries) == ["p2p:bob", "p2p:carol"]
    second = await me.inbox.list(limit=2, cursor=first.next_cursor)
    assert (names(second.entries), second.next_cursor) == (["team:t1"], None)
    assert second.totals == first.totals == await me.inbox.totals()
    assert first.totals.badge == 2


async def test_get_gives_a_row_or_nothing(me: Client) -> None:
    bob = await me.inbox.get("p2p:bob")
    assert bob is not None
    assert bob.last_seq == 7
    assert await me.inbox.get("p2p:nobody") is None
    with pytest.raises(CallerMistake):
        await me.inbox.get("bob")


async def test_R1_reading_goes_up_to_what_this_device_has_received(
    node: FakeNode, me: Client
) -> None:
    await me.inbox.mark_read("p2p:bob")
    await me.inbox.mark_read("p2p:bob", 5)
    await me.messages.mark_read("p2p:bob")
    assert [read.upto_seq for read in node.heard(Read)] == [7, 5, 7]


async def test_R2_D6_what_is_not_there_succeeds_without_asking(node: FakeNode, me: Client) -> None:
    await me.inbox.mark_read("p2p:nobody")
    await me.inbox.delete("p2p:nobody")
    await me.inbox.delete_many(["p2p:nobody", "team:none"])
    assert len(node.connection.heard) == 1


async def test_D3_history_is_cleared_even_where_the_row_is_gone(
    node: FakeNode, me: Client
) -> None:
    await me.inbox.delete("p2p:nobody", clear_history=True)
    await me.inbox.clear_history("p2p:nobody")
    assert node.heard(Delete)[0].upto_seq is None
    assert node.heard(ClearHistory)[0].upto_seq is None


async def test_R1_a_position_beyond_the_end_is_for_the_node_to_refuse(
    node: FakeNode, me: Client
) -> None:
    node.answers = lambda request: Refused(Code.BEYOND_END, "too far")
    with pytest.raises(Refused):
        await me.inbox.mark_read("p2p:bob", 8)


async def test_while_rows_are_missing_the_node_decides(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob", last_seq=3, unread=2), row("carol"), upto=None)]]
    node.answers = None
    async with make_client(node, Settings(closing_s=0)) as me:
        calls = [
            asyncio.create_task(me.inbox.mark_read("p2p:nobody")),
            asyncio.create_task(me.inbox.delete("p2p:nobody")),
            asyncio.create_task(me.inbox.mark_unread("p2p:nobody")),
            asyncio.create_task(me.inbox.mark_all_read()),
            asyncio.create_task(me.inbox.delete_all()),
        ]
        await settle()
        assert [(read.conversation, read.upto_seq) for read in node.heard(Read)] == [
            ("p2p:nobody", None),
            ("p2p:bob", 3),
        ]
        assert {(delete.conversation, delete.upto_seq) for delete in node.heard(Delete)} == {
            ("p2p:nobody", None),
            ("p2p:bob", 3),
            ("p2p:carol", 1),
        }
        assert len(node.heard(MarkUnread)) == 1
        assert node.heard(ReadAll) == []
        assert node.heard(DeleteAll) == []
    await asyncio.gather(*calls)


async def test_D2_deleting_covers_what_this_device_has_received(
    node: FakeNode, me: Client
) -> None:
    await me.inbox.delete("p2p:bob")
    await me.inbox.delete("p2p:carol", clear_history=True)
    first, second = node.heard(Delete)
    assert (first.upto_seq, first.clear_history) == (7, False)
    assert (second.upto_seq, second.clear_history) == (1, True)


async def test_D1_many_are_deleted_though_one_is_refused(node: FakeNode, me: Client) -> None:
    def refuse_carol(request: object) -> Refused | None:
        assert isinstance(request, Delete)
        return Refused(Code.BEYOND_END, "no") if request.conversation == "p2p:carol" else None

    node.answers = refuse_carol
    with pytest.raises(Refused):
        await me.inbox.delete_many(["p2p:bob", "p2p:carol", "team:t1"])
    assert len(node.heard(Delete)) == 3


async def test_delete_many_checks_all_before_it_sends_any(node: FakeNode, me: Client) -> None:
    with pytest.raises(CallerMistake):
        await me.inbox.delete_many(["p2p:bob", "carol"])
    with pytest.raises(CallerMistake):
        await me.inbox.delete_many("p2p:bob")
    assert node.heard(Delete) == []


async def test_R5_D4_commands_for_all_rows_carry_the_newest_token(
    node: FakeNode, me: Client
) -> None:
    node.connection.say(changed(row("bob", 2, unread=3), upto=token(2)))
    await settle()
    await me.inbox.mark_all_read()
    await me.inbox.mark_all_read(["team"])
    await me.inbox.delete_all([Kind.P2P], clear_history=True)
    everything, teams = node.heard(ReadAll)
    (delete,) = node.heard(DeleteAll)
    assert (everything.kinds, everything.upto) == (None, token(2))
    assert (teams.kinds, teams.upto) == ((Kind.TEAM,), token(2))
    assert (delete.kinds, delete.upto, delete.clear_history) == ((Kind.P2P,), token(2), True)


async def test_D5_clearing_covers_what_this_device_has_received(
    node: FakeNode, me: Client
) -> None:
    await me.inbox.clear_history("p2p:bob")
    assert node.heard(ClearHistory)[0].upto_seq == 7


@pytest.mark.parametrize("seq", [-1, 2**53])
async def test_a_wrong_position_is_the_callers_mistake(
    node: FakeNode, me: Client, seq: int
) -> None:
    with pytest.raises(CallerMistake):
        await me.inbox.mark_read("p2p:bob", seq)
    assert node.heard(Read) == []


async def test_changes_come_to_listeners_and_feeds(node: FakeNode, me: Client) -> None:
    heard: list[int] = []
    remove = me.inbox.on_change(lambda batch: heard.append(batch.totals.unread))
    feed = me.inbox.changes()
    node.connection.say(changed(row("bob", 2, unread=3)))
    async for batch in feed:
        heard.append(batch.totals.unread)
        break
    remove()
    node.connection.say(changed(row("bob", 3, unread=4)))
    assert (await anext(feed)).totals.unread == 4
    assert heard == [3, 3]


async def test_what_is_no_level_is_the_callers_mistake(me: Client) -> None:
    levels: list[object] = ["loud", []]
    for level in levels:
        with pytest.raises(CallerMistake, match="use none or mentions"):
            await me.inbox.mute("p2p:bob", level)  # type: ignore[arg-type]
    with pytest.raises(CallerMistake, match="must be a whole number"):
        await me.messages.send("p2p:bob", displayed_seq=1.5)  # type: ignore[arg-type]
