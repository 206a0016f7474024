"""A node and the devices of its accounts, in one process; between them everything is real."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.client.link.port import Connection
from recents.client.opening import assemble
from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import DeviceStore
from recents.core.commands import AnyCommand
from recents.core.entry import InboxEntry
from recents.core.errors import Refused
from recents.server.node import Node
from recents.server.store.port import Store
from recents.testing.in_process import InProcessLink
from recents.wire.frames import Hello, ListRows, Rows

PATIENCE_S = 10.0
"""Seconds. What is waited for comes within milliseconds, or never."""

QUICK = Settings(first_delay_s=0.001, longest_delay_s=0.001)


class DeafLink(InProcessLink):
    """A way to a node on which what the node says can get lost.

    Attributes:
        deaf: while True the device hears nothing; the node hears the device.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.deaf = False

    async def open(self) -> Connection:
        return _DeafConnection(self, await super().open())


class _DeafConnection:
    def __init__(self, link: DeafLink, connection: Connection) -> None:
        self._link = link
        self._connection = connection

    async def send(self, message: str) -> None:
        await self._connection.send(message)

    async def receive(self) -> str | None:
        message = await self._connection.receive()
        while message is not None and self._link.deaf:
            message = await self._connection.receive()
        return message

    async def close(self) -> None:
        await self._connection.close()


class Device:
    """One device of an account, its way to the node, and what it was told.

    Attributes:
        batches: the changes of its list.
        statuses: status and text of its own messages, as they went.
        refused: the commands that the node refused.
    """

    def __init__(
        self,
        world: World,
        name: str,
        account: str,
        secret: str,
        store: DeviceStore | None = None,
        settings: Settings = QUICK,
    ) -> None:
        self.account = account
        self.link = DeafLink(world.node)
        self.store = store or MemoryDeviceStore(lambda: name)
        self.batches: list[ChangeBatch] = []
        self.statuses: list[tuple[str, str]] = []
        self.refused: list[tuple[AnyCommand, Refused]] = []
        self._world = world
        self._hello = Hello(protocol=1, account=account, token=secret)
        self._ids = (f"{name}-{number:x}" for number in itertools.count(1))
        self._settings = settings
        self.client = self._assembled()

    def _assembled(self) -> Client:
        client = assemble(
            self.link,
            self._hello,
            self._settings,
            self.store,
            lambda: 0,
            lambda: 0.5,
            lambda: next(self._ids),
        )
        client.inbox.on_change(self.batches.append)
        client.messages.on_status(
            lambda _, message: self.statuses.append((message.status, message.text))
        )
        client.on_refused(lambda command, why: self.refused.append((command, why)))
        return client

    async def restart(self) -> None:
        """Close the program, and start it again on what it kept."""
        await self.client.close()
        self.client = self._assembled()
        await self.client.open()

    async def rows(self) -> tuple[InboxEntry, ...]:
        """All rows as the device has them now."""
        return (await self.client.inbox.list(limit=1_000_000, archived=None)).entries

    async def row(self, conversation: str) -> InboxEntry:
        """The row, which must be there."""
        row = await self.client.inbox.get(conversation)
        assert row is not None, f"{self.account} has no {conversation}"
        return row

    async def names(self) -> list[str]:
        return [row.conversation for row in await self.rows()]

    async def unread(self) -> int:
        return (await self.client.inbox.totals()).unread

    async def caught_up(self) -> None:
        """Return when the device shows what the node has."""
        await until(lambda: self.client.state == "synced")
        want = {row.conversation: row.version for row in await self._world.rows(self.account)}
        async with asyncio.timeout(PATIENCE_S):
            while await self._versions() != want:  # noqa: ASYNC110  # not every change is told
                await asyncio.sleep(0.001)

    async def _versions(self) -> dict[str, int]:
        return {row.conversation: row.version for row in await self.rows()}

    async def go_offline(self) -> None:
        self.link.cut_off = True
        await self.link.cut()
        await until(lambda: self.client.state != "synced")

    async def come_back(self) -> None:
        """Connect again; return when the device shows what the node has."""
        await self.reconnect()
        await self.caught_up()

    async def reconnect(self) -> None:
        """Connect again; return when every command is answered."""
        self.link.cut_off = False
        await until(lambda: self.client.state == "synced")
        assert await self.client.flush(PATIENCE_S)


class World:
    """The node, and everybody who has ever logged in."""

    def __init__(self, store: Store) -> None:
        self.at_ms = 1_000_000
        self.tick_ms = 1
        self.node = Node(store, clock_ms=self._clock_ms)
        self._names = (f"d{number}" for number in itertools.count(1))
        self._secrets: dict[str, str] = {}
        self._devices: list[Device] = []

    def _clock_ms(self) -> int:
        self.at_ms += self.tick_ms
        return self.at_ms

    async def hire(self, *accounts: str) -> None:
        for account in accounts:
            await self.node.accounts.create(account)
            _, self._secrets[account] = await self.node.accounts.give_token(account)

    async def login(
        self, account: str, store: DeviceStore | None = None, settings: Settings = QUICK
    ) -> Device:
        """Return another device of an account, with all rows."""
        if account not in self._secrets:
            await self.hire(account)
        secret = self._secrets[account]
        device = Device(self, next(self._names), account, secret, store, settings)
        self._devices.append(device)
        await device.client.open()
        await device.caught_up()
        return device

    async def online(self, *accounts: str) -> list[Device]:
        return [await self.login(account) for account in accounts]

    @asynccontextmanager
    async def for_a_moment(self, account: str) -> AsyncIterator[Device]:
        """Log in with a device that is new, and out again."""
        device = await self.login(account)
        yield device
        await device.client.close()

    async def page(self, account: str, limit: int = 1_000, cursor: str | None = None) -> Rows:
        """Ask the node for rows, as the wire's ``list`` does."""
        request = ListRows(id="q", limit=limit, cursor=cursor, archived=None)
        found = await self.node.questions.answer(account, request)
        assert isinstance(found, Rows)
        return found

    async def rows(self, account: str) -> tuple[InboxEntry, ...]:
        """All rows, as the node has them."""
        page = await self.page(account)
        rows = page.rows
        while page.next_cursor:
            page = await self.page(account, cursor=page.next_cursor)
            rows += page.rows
        return rows

    async def close(self) -> None:
        for device in self._devices:
            await device.client.close()
        await self.node.stop()


async def until(true: Callable[[], bool]) -> None:
    """Return when something has become true."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.001)
