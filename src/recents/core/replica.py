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


class Gone(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A row that is no longer in the list, since the commit ``version``.

    Attributes:
        cleared_seq: messages up to here are gone for this account (D3).
    """

    conversation: Conversation
    version: int
    cleared_seq: int = 0


class Difference(msgspec.Struct, frozen=True):
    """What one ``accept`` changed for the user; ``removed`` holds the rows as they were."""

    added: tuple[InboxEntry, ...] = ()
    updated: tuple[InboxEntry, ...] = ()
    removed: tuple[InboxEntry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.updated or self.removed)


def same_to_the_user(old: InboxEntry, new: InboxEntry) -> bool:
    """Tell whether two images of a row look the same (C1)."""
    # Nobody sees which commit changed a row last, nor up to which mark its readers must know.
    return msgspec.structs.replace(old, version=new.version, read_epoch=new.read_epoch) == new


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
            if name in old and not same_to_the_user(old[name], row)
        ),
        removed=tuple(row for name, row in old.items() if name not in new),
    )


class News(msgspec.Struct, frozen=True):
    """What a replica does not know yet of what it was told.

    Attributes:
        rows: newer images of rows, one of each.
        gone: newer removals, one of each.
        totals: the sums when they are taken in.
    """

    rows: tuple[InboxEntry, ...]
    gone: tuple[Gone, ...]
    totals: Totals


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

    def restore(self, rows: Iterable[InboxEntry]) -> None:
        """Begin with rows that were kept."""
        for row in rows:
            self.totals = exchanged(self.totals, self.rows.get(row.conversation), row)
            self.rows[row.conversation] = row

    def news(self, rows: Iterable[InboxEntry] = (), gone: Iterable[Gone] = ()) -> News:
        """Tell what ``take`` would change; changes nothing."""
        newest: dict[Conversation, InboxEntry | Gone] = {}
        for images in (rows, gone):
            for image in images:
                name = image.conversation
                other = newest.get(name)
                known = self._known_version(name) if other is None else other.version
                if image.version > known:
                    newest[name] = image
        totals = self.totals
        for name, image in newest.items():
            row = image if isinstance(image, InboxEntry) else None
            totals = exchanged(totals, self.rows.get(name), row)
        return News(
            tuple(image for image in newest.values() if isinstance(image, InboxEntry)),
            tuple(image for image in newest.values() if isinstance(image, Gone)),
            totals,
        )

    def take(self, news: News) -> None:
        """Take in what ``news`` told; nothing may have come in between."""
        for row in news.rows:
            self._gone.pop(row.conversation, None)
            self.rows[row.conversation] = row
        for mark in news.gone:
            self._gone[mark.conversation] = mark.version
            self.rows.pop(mark.conversation, None)
        self.totals = news.totals

    def accept(self, rows: Iterable[InboxEntry] = (), gone: Iterable[Gone] = ()) -> Difference:
        """Take after-images in, in any order and any number of times.

        Returns:
            What changed for the user; empty when nothing did.
        """
        news = self.news(rows, gone)
        names = [image.conversation for images in (news.rows, news.gone) for image in images]
        before = {name: self.rows[name] for name in names if name in self.rows}
        self.take(news)
        after = {name: self.rows[name] for name in names if name in self.rows}
        return difference_between(before, after)

    def settle(self) -> None:
        """Forget removals: from here on everything arrives in the order of the versions."""
        self._gone.clear()

    def _known_version(self, name: Conversation) -> int:
        known = self.rows.get(name)
        return known.version if known else self._gone.get(name, -1)
