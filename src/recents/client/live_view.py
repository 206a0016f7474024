"""A part of the list that stays as it is now (rules C1, C2, O1, case 30).

Rules of this file:

1. A view shows what its consumer has been told: ``entries`` and ``totals`` change with the change
   that says so, never apart from it.
2. Rows that change while the consumer is busy arrive as one change; what waits is never more than
   the rows that changed, each once.
3. No change, nothing told (C1).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from recents.client.changes import ChangeBatch
from recents.client.copying import Copying
from recents.client.listeners import Announcer, Listeners
from recents.client.local_list import LocalList
from recents.client.watched import Watched
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake, RecentsError
from recents.core.filters import Filter
from recents.core.ids import Conversation
from recents.core.live import ViewChange
from recents.core.totals import Totals


class LiveView(AsyncIterator[ViewChange]):
    """The rows of a filter, in order, and how they change; for ``async with``.

    Listen with ``on_change``, or iterate with ``async for``: taken in order, the steps of each
    change make the new rows of the old ones. The iteration ends when the view or the client is
    closed, and raises ``Refused`` when the node ends the client for good.
    """

    def __init__(
        self,
        wanted: Filter,
        limit: int | None,
        local: LocalList,
        copying: Copying,
        announcer: Announcer,
    ) -> None:
        """Prepare; applications call ``inbox.watch``."""
        self._watched = Watched(wanted, limit)
        self._local = local
        self._copying = copying
        self._announcer = announcer
        self._listeners: Listeners[[ViewChange]] = Listeners()
        self._waiting: dict[Conversation, InboxEntry | None] = {}
        self._wake = asyncio.Event()
        self._leave: Callable[[], None] | None = None
        self._ended = False
        self._why: Callable[[], RecentsError] | None = None

    @property
    def entries(self) -> tuple[InboxEntry, ...]:
        """The rows, in order, after the last change that was told."""
        return self._watched.entries

    @property
    def totals(self) -> Totals:
        """The sums over all rows of the filter, after the last change that was told."""
        return self._watched.totals

    async def open(self) -> None:
        """Look at the rows, and follow them from now on.

        Raises:
            CallerMistake: this view was opened before; make another one.
        """
        if self._leave is not None:
            raise CallerMistake("this view was opened before; call inbox.watch again")
        self._leave = lambda: None
        await self._copying.wait_for_the_rest()
        # Closed meanwhile, it follows nothing.
        if not self._ended:
            self._watched.begin(self._local)
            self._leave = self._announcer.follow(self)

    def close(self) -> None:
        """Follow the rows no longer; what was told last stays."""
        if self._leave is not None:
            self._leave()
        self._waiting.clear()
        self.end()

    def on_change(self, listener: Callable[[ViewChange], object]) -> Callable[[], None]:
        """Call ``listener`` with each change, when the view shows it already.

        It must return soon and may not be a coroutine function; what it raises is logged. A view
        that has listeners has nothing left for ``async for``.

        Returns:
            A function that ends this.
        """
        remove = self._listeners.add(listener)
        self._tell()
        return remove

    def put(self, batch: ChangeBatch) -> None:
        """Hear of rows that changed."""
        images: dict[Conversation, InboxEntry | None] = {}
        images |= {row.conversation: row for row in (*batch.added, *batch.updated)}
        images |= {row.conversation: None for row in batch.removed}
        for name, image in images.items():
            if self._watched.concerns(name, image):
                self._waiting[name] = image
            else:
                self._waiting.pop(name, None)
        self._tell()

    def end(self, why: Callable[[], RecentsError] | None = None) -> None:
        """End the iteration after what waits, with an error where there is one."""
        self._ended, self._why = True, why
        self._wake.set()

    def take_now(self) -> ViewChange | None:
        """Take what waits, as one change; None where nothing does, and never will be waited for.

        Raises:
            Refused: the node has ended the client for good, and nothing is left.
        """
        waiting, self._waiting = self._waiting, {}
        totals = self._watched.totals
        change = self._watched.change(waiting)
        if change.steps or change.totals != totals:
            return change
        if self._ended and self._why is not None:
            raise self._why()
        return None

    async def __anext__(self) -> ViewChange:
        if self._leave is None:
            raise CallerMistake("the view is not open: use `async with me.inbox.watch() as view`")
        while True:
            change = self.take_now()
            if change is not None:
                return change
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _tell(self) -> None:
        if not self._listeners:
            self._wake.set()
        elif self._waiting:
            change = self.take_now()
            if change is not None:
                self._listeners.tell(change)
