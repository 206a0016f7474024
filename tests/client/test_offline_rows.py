"""Deleting, marking, teams and drafts without a network; with a real node."""

from __future__ import annotations

import pytest

from tests.cases.world import World
from tests.client.offline import (
    ALICE,
    BOB,
    images,
    same_as_a_new_device,
    texts,
)

pytestmark = pytest.mark.asyncio

# Deleting offline.


async def test_D7_a_row_deleted_offline_is_away_and_stays_away(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send(ALICE, "hello")
    await alice.caught_up()
    await alice.go_offline()
    await alice.client.inbox.delete(BOB)
    assert await alice.names() == []
    await alice.restart()
    assert await alice.names() == []
    alice.batches.clear()
    await alice.come_back()
    assert alice.batches == []
    await same_as_a_new_device(world, alice)


@pytest.mark.parametrize("others", [False, True])
async def test_D2_send_and_delete_offline(world: World, *, others: bool) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send(ALICE, "hello")
    await alice.caught_up()
    await alice.go_offline()
    await alice.client.messages.send(BOB, "one")
    await alice.client.messages.send(BOB, "two")
    await alice.client.inbox.delete(BOB)
    if others:
        await bob.client.messages.send(ALICE, "meanwhile")
    alice.batches.clear()
    await alice.come_back()
    assert await alice.names() == (["p2p:bob"] if others else [])
    if others:
        assert (await alice.row(BOB)).unread == 1, "the one that nobody has seen"
    else:
        assert images(alice, BOB) == []
    await same_as_a_new_device(world, alice)


async def test_D2_send_delete_send_offline(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.go_offline()
    await alice.client.messages.send(BOB, "one")
    await alice.client.inbox.delete(BOB, clear_history=True)
    await alice.client.messages.send(BOB, "two")
    assert [row.unread for row in await alice.rows()] == [0]
    await alice.come_back()
    assert await texts(alice, BOB) == ["two"]
    await bob.caught_up()
    assert (await bob.row(ALICE)).unread == 2
    await same_as_a_new_device(world, alice, bob)


async def test_D5_send_and_clear_offline(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.go_offline()
    await alice.client.messages.send(BOB, "one")
    await alice.client.inbox.clear_history(BOB)
    assert (await alice.row(BOB)).preview is None
    alice.batches.clear()
    await alice.come_back()
    assert {row.preview for row in images(alice, BOB) if row is not None} <= {None}
    await same_as_a_new_device(world, alice)
    await bob.caught_up()


async def test_D4_R5_all_offline_with_own_messages_and_marks(world: World) -> None:
    alice, bob, carol = await world.online("alice", "bob", "carol")
    await bob.client.messages.send(ALICE, "b")
    await carol.client.messages.send(ALICE, "c")
    await alice.caught_up()
    await alice.go_offline()
    inbox = alice.client.inbox
    await inbox.mark_read(BOB)
    await inbox.mark_unread_from(BOB, 1)
    await inbox.mark_unread("p2p:carol")
    assert (await inbox.totals()).unread == 2
    await inbox.mark_all_read()
    assert (await inbox.totals()).unread == (await inbox.totals()).marked_unread == 0
    alice.batches.clear()
    await alice.come_back()
    assert {batch.totals.unread for batch in alice.batches} <= {0}
    await same_as_a_new_device(world, alice)
    await alice.go_offline()
    await alice.client.messages.send(BOB, "mine")
    await inbox.set_draft("p2p:dan", "hm")
    await world.hire("dan")
    await inbox.delete_all()
    assert await alice.names() == []
    alice.batches.clear()
    await alice.come_back()
    assert await alice.names() == []
    assert alice.batches == []
    await same_as_a_new_device(world, alice, bob)


async def test_D4_what_arrives_meanwhile_comes_back(world: World) -> None:
    alice, bob, carol = await world.online("alice", "bob", "carol")
    await bob.client.messages.send(ALICE, "b")
    await carol.client.messages.send(ALICE, "c")
    await alice.caught_up()
    await alice.go_offline()
    await alice.client.inbox.delete_all()
    await bob.client.messages.send(ALICE, "b2")
    await alice.come_back()
    assert await alice.names() == ["p2p:bob"]
    assert (await alice.row(BOB)).unread == 1
    await same_as_a_new_device(world, alice)


async def test_R3_R4_reading_after_marking_offline(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    for number in range(3):
        await bob.client.messages.send(ALICE, f"{number}")
    await alice.caught_up()
    await alice.go_offline()
    inbox = alice.client.inbox
    await inbox.mark_read(BOB)
    await inbox.mark_unread(BOB)
    await inbox.mark_unread_from(BOB, 2)
    assert (await alice.row(BOB)).unread == 2
    assert (await alice.row(BOB)).marked_unread
    await inbox.mark_read(BOB, 2)
    assert ((await alice.row(BOB)).unread, (await alice.row(BOB)).marked_unread) == (1, False)
    alice.batches.clear()
    await alice.come_back()
    assert {row.unread for row in images(alice, BOB) if row is not None} <= {1}
    await same_as_a_new_device(world, alice)


async def test_R3_a_mark_on_another_device_outlives_an_older_read(world: World) -> None:
    alice, phone, bob = await world.online("alice", "alice", "bob")
    await bob.client.messages.send(ALICE, "one")
    await alice.caught_up()
    await phone.caught_up()
    await alice.go_offline()
    await alice.client.inbox.mark_read(BOB)
    await phone.client.inbox.mark_read(BOB)
    await phone.client.inbox.mark_unread_from(BOB, 1)
    await alice.come_back()
    assert (await alice.row(BOB)).unread == 1
    await same_as_a_new_device(world, alice, phone)


# Teams, drafts, muting.


async def test_T1_a_team_is_made_talked_in_renamed_and_deleted_offline(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.go_offline()
    crew = await alice.client.teams.create("Crew", ["bob"])
    await alice.client.messages.send(crew, "hi")
    await alice.client.teams.rename(crew, "Band")
    assert (await alice.row(crew)).title == "Band"
    await alice.restart()
    assert ((await alice.row(crew)).title, (await alice.row(crew)).status) == ("Band", "sending")
    await alice.client.inbox.delete(crew)
    assert await alice.names() == []
    await alice.come_back()
    assert await alice.names() == []
    await bob.caught_up()
    assert ((await bob.row(crew)).name, (await bob.row(crew)).unread) == ("Band", 1)
    await same_as_a_new_device(world, alice, bob)


async def test_G6_G2_drafts_and_muting_offline(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send(ALICE, "hello")
    await alice.caught_up()
    await alice.go_offline()
    inbox = alice.client.inbox
    await inbox.set_draft(BOB, "h")
    await inbox.set_draft(BOB, "hi")
    await inbox.mute(BOB, "mentions")
    row = await alice.row(BOB)
    assert (row.draft and row.draft.text, row.mute) == ("hi", "mentions")
    alice.batches.clear()
    await alice.come_back()
    row = await alice.row(BOB)
    assert (row.draft and row.draft.text, row.mute) == ("hi", "mentions")
    await same_as_a_new_device(world, alice)
    await alice.go_offline()
    await alice.client.messages.send(BOB, "hi")
    assert (await alice.row(BOB)).draft is None
    await alice.come_back()
    await same_as_a_new_device(world, alice)
