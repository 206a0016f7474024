"""The sums over an account's visible rows (rules U2, U4, R4, G4, C2).

Rules of this file:

1. Totals are the sum of the rows of the main list: nothing is counted that none of them shows, and
   archived rows are left out (C2, G4).
2. Adding a row and taking it away again gives the totals from before.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recents.core.entry import InboxEntry


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Sums over the visible rows that are not archived.

    Attributes:
        unread: unread messages of all rows, muted ones included.
        unread_conversations: rows with unread messages.
        conversations: rows.
        muted_unread: unread messages of muted rows (U4).
        marked_unread: rows with a dot (R4).
    """

    unread: int = 0
    unread_conversations: int = 0
    conversations: int = 0
    muted_unread: int = 0
    marked_unread: int = 0

    @property
    def badge(self) -> int:
        """What an app icon shows: unread messages of rows that are not muted."""
        return self.unread - self.muted_unread


NOTHING = Totals()


def totals_of(entries: Iterable[InboxEntry], *, archived: bool = False) -> Totals:
    """Sum up rows; archived ones only where ``archived`` says so (G4)."""
    unread = unread_conversations = conversations = muted_unread = marked_unread = 0
    for entry in entries:
        if entry.archived and not archived:
            continue
        unread += entry.unread
        unread_conversations += entry.unread > 0
        conversations += 1
        muted_unread += entry.unread if entry.mute else 0
        marked_unread += entry.marked_unread
    return Totals(
        unread=unread,
        unread_conversations=unread_conversations,
        conversations=conversations,
        muted_unread=muted_unread,
        marked_unread=marked_unread,
    )


def exchanged(
    totals: Totals, old: InboxEntry | None, new: InboxEntry | None, *, archived: bool = False
) -> Totals:
    """Return the totals after one row took the place of another, came or went."""
    before, after = (
        totals_of((entry,), archived=archived) if entry else NOTHING for entry in (old, new)
    )
    return Totals(
        unread=totals.unread - before.unread + after.unread,
        unread_conversations=totals.unread_conversations
        - before.unread_conversations
        + after.unread_conversations,
        conversations=totals.conversations - before.conversations + after.conversations,
        muted_unread=totals.muted_unread - before.muted_unread + after.muted_unread,
        marked_unread=totals.marked_unread - before.marked_unread + after.marked_unread,
    )
