"""Forgetting what became of old commands and calls, beside the work (rule C4).

Rules of this file:

1. One call of the store at a time, with a pause after it: commits wait for a few ms at most.
2. What fails is tried again in the next round: a verdict that stays for longer harms nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from recents.server.settings import Settings
from recents.server.store.port import Store, StoreFailed

log = logging.getLogger(__name__)

ROUND_S = 60.0
"""Seconds between two rounds."""

PAUSE_S = 0.1
"""Seconds between two calls of a round: some thousand commands a second are forgotten in time."""

DAY_MS = 24 * 60 * 60 * 1_000


ANSWERS_KEPT_MS = DAY_MS
"""For so long the same idempotency key gives the same answer."""


class Forgetting:
    """Keeps the store from remembering commands for ever."""

    def __init__(self, store: Store, settings: Settings, clock_ms: Callable[[], int]) -> None:
        """Prepare; what is older than ``settings.remembered_days`` will be forgotten."""
        self._store = store
        self._remembered_ms = settings.remembered_days * DAY_MS
        self._most_answers = settings.idempotency_keys
        self._clock_ms = clock_ms
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End soon: a call of the store that is under way is waited for."""
        self._stopping.set()

    async def run(self) -> None:
        """Forget in rounds until stopped; the first waits, since a start is busy enough."""
        while not await self._stopped_within(ROUND_S):
            try:
                await self._round()
            except StoreFailed as failure:
                log.warning("! forgetting old commands failed, the next round tries: %s", failure)

    async def _round(self) -> None:
        now_ms = self._clock_ms()
        while await self._store.forget_verdicts(now_ms - self._remembered_ms):
            if await self._stopped_within(PAUSE_S):
                return
        while await self._store.forget_answers(now_ms - ANSWERS_KEPT_MS, self._most_answers):
            if await self._stopped_within(PAUSE_S):
                return

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True
