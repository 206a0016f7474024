"""A node and the devices of its accounts, in one process; between them everything is real."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.client.opening import assemble
from recents.client.settings import Settings
from recents.core.entry import InboxEntry
from recents.server.node import Node
from recents.server.store.port import Store
from recents.testing.in_process import InProcessLink
from recents.wire.frames import Hello, ListRows, Rows

PATIENCE_S = 10.0
"""Seconds. What is waited for comes within milliseconds, or never."""


class Device:
    """One device of an account, its way to the node, and the batches that it was told."""

    def __init__(self, world: World, name: str, account: str, secret: str) -> None:
        self.account = account
        self.link = InProcessLink(world.node)
        self.batches: list[ChangeBatch] = []
        self._world = world
        ids = (f"{name}-{number:x}" for number in itertools.count(1))
        self.client = assemble(
            self.link,
            Hello(protocol=1, account=account, token=secret),
            Settings(first_delay_s=0.001, longest_delay_s=0.001),
            lambda: 0.5,
            lambda: next(ids),
        )
        self.client.inbox.on_change(self.batches.append)

    async def rows(self) -> tuple[InboxEntry, ...]:
        """All rows as the device has them now."""
        return (await self.client.inbox.list(limit=1_000_000)).entries

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
        self.link.cut_off = False
        await until(lambda: self.client.state == "synced")
        await self.caught_up()


class World:
    """The node, and everybody who has ever logged in."""

    def __init__(self, store: Store) -> None:
        self.at_ms = 1_000_000
        self.tick_ms = 1
        self.node = Node(store, clock_ms=self._clock_ms)
        self._names = (f"d{number}" for number in itertools.count(1))
        self._secrets: dict[str, str] = {}
        self._clients: list[Client] = []

    def _clock_ms(self) -> int:
        self.at_ms += self.tick_ms
        return self.at_ms

    async def hire(self, *accounts: str) -> None:
        for account in accounts:
            await self.node.accounts.create(account)
            _, self._secrets[account] = await self.node.accounts.give_token(account)

    async def login(self, account: str) -> Device:
        """Return another device of an account, with all rows."""
        if account not in self._secrets:
            await self.hire(account)
        device = Device(self, next(self._names), account, self._secrets[account])
        await device.client.open()
        self._clients.append(device.client)
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
        request = ListRows(id="q", limit=limit, cursor=cursor)
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
        for client in self._clients:
            await client.close()
        await self.node.stop()


async def until(true: Callable[[], bool]) -> None:
    """Return when something has become true."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.001)
