"""Which orders are kept in one step, and in which turn everything comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from recents.client.jobs import MOST_TOGETHER, Jobs, Order, Task, fail
from recents.client.planning import Wish
from recents.core.errors import Unavailable
from recents.core.ids import Conversation

pytestmark = pytest.mark.asyncio


async def _nothing() -> Sequence[Wish]:
    return []


async def _do_nothing() -> None:
    return


def order(*names: str, blind: bool = False) -> Order:
    return Order(_nothing, frozenset(Conversation(f"p2p:{name}") for name in names), blind)


async def test_orders_about_different_conversations_go_together() -> None:
    jobs, given = Jobs(), [order("a"), order("b"), order("a"), order("c")]
    for one in given:
        jobs.put(one)
    assert await jobs.next() == given[:2]
    assert await jobs.next() == given[2:]


async def test_an_order_that_does_not_look_goes_with_any() -> None:
    jobs, given = Jobs(), [order("a"), order("a", blind=True), order("a", blind=True), order("a")]
    for one in given:
        jobs.put(one)
    assert await jobs.next() == given[:3]
    assert await jobs.next() == given[3:]


async def test_an_order_about_all_goes_alone_and_a_task_too() -> None:
    task = Task(_do_nothing)
    given: list[Order | Task] = [order("a"), order(), order("b"), task, order("c")]
    jobs = Jobs()
    for one in given:
        jobs.put(one)
    taken = [await jobs.next() for _ in range(5)]
    assert taken == [[given[0]], [given[1]], [given[2]], task, [given[4]]]


async def test_only_so_many_go_together() -> None:
    jobs = Jobs()
    for number in range(MOST_TOGETHER + 1):
        jobs.put(order(f"u{number}"))
    for many in (MOST_TOGETHER, 1):
        taken = await jobs.next()
        assert isinstance(taken, list)
        assert len(taken) == many


async def test_who_waits_for_a_job_is_woken() -> None:
    jobs = Jobs()
    waiting = asyncio.create_task(jobs.next())
    await asyncio.sleep(0)
    jobs.wake()
    assert await waiting is None
    waiting = asyncio.create_task(jobs.next())
    await asyncio.sleep(0)
    one = order("a")
    jobs.put(one)
    assert await waiting == [one]


async def test_what_waits_can_be_failed_even_where_nobody_listens() -> None:
    jobs, one, task = Jobs(), order("a"), Task(_do_nothing)
    jobs.put(one)
    jobs.put(task)
    task.done.set_result(None)
    jobs.fail_all(lambda: Unavailable("closed"))
    fail(one.done, Unavailable("again"))
    with pytest.raises(Unavailable, match="closed"):
        await one.done
    await task.done
