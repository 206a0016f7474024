"""Large messages are deflated for devices that take it (docs/protocol.md, 1.13)."""

from __future__ import annotations

import pytest

from recents.core.ids import Conversation
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.wire.frames import History, Messages
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, rows_in

pytestmark = pytest.mark.asyncio

ALICE, BOB = Conversation("p2p:alice"), Conversation("p2p:bob")


async def _with_teams(company: Company, count: int) -> Device:
    (alice,) = await company.online("alice")
    for number in range(count):
        await alice.create_team(f"team:t{number}", name=f"Team number {number}")
    return company.device("alice")


@pytest.mark.parametrize("count", [100, 1_000])
async def test_a_large_catch_up_is_deflated_for_who_takes_it(found: Founder, count: int) -> None:
    company = await found(Settings(rows_per_frame=900))
    device = await _with_teams(company, count)
    await device.send(device.hello(deflate=True))
    assert all(device.peer.deflated)
    plain = company.device("alice")
    await plain.send(plain.hello())
    assert not any(plain.peer.deflated)
    assert device.peer.frames[1:] == plain.peer.frames[1:]
    assert sum(map(len, plain.peer.messages)) > 3 * sum(map(len, device.peer.messages))


async def test_small_messages_are_not_worth_it(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    device = company.device("bob")
    await device.greet(deflate=True)
    await alice.post(BOB, "x" * 1_000)
    assert rows_in(await device.changes())[ALICE].unread == 1
    assert await bob.history(ALICE)
    assert not any(device.peer.deflated)


async def test_large_changes_and_answers_are_deflated_too(company: Company) -> None:
    alice, plain = await company.online("alice", "bob")
    device = company.device("bob")
    await device.greet(deflate=True)
    await alice.post(BOB, "y" * 5_000)
    await device.until(lambda: any(device.peer.deflated))
    await plain.until(lambda: bool(plain.peer.frames))
    assert device.peer.frames == plain.peer.frames
    assert len(device.peer.messages[0]) < 1_000
    device.forget()
    answer = await device.result(History(id="h", conversation=ALICE), Messages)
    assert answer.messages[0].text == "y" * 5_000
    assert any(device.peer.deflated)


async def test_a_slow_device_gets_deflated_messages_in_order(found: Founder) -> None:
    company = await found(Settings(rows_per_frame=2, backlog_bytes=100, deflate_bytes=10))
    alice, _ = await company.online("alice", "bob")
    device = company.device("bob")
    await device.greet(deflate=True)
    device.peer.held_up = True
    for number in range(8):
        await alice.create_team(f"team:t{number}", "bob")
        await alice.post(f"team:t{number}", "z" * 500)
    device.peer.let_go()
    rows = rows_in(await device.changes())
    assert len(rows) == 8
    assert all(device.peer.deflated)


async def test_a_device_that_leaves_while_it_is_deflated_for_is_sent_nothing(
    found: Founder,
) -> None:
    company = await found(store=MemoryStore())
    device = await _with_teams(company, 1_000)
    sent: list[bytes] = []

    async def drained(backlog: int) -> None:
        device.hang_up()

    async def send(message: bytes, *, deflated: bool = False) -> None:
        sent.append(message)

    device.peer.drained = drained  # type: ignore[method-assign]
    device.peer.send = send  # type: ignore[method-assign]
    await device.send(device.hello(deflate=True))
    assert sent == []
