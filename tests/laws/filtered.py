"""Law 4 for filters: pages and live views show the rows that match, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recents.client.arguments import Filtering
from recents.client.client import Client
from recents.client.live_view import LiveView
from recents.core.entry import InboxEntry
from recents.core.live import ViewChange
from recents.core.replica import same_to_the_user
from recents.core.totals import Totals, totals_of
from recents.testing.device import ALL_ROWS

FILTERS: tuple[Filtering, ...] = (
    {},
    {"unread_only": True},
    {"kinds": ["team", "super_team"], "muted": False},
    {"archived": True},
    {"archived": None, "label": "label 1"},
    {"pinned": True},
    {"mentioned_only": True},
)


def matches(row: InboxEntry, said: Filtering) -> bool:
    """Tell whether a row matches, in other words than the client's."""
    kinds = said.get("kinds")
    if kinds and row.conversation.split(":")[0] not in list(kinds):
        return False
    if said.get("unread_only") and row.unread == 0 and not row.marked_unread:
        return False
    if "muted" in said and said["muted"] != bool(row.mute):
        return False
    if "pinned" in said and said["pinned"] != (row.pin is not None):
        return False
    if said.get("mentioned_only") and not (row.mentions_me or row.mentions_all):
        return False
    if said.get("archived", False) not in (None, row.archived):
        return False
    return "label" not in said or said["label"] in row.labels


class FilteredLists:
    """Watches some filters of one client, from the first look on.

    Args:
        client: whose list it is.
        limit: how many rows the live views have at most.
        wrong: called with what may not be.
    """

    def __init__(self, client: Client, limit: int | None, wrong: Callable[[str], object]) -> None:
        self._client = client
        self._limit = limit
        self._wrong = wrong
        self._views: list[_Screen] = []

    async def look(self) -> None:
        """Compare every page and every view with the whole list."""
        while len(self._views) < len(FILTERS):
            said = FILTERS[len(self._views)]
            view = self._client.inbox.watch(limit=self._limit, **said)
            self._views.append(_Screen(view))
            await view.open()
            self._views[-1].begin()
        inbox = self._client.inbox
        # From here on nothing waits, so nothing can come in between.
        whole = await inbox.list(limit=ALL_ROWS, archived=None)
        for said, screen in zip(FILTERS, self._views, strict=True):
            expected = [row for row in whole.entries if matches(row, said)]
            page = await inbox.list(limit=ALL_ROWS, **said)
            self._check(f"list({said})", page.entries, page.totals, expected, len(expected))
            screen.take()
            most = len(expected) if self._limit is None else self._limit
            self._check(f"watch({said})", screen.rows, screen.totals, expected, most)
            if screen.empty_changes:
                self._wrong(f"C1: watch({said}) told of nothing")

    def _check(
        self,
        what: str,
        rows: Sequence[InboxEntry],
        totals: Totals,
        expected: Sequence[InboxEntry],
        most: int,
    ) -> None:
        wanted = expected[:most]
        if len(rows) != len(wanted) or not all(map(same_to_the_user, rows, wanted)):
            self._wrong(f"law 4: {what} shows {rows}, the list has {wanted}")
        if totals != totals_of(expected, archived=True):
            self._wrong(f"C2: {what} has the totals {totals}, the list has {expected}")


class _Screen:
    """Somebody who knows a view from its first rows and the steps only."""

    def __init__(self, view: LiveView) -> None:
        self.rows: tuple[InboxEntry, ...] = ()
        self.totals = Totals()
        self.empty_changes = 0
        self._view = view

    def begin(self) -> None:
        self.rows, self.totals = self._view.entries, self._view.totals

    def take(self) -> None:
        change = self._view.take_now()
        if change is not None:
            self._apply(change)

    def _apply(self, change: ViewChange) -> None:
        self.empty_changes += not change.steps and change.totals == self.totals
        self.rows, self.totals = change.after(self.rows), change.totals
