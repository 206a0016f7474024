"""From commits to connected devices: dirty sets, not queues (rules C1, C2, D4, R5, T2).

Rules of this file:

1. A commit marks conversations dirty for the connected members; what is sent is read at the
   time of sending, so a burst costs one row and a slow device a set of names.
2. ``version`` is the newest commit whose marks have been set; no frame carries a later token, and
   no row that is newer than its token.
3. A device's changes are written before its answers.
4. One writer per device at a time: ``Outlet.busy`` says who.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable

from recents.core.errors import Code
from recents.core.ids import ConversationKey, is_p2p, parties_of
from recents.server.images import Images, Sight
from recents.server.outlet import Amended, Outlet
from recents.server.recent import RecentMessages
from recents.server.settings import Settings
from recents.server.store.port import Store, StoreFailed
from recents.server.store.workspace import MembershipId, Workspace

log = logging.getLogger(__name__)

LAST_WORDS_S = 2.0
"""Seconds that slow devices have for their last answers when the node stops."""


class Deliveries:
    """Knows the connected devices and tells them what changed.

    Attributes:
        version: the newest commit that all connected devices have been marked for.
        outlets: the connected devices of each account.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        """Prepare for a store that has been opened."""
        self.version = store.version
        self.outlets: dict[str, set[Outlet]] = {}
        self._store = store
        self._settings = settings
        self._watchers: dict[ConversationKey, set[str]] = {}
        self._pending: dict[Outlet, None] = {}
        self._images = Images(store)
        self._recent = RecentMessages(settings.recent_messages)
        self._stopping = False
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, outlet: Outlet) -> None:
        """Connect a device: from here on it is marked for what its account's commits change."""
        self.outlets.setdefault(outlet.account, set()).add(outlet)

    def watch(self, outlet: Outlet, teams: Iterable[ConversationKey]) -> None:
        """Have a connected device hear of these teams, unless a commit said otherwise since."""
        for key in teams:
            if outlet.teams.setdefault(key, True):
                self._watchers.setdefault(key, set()).add(outlet.account)

    def discard(self, outlet: Outlet) -> None:
        """Disconnect a device."""
        outlet.close()
        self._pending.pop(outlet, None)
        others = self.outlets.get(outlet.account, set())
        others.discard(outlet)
        if not others:
            self.outlets.pop(outlet.account, None)
        for key in outlet.teams:
            if not any(other.teams.get(key) for other in others):
                self._unwatch(key, outlet.account)

    def committed(self, workspace: Workspace) -> None:
        """Mark what a commit changed.

        Never raises: where marking fails by a mistake of ours, all devices begin anew, since no
        later token may cover what they were not marked for.
        """
        try:
            self._mark_all(workspace)
        except Exception:
            log.exception("! the marks of commit %d failed", workspace.version)
            for outlet in [one for devices in self.outlets.values() for one in devices]:
                self._drop(outlet)

    def answer(self, outlet: Outlet, frame: bytes) -> None:
        """Have an answer sent, after the changes that go with it."""
        outlet.say(frame)
        self._pending[outlet] = None
        self._wake.set()

    async def run(self) -> None:
        """Write to devices whenever there is something to say, until stopped."""
        while not self._stopping:
            await self._wake.wait()
            self._wake.clear()
            await self._flush()
            if not self._pending or self._images.too_many:
                self._images.forget()

    def stop(self) -> None:
        """End ``run`` after what it is writing."""
        self._stopping = True
        self._wake.set()

    async def drain(self) -> None:
        """Write out everything that is pending after ``run`` has ended; wait for slow devices."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while self._pending or self._tasks:
                    await self._flush()
                    if self._tasks:
                        await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.cancel()

    async def send_alone(self, outlet: Outlet, write: Callable[[], Awaitable[None]]) -> None:
        """Let ``write`` send at length to one device; its changes wait until it is done."""
        outlet.busy = True
        try:
            await write()
        finally:
            outlet.busy = False
            if outlet.has_news and not outlet.closed:
                self._pending[outlet] = None
                self._wake.set()

    def _mark_all(self, workspace: Workspace) -> None:
        self.version = workspace.version
        for key, messages in workspace.messages.items():
            self._recent.remember(key, messages)
        for (key, _), amended in workspace.amended.items():
            self._recent.replace(key, amended.message)
        for (account, key), membership in workspace.memberships.items():
            if account in self.outlets and not is_p2p(key):
                self._follow(account, key, present=membership.parting is None)
        for account, key in workspace.memberships:
            told_by_head = key in workspace.heads and (
                is_p2p(key) or account in self._watchers.get(key, ())
            )
            if account in self.outlets and not told_by_head:
                # Who left in this very batch still hears of what came before.
                self._mark(workspace, account, key, _first_seq(workspace, key))
        for key, since in self._amended_keys(workspace):
            for account in self._who_sees(workspace, key):
                self._mark_amended(account, since)
        for account, _, _ in workspace.hidden:
            self._mark_amended(account, workspace.version - 1)
        for key in workspace.heads:
            self._images.keep_head(workspace, key)
            first_seq = _first_seq(workspace, key)
            for account in self._who_sees(workspace, key):
                if account in self.outlets:
                    self._mark(workspace, account, key, first_seq)
        if self._pending:
            self._wake.set()

    def _amended_keys(self, workspace: Workspace) -> Iterable[tuple[ConversationKey, int]]:
        return {(key, workspace.version - 1) for key, _ in workspace.amended}

    def _mark_amended(self, account: str, since: int) -> None:
        for outlet in self.outlets.get(account, ()):
            outlet.mark_amended(since)

    def _who_sees(self, workspace: Workspace, key: ConversationKey) -> Iterable[str]:
        if not is_p2p(key):
            return self._watchers.get(key, ())
        head = workspace.heads[key]
        if head.last_seq:
            return parties_of(key)
        # A draft began it; who has none has no row and notices nothing (D1, G6).
        return [one for one in parties_of(key) if workspace.membership(one, key) is not None]

    async def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        outlets = list(pending)
        size = self._settings.flush_slice
        for at in range(0, len(outlets), size):
            part = [outlet for outlet in outlets[at : at + size] if not outlet.busy]
            await self._write(part)
            # Other connections get their turn between two slices of a large broadcast.
            await asyncio.sleep(0)

    async def _write(self, outlets: list[Outlet]) -> None:
        ready = []
        for outlet in outlets:
            slow = outlet.peer.backlog() > self._settings.backlog_bytes
            if slow or len(outlet.dirty) > self._settings.rows_per_frame:
                self._write_apart(outlet)
            else:
                ready.append(outlet)
        taken = [(outlet, outlet.take()) for outlet in ready]
        sight = await self._images.see(
            {(outlet.account, key) for outlet, (dirty, _) in taken for key in dirty},
            self.version,
        )
        for outlet, (dirty, answers) in taken:
            # Whoever must be told of changed messages has them read, which others do not wait for.
            if sight is None or outlet.amended_since is not None:
                outlet.put_back(dirty, answers)
                self._write_apart(outlet)
            else:
                await self._or_give_up(
                    outlet, outlet.write(dirty, answers, sight, self._recent, self._store.epoch)
                )

    def _write_apart(self, outlet: Outlet) -> None:
        async def write() -> None:
            await self._or_give_up(
                outlet,
                outlet.write_at_length(
                    self._settings, self._see, self._recent, self._store.epoch, self._recall
                ),
            )

        outlet.busy = True
        task = asyncio.create_task(self.send_alone(outlet, write))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _or_give_up(self, outlet: Outlet, writing: Coroutine[None, None, None]) -> None:
        try:
            await writing
        except Exception:
            # What was taken is lost, and no later token may cover it: the device begins anew.
            log.exception("! a device of %s could not be told", outlet.account)
            self._drop(outlet)

    def _drop(self, outlet: Outlet) -> None:
        self.discard(outlet)
        closing = asyncio.create_task(outlet.peer.close(Code.STORE_FAILED))
        self._tasks.add(closing)
        closing.add_done_callback(self._tasks.discard)

    async def _see(self, pairs: Iterable[MembershipId]) -> Sight | None:
        return await self._images.see(pairs, self.version)

    async def _recall(self, account: str, since: int) -> Amended | None:
        try:
            return await self._store.amended_since(account, since)
        except StoreFailed as failure:
            log.warning("! reading changed messages for devices failed: %s", failure)
            return None

    def _mark(
        self, workspace: Workspace, account: str, key: ConversationKey, first_seq: int
    ) -> None:
        self._images.keep_row(workspace, account, key)
        for outlet in self.outlets[account]:
            outlet.mark(key, first_seq)
            self._pending[outlet] = None

    def _follow(self, account: str, key: ConversationKey, *, present: bool) -> None:
        for outlet in self.outlets[account]:
            outlet.teams[key] = present
        if present:
            self._watchers.setdefault(key, set()).add(account)
        else:
            self._unwatch(key, account)

    def _unwatch(self, key: ConversationKey, account: str) -> None:
        watching = self._watchers.get(key)
        if watching is not None:
            watching.discard(account)
            if not watching:
                del self._watchers[key]


def _first_seq(workspace: Workspace, key: ConversationKey) -> int:
    messages = workspace.messages.get(key)
    return messages[0].seq if messages else 0
