"""The devices of an account: who they are, replacing, revoking (docs/protocol.md, section 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server import devices as known_devices
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import KnownDevice, Store
from recents.server.store.sqlite import SqliteStore
from recents.wire.frames import Answer, Bye, Devices, Error, MyDevices, Revoked, RevokeDevice
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, a_post, new_id
from tests.server.failing_store import FailingStore, GatedStore

pytestmark = pytest.mark.asyncio

BOB = Conversation("p2p:bob")

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "recents.db"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


async def online(company: Company, account: str, device_id: str, name: str = "") -> Device:
    """Return a device with an id that has caught up."""
    device = company.device(account)
    await device.greet(device_id=device_id, device=name)
    return device


async def another_token(company: Company, account: str) -> None:
    """Have the next devices of an account log in with a token of their own."""
    _, company.secrets[account] = await company.node.accounts.give_token(account)


async def mine(device: Device) -> dict[str, tuple[str, bool, bool]]:
    """Ask for the devices: id → (name, connected, this)."""
    found = await device.result(MyDevices(id=new_id()), Devices)
    return {one.device_id: (one.name, one.connected, one.this) for one in found.devices}


async def bye_to(device: Device) -> Bye:
    bye = await device.told_of(Bye)
    await device.until(lambda: device.peer.close_reason is not None)
    return bye


async def refused_at_hello(company: Company, account: str, device_id: str) -> Code:
    device = company.device(account)
    await device.send(device.hello(device_id=device_id))
    return (await bye_to(device)).code


# Knowing


async def test_a_device_finds_itself_and_the_others(found: Founder, store: Store) -> None:
    company = await found(store=store)
    await company.hire("alice", "bob")
    phone = await online(company, "alice", "d-phone", "phone 📱")
    laptop = await online(company, "alice", "d-laptop")
    await online(company, "bob", "d-phone", "bob's")
    await company.online("alice")
    laptop.hang_up()
    assert await mine(phone) == {
        "d-phone": ("phone 📱", True, True),
        "d-laptop": ("", False, False),
    }
    (nameless,) = await company.online("alice")
    assert set((await mine(nameless)).values()) == {
        ("phone 📱", True, False),
        ("", False, False),
    }


async def test_times_tell_when_a_device_was_seen(found: Founder, store: Store) -> None:
    company = await found(store=store)
    await company.hire("alice")
    company.at_ms = 10_000
    phone = await online(company, "alice", "d-phone")
    company.at_ms = 20_000
    laptop = await online(company, "alice", "d-laptop")
    company.at_ms = 30_000
    phone.hang_up()
    company.at_ms = 40_000
    found_devices = (await laptop.result(MyDevices(id="q"), Devices)).devices
    assert [one.device_id for one in found_devices] == ["d-laptop", "d-phone"]
    assert [one.created_ms // 1_000 for one in found_devices] == [20, 10]
    assert [one.seen_ms // 1_000 for one in found_devices] == [40, 30]
    company.at_ms = 50_000
    again = await online(company, "alice", "d-phone", "new name")
    first = (await again.result(MyDevices(id="q"), Devices)).devices
    phone_again = next(one for one in first if one.this)
    assert (phone_again.name, phone_again.created_ms // 1_000) == ("new name", 10)


async def test_devices_are_known_after_a_restart(found: Founder, tmp_path: Path) -> None:
    first = await found(store=SqliteStore(tmp_path / "recents.db"))
    await first.hire("alice")
    await online(first, "alice", "d-phone", "phone")
    await first.node.stop()
    second = await found(store=SqliteStore(tmp_path / "recents.db"))
    second.secrets = first.secrets
    laptop = await online(second, "alice", "d-laptop")
    assert (await mine(laptop))["d-phone"] == ("phone", False, False)


async def test_an_account_has_so_many_devices_at_most(found: Founder, store: Store) -> None:
    company = await found(Settings(devices_per_account=3), store)
    await company.hire("alice")
    for number in range(6):
        device = await online(company, "alice", f"d-{number}")
        await mine(device)
        device.hang_up()
    last = await online(company, "alice", "d-last")
    assert set(await mine(last)) == {"d-4", "d-5", "d-last"}


async def test_an_unknown_device_id_is_remembered_for_who_got_in_only(company: Company) -> None:
    await company.hire("alice")
    stranger = company.device("alice")
    stranger.secret = "wrong"
    await stranger.send(stranger.hello(device_id="d-stranger"))
    assert (await bye_to(stranger)).code is Code.UNAUTHORIZED
    phone = await online(company, "alice", "d-phone")
    assert set(await mine(phone)) == {"d-phone"}


# Storing


class CountingStore(FailingStore):
    """Counts how often devices are stored."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[int] = []

    async def put_devices(self, devices: Collection[KnownDevice], most: int) -> None:
        self.puts.append(len(devices))
        await super().put_devices(devices, most)


async def test_many_devices_that_leave_at_once_cost_a_few_commits(
    found: Founder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_devices, "DEVICES_PER_COMMIT", 100)
    store = CountingStore()
    company = await found(store=store)
    await company.hire("alice")
    devices = [await online(company, "alice", f"d-{number}") for number in range(250)]
    for device in devices:
        device.hang_up()
    assert store.puts == []
    await company.node.stop()
    assert store.puts == [100, 100, 50]
    assert len(await store.devices_of("alice")) == 250


@pytest.mark.looptime
async def test_what_is_seen_is_stored_every_few_seconds(found: Founder) -> None:
    store = CountingStore()
    company = await found(Settings(devices_stored_s=5), store)
    await company.hire("alice")
    for number in range(3):
        await online(company, "alice", f"d-{number}")
    await asyncio.sleep(4.9)
    assert store.puts == []
    await asyncio.sleep(0.2)
    assert store.puts == [3]
    await asyncio.sleep(1_000)
    assert store.puts == [3], "without news nothing is stored"


@pytest.mark.looptime
async def test_what_could_not_be_stored_is_stored_later(
    found: Founder, caplog: pytest.LogCaptureFixture
) -> None:
    store = CountingStore()
    company = await found(Settings(devices_stored_s=5), store)
    await company.hire("alice")
    store.failures["put_devices"] = 2
    phone = await online(company, "alice", "d-phone")
    await asyncio.sleep(16)
    assert store.puts == [1, 1, 1]
    assert caplog.text.count("could not be stored") == 2
    assert set(await mine(phone)) == {"d-phone"}


async def test_what_is_seen_while_it_is_stored_is_not_lost(found: Founder) -> None:
    store = GatedStore()
    company = await found(store=store)
    await company.hire("alice")
    phone = await online(company, "alice", "d-phone", "old")
    gate = store.shut("put_devices")
    asking = asyncio.create_task(phone.ask(MyDevices(id="q")))
    await store.reached("put_devices")
    renamed = await online(company, "alice", "d-phone", "new")
    store.gates.clear()
    gate.set()
    asking.cancel()
    assert (await mine(renamed))["d-phone"][0] == "new"


@pytest.mark.parametrize("method", ["put_devices", "devices_of"])
async def test_a_store_that_fails_is_said_and_the_connection_goes_on(
    found: Founder, method: str
) -> None:
    store = FailingStore()
    company = await found(store=store)
    await company.hire("alice")
    for request in (MyDevices(id="a"), RevokeDevice(id="b", device_id="d-phone")):
        phone = await online(company, "alice", "d-phone")
        store.failures[method] = 1
        answer = await phone.ask(request)
        assert isinstance(answer, Error)
        assert (answer.code, answer.retry_after_s) == (Code.STORE_FAILED, 1.0)
        assert set(await mine(phone)) == {"d-phone"}


async def test_a_device_that_cannot_be_looked_up_may_try_again(found: Founder) -> None:
    store = FailingStore()
    company = await found(store=store)
    await company.hire("alice")
    store.failures["device"] = 1
    phone = company.device("alice")
    await phone.send(phone.hello(device_id="d-phone"))
    bye = await bye_to(phone)
    assert (bye.code, bye.retry_after_s) == (Code.STORE_FAILED, 1.0)
    await online(company, "alice", "d-phone")


# Replacing


async def test_a_second_connection_of_a_device_ends_the_first_for_good(company: Company) -> None:
    await company.hire("alice", "bob")
    first = await online(company, "alice", "d-phone")
    second = await online(company, "alice", "d-phone")
    bye = await bye_to(first)
    assert (bye.code, bye.retry_after_s) == (Code.REPLACED, None)
    await first.send(a_post(BOB))
    await second.settle()
    assert await second.rows() == {}, "nothing more is read from the first"
    assert await mine(second) == {"d-phone": ("", True, True)}
    first.hang_up()
    assert await mine(second) == {"d-phone": ("", True, True)}, "its end is not the second's"
    second.hang_up()
    assert company.node.devices == 0


async def test_other_accounts_and_nameless_devices_are_not_replaced(company: Company) -> None:
    await company.hire("alice", "bob")
    devices = [await online(company, account, "d-1") for account in ("alice", "bob")]
    devices += await company.online("alice", "alice")
    for device in devices:
        await device.settle()
        assert device.peer.close_reason is None


async def test_what_the_first_connection_asked_stays_asked(found: Founder) -> None:
    store = GatedStore()
    company = await found(store=store)
    await company.hire("alice", "bob")
    first = await online(company, "alice", "d-phone")
    gate = store.shut("transact")
    post = a_post(BOB, "asked before")
    await first.send(post)
    await store.reached("transact")
    second = await online(company, "alice", "d-phone")
    store.gates.clear()
    gate.set()
    assert isinstance(await second.ask(post), Answer)
    assert [message.text for message in await second.history(BOB)] == ["asked before"]
    assert first.told(Answer) == []


async def test_the_second_does_not_wait_for_a_first_that_does_not_answer(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await company.hire("alice")
    first = await online(company, "alice", "d-phone")
    closed = asyncio.Event()

    async def never(reason: str) -> None:
        await closed.wait()

    monkeypatch.setattr(first.peer, "close", never)
    await online(company, "alice", "d-phone")
    closed.set()


async def test_of_two_greetings_at_once_the_later_wins(found: Founder) -> None:
    """The first connection is lost; the store happens to answer its greeting last."""
    store = GatedStore()
    company = await found(store=store)
    await company.hire("alice")
    first = company.device("alice")
    gate = store.shut("device")
    greeting = asyncio.create_task(first.send(first.hello(device_id="d-phone")))
    await store.reached("device")
    store.gates.clear()
    second = await online(company, "alice", "d-phone")
    gate.set()
    await greeting
    assert (await bye_to(first)).code is Code.REPLACED
    assert await mine(second) == {"d-phone": ("", True, True)}


# Revoking


async def test_a_revoked_device_is_ended_and_stays_out(found: Founder, store: Store) -> None:
    company = await found(store=store)
    await company.hire("alice", "bob")
    phone = await online(company, "alice", "d-phone")
    await another_token(company, "alice")
    laptop = await online(company, "alice", "d-laptop")
    revoked = await laptop.result(RevokeDevice(id="r", device_id="d-phone"), Revoked)
    assert not revoked.token_shared
    bye = await bye_to(phone)
    assert (bye.code, bye.retry_after_s) == (Code.REVOKED, None)
    await phone.send(a_post(BOB))
    assert await mine(laptop) == {"d-laptop": ("", True, True)}
    assert await laptop.rows() == {}
    assert await refused_at_hello(company, "alice", "d-phone") is Code.REVOKED
    phone_again = company.device("alice")
    phone_again.secret = phone.secret
    await phone_again.send(phone_again.hello(device_id="d-other"))
    assert (await bye_to(phone_again)).code is Code.REVOKED, "its token is no good either"
    again = await laptop.result(RevokeDevice(id="r2", device_id="d-phone"), Revoked)
    assert again == revoked, "twice is like once"


async def test_a_token_that_another_device_uses_stays_good(found: Founder, store: Store) -> None:
    company = await found(store=store)
    await company.hire("alice")
    phone = await online(company, "alice", "d-phone")
    laptop = await online(company, "alice", "d-laptop")
    revoked = await laptop.result(RevokeDevice(id="r", device_id="d-phone"), Revoked)
    assert revoked.token_shared
    assert (await bye_to(phone)).code is Code.REVOKED
    assert await refused_at_hello(company, "alice", "d-phone") is Code.REVOKED
    assert set(await mine(laptop)) == {"d-laptop"}
    await online(company, "alice", "d-tablet")


async def test_the_token_of_who_asks_stays_good_though_it_has_no_id(company: Company) -> None:
    await company.hire("alice")
    phone = await online(company, "alice", "d-phone")
    (nameless,) = await company.online("alice")
    revoked = await nameless.result(RevokeDevice(id="r", device_id="d-phone"), Revoked)
    assert revoked.token_shared
    await bye_to(phone)
    await nameless.settle()


async def test_with_its_token_go_connections_without_an_id(company: Company) -> None:
    await company.hire("alice")
    phone = await online(company, "alice", "d-phone")
    (nameless,) = await company.online("alice")
    await another_token(company, "alice")
    laptop = await online(company, "alice", "d-laptop")
    await laptop.result(RevokeDevice(id="r", device_id="d-phone"), Revoked)
    for device in (phone, nameless):
        assert (await bye_to(device)).code is Code.REVOKED


async def test_a_device_may_revoke_itself_and_is_answered(found: Founder, store: Store) -> None:
    company = await found(store=store)
    await company.hire("alice", "bob")
    phone = await online(company, "alice", "d-phone")
    post = a_post(BOB)
    await phone.send(post, RevokeDevice(id="r", device_id="d-phone"), MyDevices(id="late"))
    assert (await bye_to(phone)).code is Code.REVOKED
    answers = [frame.id for frame in phone.peer.frames if isinstance(frame, Answer | Error)]
    assert answers == [post.id, "r"]
    assert isinstance(phone.peer.frames[-1], Bye)
    assert await refused_at_hello(company, "alice", "d-phone") is Code.REVOKED
    assert await refused_at_hello(company, "alice", "d-other") is Code.REVOKED


@pytest.mark.parametrize(
    ("device_id", "code"),
    [
        ("d-unknown", Code.NOT_FOUND),
        ("d-bobs", Code.NOT_FOUND),
        ("", Code.BAD_VALUE),
        ("two words", Code.BAD_VALUE),
        ("x" * 65, Code.BAD_VALUE),
    ],
)
async def test_only_a_device_of_one_s_own_can_be_revoked(
    company: Company, device_id: str, code: Code
) -> None:
    await company.hire("alice", "bob")
    bob = await online(company, "bob", "d-bobs")
    alice = await online(company, "alice", "d-phone")
    assert await alice.refused(RevokeDevice(id="r", device_id=device_id)) is code
    await bob.settle()
    assert bob.peer.close_reason is None


@pytest.mark.parametrize("method", ["token", "device", "teams_of", "changed_since"])
async def test_revoked_during_its_greeting_it_does_not_get_in(found: Founder, method: str) -> None:
    store = GatedStore()
    company = await found(store=store)
    await company.hire("alice", "bob")
    laptop = await online(company, "alice", "d-laptop")
    (await online(company, "alice", "d-phone")).hang_up()
    gate = store.shut(method)
    phone = company.device("alice")
    greeting = asyncio.create_task(phone.send(phone.hello(device_id="d-phone")))
    await store.reached(method)
    store.gates.clear()
    await laptop.result(RevokeDevice(id="r", device_id="d-phone"), Revoked)
    gate.set()
    await greeting
    assert (await bye_to(phone)).code is Code.REVOKED
    assert [type(frame) for frame in phone.peer.frames] == [Bye]


async def test_its_token_revoked_while_the_device_is_looked_up_it_does_not_get_in(
    found: Founder,
) -> None:
    store = GatedStore()
    company = await found(store=store)
    await company.hire("alice")
    gate = store.shut("device")
    phone = company.device("alice")
    greeting = asyncio.create_task(phone.send(phone.hello(device_id="d-phone")))
    await store.reached("device")
    await company.node.revoke("alice")
    gate.set()
    await greeting
    assert (await bye_to(phone)).code is Code.REVOKED


async def test_a_revoked_device_stays_out_after_a_restart(found: Founder, tmp_path: Path) -> None:
    first = await found(store=SqliteStore(tmp_path / "recents.db"))
    await first.hire("alice")
    await online(first, "alice", "d-phone")
    laptop = await online(first, "alice", "d-laptop")
    await laptop.result(RevokeDevice(id="r", device_id="d-phone"), Revoked)
    await first.node.stop()
    second = await found(store=SqliteStore(tmp_path / "recents.db"))
    second.secrets = first.secrets
    assert await refused_at_hello(second, "alice", "d-phone") is Code.REVOKED
    await online(second, "alice", "d-laptop")
