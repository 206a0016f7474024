"""Live views: what they show, what they tell, and when they end."""

from __future__ import annotations

import asyncio

import pytest

from recents.client.client import Client
from recents.client.live_view import LiveView
from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import Step
from recents.core.errors import CallerMistake, Code, Refused
from recents.core.live import Insert, Move, Remove, Update, ViewChange
from recents.core.replica import Gone
from recents.core.totals import Totals
from recents.wire.frames import Bye
from tests.client.fake_node import FakeNode, changed, first_page, make_client, names, row, settle

pytestmark = pytest.mark.asyncio


def say(node: FakeNode, *rows: object, **fields: object) -> None:
    node.connection.say(changed(*rows, **fields))  # type: ignore[arg-type]  # rows


async def opened(node: FakeNode) -> Client:
    node.greets = [[first_page(row("a", unread=1, at=3), row("b", at=2), row("c", at=1))]]
    me = make_client(node)
    await me.open()
    assert await me.synced(5)
    return me


async def test_C2_rows_totals_and_change_come_together(node: FakeNode) -> None:
    me = await opened(node)
    async with me.inbox.watch(unread_only=True) as view:
        assert (names(view.entries), view.totals.unread) == (["p2p:a"], 1)
        said = row("c", 2, at=9, unread=2)
        say(node, said)
        await settle()
        assert names(view.entries) == ["p2p:a"], "nobody was told yet"
        change = await anext(view)
        assert change.steps == (Insert(0, said),)
        assert change.totals == view.totals
        assert (names(view.entries), view.totals.unread) == (["p2p:c", "p2p:a"], 3)
    await me.close()


async def test_what_comes_meanwhile_comes_as_one(node: FakeNode) -> None:
    me = await opened(node)
    async with me.inbox.watch(limit=2) as view:
        before = view.entries
        for version in range(2, 9):
            say(node, row("c", version, at=version * 10, unread=version))
            await settle()
        say(node, row("d", 9, at=100), row("a", 9, at=3, unread=1, text="new"))
        await settle()
        change = await anext(view)
        assert names(change.after(before)) == names(view.entries) == ["p2p:d", "p2p:c"]
        assert len(change.steps) <= 6
        assert view.take_now() is None
    await me.close()


async def test_C1_what_does_not_concern_a_view_is_not_told(node: FakeNode) -> None:
    me = await opened(node)
    view = me.inbox.watch(unread_only=True)
    await view.open()
    say(node, row("b", 2, at=50), row("d", 2))
    say(node, row("e", 3, unread=1))
    await settle()
    say(node, row("e", 4))
    await settle()
    assert view.take_now() is None, "e came and was read again"
    view.close()
    await me.close()


async def test_rows_outside_the_limit_change_the_totals_only(node: FakeNode) -> None:
    me = await opened(node)
    async with me.inbox.watch(limit=1) as view:
        say(node, row("c", 2, at=1, unread=4))
        change = await anext(view)
        assert (change.steps, change.totals.unread) == ((), 5)
    await me.close()


async def test_a_listener_hears_at_once_and_the_view_shows_it(node: FakeNode) -> None:
    me = await opened(node)
    heard: list[tuple[ViewChange, list[str]]] = []
    view = me.inbox.watch()
    await view.open()
    remove = view.on_change(lambda change: heard.append((change, names(view.entries))))
    moved, read = row("c", 2, at=9), row("a", 2, at=3, read_seq=1)
    say(node, moved)
    await settle()
    say(node, read)
    await settle()
    say(node, row("b", 3, at=2, text="edited"))
    await settle()
    assert [change.steps for change, _ in heard[:1]] == [(Move(2, 0, moved),)]
    assert [type(step) for change, _ in heard for step in change.steps] == [Move, Update, Update]
    assert heard[0][1] == ["p2p:c", "p2p:a", "p2p:b"]
    assert heard[1][0].totals == Totals(conversations=3)
    assert view.totals.unread == read.unread
    assert view.take_now() is None
    remove()
    remove()
    say(node, gone=(Gone(read.conversation, 4),))
    assert [type(step) for step in (await anext(view)).steps] == [Remove]
    assert len(heard) == 3
    view.close()
    await me.close()


async def test_a_late_listener_hears_first_what_nobody_was_told(node: FakeNode) -> None:
    me = await opened(node)
    async with me.inbox.watch() as view:
        say(node, row("d", 2, at=9))
        await settle()
        heard: list[ViewChange] = []
        view.on_change(heard.append)
        assert [type(step) for change in heard for step in change.steps] == [Insert]
    await me.close()


async def test_a_view_opens_when_all_rows_of_the_copy_are_here(node: FakeNode) -> None:
    store = MemoryDeviceStore(lambda: "d1")
    rows = tuple(row(f"u{number:04}", at=number + 1) for number in range(3_000))
    await store.open()
    await store.commit(
        Step(rows=rows, token="0" * 16 + ".1", totals=Totals(conversations=len(rows)))
    )
    await store.close()
    node.greets = [None]
    async with make_client(node, Settings(closing_s=0), store) as me, me.inbox.watch() as view:
        assert len(view.entries) == len(rows)
        assert view.totals == await me.inbox.totals()


async def test_a_view_that_is_closed_while_it_opens_follows_nothing(node: FakeNode) -> None:
    me = await opened(node)
    me._parts.copying._all_read.clear()
    view = me.inbox.watch()
    opening = asyncio.create_task(view.open())
    await settle()
    view.close()
    me._parts.copying._all_read.set()
    await opening
    say(node, row("d", 2, at=9))
    await settle()
    assert (view.entries, view.take_now()) == ((), None)
    await me.close()


async def test_the_iteration_ends_with_the_view_and_with_the_client(node: FakeNode) -> None:
    me = await opened(node)
    first, second = me.inbox.watch(), me.inbox.watch()
    await first.open()
    await second.open()

    async def all_of(view: LiveView) -> list[ViewChange]:
        return [change async for change in view]

    tasks = [asyncio.create_task(all_of(view)) for view in (first, second)]
    say(node, row("d", 2, at=9))
    await settle()
    first.close()
    first.close()
    say(node, row("e", 3, at=10))
    await settle()
    await me.close()
    assert [len(await task) for task in tasks] == [1, 2]
    assert names(first.entries)[0] == "p2p:d", "as it was told last"
    late = me.inbox.watch()
    await late.open()
    assert await all_of(late) == []


async def test_a_no_for_good_ends_the_iteration_with_it(node: FakeNode) -> None:
    me = await opened(node)
    async with me.inbox.watch() as view:
        say(node, row("d", 2, at=9))
        node.connection.say(Bye(code=Code.REVOKED, message="revoked"))
        await settle()
        await me.close()
        assert [type(step) for step in (await anext(view)).steps] == [Insert]
        with pytest.raises(Refused, match="revoked"):
            await anext(view)


async def test_mistakes_of_the_caller(node: FakeNode) -> None:
    me = await opened(node)
    with pytest.raises(CallerMistake, match="limit is 0"):
        me.inbox.watch(limit=0)
    with pytest.raises(CallerMistake, match="no filter"):
        me.inbox.watch(unread=True)  # type: ignore[call-arg]  # the mistake
    view = me.inbox.watch()
    with pytest.raises(CallerMistake, match="not open"):
        await anext(view)
    view.close()
    async with me.inbox.watch() as view:
        with pytest.raises(CallerMistake, match="opened before"):
            await view.open()
    await me.close()
