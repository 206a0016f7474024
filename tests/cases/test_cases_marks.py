"""Complaints about marks, drafts, and changes that are none; the numbers are those of the list."""

from __future__ import annotations

import asyncio

import pytest

from recents.core.errors import Refused
from recents.core.totals import Totals
from tests.cases.world import Device, World

pytestmark = pytest.mark.asyncio


async def three_of_bob(world: World) -> tuple[Device, Device, Device, Device]:
    """Alice, and bob's laptop, phone and tablet; alice has written, the tablet is offline."""
    alice, laptop, phone, tablet = await world.online("alice", "bob", "bob", "bob")
    await alice.client.messages.send("p2p:bob", "one")
    await alice.client.messages.send("p2p:bob", "two")
    for device in (laptop, phone, tablet):
        await device.caught_up()
    await tablet.go_offline()
    return alice, laptop, phone, tablet


async def test_case_4_a_mark_is_on_all_devices_in_filter_and_totals(world: World) -> None:
    alice, laptop, phone, tablet = await three_of_bob(world)
    await laptop.client.inbox.mark_read("p2p:alice")
    await laptop.client.inbox.mark_unread("p2p:alice")
    await phone.caught_up()
    await tablet.come_back()
    async with world.for_a_moment("bob") as fresh:
        for device in (laptop, phone, tablet, fresh):
            row = await device.row("p2p:alice")
            assert (row.marked_unread, row.unread) == (True, 0)
            found = await device.client.inbox.list(unread_only=True)
            assert [one.conversation for one in found.entries] == ["p2p:alice"]
            assert found.totals == Totals(conversations=1, marked_unread=1)
    assert not (await alice.row("p2p:bob")).marked_unread, "it is bob's own"

    await tablet.client.inbox.mark_read("p2p:alice")
    for device in (laptop, phone, tablet):
        await device.caught_up()
        assert not (await device.row("p2p:alice")).marked_unread
        assert (await device.client.inbox.list(unread_only=True)).entries == ()
        assert await device.client.inbox.totals() == Totals(conversations=1)


async def test_case_4_it_takes_effect_offline_and_later(world: World) -> None:
    _, laptop, phone, tablet = await three_of_bob(world)
    await laptop.client.inbox.mark_read("p2p:alice")
    await tablet.client.inbox.mark_unread("p2p:alice")
    assert (await tablet.row("p2p:alice")).marked_unread, "at once"
    await tablet.come_back()
    for device in (laptop, phone, tablet):
        await device.caught_up()
        row = await device.row("p2p:alice")
        assert (row.marked_unread, row.unread) == (True, 0), "both words stand"


async def test_case_29_a_mark_inflates_no_number(world: World) -> None:
    alice, laptop, _, _ = await three_of_bob(world)
    for marks in range(3):
        await laptop.client.inbox.mark_unread("p2p:alice")
        totals = await laptop.client.inbox.totals()
        assert (totals.unread, totals.marked_unread, totals.badge) == (2, 1, 2), marks
    await alice.client.messages.send("p2p:bob", "three")
    await laptop.caught_up()
    assert (await laptop.client.inbox.totals()).unread == 3


async def test_case_11_without_a_change_nobody_is_called(world: World) -> None:
    alice, bob, phone = await world.online("alice", "bob", "bob")
    team = await alice.client.teams.create("One", ["bob"])
    await alice.client.messages.send("p2p:bob", "hi", client_id="c1")
    await bob.caught_up()
    inbox = bob.client.inbox
    await inbox.mark_read("p2p:alice")
    await inbox.mute(team)
    await inbox.set_draft(team, "well")
    for device in (alice, bob, phone):
        await device.caught_up()
        device.batches.clear()

    await inbox.mark_read("p2p:alice")
    await inbox.mark_read("p2p:alice", 0)
    await inbox.mark_read("p2p:nobody")
    await inbox.mark_all_read()
    await inbox.delete("p2p:nobody")
    await inbox.delete_all(["super_team"])
    await inbox.mark_unread("p2p:nobody")
    await inbox.mute(team)
    await inbox.unmute("p2p:nobody")
    await inbox.set_draft(team, "well")
    await inbox.set_draft("p2p:nobody", "")
    await alice.client.messages.send("p2p:bob", "hi", client_id="c1")
    await alice.client.teams.rename(team, "One")
    for device in (bob, phone):
        await device.go_offline()
        await device.come_back()
    await bob.restart()
    await bob.caught_up()
    assert [device.batches for device in (alice, bob, phone)] == [[], [], []]


async def test_case_13_all_is_read_by_one_command_in_one_batch(world: World) -> None:
    alice, laptop, phone = await world.online("alice", "bob", "bob")
    teams = [await alice.client.teams.create(f"{number}", ["bob"]) for number in range(30)]
    await asyncio.gather(*(alice.client.messages.send(team, "hi") for team in teams * 3))
    await alice.client.teams.dismiss(teams[0])
    await alice.client.teams.remove_member(teams[1], "bob")
    for device in (laptop, phone):
        await device.caught_up()
        assert await device.unread() == 90
        device.batches.clear()

    await laptop.client.inbox.mark_all_read()
    await phone.caught_up()
    for device, cause in ((laptop, "command"), (phone, "other_device")):
        (batch,) = device.batches
        assert batch.cause == cause
        assert {row.conversation for row in batch.updated} == set(teams)
        assert batch.totals == Totals(conversations=30)
    assert len({row.version for row in await world.rows("bob")}) == 1, "one commit"


async def test_case_14_a_draft_on_an_empty_conversation_is_synced(world: World) -> None:
    alice, laptop, phone, tablet = await three_of_bob(world)
    await world.hire("carol")
    carol = await world.login("carol")
    await laptop.client.inbox.set_draft("p2p:carol", "dear Carol")
    await phone.caught_up()
    assert (await laptop.names())[0] == "p2p:carol", "a draft moves its row up"
    await tablet.client.inbox.set_draft("p2p:carol", "written on a train")
    await tablet.come_back()
    async with world.for_a_moment("bob") as fresh:
        for device in (laptop, phone, tablet, fresh):
            await device.caught_up()
            row = await device.row("p2p:carol")
            assert row.draft is not None
            assert (row.draft.text, row.preview, row.unread) == ("written on a train", None, 0)
    assert await carol.names() == [], "nobody else sees a draft"

    await phone.client.messages.send("p2p:carol", "dear Carol, hello")
    await alice.client.messages.send("p2p:bob", "three")
    for device in (laptop, tablet):
        await device.caught_up()
        assert (await device.row("p2p:carol")).draft is None, "sent"
    assert await carol.unread() == 1


async def test_case_18_who_left_elsewhere_sees_so_on_every_device(world: World) -> None:
    alice, laptop, phone, tablet = await three_of_bob(world)
    team = await alice.client.teams.create("Friends", ["bob"])
    await alice.client.messages.send(team, "hi")
    await laptop.caught_up()
    await laptop.client.teams.leave(team)
    await alice.client.messages.send(team, "without bob")
    await phone.caught_up()
    await tablet.come_back()
    async with world.for_a_moment("bob") as fresh:
        for device in (laptop, phone, tablet, fresh):
            row = await device.row(team)
            assert (row.membership, row.unread, row.last_seq) == ("left", 1, 1)
            with pytest.raises(Refused, match="not_a_member"):
                await device.client.messages.send(team, "still here?", client_id="late")
            await device.client.messages.discard("late")

    await tablet.client.inbox.mark_read(team)
    await laptop.caught_up()
    assert (await laptop.row(team)).unread == 0, "it can be read"
    await phone.client.inbox.delete(team)
    for device in (laptop, phone, tablet):
        await device.caught_up()
        assert team not in await device.names(), "and deleted: no ghost is left"
