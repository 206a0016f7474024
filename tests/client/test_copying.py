"""This device's copy: read at the start, written on the way, lost and made again."""

from __future__ import annotations

import asyncio
import logging

import pytest

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.client.copying import FIRST_ROWS, MORE_ROWS
from recents.client.settings import Settings
from recents.client.store.port import CopyDamaged, Saved, SetAside, Step, StepFailed, StoreUnusable
from recents.core.commands import Delete, Post, Read
from recents.core.errors import Code, Refused, Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.pending import Pending
from recents.core.totals import totals_of
from recents.wire.frames import Bye, CaughtUp, Hello
from tests.client.failing_store import FailingStore
from tests.client.fake_node import (
    OTHER_EPOCH,
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
FULL = StepFailed("the disk is full")


async def _filled(store: FailingStore, many: int) -> None:
    rows = tuple(row(f"u{n:05}", at=10_000 - n, unread=n % 2) for n in range(many))
    await store.open()
    await store.commit(Step(rows=rows, token=token(1), totals=totals_of(rows)))
    await store.close()


async def _seen(me: Client) -> list[str]:
    return names((await me.inbox.list(limit=100)).entries)


def _message(seq: int) -> Message:
    return Message(seq=seq, ordinal=seq, sender="bob", client_id=f"{seq}", time_ms=seq)


async def test_C3_rows_and_token_are_kept_together(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob", unread=1))], [CaughtUp(token=token(2))]]
    async with make_client(node, store=store) as me:
        node.connection.say(
            changed(row("bob", 2, last_seq=2, unread=2), messages={BOB: (_message(2),)})
        )
        await settle()
    assert [step.token for step in store.steps if step.rows] == [token(1), token(2)]
    assert store.steps[-1].totals == (await me.inbox.totals())
    assert store.steps[-1].messages == {BOB: (_message(2),)}
    async with make_client(node, store=store) as me:
        await me.synced()
        assert node.heard(Hello)[-1].since == token(2)
        assert (await me.inbox.totals()).unread == 2


async def test_with_a_copy_a_client_opens_at_once_though_no_node_answers(node: FakeNode) -> None:
    store = FailingStore()
    await _filled(store, 3)
    node.refuses = [Unavailable("no node answers") for _ in range(99)]
    async with make_client(node, store=store) as me:
        assert asyncio.get_running_loop().time() == 0
        page = await me.inbox.list()
        assert (len(page.entries), page.complete, page.totals.conversations) == (3, True, 3)
        assert not await me.synced(20)
        assert str(me.trouble) == "no node answers"


async def test_with_a_copy_a_refusal_is_told_and_the_list_stays_readable(node: FakeNode) -> None:
    store = FailingStore()
    await _filled(store, 3)
    node.greets = [[Bye(code=Code.REVOKED, message="this device was revoked")]]
    async with make_client(node, store=store) as me:
        with pytest.raises(Refused, match="this device was revoked"):
            await me.synced()
        assert isinstance(me.trouble, Refused)
        assert len(await _seen(me)) == 3
        await me.inbox.delete("p2p:u00000")
        assert me.unsent == 1
        assert not await me.flush(1)


@pytest.mark.parametrize("many", [0, FIRST_ROWS, FIRST_ROWS + 1, FIRST_ROWS + 2 * MORE_ROWS + 7])
async def test_the_first_rows_are_there_at_once_and_the_others_when_asked_for(
    node: FakeNode, many: int
) -> None:
    store = FailingStore()
    await _filled(store, many)
    node.greets = [[CaughtUp(token=token(1))]]
    async with make_client(node, store=store) as me:
        assert (await me.inbox.totals()).conversations == many
        first = await me.inbox.list(limit=50)
        assert len(first.entries) == min(many, 50)
        if many:
            assert await me.inbox.get(f"p2p:u{many - 1:05}") is not None
        found = list(first.entries)
        cursor = first.next_cursor
        while cursor:
            page = await me.inbox.list(limit=500, cursor=cursor)
            found += page.entries
            cursor = page.next_cursor
        assert names(found) == [f"p2p:u{n:05}" for n in range(many)]
        assert (await me.inbox.totals()).unread == many // 2


async def test_commands_and_changes_wait_for_the_rows_on_disk(node: FakeNode) -> None:
    store = FailingStore()
    many = FIRST_ROWS + MORE_ROWS + 3
    await _filled(store, many)
    last = f"p2p:u{many - 1:05}"
    node.greets = [[CaughtUp(rows=(row(last, 9, text="new", at=1),), token=token(9))]]
    me = make_client(node, store=store)
    batches: list[ChangeBatch] = []
    me.inbox.on_change(batches.append)
    await me.open()
    node.answers = None
    calls = [
        asyncio.create_task(me.inbox.delete(last)),
        asyncio.create_task(me.inbox.delete_all()),
    ]
    await me.inbox.list(limit=many)
    await settle()
    assert await _seen(me) == []
    assert [row.conversation for batch in batches for row in batch.added] == []
    removed = [row.conversation for batch in batches for row in batch.removed]
    assert len(removed) == len(set(removed)) == many
    assert batches[-1].totals.conversations == 0
    await me.close()
    await asyncio.gather(*calls)


async def test_C4_what_was_commanded_before_the_restart_is_in_the_first_look(
    node: FakeNode,
) -> None:
    store = FailingStore()
    many = FIRST_ROWS + MORE_ROWS
    await _filled(store, many)
    await store.open()
    last = Conversation(f"p2p:u{many - 1:05}")
    read = Read(id="r", conversation=last, upto_seq=1)
    await store.commit(Step(outbox=(Pending(number=1, command=read, at_ms=1, seen_seq=1),)))
    node.greets = [None]
    async with make_client(node, Settings(closing_s=0), store) as me:
        assert (await me.inbox.totals()).unread == many // 2 - 1
        shown = await me.inbox.get(last)
        assert shown is not None
        assert shown.unread == 0


async def test_a_list_of_a_client_that_was_never_opened_is_empty(node: FakeNode) -> None:
    me = make_client(node, store=FailingStore())
    assert await _seen(me) == []
    assert await me.inbox.get(BOB) is None


async def test_C4_a_command_that_is_not_kept_was_not_given(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob"))]]
    async with make_client(node, store=store) as me:
        store.fails = [FULL]
        with pytest.raises(Unavailable, match="the disk is full"):
            await me.inbox.delete(BOB)
        assert (await _seen(me), me.unsent, node.heard(Delete)) == ([BOB], 0, [])
        await me.inbox.delete(BOB)
        assert len(node.heard(Delete)) == 1


async def test_what_the_node_tells_is_shown_though_it_cannot_be_kept_now(
    node: FakeNode, caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob"))], [CaughtUp(token=token(3))]]
    async with make_client(node, store=store) as me:
        store.fails = [FULL, FULL]
        with caplog.at_level(logging.WARNING):
            node.connection.say(changed(row("bob", 2, unread=2)))
            await settle()
            node.connection.say(changed(row("carol", 3), upto=token(3)))
            await settle()
        assert caplog.text.count("the disk is full") == 1
        assert (await me.inbox.totals()).unread == 2
        assert store.steps[-1].token == token(1)
        await me.inbox.mark_read(BOB)
        assert store.steps[-2].token == token(3), "with the next step, all at once"
        assert {kept.conversation for kept in store.steps[-2].rows} == {BOB, "p2p:carol"}
    async with make_client(node, store=store) as me:
        assert len(await _seen(me)) == 2


async def test_what_could_not_be_kept_is_kept_at_closing(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob"))]]
    async with make_client(node, store=store):
        store.fails = [FULL]
        node.connection.say(changed(row("bob", 2, unread=2)))
        await settle()
    assert store.steps[-1].token == token(2)


async def test_C6_a_damaged_copy_is_set_aside_and_written_anew(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob", unread=1), row("carol"))]]
    asides: list[SetAside] = []
    async with make_client(node, store=store) as me:
        me.on_set_aside(asides.append)
        node.answers = None
        call = asyncio.create_task(me.messages.send("p2p:dan", "unsent"))
        await settle()
        store.fails_always = CopyDamaged("malformed")
        node.connection.say(changed(row("bob", 2, unread=2)))
        await settle()
        assert (tuple(asides), len(asides)) == (me.set_aside, 1)
        assert (await me.inbox.totals()).unread == 2
        await me.close()
    await call
    node.refuses = [Unavailable("no node") for _ in range(99)]
    async with make_client(node, store=store) as me:
        assert set(await _seen(me)) == {"p2p:dan", BOB, "p2p:carol"}
        assert me.unsent == 1


async def test_C6_a_copy_that_is_damaged_by_a_command_keeps_the_command(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob"))]]
    async with make_client(node, store=store) as me:
        store.fails_always = CopyDamaged("malformed")
        await me.inbox.delete(BOB)
        assert len(node.heard(Delete)) == 1
        assert len(me.set_aside) == 1


async def test_C6_where_nothing_helps_the_list_still_follows_the_node(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob"))]]
    async with make_client(node, store=store) as me:
        store.fails_always = CopyDamaged("malformed")
        store.fails_anew = StoreUnusable("the disk is gone")
        node.connection.say(changed(row("bob", 2, unread=2)))
        await settle()
        assert ((await me.inbox.totals()).unread, me.state) == (2, "synced")
        with pytest.raises(Unavailable, match="the disk is gone"):
            await me.inbox.delete(BOB)
        assert await _seen(me) == [BOB]


async def test_a_copy_that_cannot_be_read_is_replaced_by_what_the_node_has(node: FakeNode) -> None:
    store = FailingStore()
    await _filled(store, 3)
    store.fails_reading = StepFailed("a bad sector")
    node.greets = [[first_page(row("bob"))]]
    async with make_client(node, store=store) as me:
        assert node.heard(Hello)[0].since is None
        assert await _seen(me) == [BOB]
        store.fails_reading = None
    node.greets = [[CaughtUp(token=token(1))]]
    async with make_client(node, store=store) as me:
        assert await _seen(me) == [BOB]


async def test_a_store_that_cannot_be_opened_says_so(node: FakeNode) -> None:
    class Locked(FailingStore):
        async def open(self) -> Saved:
            raise StoreUnusable("another program has it open")

    me = make_client(node, store=Locked())
    with pytest.raises(Unavailable, match="another program"):
        await me.open()
    assert await _seen(me) == []
    await me.close()
    assert len(asyncio.all_tasks()) == 1


async def test_opening_that_is_called_off_lets_go_of_the_store(node: FakeNode) -> None:
    closed: list[str] = []

    class Slow(FailingStore):
        async def open(self) -> Saved:
            saved = await super().open()
            await asyncio.sleep(60)
            return saved

        async def close(self) -> None:
            closed.append("closed")
            await super().close()

    opening = asyncio.create_task(make_client(node, store=Slow()).open())
    await settle()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert (closed, node.connections) == (["closed"], [])
    assert len(asyncio.all_tasks()) == 1


async def test_a_first_start_that_broke_off_begins_again(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob", 5), upto=None)]]
    node.answers = None
    me = make_client(node, store=store)
    await me.open()
    call = asyncio.create_task(me.inbox.delete(BOB))
    await settle()
    assert await _seen(me) == []
    await me.close()
    await call
    node.greets = [[first_page(row("bob", 5), row("carol", 6), upto=token(6))]]
    async with make_client(node, store=store) as me:
        assert node.heard(Hello)[-1].since is None
        assert await _seen(me) == ["p2p:carol"], "the deletion is still on its way"
        await me.close()


async def test_C3_a_first_start_in_pages_is_kept_whole(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [
        [first_page(row("bob"), upto=None), CaughtUp(rows=(row("carol"),), token=token(1))]
    ]
    async with make_client(node, store=store):
        await settle()
    node.refuses = [Unavailable("no node") for _ in range(99)]
    async with make_client(node, store=store) as me:
        assert await _seen(me) == [BOB, "p2p:carol"]


async def test_another_line_of_versions_replaces_all_and_lets_answered_commands_go(
    node: FakeNode,
) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob", 70, unread=1), row("carol", 80), upto=token(80))]]
    node.answers = None
    me = make_client(node, store=store)
    await me.open()
    post = Post(id="p", conversation=BOB, client_id="c", text="sent")
    await store.commit(
        Step(
            outbox=(Pending(number=1, command=post, at_ms=5_000, version=90, seq=2),),
            messages={BOB: (_message(1),)},
        )
    )
    await me.close()
    node.greets = [[first_page(row("bob", 3, text="x"), upto=token(3, OTHER_EPOCH))]]
    me = make_client(node, store=store)
    batches: list[ChangeBatch] = []
    me.inbox.on_change(batches.append)
    async with me:
        await me.synced()
        assert await _seen(me) == [BOB]
        (batch,) = batches
        assert (names(batch.updated), names(batch.removed)) == ([BOB], ["p2p:carol"])
        assert store.steps[-1].forgets_messages
        assert store.steps[-1].settled == (1,)
        node.connection.say(changed(row("bob", 4, text="y"), upto=token(4, OTHER_EPOCH)))
        await settle()
        assert len(batches) == 2


async def test_D3_a_reset_forgets_the_messages_which_may_have_been_cleared(node: FakeNode) -> None:
    store = FailingStore()
    await _filled(store, 2)
    node.greets = [[first_page(row("bob", 3), upto=token(3))]]
    async with make_client(node, store=store) as me:
        await me.synced()
    assert (store.steps[-1].replaces_all, store.steps[-1].forgets_messages) == (True, True)


async def test_the_nodes_clock_is_remembered(node: FakeNode) -> None:
    store = FailingStore()
    node.greets = [[first_page(row("bob"))]]
    node.welcome_ms = 3_600_000
    async with make_client(node, store=store):
        pass
    node.refuses = [Unavailable("no node") for _ in range(99)]
    async with make_client(node, store=store) as me:
        sent = await me.messages.send(BOB, "an hour ahead")
        assert sent.time_ms == 3_600_000
