"""Complaints about other systems, each a test of ours; the numbers are those of the list."""

from __future__ import annotations

import asyncio
import random

import pytest
from aiohttp.test_utils import TestClient, TestServer

from recents.core.entry import InboxEntry
from recents.core.head import Head
from recents.core.ids import Conversation, ConversationKey
from recents.core.membership import joined
from recents.core.ordering import place_of
from recents.core.totals import Totals
from recents.server.doors.http import application
from recents.server.store.workspace import Wanted, Workspace
from recents.testing.oracle import Oracle
from tests.cases.world import Device, World

pytestmark = pytest.mark.asyncio

PRINTABLE = [chr(byte) for byte in range(0x21, 0x7F) if chr(byte) not in ":|/#"]


async def test_case_1_after_the_answer_both_lists_contain_the_message(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    message = await alice.client.messages.send("p2p:bob", "hello")
    for account, name in (("alice", "p2p:bob"), ("bob", "p2p:alice")):
        rows = {row.conversation: row for row in await world.rows(account)}
        assert rows[Conversation(name)].last_seq == message.seq, "nobody waited"
    assert (await alice.row("p2p:bob")).last_seq == message.seq, "nobody waited"
    await bob.caught_up()
    assert (await bob.row("p2p:alice")).unread == 1


async def test_case_1_so_do_they_when_hundreds_are_sent_at_once(world: World) -> None:
    peers = [f"peer{number}" for number in range(20)]
    await world.hire(*peers)
    alice = await world.login("alice")

    async def send_and_look(number: int) -> None:
        peer = peers[number % len(peers)]
        message = await alice.client.messages.send(f"p2p:{peer}", f"{number}")
        mine = await alice.row(f"p2p:{peer}")
        (theirs,) = await world.rows(peer)
        assert mine.last_seq >= message.seq
        assert theirs.last_seq >= message.seq

    await asyncio.gather(*(send_and_look(number) for number in range(400)))
    assert [row.unread for peer in peers for row in await world.rows(peer)] == [20] * 20


async def test_case_2_a_deleted_conversation_is_back_with_the_next_message(world: World) -> None:
    alice, bob, phone = await world.online("alice", "bob", "bob")
    for text in ("one", "two", "three"):
        await alice.client.messages.send("p2p:bob", text)
    await bob.caught_up()
    await bob.client.inbox.delete("p2p:alice")
    assert await bob.names() == []
    assert await bob.unread() == 0
    await alice.client.messages.send("p2p:bob", "four")
    for device in (bob, phone):
        await device.caught_up()
        row = await device.row("p2p:alice")
        assert row.unread == 1, "counted from the deletion"
        assert row.preview is not None
        assert row.preview.text == "four"


async def test_case_2_only_a_message_brings_it_back(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    team = await alice.client.teams.create("One", ["bob"])
    await alice.client.messages.send(team, "hi")
    await bob.caught_up()
    await bob.client.inbox.delete(team)
    await alice.client.teams.rename(team, "Two")
    await alice.client.inbox.mark_read(team)
    await bob.client.inbox.mark_read(team, 1)
    await bob.caught_up()
    assert await bob.names() == []
    await bob.client.messages.send(team, "it is I")
    assert (await bob.row(team)).name == "Two", "an own message is one too"


async def test_case_3_a_deletion_is_seen_on_the_other_device(world: World) -> None:
    alice, laptop, phone, tablet = await world.online("alice", "bob", "bob", "bob")
    await alice.client.messages.send("p2p:bob", "hi")
    await alice.client.messages.send("p2p:bob", "you there?")
    for device in (laptop, phone, tablet):
        await device.caught_up()
        device.batches.clear()
    await tablet.go_offline()

    await laptop.client.inbox.delete("p2p:alice")
    await phone.caught_up()
    await tablet.come_back()

    for device in (laptop, phone, tablet):
        (batch,) = device.batches
        (removed,) = batch.removed
        assert removed.conversation == "p2p:alice"
        assert (batch.added, batch.updated, batch.totals) == ((), (), Totals())
        assert await device.names() == []
    causes = [device.batches[0].cause for device in (laptop, phone, tablet)]
    assert causes == ["command", "other_device", "catch_up"]
    async with TestClient(TestServer(application(world.node, "key"))) as rest:
        answer = await rest.get("/v1/accounts/bob/inbox", headers={"Authorization": "Bearer key"})
        assert answer.status == 200
        assert (await answer.json())["rows"] == []
    assert [row.conversation for row in await world.rows("alice")] == ["p2p:bob"], "D1"


async def test_case_5_rows_do_not_depend_on_messages(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    empty = await alice.client.teams.create("Empty", ["bob"])
    bare = await alice.client.teams.create("Bare", ["bob"])
    await alice.client.messages.send(bare, "a tip", previews=False)
    cleared = await alice.client.teams.create("Cleared", ["bob"])
    await alice.client.messages.send(cleared, "gone soon")
    await bob.caught_up()
    await bob.client.inbox.clear_history(cleared)
    async with world.for_a_moment("bob") as fresh:
        for device in (bob, fresh):
            rows = await device.rows()
            assert [row.conversation for row in rows] == [cleared, bare, empty]
            assert [row.preview for row in rows] == [None, None, None]
            assert [row.unread for row in rows] == [0, 1, 0]
            assert [row.title for row in rows] == ["Cleared", "Bare", "Empty"]


async def test_case_8_my_total_stays_when_the_peer_reads(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send("p2p:bob", "for you")
    await bob.client.messages.send("p2p:alice", "for you, too")
    await alice.caught_up()
    assert await alice.unread() == 1
    await bob.caught_up()
    await bob.client.inbox.mark_read("p2p:alice")
    await alice.caught_up()
    assert await alice.unread() == 1
    assert (await alice.row("p2p:bob")).unread == 1
    assert {batch.totals.unread for batch in alice.batches} <= {0, 1}
    assert await bob.unread() == 0


async def test_case_8_all_that_changes_is_the_status_of_my_message(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send("p2p:bob", "for you")
    assert (await alice.row("p2p:bob")).status == "sent"
    await bob.caught_up()
    await bob.client.inbox.mark_read("p2p:alice")
    await alice.caught_up()
    assert (await alice.row("p2p:bob")).status == "read"


async def test_case_9_37_while_offline_is_37(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send("p2p:bob", "before")
    await bob.caught_up()
    await bob.client.inbox.mark_read("p2p:alice")
    await bob.go_offline()
    for number in range(37):
        await alice.client.messages.send("p2p:bob", f"{number}")
    await bob.come_back()
    async with world.for_a_moment("bob") as fresh:
        for device in (bob, fresh):
            assert (await device.row("p2p:alice")).unread == 37
            assert await device.unread() == 37


async def test_case_9_unread_is_never_below_zero(world: World) -> None:
    alice, bob, phone = await world.online("alice", "bob", "bob")
    chance = random.Random(9)
    for number in range(60):
        await alice.client.messages.send("p2p:bob", f"{number}", counts=number % 3 > 0)
        device = chance.choice([bob, phone])
        await device.caught_up()
        await asyncio.gather(
            device.client.messages.send("p2p:alice", "mine", counts=number % 2 > 0),
            bob.client.inbox.mark_read("p2p:alice", chance.randrange(number + 1)),
            phone.client.inbox.mark_all_read(),
            chance.choice([bob.client.inbox.delete, phone.client.inbox.clear_history])(
                "p2p:alice"
            ),
        )
    for device in (bob, phone):
        for batch in device.batches:
            assert batch.totals.unread >= 0
            assert all(row.unread >= 0 for row in batch.added + batch.updated)


async def test_case_12_a_readded_member_sees_no_old_unread(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    team = await alice.client.teams.create("One", ["bob"])
    for text in ("one", "two"):
        await alice.client.messages.send(team, text)
    await bob.caught_up()
    assert (await bob.row(team)).unread == 2

    await alice.client.teams.remove_member(team, "bob")
    await alice.client.messages.send(team, "three, without bob")
    await bob.caught_up()
    assert ((await bob.row(team)).unread, (await bob.row(team)).membership) == (2, "removed")

    await alice.client.teams.add_members(team, ["bob"])
    await bob.caught_up()
    row = await bob.row(team)
    assert (row.unread, row.membership, row.last_seq) == (0, "member", 3)
    await alice.client.messages.send(team, "four")
    await bob.caught_up()
    assert (await bob.row(team)).unread == 1


async def test_case_16_batches_alone_lead_to_the_nodes_list(world: World) -> None:
    """From any start, live, after a cut, through the feed that melts batches together."""
    teams = [f"team:t{number}" for number in range(8)]
    alice, bob = await world.online("alice", "bob")
    for team in teams:
        await alice.client.teams.create(team, ["bob"], id=team.removeprefix("team:"))
    await bob.caught_up()
    viewers = [await Viewer.of(bob)]
    chance = random.Random(16)
    for step in range(80):
        team = chance.choice(teams)
        await alice.client.messages.send(team, f"{step}", bumps=step % 5 > 0)
        reader = bob if bob.client.state == "synced" else viewers[-1].device
        if step % 11 == 0:
            await reader.client.inbox.delete(chance.choice(teams))
        if step % 7 == 0:
            await reader.client.inbox.mark_read(chance.choice(teams))
        if step % 13 == 0:
            viewers.append(await Viewer.of(await world.login("bob")))
        if step == 40:
            await bob.go_offline()
        if step == 60:
            await bob.come_back()
    expected = await world.rows("bob")
    for viewer in viewers:
        await viewer.device.caught_up()
        assert await viewer.seen() == list(expected)
    assert len(viewers) > 5


class Viewer:
    """An application that knows its list from the start and the batches of a feed only."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._rows: dict[str, InboxEntry] = {}
        self._feed = device.client.inbox.changes()

    @classmethod
    async def of(cls, device: Device) -> Viewer:
        viewer = cls(device)
        viewer._rows = {row.conversation: row for row in await device.rows()}
        return viewer

    async def seen(self) -> list[InboxEntry]:
        """Take in what has come; in order, but for versions that no user sees."""
        while True:
            try:
                async with asyncio.timeout(0.01):
                    batch = await anext(self._feed)
            except TimeoutError:
                rows = [await self.device.row(name) for name in self._rows]
                assert {row.conversation: row.last_seq for row in rows} == {
                    name: row.last_seq for name, row in self._rows.items()
                }
                return sorted(rows, key=place_of)
            for row in batch.removed:
                del self._rows[row.conversation]
            for row in batch.added + batch.updated:
                self._rows[row.conversation] = row


@pytest.mark.parametrize("side", ["node", "sdk"])
async def test_case_25_pages_neither_repeat_nor_lose_rows_while_rows_move(
    world: World, side: str
) -> None:
    peers = [f"peer{number:02}" for number in range(60)]
    await world.hire(*peers)
    me = await world.login("me")
    for peer in peers:
        await me.client.messages.send(f"p2p:{peer}", "hi")

    async def page(cursor: str | None) -> tuple[list[str], str | None]:
        if side == "node":
            rows = await world.page("me", 7, cursor)
            return [row.conversation for row in rows.rows], rows.next_cursor
        local = await me.client.inbox.list(7, cursor)
        return [row.conversation for row in local.entries], local.next_cursor

    chance = random.Random(25)
    for _ in range(5):
        moved: set[str] = set()
        seen: list[str] = []
        cursor = None
        while True:
            names, cursor = await page(cursor)
            assert len(set(names)) == len(names), "no row twice within a page"
            seen += names
            if cursor is None:
                break
            for peer in chance.sample(peers, 3):
                await me.client.messages.send(f"p2p:{peer}", "up")
                moved.add(f"p2p:{peer}")
        still = [f"p2p:{peer}" for peer in peers if f"p2p:{peer}" not in moved]
        assert len(still) > 10
        for name in still:
            assert seen.count(name) == 1, "exactly once"
        assert [name for name in seen if name in still] == [
            row.conversation for row in await world.rows("me") if row.conversation in still
        ]


async def test_case_25_the_same_under_a_filter(world: World) -> None:
    """Rows move, and come in and go out of the filter, while its pages are walked."""
    peers = [f"peer{number:02}" for number in range(60)]
    await world.hire(*peers)
    me, *others = await world.online("me", *peers[:3])
    for peer in peers:
        await me.client.messages.send(f"p2p:{peer}", "hi")
        await me.client.inbox.mark_unread(f"p2p:{peer}")
    chance = random.Random(26)
    for _ in range(3):
        disturbed: set[str] = set()
        seen: list[str] = []
        cursor = None
        while True:
            page = await me.client.inbox.list(7, cursor, unread_only=True, kinds=["p2p"])
            names = [row.conversation for row in page.entries]
            assert len(set(names)) == len(names), "no row twice within a page"
            assert page.totals == await me.client.inbox.totals(unread_only=True, kinds=["p2p"])
            seen += names
            cursor = page.next_cursor
            if cursor is None:
                break
            up, read, marked = (f"p2p:{peer}" for peer in chance.sample(peers, 3))
            await me.client.messages.send(up, "up")
            await me.client.inbox.mark_read(read)
            await me.client.inbox.mark_unread(marked)
            await chance.choice(others).client.messages.send("p2p:me", "hi")
            disturbed |= {up, read, marked, *(f"p2p:{peer}" for peer in peers[:3])}
        rows = [row for row in await me.rows() if row.conversation not in disturbed]
        still = [row.conversation for row in rows if row.unread or row.marked_unread]
        assert len(still) > 10
        assert [name for name in seen if name not in disturbed] == still, "exactly once, in order"


async def test_case_26_every_list_has_the_same_order(world: World) -> None:
    """Names of every printable byte, at three times: node, SDK, comparator, oracle."""
    oracle = Oracle()
    me = await world.login("me")
    await world.hire(*PRINTABLE)
    world.tick_ms = 0
    names = [f"p2p:{peer}" for peer in PRINTABLE]
    names += [f"team:{char}x" for char in PRINTABLE[::9]]
    random.Random(26).shuffle(names)
    for number, name in enumerate(names):
        world.at_ms = 2_000_000 + number % 3
        if name.startswith("team:"):
            await me.client.teams.create(id=name.removeprefix("team:"))
            oracle.create_team(name, owner="me", at_ms=world.at_ms)
        else:
            await me.client.messages.send(name, "hi")
            oracle.post("me", name, client_id=name, at_ms=world.at_ms)
    expected = [row.conversation for row in oracle.rows("me")]
    assert [row.conversation for row in await world.rows("me")] == expected
    assert await me.names() == expected
    assert [row.conversation for row in sorted(await me.rows(), key=place_of)] == expected
    async with world.for_a_moment("me") as fresh:
        assert await fresh.names() == expected


async def test_case_31_ten_thousand_equal_times_stand_in_one_order(world: World) -> None:
    world.tick_ms = 0
    await world.hire("me")
    names = [f"team:{number:05}" for number in range(10_000)]
    mixed = names[:]
    random.Random(31).shuffle(mixed)

    def found(workspace: Workspace) -> None:
        for name in mixed:
            head = Head(version=workspace.version, name="", owner="me")
            workspace.put_head(ConversationKey(name), head)
            member = joined(head, world.at_ms, workspace.version)
            workspace.put_membership("me", ConversationKey(name), member)

    await world.node.store.transact(Wanted(), found)
    assert [row.conversation for row in await world.rows("me")] == names
    me = await world.login("me")
    assert await me.names() == names
    await me.client.messages.send(mixed[0], "hi")
    assert await me.names() == names, "its time is the same as before"
    await me.client.inbox.delete(mixed[1])
    assert await me.names() == [name for name in names if name != mixed[1]]


async def test_case_32_a_channel_never_opened_counts_nothing_of_before(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    team = await alice.client.teams.create("Old")
    await asyncio.gather(*(alice.client.messages.send(team, f"{number}") for number in range(200)))
    await alice.client.teams.add_members(team, ["bob"])
    await bob.caught_up()
    async with world.for_a_moment("bob") as fresh:
        for device in (bob, fresh):
            row = await device.row(team)
            assert (row.unread, row.last_seq, row.read_seq) == (0, 200, 200)
            assert await device.unread() == 0
    await alice.client.messages.send(team, "welcome")
    await bob.caught_up()
    assert await bob.unread() == 1
