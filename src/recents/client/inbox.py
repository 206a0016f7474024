"""The list of recent conversations, as the application sees it (rules R, D, O4, G).

Rules of this file:

1. Reading the list never waits for the network. Commands work offline: they are kept, shown at
   once and sent when there is a connection (C4).
2. Reading or deleting a row that is not there succeeds at once (R2, D6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import islice
from typing import Any, Unpack, get_args

import msgspec

from recents.client.arguments import (
    Filtering,
    checked,
    checked_conversation,
    checked_seq,
    checked_text,
    filter_of,
    positive,
    several,
    some_kinds,
)
from recents.client.asking import Asking
from recents.client.changes import ChangeBatch
from recents.client.copying import Copying
from recents.client.explaining import Explaining
from recents.client.labels import Label, labels_of
from recents.client.listeners import Announcer, ChangeFeed
from recents.client.live_view import LiveView
from recents.client.local_list import InboxPage, LocalList
from recents.client.other_previews import OtherPreviews
from recents.client.planning import Planning, Wish
from recents.client.row_search import RowSearch
from recents.core.commands import (
    AddLabel,
    Mute,
    MuteLevel,
    RemoveLabel,
    SetAlias,
    SetDraft,
    SetExtension,
    Unarchive,
    Unpin,
)
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake
from recents.core.explain import Explanation
from recents.core.filters import MAIN_LIST
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
        explaining: Explaining,
        other_previews: OtherPreviews,
    ) -> None:
        """Show ``local``, command through ``asking``."""
        self._local = local
        self._copying = copying
        self._planning = planning
        self._asking = asking
        self._announcer = announcer
        self._other_previews = other_previews
        self._row_search = RowSearch(local, announcer)
        self._explaining = explaining

    async def get(self, conversation: str) -> InboxEntry | None:
        """Return one row, or None where the list has none."""
        name = checked_conversation(conversation)
        row = self._local.get(name)
        if row is None:
            await self._copying.wait_for_the_rest()
            row = self._local.get(name)
        return row

    async def totals(self, **filter: Unpack[Filtering]) -> Totals:
        """Return the sums over all rows, or over those of a filter; see ``Filtering``."""
        wanted = filter_of(filter)
        if wanted != MAIN_LIST:
            await self._copying.wait_for_the_rest()
        return self._local.totals_under(wanted)

    async def search(self, text: str, limit: int = 50) -> tuple[InboxEntry, ...]:
        """Return the rows whose name, id, draft or preview has every word of ``text``.

        Names come first, and among equals the newest. Case, accents and widths make no
        difference, and Chinese names are found by their sound as well: ``zwm`` finds 张伟明.

        Args:
            text: what to look for.
            limit: at most so many rows, 1 or above.
        """
        most, wanted = positive(limit), checked_text(text)
        await self._copying.wait_for_the_rest()
        return await self._row_search.rows(wanted, most)

    async def explain(self, conversation: str) -> Explanation:
        """Tell why a row shows what it shows: above all, which messages are unread (U1).

        Offline this is found from the messages that this device keeps: ``complete`` is False
        where some are missing, and ``unread`` is that of the row all the same.

        Args:
            conversation: which; its row may be a deleted one.
        """
        return await self._explaining.explain(checked_conversation(conversation))

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
        """Read all conversations, or those of some kinds, as this device has them (R5).

        Archived rows are left as they are (G4).
        """
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

        Archived rows are left as they are (G4).

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

    async def mute(
        self, conversation: str, level: MuteLevel = "none", until_ms: int | None = None
    ) -> None:
        """Mute a conversation, on all devices (G2, U4).

        Args:
            conversation: which.
            level: what still alerts: ``none``: nothing; ``mentions``: being mentioned.
            until_ms: when it ends by itself, in ms since 1970 by the node's clock; by default it
                does not.
        """
        name = checked_conversation(conversation)
        if level not in MUTE_LEVELS:
            raise CallerMistake(f"there is no mute level {level!r}: use none or mentions")
        if until_ms is not None:
            checked_seq(until_ms, "until_ms")
        await self._asking.order_one(
            Mute(id=self._asking.new_id(), conversation=name, level=level, until_ms=until_ms)
        )

    async def unmute(self, conversation: str) -> None:
        """Let a conversation alert again, on all devices (G2)."""
        name = checked_conversation(conversation)
        await self._asking.order_one(Mute(id=self._asking.new_id(), conversation=name))

    async def set_alias(self, conversation: str, alias: str) -> None:
        """Give a row a name of one's own, on all devices; the newest one stands (I1).

        Args:
            conversation: which.
            alias: at most 128 characters; "" takes it away.
        """
        name = checked_conversation(conversation)
        await self._asking.order_one(
            SetAlias(id=self._asking.new_id(), conversation=name, alias=alias)
        )

    async def pin(self, conversation: str, ext: str = "") -> None:
        """Pin a row on top of all others, on all devices; a pinned one keeps its place (G1).

        Args:
            conversation: which; one that is not in the list stays away.
            ext: a text of the application, at most 1,024 bytes; replaces the one that is there.
        """
        name = checked_conversation(conversation)
        # Its place depends on all pinned rows: nothing else is planned beside it.
        await self._asking.order(lambda: self._checked(self._planning.pin(name, ext)))

    async def unpin(self, conversation: str) -> None:
        """Let a row stand where its activity puts it, on all devices (G1)."""
        name = checked_conversation(conversation)
        await self._asking.order_one(Unpin(id=self._asking.new_id(), conversation=name))

    async def move_pin(self, conversation: str, before: str | None) -> None:
        """Give a pinned row another place, on all devices; one without a pin gets one (G1).

        Args:
            conversation: which.
            before: the pinned row that is to follow it; None: it becomes the last one.
        """
        name = checked_conversation(conversation)
        follower = None if before is None else checked_conversation(before)
        await self._asking.order(lambda: self._planning.move_pin(name, follower))

    async def archive(self, conversation: str) -> None:
        """Put a row out of the list and its totals, on all devices (G4).

        It is back when somebody else writes; where it is muted, only by ``unarchive``.

        Args:
            conversation: which; sending to it does not bring it back.
        """
        name = checked_conversation(conversation)
        # What comes while this waits for its turn was not on screen.
        upto_seq = self._planning.received(name)
        await self._asking.order(lambda: self._planning.archive(name, upto_seq), name)

    async def unarchive(self, conversation: str) -> None:
        """Put an archived row back into the list, on all devices (G4)."""
        name = checked_conversation(conversation)
        await self._asking.order_one(Unarchive(id=self._asking.new_id(), conversation=name))

    async def add_label(self, conversation: str, label: str) -> None:
        """Put a label on a row, as into a folder, on all devices (G5).

        Args:
            conversation: which.
            label: its name, 1 to 64 characters; a row has at most 20.
        """
        name = checked_conversation(conversation)
        await self._asking.order_one(
            AddLabel(id=self._asking.new_id(), conversation=name, label=label)
        )

    async def remove_label(self, conversation: str, label: str) -> None:
        """Take a label off a row, on all devices (G5)."""
        name = checked_conversation(conversation)
        await self._asking.order_one(
            RemoveLabel(id=self._asking.new_id(), conversation=name, label=label)
        )

    async def labels(self) -> tuple[Label, ...]:
        """Return the labels that rows have, by name, with what is in each (G5)."""
        await self._copying.wait_for_the_rest()
        return labels_of(self._local)

    async def set_extension(self, conversation: str, text: str) -> None:
        """Keep a text of the application with a row, on all devices; the newest stands (G7).

        Args:
            conversation: which.
            text: at most 4,096 bytes; an empty one takes it away.
        """
        name = checked_conversation(conversation)
        await self._asking.order_one(
            SetExtension(id=self._asking.new_id(), conversation=name, text=text)
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

    def watch(self, *, limit: int | None = None, **filter: Unpack[Filtering]) -> LiveView:
        """Return a live view of the rows of a filter, for ``async with``.

        Args:
            limit: only the first so many rows, 1 or above; by default all. The totals are those of
                all rows of the filter.
            filter: which rows; see ``Filtering``. By default all.
        """
        most = None if limit is None else positive(limit)
        wanted = filter_of(filter)
        return LiveView(wanted, most, self._local, self._copying, self._announcer)

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
        self,
        limit: int = 50,
        cursor: str | None = None,
        *,
        exclude_preview_kinds: Iterable[str] = (),
        **filter: Unpack[Filtering],
    ) -> InboxPage:
        """Return rows, newest first (O1, O4), and the sums over all that match.

        Args:
            limit: at most so many rows, 1 or above.
            cursor: ``next_cursor`` of the page before; by default the first page.
            exclude_preview_kinds: rows with a preview of such a kind show the newest message of
                another kind instead (P5). The node is asked for those; offline, and beyond some
                800 messages, a row may have no preview.
            filter: which rows; see ``Filtering``. By default all.
        """
        wanted = filter_of(filter)
        kinds = frozenset(several(exclude_preview_kinds, "exclude_preview_kinds"))
        if cursor is not None or wanted != MAIN_LIST or limit > len(self._local):
            await self._copying.wait_for_the_rest()
        page = self._local.page(limit, cursor, wanted)
        if page.next_cursor is None and len(page.entries) < limit:
            # Fewer than were asked for: some of those that are read already are archived.
            await self._copying.wait_for_the_rest()
            page = self._local.page(limit, cursor, wanted)
        if not kinds:
            return page
        shown = await self._other_previews.shown(page.entries, kinds)
        return msgspec.structs.replace(page, entries=shown)


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
