"""Names and pictures of accounts, from a program's side: rules I1, C1, C4, O3."""

from __future__ import annotations

import pytest

from recents.core.errors import CallerMistake
from tests.cases.world import World
from tests.client.offline import ALICE, BOB, images, same_as_a_new_device

pytestmark = pytest.mark.asyncio


async def test_a_new_face_is_one_change_in_the_lists_of_contacts(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send(BOB, "hi")
    await bob.caught_up()
    bob.batches.clear()
    await alice.client.profiles.set(name="Alice", avatar="a.png")
    await alice.client.profiles.set(name="Alice")
    await bob.caught_up()
    (row,) = images(bob, ALICE)
    assert row is not None
    assert (row.title, row.avatar) == ("Alice", "a.png")
    assert alice.client.unsent == 0
    await same_as_a_new_device(world, alice, bob)


async def test_C4_given_offline_it_is_carried_out_once_the_node_is_there(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send(BOB, "hi")
    await alice.client.messages.send(ALICE, "note")
    await alice.go_offline()
    await alice.client.profiles.set(name="Alice")
    assert (await alice.row(ALICE)).title == "Alice", "shown at once"
    assert alice.client.unsent == 1
    await alice.restart()
    assert (await alice.row(ALICE)).title == "Alice"
    alice.batches.clear()
    await alice.come_back()
    await bob.caught_up()
    assert alice.batches == [], "and not once more"
    assert (await bob.row(ALICE)).title == "Alice"
    await same_as_a_new_device(world, alice, bob)


async def test_renamed_while_away_it_is_one_catch_up_and_is_on_the_disk(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send(BOB, "hi")
    await bob.caught_up()
    await bob.go_offline()
    await alice.client.profiles.set(name="Alice")
    bob.batches.clear()
    await bob.come_back()
    assert [(batch.cause, len(batch.updated)) for batch in bob.batches] == [("catch_up", 1)]
    await bob.go_offline()
    await bob.restart()
    assert (await bob.row(ALICE)).title == "Alice"


async def test_a_new_face_stays_pending_no_longer_than_needed(world: World) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.client.profiles.set(name="Alice")
    await alice.client.messages.send(BOB, "hi")
    assert len(alice.client._parts.outbox) == 0


async def test_what_cannot_be_right_is_the_callers_mistake(world: World) -> None:
    (alice,) = await world.online("alice")
    with pytest.raises(CallerMistake, match="say a name, an avatar, or both"):
        await alice.client.profiles.set()
    with pytest.raises(CallerMistake, match="129 characters"):
        await alice.client.profiles.set(name="x" * 129)
    with pytest.raises(CallerMistake, match="1025 bytes"):
        await alice.client.profiles.set(avatar="x" * 1_025)


async def test_an_alias_offline_is_shown_at_once_and_on_the_other_devices_later(
    world: World,
) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send(ALICE, "hi")
    await alice.caught_up()
    await alice.go_offline()
    await alice.client.inbox.set_alias(BOB, "Dear")
    assert (await alice.row(BOB)).title == "Dear"
    await alice.restart()
    assert (await alice.row(BOB)).title == "Dear"
    alice.batches.clear()
    await alice.come_back()
    assert alice.batches == []
    await same_as_a_new_device(world, alice, bob)


async def test_a_teams_avatar(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    crew = await alice.client.teams.create("Crew", ["bob"], id="crew")
    await alice.client.teams.set_avatar(crew, "t.png")
    await bob.caught_up()
    row = await bob.row(crew)
    assert (row.avatar, row.title, row.initials) == ("t.png", "Crew", "C")
    assert [team.avatar for team in await bob.client.teams.mine()] == ["t.png"]


async def test_a_long_alias_is_the_callers_mistake(world: World) -> None:
    (alice,) = await world.online("alice")
    with pytest.raises(CallerMistake, match="129 characters"):
        await alice.client.inbox.set_alias(BOB, "x" * 129)
    with pytest.raises(CallerMistake, match="is not a team"):
        await alice.client.teams.set_avatar(BOB, "x")


async def test_profiles_are_looked_up(world: World) -> None:
    alice, bob, _ = await world.online("alice", "bob", "zoe")
    await alice.client.messages.send(BOB, "hi")
    await bob.client.profiles.set(name="Bob", avatar="b.png")
    found = await alice.client.profiles.get("bob")
    assert found is not None
    assert (found.account, found.name, found.avatar) == ("bob", "Bob", "b.png")
    assert await alice.client.profiles.get("zoe") is None
    own = await bob.client.profiles.get()
    assert own is not None
    assert own.name == "Bob"
    many = await alice.client.profiles.get_many([f"a{n}" for n in range(250)] + ["bob", "bob"])
    assert many == {"bob": found}


async def test_offline_profiles_are_what_was_asked_for_and_what_rows_show(world: World) -> None:
    alice, bob, mate = await world.online("alice", "bob", "mate")
    await alice.client.messages.send(BOB, "hi")
    await alice.client.teams.create("Crew", ["mate", "bob"], id="crew")
    await bob.client.profiles.set(name="Bob")
    await mate.client.profiles.set(name="Mate")
    await alice.client.profiles.get("mate")
    await alice.caught_up()
    await alice.go_offline()
    known = await alice.client.profiles.get_many(["mate", "bob", "nobody"])
    assert {account: one.name for account, one in known.items()} == {"mate": "Mate", "bob": "Bob"}
    await alice.restart()
    known = await alice.client.profiles.get_many(["mate", "bob"])
    assert {account: one.name for account, one in known.items()} == {"bob": "Bob"}
    assert await alice.client.profiles.get() is None


async def test_what_cannot_be_looked_up(world: World) -> None:
    (alice,) = await world.online("alice")
    with pytest.raises(CallerMistake, match="not a valid account id"):
        await alice.client.profiles.get("a b")
    with pytest.raises(CallerMistake, match="takes several"):
        await alice.client.profiles.get_many("bob")
