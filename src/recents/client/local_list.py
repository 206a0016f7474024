"""The list as this device has it: what comes from the node goes in, batches come out.

Rules of this file:

1. A catch-up is collected aside and shown in one batch; so is a change that comes in parts (D4).
   Only the first page of a first start is shown at once.
2. After a reset versions do not compare, since they may be another store's: the new rows are
   compared with the old by what they show.
3. No change, no batch (C1). The totals of a batch are those after it (C2).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recents.client.arguments import callers_mistake, positive
from recents.client.changes import Cause, ChangeBatch
from recents.client.view import View
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.ordering import cursor_after, place_after
from recents.core.replica import Difference, Gone, Replica, difference_between
from recents.core.totals import Totals
from recents.wire.frames import CaughtUp, Changed


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of the list, newest first.

    Attributes:
        entries: the rows.
        totals: the sums over all rows, those on other pages included.
        next_cursor: pass it to get the page behind this one; None on the last one.
        complete: False only while the rows behind the first page have not come yet, on a first
            start.
    """

    entries: tuple[InboxEntry, ...]
    totals: Totals
    next_cursor: str | None = None
    complete: bool = True


class LocalList:
    """This device's copy of the list, in order, with its sync token.

    Attributes:
        token: everything up to here is in the list; None before the first catch-up ended.
        complete: all rows are here.
        catching_up: a catch-up is under way.
    """

    def __init__(self) -> None:
        self.token: str | None = None
        self.complete = False
        self.catching_up = False
        self._replica = Replica()
        self._view = View()
        self._totals_of_node: Totals | None = None
        self._aside: dict[Conversation, InboxEntry | Gone] = {}
        self._cause_aside: Cause | None = None
        self._replacing = False

    @property
    def totals(self) -> Totals:
        """The sums over all rows; while some are still to come, as the node gave them."""
        return self._totals_of_node or self._replica.totals

    def get(self, conversation: Conversation) -> InboxEntry | None:
        """Return a row, or None where the list has none."""
        return self._replica.rows.get(conversation)

    def page(self, limit: int, cursor: str | None) -> InboxPage:
        """Return a page of rows (O4).

        Raises:
            CallerMistake: this is not a cursor, or the limit is below 1.
        """
        with callers_mistake():
            place = None if cursor is None else place_after(cursor)
        places, more = self._view.after(place, positive(limit))
        rows = self._replica.rows
        entries = tuple([rows[Conversation(name)] for _, name in places])
        return InboxPage(
            entries=entries,
            totals=self.totals,
            next_cursor=cursor_after(entries[-1]) if more else None,
            complete=self.complete,
        )

    def begin(self) -> None:
        """Begin a catch-up; one that broke off is forgotten, the token brings it again."""
        self.catching_up = True
        self._forget_aside()

    def take_page(self, page: CaughtUp) -> ChangeBatch | None:
        """Take in a page of a catch-up; the last one ends it."""
        if page.reset and page.token is None and not self.complete and not self._replica.rows:
            self._totals_of_node = page.totals
            return self._show(self._replica.accept(page.rows, page.gone), "catch_up")
        self._replacing |= page.reset
        self._put_aside(page.rows, page.gone)
        if page.token is None:
            return None
        self.catching_up = False
        self.complete = True
        self._totals_of_node = None
        self.token = page.token
        return self._show_aside("catch_up")

    def take_changes(self, changed: Changed, cause: Cause) -> ChangeBatch | None:
        """Take in what changed just now."""
        if self.catching_up or changed.token is None or self._cause_aside is not None:
            self._put_aside(changed.rows, changed.gone)
            if self.catching_up:
                return None
            cause = "message" if self._cause_aside == "message" else cause
            self._cause_aside = cause
            if changed.token is None:
                return None
            self.token = changed.token
            return self._show_aside(cause)
        self.token = changed.token
        return self._show(self._replica.accept(changed.rows, changed.gone), cause)

    def _put_aside(self, rows: Iterable[InboxEntry], gone: Iterable[Gone]) -> None:
        for images in (rows, gone):
            for image in images:
                known = self._aside.get(image.conversation)
                if known is None or known.version < image.version:
                    self._aside[image.conversation] = image

    def _forget_aside(self) -> None:
        self._aside = {}
        self._cause_aside = None
        self._replacing = False

    def _show_aside(self, cause: Cause) -> ChangeBatch | None:
        rows = [image for image in self._aside.values() if isinstance(image, InboxEntry)]
        if self._replacing:
            replica = Replica()
            replica.accept(rows)
            difference = difference_between(self._replica.rows, replica.rows)
            self._replica = replica
        else:
            gone = [image for image in self._aside.values() if isinstance(image, Gone)]
            difference = self._replica.accept(rows, gone)
        self._forget_aside()
        return self._show(difference, cause)

    def _show(self, difference: Difference, cause: Cause) -> ChangeBatch | None:
        # What comes from here on is newer than any removal so far.
        self._replica.settle()
        if not difference:
            return None
        self._view.discard(difference.removed)
        self._view.put(difference.added + difference.updated)
        return ChangeBatch(
            totals=self.totals,
            cause=cause,
            synced=self.complete,
            added=difference.added,
            updated=difference.updated,
            removed=difference.removed,
        )
