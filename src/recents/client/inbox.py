"""The list of recent conversations, as the application sees it (rules R, D, O4, G2, G6).

Rules of this file:

1. Reading the list never waits for the network. Commands work offline: they are kept, shown at
   once and sent when there is a connection (C4).
2. Reading or deleting a row that is not there succeeds at once (R2, D6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import islice
from typing import Any, get_args

from recents.client.arguments import (
    checked,
    checked_conversation,
    checked_seq,
    several,
    some_kinds,
)
from recents.client.asking import Asking
from recents.client.changes import ChangeBatch
from recents.client.copying import Copying
from recents.client.listeners import Announcer, ChangeFeed
from recents.client.local_list import InboxPage, LocalList
from recents.client.planning import Planning, Wish
from recents.core.commands import Mute, MuteLevel, SetDraft
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake
from recents.core.ids import Conversation, Kind
from recents.core.totals import Totals

MUTE_LEVELS = get_args(MuteLevel)

_AT_ONCE = 256
"""Commands that ``delete_many`` has under way: what a node reads ahead."""


class Inbox:
    """The list of one account.

    Commands return when the node has carried them out and the list shows it; offline they return
    when they are kept on this device, and the list shows them too. All may be given twice.

    Every command raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when
    the node says no while the call waits (later, ``Client.on_refused`` tells), ``Unavailable``
    when this device cannot keep it.
    """

    def __init__(
        self,
        local: LocalList,
        copying: Copying,
        planning: Planning,
        asking: Asking,
        announcer: Announcer,
    ) -> None:
        """Show ``local``, command through ``asking``."""
        self._local = local
        self._copying = copying
        self._planning = planning
        self._asking = asking
        self._announcer = announcer

    async def get(self, conversation: str) -> InboxEntry | None:
        """Return one row, or None where the list has none."""
        name = checked_conversation(conversation)
        row = self._local.get(name)
        if row is None:
            await self._copying.wait_for_the_rest()
            row = self._local.get(name)
        return row

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
        absent = False
        if upto_seq is not None:
            checked_seq(upto_seq, "upto_seq")
        else:
            absent = await self._is_absent(name)
            upto_seq = self._planning.received(name)
        await self._asking.order(
            _nothing if absent else lambda: self._checked(self._planning.read(name, upto_seq)),
            name,
        )

    async def mark_all_read(self, kinds: Iterable[Kind | str] | None = None) -> None:
        """Read all conversations, or those of some kinds, as this device has them (R5)."""
        some = some_kinds(kinds)
        token, seen = self._seen(some)
        await self._asking.order(
            lambda: self._planning.read_all(
                some, self._copying.token if seen is None else token, seen
            )
        )

    async def mark_unread(self, conversation: str) -> None:
        """Put a dot on a row, on all devices; reading takes it away (R4)."""
        name = checked_conversation(conversation)
        await self._asking.order(lambda: self._planning.mark_unread(name), name)

    async def mark_unread_from(self, conversation: str, seq: int) -> None:
        """Make the messages from ``seq`` on unread again, on all devices (R3)."""
        name = checked_conversation(conversation)
        checked_seq(seq, "seq")
        await self._asking.order(
            lambda: self._checked(self._planning.mark_unread_from(name, seq)), name
        )

    async def delete(self, conversation: str, *, clear_history: bool = False) -> None:
        """Delete a row, here and on all devices of this account (D1, D2).

        Args:
            conversation: which; it comes back with its next message.
            clear_history: for this account, delete its messages as well (D3).
        """
        name = checked_conversation(conversation)
        absent = await self._is_absent(name)
        upto_seq = await self._planning.newest_seen(name)
        await self._asking.order(
            _nothing
            if absent and not clear_history
            else lambda: self._planning.delete(name, upto_seq, clear_history=clear_history),
            name,
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
        some = some_kinds(kinds)
        token, seen = self._seen(some)
        await self._asking.order(
            lambda: self._planning.delete_all(
                some,
                self._copying.token if seen is None else token,
                seen,
                clear_history=clear_history,
            )
        )

    async def clear_history(self, conversation: str) -> None:
        """Delete the messages received so far for this account; the row stays (D5)."""
        name = checked_conversation(conversation)
        upto_seq = await self._planning.newest_seen(name)
        await self._asking.order(lambda: self._planning.clear_history(name, upto_seq), name)

    async def set_draft(self, conversation: str, text: str) -> None:
        """Keep a text that was not sent yet, for all devices; the newest one stands (G6).

        Args:
            conversation: which; it need not have a message yet.
            text: at most 5,000 characters; an empty one clears the draft, and so does sending.
        """
        name = checked_conversation(conversation)
        await self._asking.order_one(
            SetDraft(id=self._asking.new_id(), conversation=name, text=text)
        )

    async def mute(self, conversation: str, level: MuteLevel = "none") -> None:
        """Mute a conversation, on all devices (G2, U4).

        Args:
            conversation: which.
            level: what still alerts: ``none``: nothing; ``mentions``: being mentioned.
        """
        name = checked_conversation(conversation)
        if level not in MUTE_LEVELS:
            raise CallerMistake(f"there is no mute level {level!r}: use none or mentions")
        await self._asking.order_one(
            Mute(id=self._asking.new_id(), conversation=name, level=level)
        )

    async def unmute(self, conversation: str) -> None:
        """Let a conversation alert again, on all devices (G2)."""
        name = checked_conversation(conversation)
        await self._asking.order_one(Mute(id=self._asking.new_id(), conversation=name))

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

    def _seen(
        self, kinds: tuple[Kind, ...] | None
    ) -> tuple[str | None, Sequence[InboxEntry] | None]:
        """Return the token and the rows as they are now, if all rows are in memory (R5, D4)."""
        if self._local.whole is not None:
            return None, None
        return self._copying.token, self._planning.rows(kinds)

    async def _is_absent(self, name: Conversation) -> bool:
        """Tell whether there is no such row; what comes from here on is not seen yet (R1, D2)."""
        return await self.get(name) is None and self._local.complete

    async def _checked(self, planned: Coroutine[Any, Any, Sequence[Wish]]) -> Sequence[Wish]:
        wishes = await planned
        for wish in wishes:
            checked(wish.command)
        return wishes

    # Last, since from here on `list` is this method.
    async def list(
        self, limit: int = 50, cursor: str | None = None, *, unread_only: bool = False
    ) -> InboxPage:
        """Return rows, newest first (O1, O4).

        Args:
            limit: at most so many rows, 1 or above.
            cursor: ``next_cursor`` of the page before; by default the first page.
            unread_only: only rows with unread messages or a dot (R4).
        """
        if cursor is not None or unread_only or limit > len(self._local):
            await self._copying.wait_for_the_rest()
        return self._local.page(limit, cursor, unread_only=unread_only)


async def _nothing() -> Sequence[Wish]:
    return ()


async def _all_of(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await many calls, some at once, all to their end; raise the first failure."""
    rest = iter(calls)
    failures: Sequence[BaseException] = ()
    while some := tuple(islice(rest, _AT_ONCE)):
        ended = await asyncio.gather(*some, return_exceptions=True)
        failures = failures or [end for end in ended if end is not None]
    if failures:
        raise failures[0]
