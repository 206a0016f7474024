"""Commands without a network: in order, once, and without a flicker; with a real node."""

from __future__ import annotations

import asyncio

import pytest

from recents.core.ordering import place_of
from tests.cases.world import World, until
from tests.client.offline import (
    ALICE,
    BOB,
    hear_again,
    hear_nothing,
    images,
    same_as_a_new_device,
    texts,
)

pytestmark = pytest.mark.asyncio

# In order, and once.


async def test_C4_what_was_said_offline_arrives_in_order(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.go_offline()
    for number in range(50):
        message = await alice.client.messages.send(BOB, f"{number}")
        assert (message.status, message.seq) == ("sending", 0)
    assert alice.client.unsent == 50
    assert await texts(alice, BOB) == [f"{number}" for number in range(50)]
    await alice.come_back()
    assert await texts(alice, BOB) == [f"{number}" for number in range(50)]
    await bob.caught_up()
    assert (await bob.row(ALICE)).unread == 50
    await same_as_a_new_device(world, alice, bob)


async def test_C4_the_order_stays_while_connections_come_and_go(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    tasks = []
    for number in range(60):
        tasks.append(asyncio.create_task(alice.client.messages.send(BOB, f"{number}")))
        await asyncio.sleep(0)
        if number % 7 == 0:
            await alice.link.cut()
        if number % 11 == 0:
            await alice.go_offline()
            await alice.client.messages.send(BOB, f"{number} again")
            alice.link.cut_off = False
    await asyncio.gather(*tasks)
    await alice.come_back()
    said = [f"{number}" for number in range(60)]
    heard = await texts(alice, BOB)
    assert [text for text in heard if " " not in text] == said
    assert len(heard) == len(set(heard)) == 66
    await bob.caught_up()
    await same_as_a_new_device(world, alice, bob)


async def test_C4_every_command_is_carried_out_once_though_its_answer_is_lost(
    world: World,
) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send(ALICE, "one")
    await alice.caught_up()
    await hear_nothing(alice)
    calls = [
        asyncio.create_task(call)
        for call in (
            alice.client.messages.send(BOB, "mine"),
            alice.client.inbox.mark_read(BOB),
            alice.client.inbox.mark_unread(BOB),
            alice.client.inbox.mute(BOB),
        )
    ]

    async with asyncio.timeout(10):
        while (await world.rows("alice"))[0].mute is None:  # noqa: ASYNC110  # no event tells it
            await asyncio.sleep(0)
    # Between the two attempts another device has the last word.
    phone = await world.login("alice")
    await phone.client.inbox.mark_read(BOB)
    await phone.client.inbox.unmute(BOB)
    await bob.client.messages.send(ALICE, "two")
    alice.link.cut_off = True
    await alice.link.cut()
    await asyncio.gather(*calls)
    alice.link.deaf = False
    await alice.restart()
    await alice.come_back()
    row = await alice.row(BOB)
    assert (row.unread, row.marked_unread, row.mute) == (1, False, None)
    assert await texts(alice, BOB) == ["one", "mine", "two"]
    await same_as_a_new_device(world, alice, phone, bob)


async def test_C4_commands_survive_restarts_in_their_order(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.go_offline()
    for number in range(5):
        await alice.client.messages.send(BOB, f"{number}")
        await alice.restart()
    await alice.client.inbox.set_draft(BOB, "six")
    await alice.restart()
    assert [row.draft.text for row in await alice.rows() if row.draft] == ["six"]
    assert alice.client.unsent == 6
    assert await texts(alice, BOB) == ["0", "1", "2", "3", "4"]
    await alice.come_back()
    await bob.caught_up()
    assert (await bob.row(ALICE)).unread == 5
    await same_as_a_new_device(world, alice, bob)


async def test_C4_without_a_network_a_restarted_device_has_all_its_rows(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send(ALICE, "hello")
    await alice.caught_up()
    before = await alice.rows()
    await alice.go_offline()
    await alice.restart()
    assert await alice.rows() == before
    assert not await alice.client.synced(0.01)
    assert (await alice.client.messages.history(BOB)).complete is False
    await alice.come_back()
    assert await alice.client.synced(10)


# What is seen meanwhile.


async def test_P4_the_row_moves_up_at_once_and_does_not_jump_at_the_answer(world: World) -> None:
    alice, bob, carol = await world.online("alice", "bob", "carol")
    await bob.client.messages.send(ALICE, "from bob")
    await carol.client.messages.send(ALICE, "from carol")
    await alice.caught_up()
    assert await alice.names() == ["p2p:carol", "p2p:bob"]
    alice.batches.clear()
    await alice.client.messages.send(BOB, "hello")
    await alice.caught_up()
    assert await alice.names() == ["p2p:bob", "p2p:carol"]
    seen = [row for row in images(alice, BOB) if row is not None]
    assert len(seen) == len(images(alice, BOB)) == 2
    assert [row.status for row in seen] == ["sending", "sent"]
    assert {row.preview.text for row in seen if row.preview} == {"hello"}
    first_of_carol = place_of(await alice.row("p2p:carol"))
    assert all(place_of(row) < first_of_carol for row in seen)


async def test_P4_several_in_a_row_never_go_back(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.go_offline()
    for number in range(20):
        await alice.client.messages.send(BOB, f"{number}")
    alice.batches.clear()
    await alice.come_back()
    seen = [row for row in images(alice, BOB) if row is not None]
    assert {row.preview.text for row in seen if row.preview} == {"19"}
    order = [("sending", "sent", "read").index(str(row.status)) for row in seen]
    assert order == sorted(order)
    assert alice.statuses[-20:] == [("sent", f"{number}") for number in range(20)]
    await bob.caught_up()


async def test_C3_what_was_read_never_turns_unread_before_its_time(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    for number in range(5):
        await bob.client.messages.send(ALICE, f"{number}")
    await alice.caught_up()
    await alice.go_offline()
    await alice.client.inbox.mark_read(BOB)
    await bob.client.messages.send(ALICE, "new")
    alice.batches.clear()
    await alice.restart()
    await hear_nothing(alice)
    alice.link.cut_off = False
    await until(lambda: alice.client.state == "connecting")
    await hear_again(alice)
    counts = [row.unread for row in images(alice, BOB) if row is not None]
    assert counts == [1]
    await same_as_a_new_device(world, alice, bob)


async def test_C3_the_overlay_outlives_the_answer_until_the_row_has_it(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    for number in range(30):
        await bob.client.messages.send(ALICE, f"{number}")
        await alice.caught_up()
        alice.batches.clear()
        await alice.client.inbox.mark_read(BOB)
        assert [batch.totals.unread for batch in alice.batches] == [0], "one change, no more"
    await alice.caught_up()
    assert alice.client.unsent == 0


async def test_no_flicker_while_two_devices_and_a_peer_do_everything(world: World) -> None:
    alice, phone, bob = await world.online("alice", "alice", "bob")
    for number in range(25):
        await bob.client.messages.send(ALICE, f"{number}")
        await alice.caught_up()
        await alice.client.inbox.mark_read(BOB)
        await alice.go_offline()
        sent = await alice.client.messages.send(BOB, f"re {number}")
        assert sent.status == "sending"
        if number % 5 == 0:
            await phone.client.messages.send(BOB, f"phone {number}")
        alice.batches.clear()
        await alice.come_back()
        counts = [batch.totals.unread for batch in alice.batches]
        assert set(counts) <= {0}, f"nobody wrote: {counts}"
        seen = [row for row in images(alice, BOB) if row is not None]
        assert len(seen) == len(images(alice, BOB))
        statuses = [row.status for row in seen]
        assert "sending" not in statuses[statuses.index("sent") :]
    await same_as_a_new_device(world, alice, phone, bob)
