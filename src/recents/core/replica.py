"""A device's confirmed copy of its account's rows (rules C1, C2, O4).

Rules of this file:

1. Rows and removals are after-images with versions: an older one never replaces a newer one,
   so repeats and reordering cannot hurt.
2. ``accept`` tells what changed for the user; a row that looks the same is no change (C1).
3. Removals are remembered only while older rows may still arrive: until ``settle``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.totals import NOTHING, Totals, exchanged


class Gone(msgspec.Struct, frozen=True, gc=False):
    """A row that is no longer in the list, since the commit ``version``."""

    conversation: Conversation
    version: int


class Difference(msgspec.Struct, frozen=True):
    """What one ``accept`` changed for the user; ``removed`` holds the rows as they were."""

    added: tuple[InboxEntry, ...] = ()
    updated: tuple[InboxEntry, ...] = ()
    removed: tuple[InboxEntry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.updated or self.removed)


def _same_to_the_user(old: InboxEntry, new: InboxEntry) -> bool:
    return msgspec.structs.replace(old, version=new.version) == new


def difference_between(
    old: Mapping[Conversation, InboxEntry], new: Mapping[Conversation, InboxEntry]
) -> Difference:
    """Tell what changes for the user when ``new`` takes the place of ``old``.

    Versions are not compared: after a reset they may be another store's.
    """
    return Difference(
        added=tuple(row for name, row in new.items() if name not in old),
        updated=tuple(
            row
            for name, row in new.items()
            if name in old and not _same_to_the_user(old[name], row)
        ),
        removed=tuple(row for name, row in old.items() if name not in new),
    )


class Replica:
    """The rows that the node confirmed, and their totals.

    Attributes:
        rows: the visible rows by conversation.
        totals: their sums, always in step with ``rows`` (C2).
    """

    def __init__(self) -> None:
        self.rows: dict[Conversation, InboxEntry] = {}
        self.totals: Totals = NOTHING
        self._gone: dict[Conversation, int] = {}

    def accept(self, rows: Iterable[InboxEntry] = (), gone: Iterable[Gone] = ()) -> Difference:
        """Take after-images in, in any order and any number of times.

        Returns:
            What changed for the user; empty when nothing did.
        """
        added: dict[Conversation, InboxEntry] = {}
        updated: dict[Conversation, InboxEntry] = {}
        removed: dict[Conversation, InboxEntry] = {}
        for row in rows:
            if not self._is_news(row.conversation, row.version):
                continue
            old = self.rows.get(row.conversation)
            self._gone.pop(row.conversation, None)
            self._put(old, row)
            if old is None:
                added[row.conversation] = row
            elif not _same_to_the_user(old, row):
                updated[row.conversation] = row
        for mark in gone:
            if not self._is_news(mark.conversation, mark.version):
                continue
            self._gone[mark.conversation] = mark.version
            old = self.rows.get(mark.conversation)
            if old is not None:
                self._drop(old)
                if not added.pop(mark.conversation, None):
                    updated.pop(mark.conversation, None)
                    removed[mark.conversation] = old
        return Difference(
            added=tuple(added.values()),
            updated=tuple(updated.values()),
            removed=tuple(removed.values()),
        )

    def settle(self) -> None:
        """Forget removals: from here on everything arrives in the order of the versions."""
        self._gone.clear()

    def _is_news(self, conversation: Conversation, version: int) -> bool:
        known = self.rows.get(conversation)
        newest = known.version if known else self._gone.get(conversation, -1)
        return version > newest

    def _put(self, old: InboxEntry | None, new: InboxEntry) -> None:
        self.rows[new.conversation] = new
        self.totals = exchanged(self.totals, old, new)

    def _drop(self, old: InboxEntry) -> None:
        del self.rows[old.conversation]
        self.totals = exchanged(self.totals, old, None)
