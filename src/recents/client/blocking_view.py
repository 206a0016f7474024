"""A live view for blocking code; see ``live_view``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from recents.client.blocking_calls import OwnThread, twin_of
from recents.client.live_view import LiveView
from recents.core.entry import InboxEntry
from recents.core.errors import Unavailable
from recents.core.live import ViewChange
from recents.core.totals import Totals


@twin_of(LiveView)
class BlockingLiveView(Iterator[ViewChange]):
    """The rows of a filter, in order, and how they change; for ``with``.

    Listen with ``on_change``, or iterate with ``for``: taken in order, the steps of each change
    make the new rows of the old ones. The iteration ends when the view or the client is closed,
    and where a time was given also when there was no change for so long; a further ``for`` over it
    then goes on.
    """

    def __init__(self, own: OwnThread, view: LiveView, timeout_s: float | None) -> None:
        """Follow ``view`` on the client's thread; applications call ``inbox.watch``."""
        self._own = own
        self._view = view
        self._timeout_s = timeout_s

    @property
    def entries(self) -> tuple[InboxEntry, ...]:
        """The rows, in order, after the last change that was told."""
        return self._own.do(lambda: self._view.entries)

    @property
    def totals(self) -> Totals:
        """The sums over all rows of the filter, after the last change that was told."""
        return self._own.do(lambda: self._view.totals)

    def open(self) -> None:
        """Look at the rows, and follow them from now on."""
        self._own.call(self._view.open)

    def close(self) -> None:
        """Follow the rows no longer; what was told last stays."""
        self._own.do(self._view.close)

    def on_change(self, listener: Callable[[ViewChange], object]) -> Callable[[], None]:
        """Call ``listener`` with each change, when the view shows it already.

        It is called on the client's own thread; see ``BlockingInbox.on_change``. A view that has
        listeners has nothing left for ``for``.

        Returns:
            A function that ends this.
        """
        return removing(self._own, self._own.do(self._view.on_change, listener))

    def __next__(self) -> ViewChange:
        try:
            change = self._own.call(self._next)
        except Unavailable:
            if self._own.running:
                raise
            # What came before the client was closed, or is being closed just now.
            change = self._own.do(self._view.take_now)
        if change is None:
            raise StopIteration
        return change

    async def _next(self) -> ViewChange | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await anext(self._view)
        except (TimeoutError, StopAsyncIteration):
            return None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def removing(own: OwnThread, remove: Callable[[], None]) -> Callable[[], None]:
    """Return a function that takes a listener away, from any thread."""
    return lambda: own.do(remove)
