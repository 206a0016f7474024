"""Recalling and editing with the SDK, with and without a network: rules P2, P3, C3, C4."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.core.errors import CallerMistake, Code, Refused
from recents.server.store.memory import MemoryStore
from tests.cases.world import Device, World, until
from tests.client.offline import ALICE, BOB, hear_again, hear_nothing, same_as_a_new_device, texts

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    world = World(MemoryStore())
    await world.node.start()
    yield world
    await world.close()


@pytest_asyncio.fixture
async def alice(world: World) -> Device:
    """She has written three messages to bob, and has read them again."""
    await world.hire("bob")
    alice = await world.login("alice")
    for text in ("one", "two", "three"):
        await alice.client.messages.send(BOB, text)
    await alice.client.messages.history(BOB)
    return alice


async def shown(device: Device, name: str) -> tuple[str, str]:
    row = await device.row(name)
    return ("", "") if row.preview is None else (row.preview.text, row.preview.state)


@pytest.mark.parametrize("offline", [False, True])
async def test_p2_a_recall_shows_at_once_and_everywhere(
    world: World, alice: Device, offline: bool
) -> None:
    if offline:
        await alice.go_offline()
    await alice.client.messages.recall(BOB, 3)
    assert await shown(alice, BOB) == ("", "recalled")
    assert await texts(alice, BOB) == ["one", "two", ""]
    await alice.client.messages.recall(BOB, 3, notice=False)
    assert await shown(alice, BOB) == ("", "recalled"), "the first one stands"
    await alice.come_back()
    await same_as_a_new_device(world, alice)


@pytest.mark.parametrize("offline", [False, True])
async def test_p1_without_notice_the_next_older_one_shows(
    world: World, alice: Device, offline: bool
) -> None:
    if offline:
        await alice.go_offline()
    await alice.client.messages.recall(BOB, 2, notice=False)
    await alice.client.messages.recall(BOB, 3, notice=False)
    assert await shown(alice, BOB) == ("one", "normal")
    assert (await alice.row(BOB)).status == "sent"
    assert await texts(alice, BOB) == ["one"]
    await alice.come_back()
    await same_as_a_new_device(world, alice)


@pytest.mark.parametrize("offline", [False, True])
async def test_p3_an_edit_shows_at_once_and_everywhere(
    world: World, alice: Device, offline: bool
) -> None:
    if offline:
        await alice.go_offline()
    await alice.client.messages.edit(BOB, 3, "drei\n!")
    assert await shown(alice, BOB) == ("drei !", "edited")
    await alice.client.messages.edit(BOB, 1, "eins")
    assert await shown(alice, BOB) == ("drei !", "edited")
    assert await texts(alice, BOB) == ["eins", "two", "drei\n!"]
    await alice.restart()
    await alice.come_back()
    await same_as_a_new_device(world, alice)


async def test_u2_an_owner_who_recalls_what_she_has_not_read_has_less_unread(
    world: World, alice: Device
) -> None:
    bob = await world.login("bob")
    crew = await alice.client.teams.create("Crew", ["bob"], id="crew")
    for text in ("a", "b", "c"):
        await bob.client.messages.send(crew, text)
    await alice.caught_up()
    await alice.client.messages.history(crew)
    await alice.go_offline()
    await alice.client.messages.recall(crew, 2)
    await alice.client.messages.recall(crew, 2)
    assert (await alice.row(crew)).unread == 2
    await alice.client.inbox.mark_read(crew, 1)
    assert (await alice.row(crew)).unread == 1
    await alice.client.inbox.mark_unread_from(crew, 1)
    assert (await alice.row(crew)).unread == 2
    await alice.client.inbox.mark_read(crew)
    assert (await alice.row(crew)).unread == 0
    await alice.come_back()
    await same_as_a_new_device(world, alice)


async def test_c4_a_recall_whose_answer_is_lost_is_carried_out_once(
    world: World, alice: Device
) -> None:
    await hear_nothing(alice)
    recalling = asyncio.create_task(alice.client.messages.recall(BOB, 3))
    await until(lambda: alice.client.unsent == 1)
    await hear_again(alice)
    await recalling
    await same_as_a_new_device(world, alice)


async def test_a_recall_that_comes_too_late_is_taken_back(world: World, alice: Device) -> None:
    await alice.go_offline()
    await alice.client.messages.recall(BOB, 3)
    world.at_ms += 10**6
    await alice.come_back()
    assert await shown(alice, BOB) == ("three", "normal")
    assert [why.code for _, why in alice.refused] == [Code.TOO_LATE]
    with pytest.raises(Refused, match="within 120 s"):
        await alice.client.messages.recall(BOB, 1)
    with pytest.raises(CallerMistake):
        await alice.client.messages.recall(BOB, 0)
    with pytest.raises(CallerMistake):
        await alice.client.messages.edit(BOB, 1, "x" * 5_001)


async def test_one_message_can_be_looked_up(world: World, alice: Device) -> None:
    found = await alice.client.messages.get(BOB, 2)
    assert found is not None
    assert found.text == "two"
    await alice.client.messages.recall(BOB, 2, notice=False)
    assert await alice.client.messages.get(BOB, 2) is None
    assert await alice.client.messages.get(BOB, 9) is None
    bob = await world.login("bob")
    await bob.go_offline()
    assert await bob.client.messages.get(ALICE, 1) is None, "it has never seen it"


async def test_c3_what_is_kept_elsewhere_follows_also_when_it_was_away(
    world: World, alice: Device
) -> None:
    phone, bob = await world.login("alice"), await world.login("bob")
    for device, name in ((phone, BOB), (bob, ALICE)):
        await device.client.messages.history(name)
    await phone.go_offline()
    await alice.client.messages.edit(BOB, 1, "eins")
    await alice.client.messages.recall(BOB, 2, notice=False)
    await alice.client.messages.delete(BOB, 3)
    await phone.come_back()
    await bob.caught_up()
    for device in (alice, phone, bob):
        await device.go_offline()
    assert await texts(alice, BOB) == await texts(phone, BOB) == ["eins"]
    assert await texts(bob, ALICE) == ["eins", "three"]


@pytest.mark.parametrize("offline", [False, True])
async def test_p2_deleting_for_me_shows_at_once_and_on_all_my_devices(
    world: World, alice: Device, offline: bool
) -> None:
    bob = await world.login("bob")
    await bob.client.messages.history(ALICE)
    if offline:
        await bob.go_offline()
    await bob.client.messages.delete(ALICE, 2, 3)
    row = await bob.row(ALICE)
    assert row.preview is not None
    assert (row.preview.text, row.unread) == ("one", 1)
    assert await texts(bob, ALICE) == ["one"]
    await bob.client.inbox.mark_read(ALICE)
    assert (await bob.row(ALICE)).unread == 0
    await bob.come_back()
    await same_as_a_new_device(world, bob)
    assert len(await texts(alice, BOB)) == 3
    await bob.client.messages.delete(ALICE)


async def test_c3_a_deletion_whose_answer_is_lost_is_counted_once(
    world: World, alice: Device
) -> None:
    bob = await world.login("bob")
    await bob.client.messages.history(ALICE)
    await hear_nothing(bob)
    deleting = asyncio.create_task(bob.client.messages.delete(ALICE, 2))
    await until(lambda: bob.client.unsent == 1)
    bob.batches.clear()
    await hear_again(bob)
    await deleting
    assert [row.unread for batch in bob.batches for row in batch.updated] in ([], [2])
    await same_as_a_new_device(world, bob)
