"""Every contract runs on every adapter: a new one is done when it is in ``ADAPTERS``."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import DeviceStore, Saved
from recents.client.store.sqlite import SqliteDeviceStore
from tests.client.store.steps import ALICE

KEPT_MESSAGES = 5
"""Few, so that tests reach the limit."""


class Device(Protocol):
    """A device whose store can be killed: all that was not kept is lost then."""

    store: DeviceStore

    async def restart(self, *, kill: bool) -> Saved:
        """End the program, kindly or not, and start it again."""

    async def end(self) -> None:
        """End the program."""


class MemoryDevice:
    """Lives in one object."""

    def __init__(self, folder: Path) -> None:
        self._ids = (f"{folder.name}-{number}" for number in count(1))
        self.store: DeviceStore = MemoryDeviceStore(
            lambda: next(self._ids), kept_messages=KEPT_MESSAGES
        )

    async def restart(self, *, kill: bool) -> Saved:
        if not kill:
            await self.store.close()
        return await self.store.open()

    async def end(self) -> None:
        await self.store.close()


class SqliteDevice:
    """Lives in one file. To kill it is to go on with what is on the disk at that moment."""

    def __init__(self, folder: Path) -> None:
        self._ids = (f"{folder.name}-{number}" for number in count(1))
        self._folders = (folder / f"life-{number}" for number in count(1))
        self._folder = next(self._folders)
        self.store: DeviceStore = self._made()

    def _made(self) -> SqliteDeviceStore:
        return SqliteDeviceStore(
            self._folder / "alice.db",
            ALICE,
            lambda: next(self._ids),
            kept_messages=KEPT_MESSAGES,
        )

    async def restart(self, *, kill: bool) -> Saved:
        if kill:
            before, self._folder = self._folder, next(self._folders)
            shutil.copytree(before, self._folder)
        await self.store.close()
        self.store = self._made()
        return await self.store.open()

    async def end(self) -> None:
        await self.store.close()


ADAPTERS: dict[str, type[MemoryDevice] | type[SqliteDevice]] = {
    "memory": MemoryDevice,
    "sqlite": SqliteDevice,
}


@pytest_asyncio.fixture(params=ADAPTERS)
async def device(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Device]:
    """A device with an open, empty store."""
    made: Device = ADAPTERS[request.param](tmp_path / "device")
    await made.store.open()
    yield made
    await made.end()


@pytest.fixture
def store(device: Device) -> DeviceStore:
    """An open, empty store."""
    return device.store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of alice's copy may be."""
    return tmp_path / "copies" / "alice.db"
