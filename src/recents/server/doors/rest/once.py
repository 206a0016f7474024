"""Calls with an idempotency key: the same key gives the same answer, and is carried out once.

Rules of this file:

1. A key is noted before anything is done, its answer after: asked again in between, by whatever
   process, the call makes the same ids (``Asked.new_id``), so that it does the same thing.
2. Of calls with one key one is under way at a time; the others wait for its answer.
3. An answer that says "not now" is not kept: the same key may be tried again.
4. A secret is never kept: asked again, the answer is that it was shown once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from msgspec.structs import replace

from recents.core.errors import Code, Refused
from recents.server.doors.rest.routes import Caller
from recents.server.forgetting import ANSWERS_KEPT_MS
from recents.server.store.port import KeptAnswer, Store, StoreFailed

log = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
MAX_KEY_CHARACTERS = 255

_KEY = re.compile(rf"[!-~]{{1,{MAX_KEY_CHARACTERS}}}", re.ASCII)

Outcome = tuple[int, bytes, int, bytes]
"""Status and body, and those to keep."""


def key_of(request: web.Request) -> str | None:
    """Return the idempotency key of a request.

    Raises:
        Refused: ``bad_value``.
    """
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise Refused(
            Code.BAD_VALUE,
            f"{HEADER} takes 1 to {MAX_KEY_CHARACTERS} printable ASCII characters without blanks",
        )
    return key


async def digest_of(request: web.Request) -> bytes:
    """Return what tells one request from another with the same key."""
    asked = f"{request.method} {request.raw_path}\n".encode("utf-8", "surrogateescape")
    return hashlib.sha256(asked + await request.read()).digest()


class Once:
    """Carries calls with keys out once.

    Attributes:
        waiting: how many keys are in use at the moment; for tests.
    """

    def __init__(self, store: Store, clock_ms: Callable[[], int]) -> None:
        """Prepare for a store that may not be open yet."""
        self._store = store
        self._clock_ms = clock_ms
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    @property
    def waiting(self) -> int:
        """How many keys are in use at the moment."""
        return len(self._locks)

    async def answer(
        self,
        caller: Caller,
        key: str,
        digest: bytes,
        work: Callable[[int | None], Awaitable[Outcome]],
    ) -> tuple[int, bytes, bool]:
        """Return status and body, and whether they are those from before.

        Args:
            caller: who asks; each has keys of its own.
            key: the idempotency key.
            digest: of what is asked.
            work: does it; gets the time at which it was begun before, or None.

        Raises:
            Refused: ``key_reused``, or what ``work`` raises.
            StoreFailed: the key could not be noted; nothing was done.
        """
        begun = KeptAnswer(caller.account or "", key, digest, self._clock_ms())
        async with self._alone(begun.caller, key):
            known = await self._store.begin_answer(begun, begun.at_ms - ANSWERS_KEPT_MS)
            if known is not None and known.digest != digest:
                raise Refused(
                    Code.KEY_REUSED,
                    f"this {HEADER} came with another request; make a new one for each",
                )
            if known is not None and known.status:
                return known.status, known.body, True
            status, body, status_kept, kept = await work(known.at_ms if known else None)
            if status < 500:
                await self._keep(replace(begun, status=status_kept, body=kept))
            return status, body, False

    async def _keep(self, kept: KeptAnswer) -> None:
        try:
            await self._store.keep_answer(kept)
        except StoreFailed as failure:
            # It was done. Asked again it is done again with the same ids, which changes nothing.
            log.warning("! the answer of an idempotency key could not be kept: %s", failure)

    @asynccontextmanager
    async def _alone(self, caller: str, key: str) -> AsyncIterator[None]:
        lock, users = self._locks.get((caller, key)) or (asyncio.Lock(), 0)
        self._locks[caller, key] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[caller, key]
            if users == 1:
                del self._locks[caller, key]
            else:
                self._locks[caller, key] = lock, users - 1
