"""The rows of one filter in order, and how they change (rules C1, C2, O1).

Rules of this file:

1. A changed row costs O(log n), however many rows there are; nothing is compared row by row.
2. With a limit the steps are those of the first rows only: what leaves at the end is removed, what
   takes its place is inserted. The totals are those of all rows of the filter.
3. A row that looks the same stays as it is (C1), so that the steps always tell everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from recents.client.view import View
from recents.core.entry import InboxEntry
from recents.core.filters import Filter
from recents.core.ids import Conversation
from recents.core.live import Insert, ListStep, Move, Remove, Update, ViewChange
from recents.core.replica import same_to_the_user
from recents.core.totals import NOTHING, exchanged, totals_of


class Watched:
    """The rows that match a filter.

    Attributes:
        totals: the sums over all of them.
    """

    def __init__(self, wanted: Filter, limit: int | None) -> None:
        """Begin with no rows; with a limit, tell of the first ones only."""
        self.totals = NOTHING
        self._wanted = wanted
        self._limit = limit
        self._rows: dict[Conversation, InboxEntry] = {}
        self._view = View()

    def begin(self, rows: Iterable[InboxEntry]) -> None:
        """Take in the rows that there are, without telling of them."""
        wanted = [row for row in rows if self._wanted.matches(row)]
        self._rows = {row.conversation: row for row in wanted}
        self._view.put(wanted)
        self.totals = totals_of(wanted, archived=True)

    @property
    def entries(self) -> tuple[InboxEntry, ...]:
        """The rows in order, as many as are told of."""
        return tuple(self._rows[name] for name in self._view.first_names(self._limit))

    def concerns(self, name: Conversation, image: InboxEntry | None) -> bool:
        """Tell whether a row is one of these, or becomes one with this image."""
        return name in self._rows or (image is not None and self._wanted.matches(image))

    def change(self, images: Mapping[Conversation, InboxEntry | None]) -> ViewChange:
        """Take in rows as they are now, None where the list has none, and tell what changed."""
        steps: list[ListStep] = []
        for name, image in images.items():
            new = image if image is not None and self._wanted.matches(image) else None
            old = self._rows.get(name)
            if old is not new and not (old and new and same_to_the_user(old, new)):
                self.totals = exchanged(self.totals, old, new, archived=True)
                steps += self._exchange(old, new)
        return ViewChange(steps=tuple(steps), totals=self.totals)

    def _exchange(self, old: InboxEntry | None, new: InboxEntry | None) -> list[ListStep]:
        """Put one row in the place of another, and tell what that does to the first rows."""
        before = None if old is None else self._view.index(old)
        full = self._last()
        if old is not None:
            self._view.discard([old])
            del self._rows[old.conversation]
        if new is not None:
            self._view.put([new])
            self._rows[new.conversation] = new
        now = None if new is None else self._view.index(new)
        told_before, told_now = self._told(before), self._told(now)
        if told_before is None and told_now is None:
            return []
        if told_before is not None and told_now is not None:
            assert new is not None
            stays = told_before == told_now
            return [Update(told_now, new) if stays else Move(told_before, told_now, new)]
        if told_now is not None:
            assert new is not None
            pushed_out = [] if full is None else [Remove(*full)]
            return [*pushed_out, Insert(told_now, new)]
        assert old is not None
        assert told_before is not None
        moved_up = self._last()
        return [Remove(told_before, old), *([] if moved_up is None else [Insert(*moved_up)])]

    def _told(self, index: int | None) -> int | None:
        """Return the place of a row if it is one of the first ones."""
        if index is None or (self._limit is not None and index >= self._limit):
            return None
        return index

    def _last(self) -> tuple[int, InboxEntry] | None:
        """Return the last one of the first rows, if there are as many as the limit."""
        if self._limit is None or len(self._view) < self._limit:
            return None
        return self._limit - 1, self._rows[self._view.name_at(self._limit - 1)]
