"""Case 20: a badge that is stuck, and nobody can say why."""

from __future__ import annotations

import pytest

from recents.core.explain import Reason
from tests.cases.world import World

pytestmark = pytest.mark.asyncio


async def test_case_20_explain_names_the_messages_behind_a_badge(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send("p2p:alice", "one")
    await bob.client.messages.send("p2p:alice", "joined", counts=False)
    await alice.client.messages.send("p2p:bob", "two")
    await bob.client.messages.send("p2p:alice", "three", client_id="m3")
    await alice.caught_up()
    told = await alice.client.inbox.explain("p2p:bob")
    assert told.unread == (await alice.row("p2p:bob")).unread == 2
    assert [one.seq for one in told.messages] == [1, 4]
    assert (told.messages[1].sender, told.messages[1].client_id) == ("bob", "m3")
    assert {one.seq: one.reason for one in told.uncounted} == {2: Reason.SILENT, 3: Reason.OWN}
    totals = await alice.client.inbox.totals()
    assert (told.share.unread, told.share.badge) == (totals.unread, totals.badge)


async def test_case_20_where_it_names_none_unread_is_0(world: World) -> None:
    alice, bob, phone = await world.online("alice", "bob", "bob")
    team = await alice.client.teams.create("One", ["bob"])
    for text in ("one", "two"):
        await alice.client.messages.send(team, text)
        await alice.client.messages.send("p2p:bob", text)
    await bob.caught_up()
    await phone.client.inbox.mark_read(team)
    await phone.client.inbox.clear_history("p2p:alice")
    await bob.caught_up()
    for row in await bob.rows():
        told = await bob.client.inbox.explain(row.conversation)
        assert (told.messages, told.counted, told.unread, row.unread) == ((), 0, 0, 0)
    assert (await bob.client.inbox.explain(team)).positions.read_by == "reading"
    assert (await bob.client.inbox.explain("p2p:alice")).positions.read_by == "clearing"


async def test_case_20_also_offline(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send("p2p:bob", "one")
    await alice.client.messages.send("p2p:bob", "two")
    await bob.caught_up()
    await bob.client.inbox.mark_read("p2p:alice", 1)
    await bob.go_offline()
    told = await bob.client.inbox.explain("p2p:alice")
    assert ([one.seq for one in told.messages], told.unread, told.complete) == ([2], 1, True)
    await bob.client.inbox.mark_unread_from("p2p:alice", 1)
    told = await bob.client.inbox.explain("p2p:alice")
    assert ([one.seq for one in told.messages], told.unread) == ([1, 2], 2)
    await bob.come_back()
    told = await bob.client.inbox.explain("p2p:alice")
    assert told.positions.read_by == "marking"
