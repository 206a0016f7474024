"""Complaints about mention badges; the numbers are those of the list."""

from __future__ import annotations

import pytest

from tests.cases.world import Device, World

pytestmark = pytest.mark.asyncio


async def counted(device: Device, name: str) -> tuple[int, int, int, int]:
    row, totals = await device.row(name), await device.client.inbox.totals()
    return row.mentions_me, row.mentions_all, totals.mentions, totals.badge


async def test_case_21_recall_and_edit_leave_no_mention_badge(world: World) -> None:
    alice, bob, phone = await world.online("alice", "bob", "bob")
    crew = await alice.client.teams.create("Crew", ["bob"])
    send, recall, edit = (
        alice.client.messages.send,
        alice.client.messages.recall,
        alice.client.messages.edit,
    )
    for mentions in (["bob"], ["@all"], ["bob", "@all"], []):
        await send(crew, "hey", mentions=mentions)
    await bob.caught_up()
    await bob.client.inbox.mute(crew, "mentions")
    assert await counted(bob, crew) == (2, 1, 3, 3)
    await phone.caught_up()
    await phone.go_offline()
    await recall(crew, 1)
    await bob.caught_up()
    assert await counted(bob, crew) == (1, 1, 2, 2)
    await edit(crew, 2, "nobody")
    await bob.caught_up()
    assert await counted(bob, crew) == (1, 0, 1, 1)
    await edit(crew, 4, "bob", mentions=["bob"])
    await bob.caught_up()
    assert await counted(bob, crew) == (2, 0, 2, 2)
    assert await bob.client.messages.mentions(crew) == (3, 4)
    await recall(crew, 3, notice=False)
    await recall(crew, 4)
    await bob.caught_up()
    await phone.come_back()
    for device in (bob, phone):
        assert await counted(device, crew) == (0, 0, 0, 0)
        assert (await device.row(crew)).unread == 1
        assert await device.client.messages.mentions(crew) == ()
    assert (await alice.row(crew)).mentions_all == 0, "nobody mentions oneself"


async def test_case_21_reading_here_and_there_leaves_no_mention_badge(world: World) -> None:
    alice, bob, phone = await world.online("alice", "bob", "bob")
    for text in ("one", "two", "three"):
        await alice.client.messages.send("p2p:bob", text, mentions=["bob"])
    for device in (bob, phone):
        await device.caught_up()
        await device.client.messages.history("p2p:alice")
    await phone.go_offline()
    await phone.client.inbox.mark_read("p2p:alice", 2)
    assert await counted(phone, "p2p:alice") == (1, 0, 1, 1)
    assert await phone.client.messages.mentions("p2p:alice") == (3,)
    await phone.client.inbox.mark_unread_from("p2p:alice", 2)
    assert await counted(phone, "p2p:alice") == (2, 0, 2, 2)
    await phone.client.inbox.mark_read("p2p:alice")
    assert await counted(phone, "p2p:alice") == (0, 0, 0, 0)
    await phone.client.inbox.mute("p2p:alice", "none")
    await phone.come_back()
    await alice.client.messages.send("p2p:bob", "four", mentions=["bob"])
    for device in (bob, phone):
        await device.caught_up()
        assert await counted(device, "p2p:alice") == (1, 0, 1, 0), "nothing of it alerts"
