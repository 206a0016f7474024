"""What the application is told about its list (rules C1, C2).

Rules of this file:

1. A batch holds each conversation once, as it is now; the totals are those after the batch.
2. Batches that nobody has looked at yet melt into one, which says the same as all of them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.totals import Totals

Cause = Literal["message", "command", "other_device", "catch_up", "timer"]
"""``message``: somebody sent one, perhaps this account; ``command``: a call of this client;
``other_device``: something else that happened elsewhere: another device of this account, a peer
who read, a team that changed; ``catch_up``: what was missed, or several causes in one batch;
``timer``: a mute ended by itself."""


class ChangeBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in the list, at once.

    Attributes:
        added: rows that are new in the list.
        updated: rows that were there and look different now.
        removed: rows that left the list, as they last were.
        totals: the sums over all rows after this batch.
        cause: where the change came from.
        synced: after this batch the list is as the node has it; False only for the first page
            of a first start, when more rows are on their way.
    """

    totals: Totals
    cause: Cause
    synced: bool = True
    added: tuple[InboxEntry, ...] = ()
    updated: tuple[InboxEntry, ...] = ()
    removed: tuple[InboxEntry, ...] = ()


class Backlog:
    """Batches that wait for a slow consumer; as large as the list at most, however many come."""

    def __init__(self) -> None:
        self._newest: ChangeBatch | None = None
        self._cause: Cause = "catch_up"
        self._melted = False
        self._added: dict[Conversation, InboxEntry] = {}
        self._updated: dict[Conversation, InboxEntry] = {}
        self._removed: dict[Conversation, InboxEntry] = {}

    def put(self, batch: ChangeBatch) -> None:
        """Add a batch behind those that wait."""
        if self._newest is None:
            self._newest, self._cause = batch, batch.cause
            return
        if not self._melted:
            self._melted = True
            self._melt(self._newest)
        self._melt(batch)
        if batch.cause != self._cause:
            self._cause = "catch_up"
        self._newest = batch

    def take(self) -> ChangeBatch | None:
        """Take all that waits, as one batch; None when nothing does, or it cancelled out."""
        newest, self._newest = self._newest, None
        if newest is None or not self._melted:
            return newest
        self._melted = False
        added, self._added = self._added, {}
        updated, self._updated = self._updated, {}
        removed, self._removed = self._removed, {}
        if not (added or updated or removed):
            return None
        return ChangeBatch(
            totals=newest.totals,
            cause=self._cause,
            synced=newest.synced,
            added=tuple(added.values()),
            updated=tuple(updated.values()),
            removed=tuple(removed.values()),
        )

    def _melt(self, batch: ChangeBatch) -> None:
        for row in batch.added:
            # Removed and back again: to one who saw neither, the row changed.
            back = self._removed.pop(row.conversation, None)
            (self._added if back is None else self._updated)[row.conversation] = row
        for row in batch.updated:
            new = row.conversation in self._added
            (self._added if new else self._updated)[row.conversation] = row
        for row in batch.removed:
            self._updated.pop(row.conversation, None)
            # Added and gone again: to one who saw neither, nothing happened.
            if self._added.pop(row.conversation, None) is None:
                self._removed[row.conversation] = row
