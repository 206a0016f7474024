"""The copy in one SQLite file of its own: what survives a restart.

All work on the file is done by one thread, in the order in which it is asked for, so the
application's event loop never waits for a disk. What was handed to the thread is done, whether
the caller waits for it or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from recents.client.store.port import CopyDamaged, FoundMessage, Saved, SetAside, Step, StepFailed
from recents.client.store.sqlite_copy import Copy
from recents.client.store.sqlite_failures import work_failures
from recents.client.store.sqlite_file import CopyFile
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.ordering import Place
from recents.core.phrases import Phrase

T = TypeVar("T")

INDEXED_BEHIND = 500
"""So many messages a search may have to index before it begins, in 20 ms."""


class SqliteDeviceStore:
    """One account's copy in a file.

    Args:
        path: the file; made with its folder where there is none. ``<path>.lock`` beside it keeps
            a second program out.
        account: whose copy it is.
        new_id: makes the device id of a new file.
        kept_messages: messages kept of each conversation, the newest.
    """

    def __init__(
        self,
        path: Path,
        account: str,
        new_id: Callable[[], str],
        *,
        kept_messages: int = 200,
    ) -> None:
        self._file = CopyFile(path, account, new_id, kept_messages)
        self._thread: ThreadPoolExecutor | None = None
        self._closing: Future[None] | None = None

    async def open(self) -> Saved:
        """Make the file ready; one that is open already is let go of first.

        Raises:
            StoreUnusable: it cannot be used, with what to do.
        """
        await self.close()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="device-store")
        try:
            return await self._hop(self._file.open)
        except BaseException:
            # Also when nobody waits any longer: what is being opened is closed behind it.
            self._end_thread()
            raise

    async def close(self) -> None:
        """Finish what was begun, bring everything into the one file, let go of it."""
        self._end_thread()
        if self._closing is not None:
            await asyncio.shield(asyncio.wrap_future(self._closing))

    async def commit(self, step: Step) -> None:
        """Keep a step, whole.

        Raises:
            StepFailed: nothing of it was kept.
            CopyDamaged: nor will anything be, before ``begin_anew``.
        """
        await self._work("the commit", lambda copy: copy.commit(step))
        if self._thread is not None:
            self._thread.submit(self._file.shorten_log)
            self._thread.submit(self._index_some)

    async def begin_anew(self) -> SetAside:
        """Set the damaged copy aside and begin with an empty one, of the same device.

        Raises:
            StoreUnusable: that fails as well.
        """
        return await self._hop(self._file.begin_anew)

    async def rows_after(self, place: Place | None, limit: int) -> list[InboxEntry]:
        """Return rows in the order of O1, from the top or behind a place.

        Raises:
            StepFailed, CopyDamaged: they cannot be read.
        """
        return await self._work("reading rows", lambda copy: copy.rows_after(place, limit))

    async def messages(
        self, conversation: Conversation, before_seq: int, limit: int
    ) -> list[Message]:
        """Return the newest kept messages with ``seq < before_seq``, oldest first.

        Raises:
            StepFailed, CopyDamaged: they cannot be read.
        """
        return await self._work(
            "reading messages", lambda copy: copy.messages(conversation, before_seq, limit)
        )

    async def search(
        self, phrases: Sequence[Phrase], conversation: Conversation | None, limit: int
    ) -> list[FoundMessage]:
        """Return the newest kept messages whose text has every phrase, newest first.

        Raises:
            StepFailed, CopyDamaged: they cannot be read.
        """
        return await self._work(
            "searching messages", lambda copy: copy.search(phrases, conversation, limit)
        )

    async def _work(self, what: str, work: Callable[[Copy], T]) -> T:
        return await self._hop(partial(self._worked, what, work))

    def _worked(self, what: str, work: Callable[[Copy], T]) -> T:
        try:
            with work_failures(self._file.path, what):
                return work(self._file.copy)
        except CopyDamaged:
            self._file.give_up()
            raise

    async def _hop(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise StepFailed(f"{self._file.path} is not open")
        work_done = asyncio.get_running_loop().run_in_executor(self._thread, work)
        return await asyncio.shield(work_done)

    def _index_some(self) -> None:
        """Index some messages, then let steps that wait come first, then others."""
        if self._file.index_some(INDEXED_BEHIND) and self._thread is not None:
            # Nothing is taken any more by a thread that is to end.
            with suppress(RuntimeError):
                self._thread.submit(self._index_some)

    def _end_thread(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._closing = thread.submit(self._file.close)
            thread.shutdown(wait=False)
