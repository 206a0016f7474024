"""A node and any number of devices in one process, in virtual time: everything else is real.

Rules of this file:

1. The seed decides all that chance decides; no real clock, no thread, no socket.
2. The oracle is told what the node has accepted, so that it says what everybody must see.
3. What dies keeps its store and nothing else.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Literal, Self

from recents.client.settings import Settings as ClientSettings
from recents.core.entry import InboxEntry
from recents.server.node import Node
from recents.server.settings import Settings
from recents.testing.clock import Process
from recents.testing.device import Device
from recents.testing.faults import NO_FAULTS, Chance, Faults
from recents.testing.hearing import Accepted, Hearing
from recents.testing.network import Site
from recents.testing.oracle import Oracle
from recents.testing.stores import Blow, WorldNodeStore
from recents.wire.frames import ListRows, Rows

START_MS = 1_700_000_000_000
"""When every world begins, in ms since 1970."""

PATIENCE_S = 900.0
"""Virtual seconds within which everything has settled, or never will."""

_EPOCH = "0123456789abcdef"
_LOOK_S = 0.05
_PAGE = 1_000


class World:
    """A node, its accounts and their devices.

    Attributes:
        happened: how often each fault has happened.
        site: where the node runs.
    """

    def __init__(
        self,
        *,
        seed: int | str = 0,
        faults: Faults = NO_FAULTS,
        settings: Settings | None = None,
        client_settings: ClientSettings | None = None,
    ) -> None:
        """Make a world in which nothing runs yet.

        Args:
            seed: decides everything that chance decides.
            faults: what goes wrong, and how often.
            settings: the node's.
            client_settings: the devices'.
        """
        self.happened: Counter[str] = Counter()
        self._seed = seed
        self._faults = faults
        self._settling = False
        self._settings = settings
        self._client_settings = client_settings or ClientSettings()
        self._hearing = Hearing()
        self.site = Site(self._hearing.arrived, self._hearing.said_no)
        self._chance = self.chance_of("node")
        self._clock_ahead_ms = 0
        self._blows: deque[Blow] = deque()
        self._secrets: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._process = Process()
        self._store = WorldNodeStore(_EPOCH, self._blow, self._die, self._hearing.committed)
        self.devices: list[Device] = []

    # Who is there.

    async def account(self, account: str) -> str:
        """Make an account, unless there is one; return its token."""
        if account not in self._secrets:
            node = await self._running()
            await node.accounts.create(account)
            _, self._secrets[account] = await node.accounts.give_token(account)
        return self._secrets[account]

    async def device(self, account: str) -> Device:
        """Return another device of an account, with all rows; the account is made if need be."""
        secret = await self.account(account)
        await self._running()
        name = f"d{next(self._numbers)}"
        device = Device(self, name, account, secret, self._client_settings)
        self.devices.append(device)
        await device.restart()
        if device.alive and not self.faults_on:
            await device.client.synced(PATIENCE_S)
        return device

    @asynccontextmanager
    async def visitor(self, account: str) -> AsyncIterator[Device]:
        """Log in with a device that is new, and out again."""
        device = await self.device(account)
        try:
            yield device
        finally:
            await device.stop()
            self.devices.remove(device)

    @property
    def node(self) -> Node:
        """The running node.

        Raises:
            LookupError: it does not run.
        """
        if self.site.node is None:
            raise LookupError("the node does not run")
        return self.site.node

    async def rows(self, account: str) -> tuple[InboxEntry, ...]:
        """Return all rows of an account as the node has them."""
        page = await self._page(account, None)
        rows = page.rows
        while page.next_cursor:
            page = await self._page(account, page.next_cursor)
            rows += page.rows
        return rows

    # What must be seen.

    @property
    def oracle(self) -> Oracle:
        """What everybody must see, once everything has settled."""
        return self._hearing.oracle

    @property
    def accepted(self) -> list[Accepted]:
        """Every command that the node has carried out, in order."""
        return self._hearing.accepted

    @property
    def hearing(self) -> Hearing:
        """What was heard of the node."""
        return self._hearing

    # What goes wrong.

    @property
    def faults(self) -> Faults:
        """What goes wrong now; nothing while the world settles."""
        return NO_FAULTS if self._settling else self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults

    @property
    def faults_on(self) -> bool:
        """Whether anything can go wrong now."""
        return self.faults != NO_FAULTS

    def crash_node(self) -> None:
        """Kill the node: nothing is answered or closed, what it committed is kept."""
        if self.site.process is not None:
            self.site.process.kill()
        self.site.node = self.site.process = None
        for device in self.devices:
            device.link.hang_up(to_node=False)

    async def start_node(self) -> None:
        """Start a node on the store that there is, unless one runs."""
        if self.site.node is not None:
            return
        ids = self._numbers
        node = Node(
            self._store,
            self._settings,
            clock_ms=lambda: self.now_ms + self._clock_ahead_ms,
            new_secret=lambda: f"secret{next(ids)}",
            new_id=lambda: f"id{next(ids)}",
        )
        process = Process()
        starting = process.start(node.start())
        await asyncio.wait([starting])
        starting.result()
        self.site.node, self.site.process = node, process

    def crash_node_at_next_commit(self, when: Literal["before", "after"] = "after") -> None:
        """Kill the node before or right after its next commit, which nobody is told of."""
        self._blows.append(when)

    def fail_next_commit(self) -> None:
        """Let the node's next commit fail, as a full disk does."""
        self._blows.append("fail")

    # How it ends.

    async def settle(self) -> None:
        """Let everything come to rest: no faults, all started, connected, sent and caught up.

        What was to happen to a next commit or message, and has not, does not happen any more.

        Raises:
            AssertionError: it does not, or the node did what no node may.
        """
        self._settling = True
        self._blows.clear()
        for device in self.devices:
            device.nothing_more()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._settle()
        except TimeoutError as error:
            states = [_state_of(device) for device in self.devices]
            raise AssertionError(f"this world does not settle: {states}") from error
        finally:
            self._settling = False
        assert not self._hearing.mistakes, "\n".join(self._hearing.mistakes)

    async def stop(self) -> None:
        """End all programs, the node last."""
        self._settling = True
        self._process.kill()
        for device in self.devices:
            await device.stop()
        if self.site.node is not None and self.site.process is not None:
            await asyncio.wait([self.site.process.start(self.site.node.stop())])
            self.site.process.kill()
        self.site.node = self.site.process = None

    async def __aenter__(self) -> Self:
        await self.start_node()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    # For the parts of this world.

    @property
    def now_ms(self) -> int:
        """The true time, which nobody's clock shows."""
        return START_MS + int(asyncio.get_running_loop().time() * 1_000)

    def chance_of(self, name: str) -> Chance:
        """Return the chance of one part of this world."""
        return Chance(f"{self._seed}/{name}", self.happened)

    def later(self, wait_s: float, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Do something after some seconds, whoever dies until then."""

        async def wait_and_work() -> None:
            await asyncio.sleep(wait_s)
            await work()

        self._process.start(wait_and_work())

    async def _running(self) -> Node:
        await self.start_node()
        return self.node

    async def _settle(self) -> None:
        while True:
            await self.start_node()
            for device in self.devices:
                device.link.up = True
                await device.revive()
            if await self._is_settled():
                return
            await asyncio.sleep(_LOOK_S)

    async def _is_settled(self) -> bool:
        for device in self.devices:
            client = device.client
            if not device.alive or client.state != "synced" or client.unsent:
                return False
        seen: dict[str, dict[str, int]] = {}
        for device in self.devices:
            if device.account not in seen:
                rows = await self.rows(device.account)
                seen[device.account] = {row.conversation: row.version for row in rows}
            mine = {row.conversation: row.version for row in await device.rows() if row.version}
            if mine != seen[device.account]:
                return False
        return True

    async def _page(self, account: str, cursor: str | None) -> Rows:
        request = ListRows(id="q", limit=_PAGE, cursor=cursor, archived=None)
        found = await self.node.questions.answer(account, request)
        assert isinstance(found, Rows), "rows were asked for"
        return found

    def _blow(self) -> Blow | None:
        if self._blows:
            return self._blows.popleft()
        if self._chance.happens("crash_node", self.faults.crash_node):
            return "before" if self._chance.number() < 0.5 else "after"
        return "fail" if self._chance.happens("fail_commit", self.faults.fail_commit) else None

    def _die(self) -> None:
        by_chance = bool(self.faults.crash_node)
        self.crash_node()
        if by_chance:
            # Its clock is set anew, perhaps back (M4).
            self._clock_ahead_ms = round(self._chance.between(-500, 500))
            self.later(self._chance.between(0, self.faults.down_s), self.start_node)


def _state_of(device: Device) -> str:
    client = device.client
    return f"{device.name} {client.state}, {client.unsent} unsent, trouble {client.trouble}"
