"""Takes steps side by side where they have nothing to do with each other.

Rules of this file:

1. Two steps that touch the same thing, one of them alone, are taken in the order of the plan.
2. Of the steps that could be taken, the earliest of the plan comes first.
3. A step that fails ends the run; nothing is taken after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable


class Schedule:
    """Which step has to wait for which."""

    def __init__(self) -> None:
        """Start with no steps."""
        self._followers: list[list[int]] = []
        self._waits_for: list[int] = []
        self._last_alone: dict[str, int] = {}
        self._shared_since: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._waits_for)

    def add(self, alone: Iterable[str], shared: Iterable[str]) -> None:
        """Add the next step, with what it touches alone and what it shares."""
        number = len(self)
        before: set[int] = set()
        for thing in alone:
            sharers = self._shared_since.pop(thing, None)
            # They waited for the last one that was alone, so waiting for them is enough.
            if sharers:
                before.update(sharers)
            elif thing in self._last_alone:
                before.add(self._last_alone[thing])
            self._last_alone[thing] = number
        for thing in shared:
            if thing in self._last_alone:
                before.add(self._last_alone[thing])
            self._shared_since.setdefault(thing, []).append(number)
        self._followers.append([])
        self._waits_for.append(len(before))
        for earlier in before:
            self._followers[earlier].append(number)

    async def run(self, take: Callable[[int], Awaitable[None]], window: int) -> None:
        """Take all steps, at most `window` at the same time; `take` gets their numbers."""
        if not len(self):
            return
        waits_for = list(self._waits_for)
        ready: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
        for number, before in enumerate(waits_for):
            if before == 0:
                ready.put_nowait(number)
        left = len(self)
        ended = asyncio.Event()

        async def work() -> None:
            nonlocal left
            while True:
                number = await ready.get()
                await take(number)
                for follower in self._followers[number]:
                    waits_for[follower] -= 1
                    if waits_for[follower] == 0:
                        ready.put_nowait(follower)
                left -= 1
                if left == 0:
                    ended.set()

        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(work()) for _ in range(min(window, len(self)))]
                await ended.wait()
                for worker in workers:
                    worker.cancel()
        except ExceptionGroup as failures:
            # One failed first; what the others say is its echo.
            raise failures.exceptions[0] from failures
