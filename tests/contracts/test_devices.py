"""Contract: the devices of an account, each known by the id that it made itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from recents.server.store.port import KnownDevice, Store

pytestmark = pytest.mark.asyncio

MANY = 256


def a_device(device_id: str, seen_ms: int = 1, account: str = "alice") -> KnownDevice:
    return KnownDevice(account, device_id, f"name \0 of {device_id}", "t1", seen_ms, seen_ms)


async def ids(store: Store, account: str = "alice") -> list[str]:
    return [device.device_id for device in await store.devices_of(account)]


async def test_a_device_is_found_by_its_account_and_id(store: Store) -> None:
    phone = a_device("phone")
    assert await store.device("alice", "phone") is None
    await store.put_devices([phone], MANY)
    assert await store.device("alice", "phone") == phone
    assert await store.device("alice", "Phone") is None
    assert await store.device("bob", "phone") is None
    await store.put_devices([a_device("phone", 7, "bob")], MANY)
    assert await store.device("alice", "phone") == phone


async def test_devices_are_there_after_reopening_and_take_no_version(store: Store) -> None:
    await store.put_devices([a_device("phone"), a_device("web")], MANY)
    await store.revoke_device("alice", "web", 9)
    before = await store.devices_of("alice")
    await store.close()
    await store.open()
    assert await store.devices_of("alice") == before
    assert store.version == store.rows_written == 0


async def test_a_known_device_is_noted_as_it_is_now(store: Store) -> None:
    first = KnownDevice("alice", "phone", "Old name", "t1", 3, 3)
    await store.put_devices([first], MANY)
    now = KnownDevice("alice", "phone", "New name", "t2", 8, 8)
    await store.put_devices([now], MANY)
    assert await store.device("alice", "phone") == replace(now, created_ms=3)
    newer = KnownDevice("alice", "phone", "Newer name", "t3", 9, 9)
    await store.put_devices([replace(newer, name="?", seen_ms=10), newer], MANY)
    assert await store.devices_of("alice") == [replace(newer, created_ms=3)]


async def test_the_device_seen_last_is_first(store: Store) -> None:
    await store.put_devices([], MANY)
    assert await ids(store) == []
    devices = [
        a_device(name, seen_ms) for name, seen_ms in (("b", 5), ("a", 5), ("c", 9), ("B", 5))
    ]
    await store.put_devices([*devices, a_device("other", 7, "bob")], MANY)
    assert await ids(store) == ["c", "B", "a", "b"]
    await store.put_devices([a_device("b", 10)], MANY)
    assert await ids(store) == ["b", "c", "B", "a"]
    assert await ids(store, "nobody") == []


async def test_a_revoked_device_stays_revoked(store: Store) -> None:
    await store.put_devices([a_device("phone"), a_device("web")], MANY)
    assert not await store.revoke_device("alice", "none", 7)
    assert not await store.revoke_device("bob", "phone", 7)
    assert await store.revoke_device("alice", "phone", 7)
    assert not await store.revoke_device("alice", "phone", 8)
    await store.put_devices([a_device("phone", 9)], MANY)
    phone = await store.device("alice", "phone")
    assert phone == replace(a_device("phone", 9), created_ms=1, revoked_ms=7)
    web = await store.device("alice", "web")
    assert web == a_device("web")


async def test_of_each_account_those_seen_longest_ago_are_forgotten(store: Store) -> None:
    await store.put_devices([a_device(f"d{n}", n) for n in range(5)], 3)
    assert await ids(store) == ["d4", "d3", "d2"]
    await store.put_devices([a_device("d2", 9), a_device("new", 8)], 3)
    assert await ids(store) == ["d2", "new", "d4"]
    await store.put_devices([a_device("x", 1, "bob"), a_device("y", 2, "bob")], 1)
    assert await ids(store, "bob") == ["y"]
    assert await ids(store) == ["d2", "new", "d4"], "nobody else's are looked at"


async def test_revoked_devices_are_forgotten_last(store: Store) -> None:
    await store.put_devices([a_device(f"d{n}", n) for n in range(4)], 4)
    for device_id in ("d0", "d1"):
        await store.revoke_device("alice", device_id, 7)
    await store.put_devices([a_device("d4", 4)], 3)
    assert await ids(store) == ["d4", "d1", "d0"]
    await store.put_devices([a_device("d5", 5)], 1)
    assert await ids(store) == ["d1"], "the newer one of the revoked"
