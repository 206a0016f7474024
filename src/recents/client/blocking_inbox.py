"""The list of recent conversations for blocking code; see ``inbox``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Unpack

from recents.client.arguments import Filtering
from recents.client.blocking_calls import OwnThread, twin_of
from recents.client.blocking_view import BlockingLiveView, removing
from recents.client.changes import ChangeBatch
from recents.client.inbox import Inbox
from recents.client.labels import Label
from recents.client.listeners import ChangeFeed
from recents.client.local_list import InboxPage
from recents.core.commands import MuteLevel
from recents.core.entry import InboxEntry
from recents.core.errors import Unavailable
from recents.core.explain import Explanation
from recents.core.ids import Kind
from recents.core.totals import Totals


class BlockingChangeFeed(Iterator[ChangeBatch]):
    """Batches one after the other, for one consumer; ends when the client closes.

    Batches that come while the consumer is busy arrive as one. Where a time was given it also
    ends when there was no change for so long; a further ``for`` over it then goes on.
    """

    def __init__(self, own: OwnThread, feed: ChangeFeed, timeout_s: float | None) -> None:
        """Wait on the client's thread."""
        self._own = own
        self._feed = feed
        self._timeout_s = timeout_s

    def __next__(self) -> ChangeBatch:
        try:
            batch = self._own.call(self._next)
        except Unavailable:
            if self._own.running:
                raise
            batch = self._left()
        if batch is None:
            raise StopIteration
        return batch

    def _left(self) -> ChangeBatch | None:
        """Return what came before the client was closed, or is being closed just now."""
        return self._own.do(self._feed.take_now)

    async def _next(self) -> ChangeBatch | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await anext(self._feed)
        except (TimeoutError, StopAsyncIteration):
            return None


@twin_of(Inbox)
class BlockingInbox:
    """The list of one account.

    Commands return when the node has carried them out and the list shows it; offline they return
    when they are kept on this device, and the list shows them too. All may be given twice.

    Every command raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when
    the node says no while the call waits (later, ``on_refused`` tells), ``Unavailable`` when this
    device cannot keep it, or the client is not open.
    """

    def __init__(self, own: OwnThread, inbox: Inbox) -> None:
        """Call ``inbox`` on the client's thread."""
        self._own = own
        self._inbox = inbox

    def get(self, conversation: str) -> InboxEntry | None:
        """Return one row, or None where the list has none."""
        return self._own.call(self._inbox.get, conversation)

    def totals(self, **filter: Unpack[Filtering]) -> Totals:
        """Return the sums over all rows, or over those of a filter; see ``Filtering``."""
        return self._own.call(self._inbox.totals, **filter)

    def search(self, text: str, limit: int = 50) -> tuple[InboxEntry, ...]:
        """Return the rows whose name, id, draft or preview has every word of ``text``."""
        return self._own.call(self._inbox.search, text, limit)

    def explain(self, conversation: str) -> Explanation:
        """Tell why a row shows what it shows: above all, which messages are unread (U1)."""
        return self._own.call(self._inbox.explain, conversation)

    def mark_read(self, conversation: str, upto_seq: int | None = None) -> None:
        """Read a conversation (R1)."""
        self._own.call(self._inbox.mark_read, conversation, upto_seq)

    def mark_all_read(self, kinds: Iterable[Kind | str] | None = None) -> None:
        """Read all conversations, or those of some kinds, as this device has them (R5)."""
        self._own.call(self._inbox.mark_all_read, kinds)

    def mark_unread(self, conversation: str) -> None:
        """Put a dot on a row, on all devices; reading takes it away (R4)."""
        self._own.call(self._inbox.mark_unread, conversation)

    def mark_unread_from(self, conversation: str, seq: int) -> None:
        """Make the messages from ``seq`` on unread again, on all devices (R3)."""
        self._own.call(self._inbox.mark_unread_from, conversation, seq)

    def delete(self, conversation: str, *, clear_history: bool = False) -> None:
        """Delete a row, here and on all devices of this account (D1, D2)."""
        self._own.call(self._inbox.delete, conversation, clear_history=clear_history)

    def delete_many(self, conversations: Iterable[str]) -> None:
        """Delete several rows (D1). If one fails, the others are deleted all the same."""
        self._own.call(self._inbox.delete_many, conversations)

    def delete_all(
        self, kinds: Iterable[Kind | str] | None = None, *, clear_history: bool = False
    ) -> None:
        """Delete all rows, or those of some kinds, as this device has them (D4)."""
        self._own.call(self._inbox.delete_all, kinds, clear_history=clear_history)

    def clear_history(self, conversation: str) -> None:
        """Delete the messages received so far for this account; the row stays (D5)."""
        self._own.call(self._inbox.clear_history, conversation)

    def set_draft(self, conversation: str, text: str) -> None:
        """Keep a text that was not sent yet, for all devices; the newest one stands (G6)."""
        self._own.call(self._inbox.set_draft, conversation, text)

    def mute(
        self, conversation: str, level: MuteLevel = "none", until_ms: int | None = None
    ) -> None:
        """Mute a conversation, on all devices (G2, U4)."""
        self._own.call(self._inbox.mute, conversation, level, until_ms)

    def unmute(self, conversation: str) -> None:
        """Let a conversation alert again, on all devices (G2)."""
        self._own.call(self._inbox.unmute, conversation)

    def set_alias(self, conversation: str, alias: str) -> None:
        """Give a row a name of one's own, on all devices; the newest one stands (I1)."""
        self._own.call(self._inbox.set_alias, conversation, alias)

    def pin(self, conversation: str, ext: str = "") -> None:
        """Pin a row on top of all others, on all devices; a pinned one keeps its place (G1)."""
        self._own.call(self._inbox.pin, conversation, ext)

    def unpin(self, conversation: str) -> None:
        """Let a row stand where its activity puts it, on all devices (G1)."""
        self._own.call(self._inbox.unpin, conversation)

    def move_pin(self, conversation: str, before: str | None) -> None:
        """Give a pinned row another place, on all devices; one without a pin gets one (G1)."""
        self._own.call(self._inbox.move_pin, conversation, before)

    def archive(self, conversation: str) -> None:
        """Put a row out of the list and its totals, on all devices (G4)."""
        self._own.call(self._inbox.archive, conversation)

    def unarchive(self, conversation: str) -> None:
        """Put an archived row back into the list, on all devices (G4)."""
        self._own.call(self._inbox.unarchive, conversation)

    def add_label(self, conversation: str, label: str) -> None:
        """Put a label on a row, as into a folder, on all devices (G5)."""
        self._own.call(self._inbox.add_label, conversation, label)

    def remove_label(self, conversation: str, label: str) -> None:
        """Take a label off a row, on all devices (G5)."""
        self._own.call(self._inbox.remove_label, conversation, label)

    def labels(self) -> tuple[Label, ...]:
        """Return the labels that rows have, by name, with what is in each (G5)."""
        return self._own.call(self._inbox.labels)

    def set_extension(self, conversation: str, text: str) -> None:
        """Keep a text of the application with a row, on all devices; the newest stands (G7)."""
        self._own.call(self._inbox.set_extension, conversation, text)

    def on_change(self, listener: Callable[[ChangeBatch], object]) -> Callable[[], None]:
        """Call ``listener`` with each change of the list, when the list shows it already.

        It is called on the client's own thread: it must return soon, and cannot call the client,
        which would wait for itself; what it raises is logged.

        Returns:
            A function that ends this.
        """
        return removing(self._own, self._own.do(self._inbox.on_change, listener))

    def changes(self, timeout_s: float | None = None) -> BlockingChangeFeed:
        """Return the changes from now on, for ``for``.

        Changes that come while the consumer is busy arrive as one batch. The iteration ends when
        the client closes, and raises ``Refused`` when the node ends it for good.

        Args:
            timeout_s: end it, too, when there was no change for so many seconds; by default it
                waits for ever.
        """
        return BlockingChangeFeed(self._own, self._own.do(self._inbox.changes), timeout_s)

    def watch(
        self,
        *,
        limit: int | None = None,
        timeout_s: float | None = None,
        **filter: Unpack[Filtering],
    ) -> BlockingLiveView:
        """Return a live view of the rows of a filter, for ``with``.

        Args:
            limit: only the first so many rows, 1 or above; by default all. The totals are those of
                all rows of the filter.
            timeout_s: end the iteration, too, when there was no change for so many seconds; by
                default it waits for ever.
            filter: which rows; see ``Filtering``. By default all.
        """
        view = self._own.do(self._inbox.watch, limit=limit, **filter)
        return BlockingLiveView(self._own, view, timeout_s)

    # Last, since from here on `list` is this method.
    def list(
        self,
        limit: int = 50,
        cursor: str | None = None,
        *,
        exclude_preview_kinds: Iterable[str] = (),
        **filter: Unpack[Filtering],
    ) -> InboxPage:
        """Return rows, newest first (O1, O4), and the sums over all that match."""
        return self._own.call(
            self._inbox.list,
            limit,
            cursor,
            exclude_preview_kinds=exclude_preview_kinds,
            **filter,
        )
