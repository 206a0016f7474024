"""The devices of all accounts: who is connected, who was, and who may not come back.

Rules of this file:

1. A device is an account and the id that the device made itself; one without is not remembered.
2. Of one device the newest connection counts: it ends the one before, for good.
3. What is seen of devices is gathered and stored in few commits; a revocation is stored at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from recents.core.errors import Code, Refused
from recents.core.message import check_token
from recents.server.accounts import Accounts
from recents.server.settings import Settings
from recents.server.store.port import KnownDevice, Store, StoreFailed
from recents.wire.frames import Device, Devices, Revoked

log = logging.getLogger(__name__)

DEVICES_PER_COMMIT = 2_000
"""10,000 devices that leave at once are five commits, none of which holds up messages for long."""

DeviceKey = tuple[str, str]
"""(account, device_id)"""


class Connection(Protocol):
    """What is asked of the connection of a device.

    Attributes:
        account: who is logged in.
        device: how the device calls itself.
        device_id: which one it is; "" where it keeps no id.
        token_id: with which token it logged in.
        order: tells which of two connections is the newer one.
    """

    account: str
    device: str
    device_id: str
    token_id: str
    order: int

    def end(self) -> None:
        """Take in nothing more."""

    async def last_words(self, refusal: Refused) -> None:
        """Tell the device why its connection has ended, and close it."""


class Asking(Protocol):
    """Who asks about the devices of an account; the names are those of ``Connection``."""

    @property
    def account(self) -> str:
        """Whose devices."""

    @property
    def device_id(self) -> str:
        """Which of them asks; "" where it is none."""

    @property
    def token_id(self) -> str:
        """With which token; "" where it is none."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Asks about the devices of an account without being one of them."""

    account: str
    token_id: str = ""
    device_id: str = ""


class KnownDevices:
    """Remembers devices, lists them, ends them."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock_ms: Callable[[], int],
        accounts: Accounts,
        with_token: Callable[[str], Iterable[Connection]],
    ) -> None:
        """Prepare for a store that has been opened; ``with_token`` finds who uses a token."""
        self._store = store
        self._settings = settings
        self._clock_ms = clock_ms
        self._accounts = accounts
        self._with_token = with_token
        self._connected: dict[DeviceKey, Connection] = {}
        self._revoked: set[DeviceKey] = set()
        self._connections = itertools.count(1)
        self._news: dict[DeviceKey, KnownDevice] = {}
        self._storing = asyncio.Lock()
        self._something = asyncio.Event()
        self._stopping = asyncio.Event()
        self._farewells: set[asyncio.Task[None]] = set()

    # Coming and going

    def next_connection(self) -> int:
        """Number a connection that has just been made.

        Not its hello: that of a connection which the device has given up may come late, and must
        not end the one that took its place.
        """
        return next(self._connections)

    async def look_up(self, account: str, device_id: str) -> KnownDevice | None:
        """Return what is known of a device that greets.

        Raises:
            StoreFailed: the store could not be read.
        """
        return await self._store.device(account, device_id) if device_id else None

    def enter(self, connection: Connection, known: KnownDevice | None) -> None:
        """Take a device in and end its older connection, which is not read any further.

        Raises:
            Refused: ``revoked``; or ``replaced``, by a connection that was made later.
        """
        key = _key(connection)
        if not connection.device_id:
            return
        # Revoked while it was read from the store, the device that was read looks good.
        if (known is not None and known.revoked_ms is not None) or key in self._revoked:
            raise revoked()
        older = self._connected.get(key)
        if older is not None:
            if older.order > connection.order:
                raise replaced()
            self._end(older, replaced())
        self._connected[key] = connection
        self._note(connection)

    def leave(self, connection: Connection) -> None:
        """Note that a connection is over, unless a newer one has taken its place."""
        key = _key(connection)
        if self._connected.get(key) is connection:
            del self._connected[key]
            self._note(connection)

    # Asking and revoking

    async def of(self, asking: Asking) -> Devices:
        """Return the devices of an account that may connect.

        Raises:
            StoreFailed: the store could not be read or written.
        """
        await self._store_news()
        known = await self._store.devices_of(asking.account)
        now_ms = self._clock_ms()
        devices = []
        for one in known:
            if one.revoked_ms is None:
                connected = (one.account, one.device_id) in self._connected
                devices.append(
                    Device(
                        device_id=one.device_id,
                        name=one.name,
                        created_ms=one.created_ms,
                        seen_ms=now_ms if connected else one.seen_ms,
                        connected=connected,
                        this=one.device_id == asking.device_id,
                    )
                )
        devices.sort(key=lambda device: (-device.seen_ms, device.device_id))
        return Devices(devices=tuple(devices))

    async def revoke(self, asking: Asking, device_id: str) -> Revoked:
        """Revoke a device of the account that asks, and end it; twice is like once.

        The connection that asks is left alone, so that it can be answered.

        Raises:
            Refused: ``bad_value``, or ``not_found``.
            StoreFailed: the store could not be read or written; the device may be revoked.
        """
        check_token(device_id, "device_id")
        account = asking.account
        await self._store_news()
        known = await self._store.devices_of(account)
        found = next((one for one in known if one.device_id == device_id), None)
        if found is None:
            raise Refused(Code.NOT_FOUND, f"there is no device {device_id!r}")
        await self._store.revoke_device(account, device_id, self._clock_ms())
        self._revoked.add((account, device_id))
        connected = self._connected.get((account, device_id))
        if connected is not None and connected is not asking:
            self._end(connected, revoked())
        token_id = found.token_id if connected is None else connected.token_id
        others = {one.token_id for one in known if one is not found and one.revoked_ms is None}
        if asking.token_id and asking.device_id != device_id:
            others.add(asking.token_id)
        if token_id in others:
            return Revoked(token_shared=True)
        await self._accounts.revoke(account, token_id)
        for one in list(self._with_token(token_id)):
            if one is not asking:
                self._end(one, revoked())
        return Revoked()

    # Storing

    async def run(self) -> None:
        """Store what is seen of devices from time to time, until stopped."""
        while not self._stopping.is_set():
            await self._something.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.devices_stored_s):
                    await self._stopping.wait()
            await self._store_or_keep()

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()
        self._something.set()

    async def finish(self) -> None:
        """Store what is left after all connections have ended; wait for the last farewells."""
        if self._farewells:
            await asyncio.wait(self._farewells)
        await self._store_or_keep()

    async def _store_or_keep(self) -> None:
        try:
            await self._store_news()
        except StoreFailed as failure:
            log.warning("! what was seen of devices could not be stored: %s", failure)

    async def _store_news(self) -> None:
        async with self._storing:
            self._something.clear()
            try:
                for keys in _parts(list(self._news)):
                    some = {key: self._news[key] for key in keys}
                    await self._store.put_devices(
                        list(some.values()), self._settings.devices_per_account
                    )
                    for key, device in some.items():
                        # What came meanwhile is stored the next time.
                        if self._news[key] is device:
                            del self._news[key]
            finally:
                if self._news:
                    self._something.set()

    def _note(self, connection: Connection) -> None:
        key = _key(connection)
        now_ms = self._clock_ms()
        before = self._news.get(key)
        self._news[key] = KnownDevice(
            account=connection.account,
            device_id=connection.device_id,
            name=connection.device,
            token_id=connection.token_id,
            created_ms=before.created_ms if before else now_ms,
            seen_ms=now_ms,
        )
        self._something.set()

    def _end(self, connection: Connection, refusal: Refused) -> None:
        connection.end()
        # In the background: a device whose network is gone does not answer, and nobody waits.
        farewell = asyncio.create_task(connection.last_words(refusal))
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)


def _key(connection: Connection) -> DeviceKey:
    return connection.account, connection.device_id


def _parts(keys: list[DeviceKey]) -> Iterable[list[DeviceKey]]:
    return (keys[at : at + DEVICES_PER_COMMIT] for at in range(0, len(keys), DEVICES_PER_COMMIT))


def revoked() -> Refused:
    """Return the refusal of a device that was revoked."""
    return Refused(
        Code.REVOKED,
        "the device was revoked for good; connect as a new one (SDK: another data_dir)",
    )


def replaced() -> Refused:
    """Return the refusal of a connection whose device has a newer one."""
    return Refused(
        Code.REPLACED,
        "this device has connected anew; two programs are two devices (SDK: a data_dir for each)",
    )
