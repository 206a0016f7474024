"""The list of recent conversations, as the application sees it (rules R, D, O4).

Rules of this file:

1. Without ``upto_seq`` a command covers what this device has received, so that a message on its
   way here is neither read nor deleted unseen (R1, D2).
2. Reading or deleting a row that is not there succeeds at once (R2, D6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import islice
from typing import Any

from recents.client.arguments import checked_conversation, several, some_kinds
from recents.client.asking import Asking
from recents.client.changes import ChangeBatch
from recents.client.listeners import Announcer, ChangeFeed
from recents.client.local_list import InboxPage, LocalList
from recents.core.commands import ClearHistory, Delete, DeleteAll, Read, ReadAll
from recents.core.entry import InboxEntry
from recents.core.ids import Kind
from recents.core.totals import Totals

_AT_ONCE = 256
"""Commands that ``delete_many`` has under way: what a node reads ahead."""


class Inbox:
    """The list of one account.

    Reading the list never waits for the network; commands return when the node has carried them
    out and the list shows it. All commands may be given twice.

    Every command raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when
    the node says no, ``Unavailable`` when it does not answer.
    """

    def __init__(self, local: LocalList, asking: Asking, announcer: Announcer) -> None:
        """Show ``local``, command through ``asking``."""
        self._local = local
        self._asking = asking
        self._announcer = announcer

    async def get(self, conversation: str) -> InboxEntry | None:
        """Return one row, or None where the list has none."""
        return self._local.get(checked_conversation(conversation))

    async def totals(self) -> Totals:
        """Return the sums over all rows."""
        return self._local.totals

    async def mark_read(self, conversation: str, upto_seq: int | None = None) -> None:
        """Read a conversation (R1).

        Args:
            conversation: which.
            upto_seq: read up to here; by default all that this device has received.
        """
        name = checked_conversation(conversation)
        if upto_seq is None:
            row = self._local.get(name)
            if row is None and self._local.complete:
                return
            upto_seq = row.last_seq if row else None
        await self._asking.order(
            Read(id=self._asking.new_id(), conversation=name, upto_seq=upto_seq)
        )

    async def mark_all_read(self, kinds: Iterable[Kind | str] | None = None) -> None:
        """Read all conversations, or those of some kinds, as this device has them (R5)."""
        await self._asking.order(
            ReadAll(id=self._asking.new_id(), kinds=some_kinds(kinds), upto=self._local.token)
        )

    async def delete(self, conversation: str, *, clear_history: bool = False) -> None:
        """Delete a row, here and on all devices of this account (D1, D2).

        Args:
            conversation: which; it comes back with its next message.
            clear_history: for this account, delete its messages as well (D3).
        """
        name = checked_conversation(conversation)
        row = self._local.get(name)
        # Where the row is gone its history may still be there to clear.
        if row is None and self._local.complete and not clear_history:
            return
        await self._asking.order(
            Delete(
                id=self._asking.new_id(),
                conversation=name,
                upto_seq=row.last_seq if row else None,
                clear_history=clear_history,
            )
        )

    async def delete_many(self, conversations: Iterable[str]) -> None:
        """Delete several rows (D1). If one fails, the others are deleted all the same."""
        names = [checked_conversation(name) for name in several(conversations, "delete_many")]
        await _all_of(self.delete(name) for name in names)

    async def delete_all(
        self, kinds: Iterable[Kind | str] | None = None, *, clear_history: bool = False
    ) -> None:
        """Delete all rows, or those of some kinds, as this device has them (D4).

        Args:
            kinds: which; all by default.
            clear_history: for this account, delete their messages as well (D3).
        """
        await self._asking.order(
            DeleteAll(
                id=self._asking.new_id(),
                kinds=some_kinds(kinds),
                upto=self._local.token,
                clear_history=clear_history,
            )
        )

    async def clear_history(self, conversation: str) -> None:
        """Delete the messages received so far for this account; the row stays (D5)."""
        name = checked_conversation(conversation)
        row = self._local.get(name)
        await self._asking.order(
            ClearHistory(
                id=self._asking.new_id(),
                conversation=name,
                upto_seq=row.last_seq if row else None,
            )
        )

    def on_change(self, listener: Callable[[ChangeBatch], object]) -> Callable[[], None]:
        """Call ``listener`` with each change of the list, when the list shows it already.

        It must return soon and may not be a coroutine function; what it raises is logged.

        Returns:
            A function that ends this.
        """
        return self._announcer.batches.add(listener)

    def changes(self) -> ChangeFeed:
        """Return the changes from now on, for ``async for``.

        Changes that come while the consumer is busy arrive as one batch. The iteration ends when
        the client closes, and raises ``Refused`` when the node ends it for good.
        """
        return self._announcer.feed()

    # Last, since from here on `list` is this method.
    async def list(self, limit: int = 50, cursor: str | None = None) -> InboxPage:
        """Return rows, newest first (O1, O4).

        Args:
            limit: at most so many rows, 1 or above.
            cursor: ``next_cursor`` of the page before; by default the first page.
        """
        return self._local.page(limit, cursor)


async def _all_of(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await many calls, some at once, all to their end; raise the first failure."""
    rest = iter(calls)
    failures: Sequence[BaseException] = ()
    while some := tuple(islice(rest, _AT_ONCE)):
        ended = await asyncio.gather(*some, return_exceptions=True)
        failures = failures or [end for end in ended if end is not None]
    if failures:
        raise failures[0]
