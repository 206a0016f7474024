"""A node, two devices for each account, and the oracle that hears of everything.

Rules of this file:

1. What people do are deeds. Several are begun at once and meet in the node in whatever order
   the loop gives them; the ear hears in which, and in that order the oracle is told.
2. The oracle is told what was asked of the SDK, not what the SDK made of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.client.opening import assemble
from recents.client.settings import Settings as ClientSettings
from recents.client.store.memory import MemoryDeviceStore
from recents.core.commands import AnyCommand, Post
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake, Code, Refused
from recents.core.totals import Totals
from recents.server.node import Node
from recents.server.settings import Settings
from recents.server.store.port import Store
from recents.testing.in_process import InProcessLink
from recents.testing.oracle import Oracle
from recents.wire.frames import Hello, ListRows, Rows
from tests.laws.comparing import compare
from tests.laws.ear import Ear, Heard

T = TypeVar("T")

ACCOUNTS = ("ann", "bob", "cid", "dee")
DEVICES = 2
SETTLE_ROUNDS = 2_000
_REFUSALS = {
    Code.NOT_A_MEMBER,
    Code.NOT_THE_OWNER,
    Code.OWNER_CANNOT_LEAVE,
    Code.TEAM_DISMISSED,
    Code.TEAM_EXISTS,
}


class Follower:
    """An application that knows the list from its start and the batches only (law 4)."""

    def __init__(self, client: Client) -> None:
        self.rows: dict[str, InboxEntry] = {}
        self.totals = Totals()
        self.batches: list[ChangeBatch] = []
        self._client = client
        self._remove = client.inbox.on_change(self._apply)

    async def start(self) -> None:
        page = await self._client.inbox.list(limit=10_000)
        self.rows = {row.conversation: row for row in page.entries}
        self.totals = page.totals

    def _apply(self, batch: ChangeBatch) -> None:
        self.batches.append(batch)
        assert batch.added or batch.updated or batch.removed, "C1: no change, no batch"
        for row in batch.added:
            assert row.conversation not in self.rows, "added what was there"
            self.rows[row.conversation] = row
        for row in batch.updated:
            assert row.conversation in self.rows, "updated what was not there"
            assert _shown(self.rows[row.conversation]) != _shown(row), "C1: no change, no event"
            self.rows[row.conversation] = row
        for row in batch.removed:
            del self.rows[row.conversation]
        self.totals = batch.totals


class Device:
    """One device of an account, with its own way to the node."""

    def __init__(self, name: str, account: str, node: Node, secret: str) -> None:
        self.name = name
        self.account = account
        self.link = InProcessLink(node)
        ids = (f"{name}-{number:x}" for number in itertools.count(1))
        self.client = assemble(
            self.link,
            Hello(protocol=1, account=account, token=secret),
            ClientSettings(first_delay_s=0.001, longest_delay_s=0.001),
            MemoryDeviceStore(lambda: name),
            lambda: 0,
            lambda: 0.5,
            lambda: next(ids),
        )
        self.follower = Follower(self.client)
        self._failed: set[str] = set()
        self.client.on_refused(self._note)

    async def row(self, conversation: str) -> InboxEntry | None:
        return await self.client.inbox.get(conversation)

    async def answered(self) -> None:
        """Return when the node has answered every command; what it refused is given up."""
        assert await self.client.flush(20), "a command was not answered"
        failed, self._failed = self._failed, set()
        for client_id in failed:
            # Deleted with its row, it is gone already.
            with contextlib.suppress(CallerMistake):
                await self.client.messages.discard(client_id)

    def _note(self, command: AnyCommand, _: Refused) -> None:
        if isinstance(command, Post):
            self._failed.add(command.client_id)


@dataclass(frozen=True)
class Deed:
    """One call of the SDK.

    Attributes:
        call: makes the call.
        tell: tells the oracle, given how the node heard of it; None when no command goes out.
    """

    device: Device
    call: Callable[[], Coroutine[object, object, object]]
    tell: Callable[[Heard], object] | None


class Company:
    """Everything that a history needs, driven step by step from synchronous code."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._time_ms = 1_000_000
        self._chance = random.Random(0)
        self._names = (f"d{number}" for number in itertools.count(1))
        self._ear = Ear()
        self.node = Node(store, settings, clock_ms=lambda: self._time_ms)
        self.oracle = Oracle()
        self.devices: dict[str, list[Device]] = {account: [] for account in ACCOUNTS}
        self._secrets: dict[str, str] = {}
        self.run(self._begin())

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, 30))

    def close(self) -> None:
        self._ear.close()
        self.run(self._end())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    # What happens.

    def do(self, *deeds: Deed) -> None:
        """Begin all deeds at once, and tell the oracle in which order they were done."""
        self._let_time_pass()
        self.run(self._do(deeds))
        self._tell(deeds)

    def do_behind_the_back_of(
        self, device: Device, its_deeds: Iterable[Deed], others: Iterable[Deed]
    ) -> None:
        """Let a device act on what it knows while it is cut off and others go on."""
        self._let_time_pass()
        late, early = tuple(its_deeds), tuple(others)
        self.run(self._do_behind_the_back_of(device, late, early))
        self._tell(early + late)

    def lose_answers(self, device: Device, *deeds: Deed) -> None:
        """Cut a device's connection while its deeds are under way: it will ask again."""
        self._let_time_pass()
        self.run(self._lose_answers(device, deeds))
        self._tell(deeds)

    def cut(self, device: Device) -> None:
        """Lose a device's connection, and let it come back."""
        self.run(self._cut(device))

    # Whether all is well.

    def check(self) -> None:
        """Compare node, devices and followers with the oracle, for every account."""
        for account in ACCOUNTS:
            served = self.run(self.node.questions.answer(account, ListRows(id="q", limit=1_000)))
            assert isinstance(served, Rows)
            compare(f"node for {account}", served.rows, served.totals, self.oracle, account)
            for device in self.devices[account]:
                self._check_device(device, served)

    def check_fresh(self, account: str) -> None:
        """A device that logs in now is told what the others show (C3)."""
        self.run(self._check_fresh(account))

    def _check_device(self, device: Device, served: Rows) -> None:
        self.run(self._settle(device, served.rows))
        page = self.run(device.client.inbox.list(limit=1_000))
        compare(f"device {device.name}", page.entries, page.totals, self.oracle, device.account)
        follower = device.follower
        rows = {row.conversation: _shown(row) for row in page.entries}
        assert {name: _shown(row) for name, row in follower.rows.items()} == rows, (
            f"law 4: the batches of {device.name} lead elsewhere"
        )
        assert follower.totals == page.totals

    async def _check_fresh(self, account: str) -> None:
        device = self._new_device(account)
        async with device.client as fresh:
            page = await fresh.inbox.list(limit=1_000)
            for _ in range(SETTLE_ROUNDS):
                if page.complete:
                    break
                await asyncio.sleep(0)
                page = await fresh.inbox.list(limit=1_000)
            compare(f"fresh {device.name}", page.entries, page.totals, self.oracle, account)

    # How it happens.

    def _let_time_pass(self) -> None:
        """Or not: equal times are frequent, steps back happen (M4)."""
        self._time_ms += self._chance.choice((0, 0, 1, 1, 5, -2))

    async def _do(self, deeds: tuple[Deed, ...]) -> None:
        _expect_only_refusals(
            await asyncio.gather(*(deed.call() for deed in deeds), return_exceptions=True)
        )
        await self._answered(deeds)

    async def _answered(self, deeds: Iterable[Deed]) -> None:
        for device in {deed.device.name: deed.device for deed in deeds}.values():
            await device.answered()

    async def _do_behind_the_back_of(
        self, device: Device, late: tuple[Deed, ...], early: tuple[Deed, ...]
    ) -> None:
        device.link.cut_off = True
        await device.link.cut()
        await _until(lambda: device.client.state != "synced")
        waiting = asyncio.create_task(self._do(late))
        await self._do(early)
        device.link.cut_off = False
        await waiting
        await _until(lambda: device.client.state == "synced")

    async def _lose_answers(self, device: Device, deeds: tuple[Deed, ...]) -> None:
        waiting = asyncio.create_task(self._do(deeds))
        for _ in range(self._chance.randrange(8)):
            await asyncio.sleep(0)
        await device.link.cut()
        await waiting
        await _until(lambda: device.client.state == "synced")

    async def _cut(self, device: Device) -> None:
        await device.link.cut()
        await _until(lambda: device.client.state != "synced")
        await _until(lambda: device.client.state == "synced")

    def _tell(self, deeds: Iterable[Deed]) -> None:
        """Tell the oracle what the node took, in the order in which it did.

        A device's commands are carried out in the order in which they were given, so the first
        unknown id of a device is that of its next deed; a known one was refused before.
        """
        waiting: dict[str, Iterator[Deed]] = {
            device.name: iter([deed for deed in deeds if deed.tell and deed.device is device])
            for device in {deed.device.name: deed.device for deed in deeds}.values()
        }
        by_id: dict[str, Deed] = {}
        for heard in self._ear.take():
            command_id = heard.command.id
            if command_id not in by_id:
                by_id[command_id] = next(waiting[command_id.partition("-")[0]])
            tell = by_id[command_id].tell
            if heard.taken and tell is not None:
                tell(heard)
        for left in waiting.values():
            assert next(left, None) is None, "a command never reached the node"

    async def _settle(self, device: Device, served: tuple[InboxEntry, ...]) -> None:
        want = {row.conversation: row.version for row in served}
        for _ in range(SETTLE_ROUNDS):
            page = await device.client.inbox.list(limit=1_000)
            if {row.conversation: row.version for row in page.entries} == want:
                return
            await asyncio.sleep(0)

    def _new_device(self, account: str) -> Device:
        return Device(next(self._names), account, self.node, self._secrets[account])

    async def _begin(self) -> None:
        await self.node.start()
        for account in ACCOUNTS:
            await self.node.accounts.create(account)
            _, self._secrets[account] = await self.node.accounts.give_token(account)
            for _ in range(DEVICES):
                device = self._new_device(account)
                await device.client.open()
                await device.follower.start()
                self.devices[account].append(device)

    async def _end(self) -> None:
        for devices in self.devices.values():
            for device in devices:
                await device.client.close()
        await self.node.stop()


def _shown(row: InboxEntry) -> InboxEntry:
    """Return a row without what no user sees; see ``core/replica.py``, rule 2."""
    return msgspec.structs.replace(row, version=0, read_epoch=0)


def _expect_only_refusals(outcomes: Iterable[object]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not (
            isinstance(outcome, Refused) and outcome.code in _REFUSALS
        ):
            raise outcome


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(SETTLE_ROUNDS):
        if true():
            return
        await asyncio.sleep(0.0005)
    raise AssertionError("what was waited for did not come")
