"""What waits for its turn to change this device's state (rules C2, C4).

Rules of this file:

1. Everything is done in the order in which it was asked for.
2. Orders are kept in one step as far as none of them is planned from what one in front of it will
   show.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from recents.client.outbox import Ticket
from recents.client.planning import Wish
from recents.core.ids import Conversation

Plan = Callable[[], Awaitable[Sequence[Wish]]]
"""Says what to command; asked when everything in front of it is shown."""

MOST_TOGETHER = 256
"""Orders kept in one step at most: the first of them waits for the last."""


@dataclass(slots=True, eq=False)
class Order:
    """Commands to be given.

    Attributes:
        plan: tells them.
        names: the conversations they are about; empty: all.
        blind: the plan does not depend on what is shown.
        done: tells who asked.
    """

    plan: Plan
    names: frozenset[Conversation]
    blind: bool
    done: asyncio.Future[list[Ticket]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass(slots=True, eq=False)
class Task:
    """Something else to be done."""

    do: Callable[[], Awaitable[None]]
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Jobs:
    """Orders and tasks in a row."""

    def __init__(self) -> None:
        self._row: deque[Order | Task] = deque()
        self._wake = asyncio.Event()

    def put(self, job: Order | Task) -> None:
        """Add a job behind the others."""
        self._row.append(job)
        self._wake.set()

    def wake(self) -> None:
        """Let ``next`` return though there is nothing to do."""
        self._wake.set()

    async def next(self) -> list[Order] | Task | None:
        """Take what is to be done next; None when woken for nothing."""
        if not self._row:
            self._wake.clear()
            await self._wake.wait()
        if not self._row:
            return None
        first = self._row[0]
        if isinstance(first, Task):
            self._row.popleft()
            return first
        return self._orders()

    def fail_all(self, why: Callable[[], Exception]) -> None:
        """Fail everything that waits."""
        while self._row:
            fail(self._row.popleft().done, why())

    def _orders(self) -> list[Order]:
        """Take the orders in front that can be planned before any of them is shown (rule 2)."""
        orders: list[Order] = []
        touched: set[Conversation] = set()
        while self._row and len(orders) < MOST_TOGETHER:
            job = self._row[0]
            if not isinstance(job, Order):
                break
            alone = not job.names or not touched.isdisjoint(job.names)
            if orders and alone and not job.blind:
                break
            self._row.popleft()
            orders.append(job)
            if not job.names:
                break
            touched |= job.names
        return orders


def fail(done: asyncio.Future[list[Ticket]] | asyncio.Future[None], error: Exception) -> None:
    """Tell who asked that it failed."""
    if not done.done():
        done.set_exception(error)
        # Who stopped waiting does not hear of it.
        done.exception()
