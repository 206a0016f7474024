"""Stores that fail, or take their time, when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from recents.core.head import Head
from recents.core.ids import ConversationKey
from recents.core.ordering import Place
from recents.core.totals import Totals
from recents.server.store.memory import MemoryStore
from recents.server.store.port import KnownDevice, Seen, StoreFailed, Token
from recents.server.store.workspace import MembershipId, Wanted, Workspace


class FailingStore(MemoryStore):
    """Each method that is named in ``failures`` fails that many times, then works again."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: dict[str, int] = {}

    def _fail(self, method: str) -> None:
        left = self.failures.get(method, 0)
        if left:
            self.failures[method] = left - 1
            raise StoreFailed(f"{method} was told to fail")

    async def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        # What a store does first has no effect when the commit fails: decide may run in vain.
        if self.failures.get("transact"):
            decide(Workspace(self.version + 1, self._load(wanted)))
        self._fail("transact")
        return await super().transact(wanted, decide)

    async def forget_verdicts(self, before_ms: int) -> int:
        self._fail("forget_verdicts")
        return await super().forget_verdicts(before_ms)

    async def look(self, pairs: Collection[MembershipId]) -> list[Seen]:
        self._fail("look")
        return await super().look(pairs)

    async def page(
        self,
        account: str,
        limit: int,
        after: Place | None = None,
        *,
        archived: bool | None = False,
    ) -> tuple[list[Seen], Totals]:
        self._fail("page")
        return await super().page(account, limit, after, archived=archived)

    async def changed_since(self, account: str, version: int) -> list[Seen]:
        self._fail("changed_since")
        return await super().changed_since(account, version)

    async def teams_of(self, account: str) -> list[tuple[ConversationKey, Head]]:
        self._fail("teams_of")
        return await super().teams_of(account)

    async def count_members(self, key: ConversationKey) -> int:
        self._fail("count_members")
        return await super().count_members(key)

    async def token(self, digest: bytes) -> Token | None:
        self._fail("token")
        return await super().token(digest)

    async def put_devices(self, devices: Collection[KnownDevice], most: int) -> None:
        self._fail("put_devices")
        await super().put_devices(devices, most)

    async def device(self, account: str, device_id: str) -> KnownDevice | None:
        self._fail("device")
        return await super().device(account, device_id)

    async def devices_of(self, account: str) -> list[KnownDevice]:
        self._fail("devices_of")
        return await super().devices_of(account)

    async def revoke_device(self, account: str, device_id: str, at_ms: int) -> bool:
        self._fail("revoke_device")
        return await super().revoke_device(account, device_id, at_ms)


class GatedStore(MemoryStore):
    """Each method that is named in ``gates`` waits there, after it has read, for the gate.

    At ``before look`` it waits before it reads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gates: dict[str, asyncio.Event] = {}
        self.waiting: dict[str, int] = {}
        self._moved = asyncio.Event()

    def shut(self, method: str) -> asyncio.Event:
        """Make a method wait; returns the gate to open."""
        self.gates[method] = gate = asyncio.Event()
        return gate

    async def reached(self, method: str) -> None:
        """Return when somebody waits at a gate."""
        async with asyncio.timeout(5):
            while not self.waiting.get(method):
                await self._moved.wait()
                self._moved.clear()

    async def _pass(self, method: str) -> None:
        gate = self.gates.get(method)
        if gate is not None:
            self.waiting[method] = self.waiting.get(method, 0) + 1
            self._moved.set()
            await gate.wait()
            self.waiting[method] -= 1

    async def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        await self._pass("transact")
        return await super().transact(wanted, decide)

    async def look(self, pairs: Collection[MembershipId]) -> list[Seen]:
        await self._pass("before look")
        found = await super().look(pairs)
        await self._pass("look")
        return found

    async def changed_since(self, account: str, version: int) -> list[Seen]:
        found = await super().changed_since(account, version)
        await self._pass("changed_since")
        return found

    async def teams_of(self, account: str) -> list[tuple[ConversationKey, Head]]:
        found = await super().teams_of(account)
        await self._pass("teams_of")
        return found

    async def token(self, digest: bytes) -> Token | None:
        found = await super().token(digest)
        await self._pass("token")
        return found

    async def device(self, account: str, device_id: str) -> KnownDevice | None:
        found = await super().device(account, device_id)
        await self._pass("device")
        return found

    async def put_devices(self, devices: Collection[KnownDevice], most: int) -> None:
        await self._pass("put_devices")
        await super().put_devices(devices, most)

    async def count_members(self, key: ConversationKey) -> int:
        found = await super().count_members(key)
        await self._pass("count_members")
        return found
