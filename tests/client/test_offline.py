"""Commands without a network, and what becomes of them: a real node, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.client.copying import FIRST_ROWS, MORE_ROWS
from recents.client.settings import Settings
from recents.core.commands import Post
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.core.ids import Conversation
from recents.core.ordering import place_of
from recents.core.replica import same_to_the_user
from recents.server.store.memory import MemoryStore
from tests.cases.world import Device, World, until

pytestmark = pytest.mark.asyncio

BOB, ALICE = Conversation("p2p:bob"), Conversation("p2p:alice")


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    here = World(MemoryStore())
    await here.node.start()
    yield here
    await here.close()


async def texts(device: Device, name: str) -> list[str]:
    page = await device.client.messages.history(name, limit=1_000)
    return [message.text for message in page.messages]


async def same_as_a_new_device(world: World, *devices: Device) -> None:
    """C3: every device shows what a new one is told."""
    for device in devices:
        async with world.for_a_moment(device.account) as fresh:
            theirs = await fresh.rows()
            mine = await device.rows()
            assert [row.conversation for row in mine] == [row.conversation for row in theirs]
            assert all(map(same_to_the_user, mine, theirs))
            totals = await fresh.client.inbox.totals()
            assert await device.client.inbox.totals() == totals
        assert device.client.unsent == 0


async def hear_nothing(device: Device) -> None:
    """From now on the node hears this device, and its answers are lost."""
    device.link.deaf = True


async def hear_again(device: Device) -> None:
    """The deaf connection is lost, and another one made."""
    device.link.deaf = False
    await device.link.cut()
    await device.come_back()


def images(device: Device, name: str) -> list[InboxEntry | None]:
    """How a row looked after each batch that it was in; None: away."""
    seen: list[InboxEntry | None] = []
    for batch in device.batches:
        seen += [row for row in batch.added + batch.updated if row.conversation == name]
        seen += [None for row in batch.removed if row.conversation == name]
    return seen


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

    async def carried_out() -> bool:
        (row,) = await world.rows("alice")
        return row.mute == "none"

    async with asyncio.timeout(10):
        while not await carried_out():
            await asyncio.sleep(0.001)
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


# Refused.


async def test_C4_a_refused_command_is_taken_back_with_a_word(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    crew = await bob.client.teams.create("Crew", ["alice"])
    await alice.caught_up()
    await alice.go_offline()
    alice.batches.clear()
    await alice.client.teams.rename(crew, "Mine")
    await alice.client.inbox.set_draft("team:unknown", "hm")
    assert (await alice.row(crew)).name == "Mine"
    await alice.come_back()
    assert (await alice.row(crew)).name == "Crew"
    assert [row.name for row in images(alice, crew) if row] == ["Mine", "Crew"]
    assert [why.code for _, why in alice.refused] == [Code.NOT_THE_OWNER, Code.NOT_A_MEMBER]
    with pytest.raises(Refused):
        await alice.client.teams.rename(crew, "Mine")
    assert (await alice.row(crew)).name == "Crew"


async def test_P4_a_refused_message_fails_and_is_sent_again(world: World) -> None:
    (alice,) = await world.online("alice")
    await alice.go_offline()
    message = await alice.client.messages.send("p2p:zoe", "hello")
    await alice.reconnect()
    assert (await alice.row("p2p:zoe")).status == "failed"
    ((command, _),) = alice.refused
    assert isinstance(command, Post)
    await alice.go_offline()
    page = await alice.client.messages.history("p2p:zoe")
    assert [one.status for one in page.messages] == ["failed"]
    await alice.restart()
    assert (await alice.row("p2p:zoe")).status == "failed"
    await world.hire("zoe")
    again = await alice.client.messages.retry(message.client_id)
    assert (again.status, (await alice.row("p2p:zoe")).status) == ("sending", "sending")
    await alice.come_back()
    assert (await alice.row("p2p:zoe")).status == "sent"
    assert alice.statuses == [
        ("sending", "hello"),
        ("failed", "hello"),
        ("sending", "hello"),
        ("sent", "hello"),
    ]
    for call in (alice.client.messages.retry, alice.client.messages.discard):
        with pytest.raises(CallerMistake, match="has failed"):
            await call(message.client_id)


async def test_P4_online_a_refused_message_raises_and_stays_failed(world: World) -> None:
    (alice,) = await world.online("alice")
    with pytest.raises(Refused) as refusal:
        await alice.client.messages.send("p2p:zoe", "hello", client_id="c1")
    assert refusal.value.code == Code.UNKNOWN_ACCOUNT
    assert (await alice.row("p2p:zoe")).status == "failed"
    with pytest.raises(Refused):
        await alice.client.messages.retry("c1")
    await world.hire("zoe")
    assert (await alice.client.messages.retry("c1")).status == "sent"
    assert (await alice.row("p2p:zoe")).status == "sent"
    await same_as_a_new_device(world, alice)


async def test_P4_a_failed_message_can_be_discarded(world: World) -> None:
    (alice,) = await world.online("alice")
    with pytest.raises(Refused):
        await alice.client.messages.send("p2p:zoe", "hello", client_id="c1")
    alice.batches.clear()
    await alice.client.messages.discard("c1")
    assert await alice.names() == []
    (batch,) = alice.batches
    assert [row.conversation for row in batch.removed] == ["p2p:zoe"]
    await alice.go_offline()
    await alice.restart()
    assert await alice.names() == []


@pytest.mark.parametrize("how", ["delete", "delete_all", "clear_history"])
async def test_D1_a_failed_message_goes_with_its_row(world: World, how: str) -> None:
    (alice,) = await world.online("alice")
    with pytest.raises(Refused):
        await alice.client.messages.send("p2p:zoe", "hello", client_id="c1")
    inbox = alice.client.inbox
    await {
        "delete": lambda: inbox.delete("p2p:zoe"),
        "delete_all": inbox.delete_all,
        "clear_history": lambda: inbox.clear_history("p2p:zoe"),
    }[how]()
    await alice.caught_up()
    assert await alice.names() == []
    await alice.restart()
    assert await alice.names() == []
    with pytest.raises(CallerMistake):
        await alice.client.messages.retry("c1")


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


# Many, and trouble.


async def test_C4_commands_on_their_way_are_bounded(world: World) -> None:
    alice = await world.login("alice", settings=_few(20))
    await world.hire("bob")
    await alice.go_offline()
    for number in range(20):
        await alice.client.messages.send(BOB, f"{number}")
    with pytest.raises(Unavailable, match="20 commands wait to be sent"):
        await alice.client.messages.send(BOB, "one too many")
    assert len(await texts(alice, BOB)) == 20
    await alice.come_back()
    assert (await alice.client.messages.send(BOB, "now")).status == "sent"
    assert len(await texts(alice, BOB)) == 21


def _few(commands: int) -> Settings:
    return Settings(first_delay_s=0.001, longest_delay_s=0.001, outbox_commands=commands)


async def test_C4_thousands_of_commands_get_through(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.go_offline()
    await asyncio.gather(*(alice.client.messages.send(BOB, f"{n}") for n in range(3_000)))
    await alice.restart()
    assert alice.client.unsent == 3_000
    await alice.come_back()
    assert (await alice.row(BOB)).last_seq == 3_000
    await bob.caught_up()
    assert (await bob.row(ALICE)).unread == 3_000
    await same_as_a_new_device(world, alice, bob)


@pytest.mark.parametrize("many", [FIRST_ROWS + 5, FIRST_ROWS + MORE_ROWS + 5])
async def test_rows_are_there_while_they_are_still_read_from_disk(world: World, many: int) -> None:
    alice = await world.login("alice")
    # Rows without messages, since making them is all that costs time here.
    names = [f"p{number:04}" for number in range(many)]
    await world.hire(*names)
    await asyncio.gather(*(alice.client.messages.send(f"p2p:{name}", "x") for name in names))
    await alice.caught_up()
    before = await alice.rows()
    await alice.go_offline()
    await alice.client.close()
    reopened = alice._assembled()
    await reopened.open()
    alice.client = reopened
    oldest = before[-1].conversation
    page, found, _ = await asyncio.gather(
        reopened.inbox.list(limit=10),
        reopened.inbox.get(oldest),
        reopened.inbox.mute(oldest),
    )
    assert page.entries == before[:10]
    assert page.totals == (await reopened.inbox.totals())
    assert found is not None
    assert (await alice.row(oldest)).mute == "none"
    rows = await alice.rows()
    assert [row.conversation for row in rows] == [row.conversation for row in before]
    await alice.come_back()
    await same_as_a_new_device(world, alice)


async def test_what_is_commanded_in_every_state_gets_through(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    said: list[str] = []
    for state in ("offline", "connecting", "syncing", "synced"):
        tasks: list[asyncio.Task[object]] = []

        def speak(new: str, state: str = state, tasks: list = tasks) -> None:
            if new == state:
                said.append(state)
                tasks.append(asyncio.create_task(alice.client.messages.send(BOB, state)))

        remove = alice.client.on_state(speak)
        await alice.link.cut()
        await until(lambda tasks=tasks: bool(tasks) and alice.client.state == "synced")
        remove()
        await asyncio.gather(*tasks)
        await alice.come_back()
    heard = await texts(alice, BOB)
    assert heard == said
    await bob.caught_up()
    await same_as_a_new_device(world, alice, bob)


async def test_a_caller_that_gives_up_takes_nothing_back(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    for steps in range(12):
        task = asyncio.create_task(alice.client.messages.send(BOB, f"{steps}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (await alice.client.messages.send(BOB, "last")).status == "sent"
    heard = await texts(alice, BOB)
    assert heard == sorted(set(heard[:-1]), key=int) + ["last"], "once, in order, or never given"
    await alice.come_back()
    await bob.caught_up()
    await same_as_a_new_device(world, alice, bob)


async def test_closing_at_every_moment_loses_nothing_that_was_given(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    given: list[str] = []
    for steps in range(15):
        task = asyncio.create_task(alice.client.messages.send(BOB, f"{steps}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        await alice.client.close()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, Unavailable), outcome
        else:
            given.append(f"{steps}")
        await alice.restart()
    await alice.come_back()
    heard = await texts(alice, BOB)
    assert [text for text in heard if text in given] == given
    assert len(heard) == len(set(heard))
    await bob.caught_up()
    await same_as_a_new_device(world, alice, bob)


async def test_case_a_device_that_was_offline_hears_of_a_revoked_team(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    crew = await bob.client.teams.create("Crew", ["alice"])
    await alice.caught_up()
    await alice.go_offline()
    await alice.client.messages.send(crew, "am I in?")
    await bob.client.teams.remove_member(crew, "alice")
    await alice.come_back()
    row = await alice.row(crew)
    assert (row.membership, row.status) == ("removed", "failed")
    assert [why.code for _, why in alice.refused] == [Code.NOT_A_MEMBER]
    await alice.client.inbox.delete(crew)
    assert await alice.names() == []
    await same_as_a_new_device(world, alice)
