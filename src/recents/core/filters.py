"""Which rows are wanted (rules R4, U4, G1, G3–G5, P5, case 22).

Rules of this file:

1. A filter is a value: rows that match are decided by the row alone, so a list, its totals and a
   live view of the same filter always agree (C2).
2. Without arguments it is the main list.
"""

from __future__ import annotations

import msgspec

from recents.core.entry import InboxEntry
from recents.core.ids import Kind


class Filter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Says which rows are wanted; all that is said must hold.

    Attributes:
        kinds: conversations of these kinds; None: of all.
        unread_only: with unread messages or a dot (R4).
        muted: True: muted ones, at whatever level; False: the others; None: both (U4).
        pinned: True: pinned ones; False: the others; None: both (G1).
        archived: True: archived ones; False: the others; None: both (G4).
        label: with this label (G5).
        mentioned_only: with an unread message that mentions this account or all (G3).
    """

    kinds: tuple[Kind, ...] | None = None
    unread_only: bool = False
    muted: bool | None = None
    pinned: bool | None = None
    archived: bool | None = False
    label: str | None = None
    mentioned_only: bool = False

    def matches(self, row: InboxEntry) -> bool:
        """Tell whether a row is wanted."""
        return (
            (self.kinds is None or row.conversation.partition(":")[0] in self.kinds)
            and (not self.unread_only or row.unread > 0 or row.marked_unread)
            and (self.muted is None or self.muted == (row.mute is not None))
            and (self.pinned is None or self.pinned == row.pinned)
            and (self.archived is None or self.archived == row.archived)
            and (self.label is None or self.label in row.labels)
            and (not self.mentioned_only or row.mentions_me + row.mentions_all > 0)
        )


MAIN_LIST = Filter()
"""What ``inbox.list()`` shows."""
