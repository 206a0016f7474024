"""Mutes that end by themselves, on the node and on devices, in virtual time: rule G2."""

from __future__ import annotations

import asyncio

import pytest

from recents.client.changes import ChangeBatch
from recents.testing import Device, World, run


async def muted(world: World, device: Device, lasts_s: float) -> list[ChangeBatch]:
    """Mute the first row for a while, and listen from then on."""
    until_ms = world.now_ms + round(lasts_s * 1_000)
    await device.client.inbox.mute("p2p:bob", until_ms=until_ms)
    await world.settle()
    batches: list[ChangeBatch] = []
    device.client.inbox.on_change(batches.append)
    return batches


async def begin(world: World) -> tuple[Device, Device]:
    alice, bob = await world.device("alice"), await world.device("bob")
    await bob.client.messages.send("p2p:alice", "hello")
    await world.settle()
    return alice, bob


def test_g2_the_end_is_an_event_with_row_and_totals() -> None:
    async def work() -> None:
        async with World() as world:
            alice, _ = await begin(world)
            batches = await muted(world, alice, 60)
            assert (await alice.client.inbox.totals()).badge == 0
            await asyncio.sleep(59)
            assert batches == []
            await asyncio.sleep(2)
            ((cause, rows, totals),) = [
                (batch.cause, batch.updated, batch.totals) for batch in batches
            ]
            assert (cause, totals.badge) == ("timer", 1)
            assert [(row.mute, row.mute_until_ms) for row in rows] == [(None, None)]
            await world.settle()
            assert [row.mute for row in world.oracle.rows("alice")] == [None]

    run(work())


def test_g2_it_comes_with_nobody_connected_and_after_a_crash() -> None:
    async def work() -> None:
        async with World() as world:
            alice, _ = await begin(world)
            await muted(world, alice, 60)
            await muted(world, alice, 90)
            await alice.stop()
            await asyncio.sleep(80)
            assert [row.mute for row in await world.rows("alice")] == ["none"], "given anew"
            world.crash_node()
            await asyncio.sleep(600)
            await world.start_node()
            await asyncio.sleep(1)
            assert [row.mute for row in await world.rows("alice")] == [None], "overdue"
            await alice.restart()
            await world.settle()

    run(work())


def test_g2_a_device_that_is_offline_ends_it_by_itself_and_says_so_once() -> None:
    async def work() -> None:
        async with World() as world:
            alice, _ = await begin(world)
            batches = await muted(world, alice, 60)
            await alice.offline()
            await asyncio.sleep(61)
            assert [batch.cause for batch in batches] == ["timer"]
            assert (await alice.row("p2p:bob")).mute is None
            assert alice.client.unsent == 0, "no command was written"
            assert (await alice.client.inbox.totals()).badge == 1
            await alice.online()
            await world.settle()
            assert [batch.cause for batch in batches] == ["timer"], "nothing new"

    run(work())


def test_g2_overdue_at_the_start_of_a_device_without_a_network() -> None:
    async def work() -> None:
        async with World() as world:
            alice, _ = await begin(world)
            await muted(world, alice, 60)
            alice.link.up = False
            alice.crash()
            await asyncio.sleep(120)
            await alice.restart()
            await asyncio.sleep(0.1)
            assert (await alice.row("p2p:bob")).mute is None

    run(work())


@pytest.mark.parametrize("lasts_s", [-5, 0])
def test_g2_a_mute_that_is_over_is_an_unmute(lasts_s: float) -> None:
    async def work() -> None:
        async with World() as world:
            alice, _ = await begin(world)
            await alice.client.inbox.mute("p2p:bob")
            await muted(world, alice, lasts_s)
            row = await alice.row("p2p:bob")
            assert (row.mute, row.mute_until_ms) == (None, None)

    run(work())


def test_g2_a_failed_commit_is_tried_again() -> None:
    async def work() -> None:
        async with World() as world:
            alice, _ = await begin(world)
            batches = await muted(world, alice, 60)
            world.fail_next_commit()
            await asyncio.sleep(65)
            assert [batch.cause for batch in batches] == ["timer"]

    run(work())


def test_g2_a_row_that_is_muted_anew_offline_stays_muted() -> None:
    async def work() -> None:
        async with World() as world:
            alice, _ = await begin(world)
            await muted(world, alice, 60)
            await alice.offline()
            await asyncio.sleep(61)
            await alice.client.inbox.mute("p2p:bob", "mentions", world.now_ms + 3_600_000)
            assert (await alice.row("p2p:bob")).mute == "mentions"
            await asyncio.sleep(60)
            assert (await alice.row("p2p:bob")).mute == "mentions"
            await alice.client.inbox.mute("p2p:bob")
            await asyncio.sleep(7_200)
            assert (await alice.row("p2p:bob")).mute == "none", "for ever"
            await alice.online()
            await world.settle()
            assert (await alice.row("p2p:bob")).mute == "none"

    run(work())
