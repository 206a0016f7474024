"""The list as this device shows it: what the node confirmed, with the outbox on top.

Rules of this file:

1. The confirmed rows and the pending commands change in one step with what is shown, so that
   nobody ever sees the one without the other (C2).
2. No change, no difference (C1). The totals are those of the rows shown.
3. After a reset versions do not compare, since they may be another store's: the new rows are
   compared with the old by what they show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from recents.client.arguments import callers_mistake, positive
from recents.client.outbox import Outbox
from recents.client.view import View
from recents.core.entry import InboxEntry
from recents.core.filters import MAIN_LIST, Filter
from recents.core.ids import Conversation
from recents.core.ordering import cursor_after, place_after
from recents.core.overlay import shown
from recents.core.replica import Difference, Gone, News, Replica, same_to_the_user
from recents.core.totals import Totals, exchanged, totals_of

Shown = Mapping[Conversation, InboxEntry | None]
"""Rows as they are shown; None where the list has none."""


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of the list, newest first.

    Attributes:
        entries: the rows.
        totals: the sums over all rows of the filter, those on other pages included.
        next_cursor: pass it to get the page behind this one; None on the last one.
        complete: False only while the rows behind the first page have not come yet, on a first
            start.
    """

    entries: tuple[InboxEntry, ...]
    totals: Totals
    next_cursor: str | None = None
    complete: bool = True


class LocalList:
    """This device's rows, in order.

    Attributes:
        complete: all rows are here, or on this device's disk.
        whole: while rows are still to come, the sums over all of them.
    """

    def __init__(self, account: str, outbox: Outbox) -> None:
        """Begin with nothing; ``outbox`` is looked at whenever something is shown anew."""
        self.complete = False
        self.whole: Totals | None = None
        self._account = account
        self._outbox = outbox
        self._replica = Replica()
        # Rows that pending commands make look different from the confirmed ones.
        self._differing: dict[Conversation, InboxEntry | None] = {}
        self._view = View()
        self._totals = Totals()
        # When mutes end, and those that this device has ended by itself.
        self._mute_ends: dict[Conversation, int] = {}
        self._ended: dict[Conversation, int] = {}

    @property
    def totals(self) -> Totals:
        """The sums over the rows; while some are still to come, over those as well."""
        return self.whole or self._totals

    # What is shown.

    def __len__(self) -> int:
        return len(self._view)

    def __iter__(self) -> Iterator[InboxEntry]:
        """Go through all rows shown, in no particular order."""
        for name, row in self._replica.rows.items():
            if name not in self._differing:
                yield row
        for differing in self._differing.values():
            if differing is not None:
                yield differing

    def get(self, conversation: Conversation) -> InboxEntry | None:
        """Return a row as it is shown, or None where the list has none."""
        if conversation in self._differing:
            return self._differing[conversation]
        return self._replica.rows.get(conversation)

    @property
    def newest_ms(self) -> int:
        """The time of the row on top, pinned ones left aside; 0 when there is none."""
        return self._view.newest_ms

    def pinned(self) -> list[InboxEntry]:
        """Return the pinned rows as they are shown, in their order (G1)."""
        rows = [self.get(name) for name in self._view.names_pinned()]
        return [row for row in rows if row is not None]

    def confirmed(self, conversation: Conversation) -> InboxEntry | None:
        """Return a row as the node confirmed it, or None where it has none."""
        return self._replica.rows.get(conversation)

    def totals_under(self, wanted: Filter) -> Totals:
        """Return the sums over the rows of a filter, as far as they are here."""
        if wanted == MAIN_LIST:
            return self.totals
        return totals_of(filter(wanted.matches, self), archived=True)

    def page(self, limit: int, cursor: str | None, wanted: Filter = MAIN_LIST) -> InboxPage:
        """Return a page of the rows of a filter (O4).

        Raises:
            CallerMistake: this is not a cursor, or the limit is below 1.
        """
        with callers_mistake():
            place = None if cursor is None else place_after(cursor)
        most = positive(limit)
        entries: list[InboxEntry] = []
        more = False
        for name in self._view.names_after(place):
            row = self.get(name)
            assert row is not None, "the view has the rows that are shown"
            if not wanted.matches(row):
                continue
            more = len(entries) == most
            if more:
                break
            entries.append(row)
        return InboxPage(
            entries=tuple(entries),
            totals=self.totals_under(wanted),
            next_cursor=cursor_after(entries[-1]) if more else None,
            complete=self.complete,
        )

    # What the node confirmed.

    def restore(self, rows: Sequence[InboxEntry]) -> None:
        """Take in rows that were kept."""
        self._replica.restore(rows)
        for row in rows:
            self._note_end(row.conversation, row)
        self._view.put(rows)
        self._totals = self._replica.totals

    @property
    def confirmed_rows(self) -> Mapping[Conversation, InboxEntry]:
        """All rows that the node confirmed."""
        return self._replica.rows

    @property
    def confirmed_totals(self) -> Totals:
        """The sums over them."""
        return self._replica.totals

    def news(self, rows: Iterable[InboxEntry], gone: Iterable[Gone]) -> News:
        """Tell what ``accept`` of these would change; changes nothing."""
        return self._replica.news(rows, gone)

    def accept(self, news: News) -> None:
        """Take in news; to be followed by ``show_anew``."""
        self._replica.take(news)
        # What comes from here on is newer than any removal so far.
        self._replica.settle()

    def replace(self, replica: Replica) -> None:
        """Put other confirmed rows in place of these; to be followed by ``show_anew``."""
        self._replica = replica

    # Both together.

    def look(self, names: Iterable[Conversation]) -> Shown:
        """Remember how some rows look, before they change."""
        return {name: self.get(name) for name in names}

    def show_anew(self, before: Shown) -> Difference:
        """Show rows after a change of theirs, and tell how they differ from before."""
        added, updated, removed = [], [], []
        for name, old in before.items():
            new = self._shown(name)
            self._note_end(name, new)
            if new is old:
                continue
            self._totals = exchanged(self._totals, old, new)
            if old is None:
                assert new is not None
                added.append(new)
            elif new is None:
                removed.append(old)
            elif not same_to_the_user(old, new):
                updated.append(new)
        self._view.discard(removed)
        self._view.put(added + updated)
        return Difference(tuple(added), tuple(updated), tuple(removed))

    # Mutes that end while no node says so (G2).

    @property
    def next_mute_end(self) -> int | None:
        """When the next mute that is shown ends by itself; None: none does."""
        return min(self._mute_ends.values(), default=None)

    def end_mutes(self, now_ms: int) -> list[Conversation]:
        """End those whose time is up; ``show_anew`` of the rows returned is to follow."""
        ended = {name: until for name, until in self._mute_ends.items() if until <= now_ms}
        self._ended |= ended
        return list(ended)

    def leave_mutes_to_the_node(self) -> set[Conversation]:
        """Show them as the node has them; ``show_anew`` of the rows returned is to follow."""
        names, self._ended = set(self._ended), {}
        return names

    def _note_end(self, name: Conversation, row: InboxEntry | None) -> None:
        if row is not None and row.mute_until_ms is not None:
            self._mute_ends[name] = row.mute_until_ms
        else:
            self._mute_ends.pop(name, None)

    def _shown(self, name: Conversation) -> InboxEntry | None:
        confirmed = self._replica.rows.get(name)
        pending = self._outbox.concerning(name)
        row = shown(self._account, name, confirmed, pending) if pending else confirmed
        # One that was given another end since goes on.
        until_ms = None if row is None else row.mute_until_ms
        if row is not None and until_ms is not None and until_ms == self._ended.get(name):
            row = msgspec.structs.replace(row, mute=None, mute_until_ms=None)
        if row == confirmed:
            self._differing.pop(name, None)
            return confirmed
        self._differing[name] = row
        return row
