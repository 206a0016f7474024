"""Mutes that end by themselves, with nobody connected as well (rule G2).

Rules of this file:

1. The end of a mute is a commit like any other: row, totals and devices hear of it.
2. What is overdue at the start is ended then; what fails is tried again.
3. The next end is looked up once, and again when a commit brings an earlier one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from recents.core.commands import EndMute
from recents.core.errors import Refused
from recents.core.ids import named_by
from recents.server.committer import Committer, Outcome, Work
from recents.server.store.port import MuteEnd, Store, StoreFailed
from recents.server.store.workspace import Workspace

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Mutes that are ended before others are looked up."""

AGAIN_S = 1.0
"""Seconds until what failed is tried again."""

LONGEST_S = 60.0
"""Seconds after which the clock is looked at in any case: somebody may have set it."""


class MuteEnds:
    """Ends mutes when their time is up."""

    def __init__(self, store: Store, committer: Committer, clock_ms: Callable[[], int]) -> None:
        """Prepare for a store that has been opened."""
        self._store = store
        self._committer = committer
        self._clock_ms = clock_ms
        self._next_ms: int | None = None
        self._stopping = False
        self._wake = asyncio.Event()

    def committed(self, workspace: Workspace) -> None:
        """Hear of a commit: it may have brought an earlier end."""
        for membership in workspace.memberships.values():
            until_ms = membership.mute_until_ms
            if until_ms is not None and (self._next_ms is None or until_ms < self._next_ms):
                self._next_ms = until_ms
                self._wake.set()

    def stop(self) -> None:
        """End soon."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """End mutes until stopped."""
        while not self._stopping:
            self._wake.clear()
            try:
                all_ended = await self._end_those_due()
            except StoreFailed as failure:
                log.warning("! mutes that are over could not be looked up: %s", failure)
                all_ended = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s() if all_ended else AGAIN_S):
                    await self._wake.wait()

    async def _end_those_due(self) -> bool:
        """End what is over; tell whether nothing of it is left."""
        while not self._stopping:
            now_ms = self._clock_ms()
            due = await self._store.mutes_ending(now_ms, AT_ONCE)
            if not due:
                self._next_ms = await self._store.next_mute_end()
                return True
            if not await self._end(due):
                return False
        return True

    async def _end(self, due: Sequence[MuteEnd]) -> bool:
        left, all_ended, answered = len(due), True, asyncio.Event()

        def answer(_: Work, outcome: Outcome) -> None:
            nonlocal left, all_ended
            left -= 1
            all_ended &= not isinstance(outcome, Refused)
            if not left:
                answered.set()

        for end in due:
            # Said once for each mute: after a failure it may be asked again, and stands (C4).
            name = named_by(end.account, end.key)
            command = EndMute(id=f"mute {end.until_ms} {end.version} {name}", conversation=name)
            work = Work(end.account, command, answer)
            try:
                self._committer.submit(work)
            except Refused as refusal:
                answer(work, refusal)
        await answered.wait()
        return all_ended

    def _pause_s(self) -> float:
        if self._next_ms is None:
            return LONGEST_S
        return min(max(self._next_ms - self._clock_ms(), 1) / 1_000, LONGEST_S)
