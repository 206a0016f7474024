"""An application that knows the list from its start and the batches only (laws 3 and 4).

It lives through restarts of its device, as a person before the screen does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.core.commands import AnyCommand
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.replica import same_to_the_user
from recents.core.totals import Totals, totals_of
from recents.testing.device import ALL_ROWS, Device
from tests.laws.filtered import FilteredLists

STEPS = {
    ("sending", "sent"),
    ("sending", "read"),
    ("sending", "failed"),
    ("failed", "sending"),
    ("failed", "sent"),
    ("sent", "read"),
}
"""P4: where the status of one message may go in what two batches show."""


class Follower:
    """Follows one device, and objects to what a list may not do.

    Attributes:
        rows: as the batches say.
        following: whether it has seen the list of the client that runs now.
        wrong: what it objects to.
    """

    def __init__(self, device: Device, marks: Callable[[str], int]) -> None:
        """Follow from now on; ``marks`` tells how often a conversation was marked unread."""
        self.rows: dict[Conversation, InboxEntry] = {}
        self.totals = Totals()
        self.following = False
        self.wrong: list[str] = []
        self.batches = 0
        self._failures = 0
        self._device = device
        self._marks = marks
        self._filtered: FilteredLists | None = None
        self._used: Counter[str] = Counter()
        self._taken_back: Counter[str] = Counter()
        device.on_start(self._start)

    def _start(self, client: Client) -> None:
        if self._device.store.failures != self._failures:
            # What the store could not keep, a crash may take back.
            self._failures = self._device.store.failures
            self.forget()
        self.following = False
        self._filtered = FilteredLists(client, 2, self._object)
        client.inbox.on_change(lambda batch: self._apply(client, batch))
        client.on_refused(self._refused)

    def forget(self) -> None:
        """The device has lost what it had."""
        self.rows, self.following = {}, False

    def expect(self, conversation: str) -> None:
        """Let a row be as unread as it was, once."""
        self._taken_back[conversation] += 1

    async def look(self) -> None:
        """See the list, and compare it with what the batches said."""
        client = self._device.client
        page = await client.inbox.list(limit=ALL_ROWS, archived=None)
        # Those of the main list, of which archived rows are no part (G4); nothing waits here.
        totals = await client.inbox.totals()
        if not page.complete or client is not self._device.client:
            return
        rows = {row.conversation: row for row in page.entries}
        if self.following:
            if _bare(self.rows) != _bare(rows):
                self._object(f"law 4: batches lead to {self.rows}, the list has {rows}")
            if self.totals != totals:
                self._object(f"law 4: batches lead to {self.totals}, the list has {totals}")
        else:
            for name, row in rows.items():
                if name in self.rows:
                    self._compare(self.rows[name], row)
        self.rows, self.totals, self.following = rows, totals, True
        if self._filtered is not None:
            await self._filtered.look()

    def _refused(self, command: AnyCommand, _: Exception) -> None:
        name = getattr(command, "conversation", None)
        for one in [name] if name else list(self.rows):
            self._taken_back[one] += 1

    def _apply(self, client: Client, batch: ChangeBatch) -> None:
        if not self.following or client is not self._device.client:
            return
        self.batches += 1
        if not (batch.added or batch.updated or batch.removed):
            self._object("C1: no change, no batch")
        for row in batch.added:
            if row.conversation in self.rows:
                self._object(f"added what was there: {row}")
            self.rows[row.conversation] = row
        for row in batch.updated:
            old = self.rows.get(row.conversation)
            if old is None:
                self._object(f"updated what was not there: {row}")
            elif same_to_the_user(old, row):
                self._object(f"C1: updated without a change: {row}")
            else:
                self._compare(old, row)
            self.rows[row.conversation] = row
        for row in batch.removed:
            if self.rows.pop(row.conversation, None) is None:
                self._object(f"removed what was not there: {row}")
        self.totals = batch.totals
        if batch.totals != totals_of(self.rows.values()):
            self._object(f"C2: the totals are {batch.totals}, the rows {self.rows}")

    def _compare(self, old: InboxEntry, new: InboxEntry) -> None:
        """Law 3: nothing turns unread, and no status goes back, without a reason."""
        rises = new.unread > old.unread and new.last_seq <= old.last_seq
        rises |= new.marked_unread and not old.marked_unread
        # A row that the node has not is made of this device's own messages: nothing to be read.
        rises |= new.read_seq < old.read_seq and new.last_seq >= old.last_seq
        # A newer epoch is a mark-unread that the node has committed: a reason by itself (R3).
        if rises and new.read_epoch <= old.read_epoch:
            name = new.conversation
            reasons = self._marks(name) + self._taken_back[name]
            if reasons <= self._used[name]:
                self._object(f"law 3: unread again: {old} -> {new}")
            self._used[name] = reasons
        self._compare_status(old, new)

    def _compare_status(self, old: InboxEntry, new: InboxEntry) -> None:
        if old.preview is None or new.preview is None or old.status == new.status:
            return
        if old.preview.client_id != new.preview.client_id:
            return
        if old.preview.sender != new.preview.sender or old.status is None:
            return
        if (old.status, new.status) not in STEPS:
            self._object(f"P4: {old.status} became {new.status}: {old} -> {new}")

    def _object(self, what: str) -> None:
        self.wrong.append(f"{self._device.name} of {self._device.account}: {what}")


def _bare(rows: dict[Conversation, InboxEntry]) -> dict[Conversation, InboxEntry]:
    return {
        name: msgspec.structs.replace(row, version=0, read_epoch=0) for name, row in rows.items()
    }
