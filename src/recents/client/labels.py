"""The labels of an account's rows, and what is in each (rules G4, G5)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recents.core.entry import InboxEntry


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A label that rows have.

    Attributes:
        name: what it is called.
        conversations: rows with it that are not archived.
        unread: unread messages in them.
    """

    name: str
    conversations: int = 0
    unread: int = 0


def labels_of(rows: Iterable[InboxEntry]) -> tuple[Label, ...]:
    """Return the labels of rows, by name; archived rows are in no sum (G4)."""
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        for name in row.labels:
            conversations, unread = found.get(name, (0, 0))
            if not row.archived:
                conversations, unread = conversations + 1, unread + row.unread
            found[name] = conversations, unread
    return tuple(
        Label(name=name, conversations=conversations, unread=unread)
        for name, (conversations, unread) in sorted(found.items())
    )
