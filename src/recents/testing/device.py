"""One device in a world: a real client that can crash, lose its disk, and be offline."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any, Literal, Protocol, TypeVar

from recents.client.client import Client
from recents.client.opening import assemble
from recents.client.settings import Settings
from recents.core.entry import InboxEntry
from recents.core.errors import Unavailable
from recents.core.pending import Pending
from recents.testing.clock import Process
from recents.testing.faults import Chance, Faults
from recents.testing.network import Site, WorldLink
from recents.testing.stores import Blow, WorldDeviceStore
from recents.wire.frames import PROTOCOL_VERSION, Hello

T = TypeVar("T")

ALL_ROWS = 1_000_000
_AGAIN_S = 0.5


class Surroundings(Protocol):
    """What a device needs of its world.

    Attributes:
        site: where the node runs.
        happened: how often each fault has happened.
    """

    site: Site
    happened: Counter[str]

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""

    @property
    def now_ms(self) -> int:
        """The true time."""

    def chance_of(self, name: str) -> Chance:
        """Return the chance of one part of the world."""

    def later(self, wait_s: float, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Do something after some seconds, whoever dies until then."""


class Device:
    """A device of an account.

    Attributes:
        name: tells it from the others of its world.
        account: whose device it is.
        client: the running client; another one after each restart.
        link: its way to the node.
        store: what it keeps; it outlives crashes.
        alive: whether the client runs.
    """

    client: Client
    store: WorldDeviceStore

    def __init__(
        self, world: Surroundings, name: str, account: str, secret: str, settings: Settings
    ) -> None:
        """Make a device that is switched off; ``World.device`` makes one that runs."""
        self.name = name
        self.account = account
        self.alive = False
        self.chance = world.chance_of(name)
        self.link = WorldLink(world.site, account, self.chance, lambda: world.faults)
        self.on_given: Callable[[list[Pending]], None] | None = None
        self._world = world
        self._secret = secret
        self._settings = settings
        self._clock_ahead_ms = round(self.chance.between(-5_000, 5_000))
        self._ids = (f"{name}-{number:x}" for number in itertools.count(1))
        self._disks = itertools.count(1)
        self._process = Process()
        self._blows: deque[Blow] = deque()
        self._setups: list[Callable[[Client], object]] = []
        self._new_disk()

    # What the user does.

    async def rows(self) -> tuple[InboxEntry, ...]:
        """Return all rows as the device shows them, archived ones too."""
        return (await self.client.inbox.list(limit=ALL_ROWS, archived=None)).entries

    async def row(self, conversation: str) -> InboxEntry:
        """Return a row, which must be there.

        Raises:
            LookupError: it is not.
        """
        row = await self.client.inbox.get(conversation)
        if row is None:
            raise LookupError(f"{self.name} of {self.account} has no {conversation}")
        return row

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start something on this device without waiting for it; a crash ends it."""
        return self._process.start(work)

    def on_start(self, setup: Callable[[Client], object]) -> None:
        """Call ``setup`` with each client of this device before it opens, as a program does."""
        self._setups.append(setup)
        if self.alive:
            setup(self.client)

    # What happens to it.

    async def offline(self) -> None:
        """Lose the network, and return when the client has noticed."""
        self.link.up = False
        self.link.cut()
        async with asyncio.timeout(60):
            while self.alive and self.client.state != "offline":  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def online(self) -> None:
        """Have a network again, and return when the list is as the node has it."""
        self.link.up = True
        await self.client.synced(600)

    def crash(self) -> None:
        """Kill the program: nothing is closed, what the store was given is kept."""
        self._process.kill()
        self.link.hang_up(to_node=True)
        self.alive = False

    async def restart(self) -> None:
        """Start the program anew on what the store has; crashes it first if it runs.

        Raises:
            Unavailable: the device has no copy, and no node answers.
        """
        if self.alive:
            self.crash()
        self._process = Process()
        self.client = self._make()
        for setup in self._setups:
            setup(self.client)
        self.alive = True
        opening = self._process.start(self.client.open())
        await asyncio.wait([opening])
        if opening.cancelled():
            return
        error = opening.exception()
        if error is not None:
            self.crash()
            raise error

    def wipe(self) -> None:
        """Lose the store and everything in it, and with it the program."""
        self.crash()
        self._new_disk()

    async def stop(self) -> None:
        """End the program in good order; what is not sent stays in the store."""
        if self.alive:
            closing = self._process.start(self.client.close())
            await asyncio.wait([closing])
            self._process.kill()
        self.alive = False

    def crash_at_next_commit(self, when: Literal["before", "after"] = "after") -> None:
        """Kill the program before or right after the next commit of its store."""
        self._blows.append(when)

    def fail_next_commit(self) -> None:
        """Let the next commit of its store fail, as a full disk does."""
        self._blows.append("fail")

    def nothing_more(self) -> None:
        """Forget what was to happen to its next commit or message."""
        self._blows.clear()
        self.link.lose_nothing()

    # How it happens.

    async def revive(self) -> None:
        """Restart until the client runs."""
        while not self.alive:
            try:
                await self.restart()
            except Unavailable:
                await asyncio.sleep(_AGAIN_S)

    def _make(self) -> Client:
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            account=self.account,
            token=self._secret,
            device=self.name,
            deflate=True,
        )
        return assemble(
            self.link,
            hello,
            self._settings,
            self.store,
            lambda: self._world.now_ms + self._clock_ahead_ms,
            self.chance.number,
            lambda: next(self._ids),
        )

    def _new_disk(self) -> None:
        self.store = WorldDeviceStore(
            f"{self.name}.{next(self._disks)}", self._blow, self._die, self._tell
        )

    def _blow(self) -> Blow | None:
        if self._blows:
            self._world.happened["scripted"] += 1
            return self._blows.popleft()
        faults = self._world.faults
        if self.chance.happens("crash_device", faults.crash_device):
            return "before" if self.chance.number() < 0.5 else "after"
        return "fail" if self.chance.happens("fail_step", faults.fail_step) else None

    def _die(self) -> None:
        scripted = not self._world.faults.crash_device
        self.crash()
        if not scripted:
            self._world.later(self.chance.between(0, self._world.faults.down_s), self.revive)

    def _tell(self, new: list[Pending]) -> None:
        if self.on_given is not None:
            self.on_given(new)
