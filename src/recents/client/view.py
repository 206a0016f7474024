"""The rows in order (rules O1, O4).

Rules of this file:

1. The order is that of ``core.ordering``, kept as rows change; nothing is ever sorted again.
2. A page begins after a place, not after a number of rows, so rows that move disturb no page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sortedcontainers import SortedList

from recents.core.ordering import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recents.core.entry import InboxEntry
    from recents.core.ids import Conversation

_BULK = 8
"""From one row in so many on, merging all at once is cheaper than one by one."""


class View:
    """The places of all rows, in order."""

    def __init__(self) -> None:
        self._sorted: SortedList[Place] = SortedList()
        self._place: dict[Conversation, Place] = {}

    def __len__(self) -> int:
        return len(self._place)

    def put(self, rows: Sequence[InboxEntry]) -> None:
        """Place rows, new ones and ones that may have moved."""
        moved = []
        for row in rows:
            place = place_of(row)
            known = self._place.get(row.conversation)
            if known == place:
                continue
            if known is not None:
                self._sorted.remove(known)
            self._place[row.conversation] = place
            moved.append(place)
        if len(moved) * _BULK > len(self._sorted):
            self._sorted.update(moved)
        else:
            for place in moved:
                self._sorted.add(place)

    def discard(self, rows: Iterable[InboxEntry]) -> None:
        """Take rows away."""
        for row in rows:
            place = self._place.pop(row.conversation, None)
            if place is not None:
                self._sorted.remove(place)

    def after(self, place: Place | None, limit: int) -> tuple[list[Place], bool]:
        """Return the places behind one, or from the top.

        Returns:
            At most ``limit`` places, and whether there are more.
        """
        start = 0 if place is None else self._sorted.bisect_right(place)
        places = list(self._sorted.islice(start, start + limit))
        return places, start + limit < len(self._sorted)
