"""The sums over an account's visible rows (rules U2, U4, C2).

Rules of this file:

1. Totals are the sum of the rows: nothing is counted that no row shows (C2).
2. Adding a row and taking it away again gives the totals from before.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recents.core.entry import InboxEntry


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Sums over the visible rows.

    Attributes:
        unread: unread messages of all rows.
        unread_conversations: rows with unread messages.
        conversations: rows.
    """

    unread: int = 0
    unread_conversations: int = 0
    conversations: int = 0

    @property
    def badge(self) -> int:
        """What an app icon shows."""
        return self.unread


NOTHING = Totals()


def totals_of(entries: Iterable[InboxEntry]) -> Totals:
    """Sum up rows."""
    unread = unread_conversations = conversations = 0
    for entry in entries:
        unread += entry.unread
        unread_conversations += entry.unread > 0
        conversations += 1
    return Totals(
        unread=unread, unread_conversations=unread_conversations, conversations=conversations
    )


def exchanged(totals: Totals, old: InboxEntry | None, new: InboxEntry | None) -> Totals:
    """Return the totals after one row took the place of another, came or went."""
    before, after = (totals_of((entry,)) if entry else NOTHING for entry in (old, new))
    return Totals(
        unread=totals.unread - before.unread + after.unread,
        unread_conversations=totals.unread_conversations
        - before.unread_conversations
        + after.unread_conversations,
        conversations=totals.conversations - before.conversations + after.conversations,
    )
