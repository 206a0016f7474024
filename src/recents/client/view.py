"""The rows in order (rules O1, O4, G1).

Rules of this file:

1. The order is that of ``core.ordering``, kept as rows change; nothing is ever sorted again.
2. A page begins after a place, not after a number of rows, so rows that move disturb no page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sortedcontainers import SortedList

from recents.core.ids import Conversation
from recents.core.ordering import PINS_END, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from recents.core.entry import InboxEntry

_BULK = 8
"""From one row in so many on, merging all at once is cheaper than one by one."""


class View:
    """The places of all rows, in order."""

    def __init__(self) -> None:
        self._sorted: SortedList[Place] = SortedList()
        self._place: dict[Conversation, Place] = {}

    def __len__(self) -> int:
        return len(self._place)

    @property
    def newest_ms(self) -> int:
        """The time of the first place below the pins; 0 when there is none."""
        first = next(self._sorted.irange(PINS_END), None)
        return 0 if first is None else -first[0]

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

    def index(self, row: InboxEntry) -> int:
        """Return how many rows stand before one that was put as it is."""
        return self._sorted.index(place_of(row))

    def name_at(self, index: int) -> Conversation:
        """Return the name of the row that so many stand before."""
        return Conversation(self._sorted[index][-1])

    def first_names(self, limit: int | None) -> Iterator[Conversation]:
        """Go through the first rows, by default all, while none of them changes."""
        for place in self._sorted.islice(0, limit):
            yield Conversation(place[-1])

    def names_pinned(self) -> Iterator[Conversation]:
        """Go through the pinned rows, while none of them changes."""
        for _, name in self._sorted.irange(None, PINS_END):
            yield Conversation(name)

    def names_after(self, place: Place | None) -> Iterator[Conversation]:
        """Go through the rows behind a place, or from the top, while none of them changes."""
        for _, name in self._sorted.irange(place, inclusive=(False, False)):
            yield Conversation(name)
