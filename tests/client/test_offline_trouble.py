"""Refusals, many commands, and bad moments; with a real node."""

from __future__ import annotations

import asyncio

import pytest

from recents.client.copying import FIRST_ROWS
from recents.client.settings import Settings
from recents.core.commands import Post
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.core.message import Message
from tests.cases.world import World, until
from tests.client.offline import (
    ALICE,
    BOB,
    images,
    same_as_a_new_device,
    texts,
)

pytestmark = pytest.mark.asyncio

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
    match how:
        case "delete":
            await inbox.delete("p2p:zoe")
        case "delete_all":
            await inbox.delete_all()
        case _:
            await inbox.clear_history("p2p:zoe")
    await alice.caught_up()
    assert await alice.names() == []
    await alice.restart()
    assert await alice.names() == []
    with pytest.raises(CallerMistake):
        await alice.client.messages.retry("c1")


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
    await asyncio.gather(*(alice.client.messages.send(BOB, f"{n}") for n in range(1_000)))
    await alice.restart()
    assert alice.client.unsent == 1_000
    await alice.come_back()
    assert (await alice.row(BOB)).last_seq == 1_000
    await bob.caught_up()
    assert (await bob.row(ALICE)).unread == 1_000
    await same_as_a_new_device(world, alice, bob)


async def test_rows_are_there_while_they_are_still_read_from_disk(world: World) -> None:
    alice = await world.login("alice")
    names = [f"p{number:04}" for number in range(FIRST_ROWS + 5)]
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
    tasks: list[asyncio.Task[Message]] = []

    def speak(state: str) -> None:
        said.append(state)
        tasks.append(asyncio.create_task(alice.client.messages.send(BOB, f"{state}{len(said)}")))

    for _ in range(4):
        before = len(said)
        remove = alice.client.on_state(speak)
        await alice.link.cut()
        await until(lambda before=before: len(said) >= before + 4)  # type: ignore[misc]
        remove()
        await asyncio.gather(*tasks)
        await alice.come_back()
    said = [f"{state}{number}" for number, state in enumerate(said, start=1)]
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
    assert heard == [*sorted(set(heard[:-1]), key=int), "last"], "once, in order, or never given"
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
