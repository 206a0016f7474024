"""The sums over an account's visible rows (rules U2, U4, R4, G3, G4, C2).

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
        mentions: unread messages that mention the account, or all (G3).
        muted_mentions: those of them in rows whose mute lets mentions through.
    """

    unread: int = 0
    unread_conversations: int = 0
    conversations: int = 0
    muted_unread: int = 0
    marked_unread: int = 0
    mentions: int = 0
    muted_mentions: int = 0

    @property
    def badge(self) -> int:
        """What an app icon shows: unread of rows that are not muted, mentions of some that are."""
        return self.unread - self.muted_unread + self.muted_mentions


NOTHING = Totals()


def totals_of(entries: Iterable[InboxEntry], *, archived: bool = False) -> Totals:
    """Sum up rows; archived ones only where ``archived`` says so (G4)."""
    unread = unread_conversations = conversations = muted_unread = marked_unread = 0
    mentions = muted_mentions = 0
    for entry in entries:
        if entry.archived and not archived:
            continue
        mentioned = entry.mentions_me + entry.mentions_all
        unread += entry.unread
        unread_conversations += entry.unread > 0
        conversations += 1
        muted_unread += entry.unread if entry.mute else 0
        marked_unread += entry.marked_unread
        mentions += mentioned
        muted_mentions += mentioned if entry.mute == "mentions" else 0
    return Totals(
        unread=unread,
        unread_conversations=unread_conversations,
        conversations=conversations,
        muted_unread=muted_unread,
        marked_unread=marked_unread,
        mentions=mentions,
        muted_mentions=muted_mentions,
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
        mentions=totals.mentions - before.mentions + after.mentions,
        muted_mentions=totals.muted_mentions - before.muted_mentions + after.muted_mentions,
    )
