"""Which rows are wanted (rules R4, U4, P5, case 22).

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
    """

    kinds: tuple[Kind, ...] | None = None
    unread_only: bool = False
    muted: bool | None = None

    def matches(self, row: InboxEntry) -> bool:
        """Tell whether a row is wanted."""
        return (
            (self.kinds is None or row.conversation.partition(":")[0] in self.kinds)
            and (not self.unread_only or row.unread > 0 or row.marked_unread)
            and (self.muted is None or self.muted == (row.mute is not None))
        )


MAIN_LIST = Filter()
"""What ``inbox.list()`` shows."""
