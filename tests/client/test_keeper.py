"""The one place where a device's state changes: one step after another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.client.settings import Settings
from recents.client.store.port import Step, StepFailed
from recents.core.commands import Delete, Post, Read
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.core.ids import Conversation
from recents.wire.frames import Posted
from tests.client.failing_store import FailingStore
from tests.client.fake_node import FakeNode, changed, first_page, make_client, names, row, settle

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOB, CAROL = Conversation("p2p:bob"), Conversation("p2p:carol")


class SlowStore(FailingStore):
    """A store that keeps nothing before a test lets it.

    Attributes:
        open_gate: clear it to hold steps up.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open_gate = asyncio.Event()
        self.open_gate.set()

    async def commit(self, step: Step) -> None:
        await self.open_gate.wait()
        await super().commit(step)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest_asyncio.fixture
async def me(node: FakeNode, store: SlowStore) -> AsyncIterator[Client]:
    node.greets = [[first_page(row("bob", unread=1), row("carol"))]]
    client = make_client(node, Settings(closing_s=0, outbox_commands=5), store)
    await client.open()
    node.refuses = [Unavailable("gone") for _ in range(999)]
    node.connection.drop()
    await settle()
    yield client
    await client.close()


async def test_first_the_store_then_memory_then_the_listeners(
    me: Client, store: SlowStore
) -> None:
    seen: list[tuple[int, int]] = []

    def listen(batch: ChangeBatch) -> None:
        seen.append((len(store.steps), me.unsent))

    me.inbox.on_change(listen)
    before = len(store.steps)
    store.open_gate.clear()
    deleting = asyncio.create_task(me.inbox.delete(BOB))
    await settle()
    assert (seen, await me.inbox.get(BOB) is None) == ([], False)
    store.open_gate.set()
    await deleting
    assert seen == [(before + 1, 1)]
    assert store.steps[-1].durable


async def test_orders_about_several_conversations_are_kept_in_one_step(
    me: Client, store: SlowStore
) -> None:
    store.open_gate.clear()
    first = asyncio.create_task(me.inbox.mark_unread(BOB))
    await settle()
    others = [
        asyncio.create_task(call)
        for call in (me.inbox.mark_unread(CAROL), me.messages.send(BOB, "a"))
    ]
    await settle()
    before = len(store.steps)
    store.open_gate.set()
    await asyncio.gather(first, *others)
    assert [len(step.outbox) for step in store.steps[before:]] == [1, 2]


async def test_each_order_is_planned_from_what_those_before_it_show(
    me: Client, node: FakeNode
) -> None:
    await asyncio.gather(me.inbox.delete(BOB), me.inbox.mark_unread(BOB), me.inbox.delete(BOB))
    assert me.unsent == 1, "after the first there is nothing to mark or to delete"
    await asyncio.gather(me.inbox.delete_all(), me.inbox.delete_all(), me.inbox.delete(CAROL))
    assert await _seen(me) == []


async def test_one_order_that_cannot_be_planned_hurts_no_other(me: Client) -> None:
    good, bad = await asyncio.gather(
        me.inbox.mark_unread(CAROL), me.inbox.mark_read(BOB, -1), return_exceptions=True
    )
    assert (good, type(bad)) == (None, CallerMistake)
    assert me.unsent == 1


async def test_what_cannot_be_written_as_json_was_not_given(me: Client, store: SlowStore) -> None:
    before = len(store.steps)
    for wrong in (object(), float("nan").__class__, {1j: 2}):
        with pytest.raises(CallerMistake):
            await me.messages.send(BOB, attachment=wrong)
    assert (len(store.steps), me.unsent) == (before, 0)


async def test_C4_too_many_commands_are_refused_before_they_are_kept(me: Client) -> None:
    for _ in range(4):
        await me.messages.send(BOB, "x")
    outcomes = await asyncio.gather(
        *(me.messages.send(name, "x") for name in (BOB, CAROL)), return_exceptions=True
    )
    assert [type(outcome) is Unavailable for outcome in outcomes] == [False, True]
    assert str(outcomes[1]) == "5 commands wait to be sent; let some of them get through"
    assert me.unsent == 5


async def test_a_step_that_fails_fails_all_orders_in_it(me: Client, store: SlowStore) -> None:
    store.fails = [StepFailed("full")]
    outcomes = await asyncio.gather(
        me.inbox.mark_unread(BOB), me.inbox.mark_unread(CAROL), return_exceptions=True
    )
    assert [str(outcome) for outcome in outcomes] == ["full", "full"]
    assert me.unsent == 0
    await me.inbox.mark_unread(BOB)
    assert me.unsent == 1


async def test_who_gives_up_waiting_stops_nothing(me: Client, store: SlowStore) -> None:
    store.open_gate.clear()
    deleting = asyncio.create_task(me.inbox.delete(BOB))
    await settle()
    deleting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deleting
    store.open_gate.set()
    await settle()
    assert (await _seen(me), me.unsent) == ([CAROL], 1)


async def test_closing_finishes_the_step_under_way_and_fails_those_that_wait(
    me: Client, store: SlowStore
) -> None:
    store.open_gate.clear()
    first = asyncio.create_task(me.inbox.delete(BOB))
    await settle()
    second = asyncio.create_task(me.inbox.delete(CAROL))
    await settle()
    closing = asyncio.create_task(me.close())
    await settle()
    store.open_gate.set()
    await closing
    await first
    with pytest.raises(Unavailable, match="closed"):
        await second
    with pytest.raises(Unavailable, match="closed"):
        await me.inbox.delete(CAROL)
    with pytest.raises(Unavailable, match="closed"):
        await me.messages.discard("c")
    await store.open()
    assert len((await store.open()).outbox) == 1


async def test_P4_echoes_stand_above_the_row_on_top(me: Client) -> None:
    first = await me.messages.send(BOB, "a")
    second = await me.messages.send(CAROL, "b")
    assert first.time_ms == 1_001
    assert second.time_ms > first.time_ms
    assert await _seen(me) == [CAROL, BOB]


async def test_P4_retrying_and_discarding_need_a_failed_message(
    node: FakeNode, me: Client, store: SlowStore
) -> None:
    sent = await me.messages.send(BOB, "a")
    for call in (me.messages.retry, me.messages.discard):
        for client_id in (sent.client_id, "unknown"):
            with pytest.raises(CallerMistake, match="has failed"):
                await call(client_id)


async def test_P4_a_retry_or_a_discard_that_is_not_kept_was_not_given(
    node: FakeNode, store: SlowStore
) -> None:
    node.greets = [[first_page(row("bob"))]]
    node.answers = lambda request: Refused(Code.NOT_A_MEMBER, "no")
    async with make_client(node, store=store) as me:
        statuses: list[str] = []
        me.messages.on_status(lambda _, message: statuses.append(str(message.status)))
        with pytest.raises(Refused):
            await me.messages.send(BOB, "a", client_id="c")
        for call in (me.messages.retry, me.messages.discard):
            store.fails = [StepFailed("full")]
            with pytest.raises(Unavailable, match="full"):
                await call("c")
            shown = await me.inbox.get(BOB)
            assert shown is not None
            assert shown.status == "failed"
        node.answers = lambda request: Posted(seq=2, ordinal=2, time_ms=5)
        assert (await me.messages.retry("c")).status == "sent"
        assert statuses == ["sending", "failed", "sending", "sent"]
        first, second = node.heard(Post)
        assert first == second


async def test_refusals_are_told_with_their_command(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob"))]]
    node.answers = lambda request: Refused(Code.BEYOND_END, "no", {"newest_seq": 1})
    async with make_client(node) as me:
        heard: list[object] = []
        remove = me.on_refused(lambda command, why: heard.append((command, why.details)))
        for _ in range(2):
            with pytest.raises(Refused):
                await me.inbox.mark_read(BOB, 3)
            remove()
        assert heard == [(node.heard(Read)[0], {"newest_seq": 1})]


async def test_a_mistake_of_our_own_leaves_no_caller_waiting(
    node: FakeNode, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.greets = [[first_page(row("bob"), row("carol"))]]
    async with make_client(node) as me:

        def fail(before: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(me._parts.local, "show_anew", fail)
        with caplog.at_level(logging.ERROR):
            outcomes = await asyncio.wait_for(
                asyncio.gather(
                    me.inbox.delete(BOB), me.inbox.delete_all(), return_exceptions=True
                ),
                5,
            )
        assert ["see the log" in str(outcome) for outcome in outcomes] == [True, True]
        assert "ZeroDivisionError" in caplog.text


async def test_D1_deletions_given_at_once_are_one_batch_for_each_step(
    node: FakeNode, me: Client
) -> None:
    batches: list[ChangeBatch] = []
    me.inbox.on_change(batches.append)
    await me.inbox.delete_many([BOB, CAROL])
    assert [row.conversation for batch in batches for row in batch.removed] == [BOB, CAROL]
    assert batches[-1].totals.conversations == 0
    assert {type(pending.command) for pending in me._parts.outbox} == {Delete}


async def test_C2_a_batch_says_whether_more_rows_are_to_come(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob"), upto=None)]]
    node.answers = None
    client = make_client(node, Settings(closing_s=0))
    batches: list[ChangeBatch] = []
    client.inbox.on_change(batches.append)
    async with client as me:
        sending = asyncio.create_task(me.messages.send(BOB, "a"))
        await settle()
        assert [batch.synced for batch in batches] == [False, False]
        node.connection.say(changed(row("bob", 2)))
    await sending


async def _seen(me: Client) -> list[str]:
    return names((await me.inbox.list()).entries)


@pytest.mark.parametrize("verb", ["mark_read", "delete"])
async def test_R1_D2_what_came_while_a_command_waited_was_not_on_the_screen(
    node: FakeNode, store: SlowStore, verb: str
) -> None:
    async with make_client(node, store=store) as me:
        store.open_gate.clear()
        node.connection.say(changed(row("dan", 2, unread=1)))
        await settle()
        waiting = asyncio.ensure_future(getattr(me.inbox, verb)("p2p:dan"))
        await settle()
        store.open_gate.set()
        await waiting
        dan = await me.inbox.get("p2p:dan")
        assert dan is not None
        assert dan.unread == 1
        assert len(node.connection.heard) == 1, "nothing but the hello"
