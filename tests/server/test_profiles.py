"""Faces of accounts in the rows of their contacts: rules I1, O3, C1, C4, D2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio

from recents.core.commands import (
    Delete,
    LeaveTeam,
    SetAlias,
    SetDraft,
    SetProfile,
    SetTeamAvatar,
)
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from recents.wire.frames import LookUpProfiles, Profile, Profiles
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, gone_in, new_id, rows_in

pytestmark = pytest.mark.asyncio

ALICE, BOB, CAROL = (Conversation(f"p2p:{name}") for name in ("alice", "bob", "carol"))

TEAM = Conversation("team:t1")

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "recents.db"),
}


@pytest_asyncio.fixture(params=STORES)
async def company(request: pytest.FixtureRequest, found: Founder, tmp_path: Path) -> Company:
    return await found(store=STORES[request.param](tmp_path))


async def set_profile(device: Device, name: str | None = None, avatar: str | None = None) -> int:
    return await device.do(SetProfile(id=new_id(), name=name, avatar=avatar))


async def test_i1_a_new_face_arrives_as_a_row_on_every_device_of_every_contact(
    company: Company,
) -> None:
    alice, bob, other, carol = await company.online("alice", "bob", "bob", "carol")
    await alice.post(BOB)
    await carol.post(ALICE)
    for device in (alice, bob, other, carol):
        await device.changes()
    version = await set_profile(alice, "Alice", "a.png")
    for device in (bob, other, carol):
        changes = await device.changes()
        row = rows_in(changes)[ALICE]
        assert (row.name, row.avatar, row.title, row.version) == (
            "Alice",
            "a.png",
            "Alice",
            version,
        )
        assert len(changes) == 1
    assert (await company.node.accounts.get("alice")).version == version


async def test_o3_it_moves_no_row_and_counts_nothing(company: Company) -> None:
    alice, bob, carol = await company.online("alice", "bob", "carol")
    await alice.post(BOB)
    await carol.post(BOB)
    before = await bob.rows()
    await set_profile(alice, "Alice")
    after = await bob.rows()
    assert list(after) == list(before) == [CAROL, ALICE]
    assert (after[ALICE].unread, after[ALICE].activity_ms) == (1, before[ALICE].activity_ms)


async def test_c1_the_same_face_again_is_no_change(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    await set_profile(alice, "Alice", "a.png")
    await bob.changes()
    version = company.node.store.version
    assert await set_profile(alice, "Alice", "a.png") == 0
    assert await set_profile(alice, "Alice") == 0
    assert await set_profile(alice) == 0
    assert await bob.changes() == []
    assert company.node.store.version == version


async def test_a_part_that_is_not_given_stays(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    await set_profile(alice, "Alice")
    await set_profile(alice, avatar="a.png")
    row = (await bob.rows())[ALICE]
    assert (row.name, row.avatar) == ("Alice", "a.png")
    await set_profile(alice, "")
    row = (await bob.rows())[ALICE]
    assert (row.name, row.avatar, row.title) == (None, "a.png", "alice")


async def test_who_writes_for_the_first_time_is_seen_with_its_face(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    assert await set_profile(alice, "Alice") == 0, "it has no row"
    await set_profile(bob, "Bob")
    await alice.post(BOB)
    assert rows_in(await bob.changes())[ALICE].name == "Alice"
    assert rows_in(await alice.changes())[BOB].name == "Bob"


async def test_a_draft_for_a_stranger_shows_its_face_and_hears_of_another(
    company: Company,
) -> None:
    alice, bob = await company.online("alice", "bob")
    await set_profile(bob, "Bob")
    await alice.do(SetDraft(id=new_id(), conversation=BOB, text="dear"))
    assert rows_in(await alice.changes())[BOB].name == "Bob"
    assert await set_profile(bob, "Robert") == 0, "of a draft nobody else notices"
    assert await bob.changes() == []
    assert rows_in(await alice.changes())[BOB].name == "Robert"
    await bob.post(ALICE)
    assert rows_in(await alice.changes())[BOB].name == "Robert"


async def test_it_comes_by_catch_up(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    token = (await bob.changes())[-1].token
    bob.hang_up()
    await set_profile(alice, "Alice")
    again = company.device("bob")
    (page,) = await again.greet(token)
    assert [row.name for row in page.rows] == ["Alice"]


async def test_d2_it_brings_no_deleted_row_back(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    await bob.do(Delete(id=new_id(), conversation=ALICE))
    await bob.changes()
    await set_profile(alice, "Alice")
    changes = await bob.changes()
    assert rows_in(changes) == {}
    assert [gone.conversation for gone in gone_in(changes)] == [ALICE]
    await alice.post(BOB)
    assert rows_in(await bob.changes())[ALICE].name == "Alice"


async def test_i2_notes_to_oneself_show_ones_own_face(company: Company) -> None:
    (alice,) = await company.online("alice")
    await alice.post(ALICE)
    version = await set_profile(alice, "Alice")
    row = rows_in(await alice.changes())[ALICE]
    assert (row.name, row.version) == ("Alice", version)


async def test_all_in_one_batch(company: Company) -> None:
    """What begins before it and what begins after it show the newest face."""
    alice, bob, carol = await company.online("alice", "bob", "carol")
    await alice.send(
        SetProfile(id="p1", name="First"),
        SetDraft(id="p2", conversation=BOB, text="dear"),
        SetProfile(id="p3", name="Second"),
        SetDraft(id="p4", conversation=CAROL, text="dear"),
        SetDraft(id="p5", conversation=ALICE, text="to do"),
        SetProfile(id="p6", name="Third"),
    )
    await alice.answer_to("p6")
    assert (await alice.rows())[ALICE].name == "Third"
    for device, peer in ((bob, ALICE), (carol, ALICE)):
        await device.post(peer)
        assert (await alice.rows())[Conversation(f"p2p:{device.account}")].unread == 1
        assert (await device.rows())[ALICE].name == "Third"


async def test_c4_asked_again_it_is_answered_as_the_first_time(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    command = SetProfile(id="once", name="Alice")
    version = await alice.do(command)
    await set_profile(alice, "Another")
    alice.forget()
    assert await alice.do(command) == version
    assert (await bob.rows())[ALICE].name == "Another"


async def test_i1_a_face_against_the_rules_is_refused(company: Company) -> None:
    (alice,) = await company.online("alice")
    assert await alice.refused(SetProfile(id=new_id(), name="x" * 129)) is Code.BAD_VALUE
    assert await alice.refused(SetProfile(id=new_id(), avatar="x" * 1_025)) is Code.BAD_VALUE


async def test_an_application_server_names_an_account_by_the_same_command(
    company: Company,
) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    await bob.changes()
    await company.node.command("alice", SetProfile(id=new_id(), name="Alice"))
    assert rows_in(await bob.changes())[ALICE].name == "Alice"
    with pytest.raises(Refused) as refused:
        await company.node.command("nobody", SetProfile(id=new_id(), name="x"))
    assert refused.value.code is Code.UNKNOWN_ACCOUNT


async def test_rows_written_per_message_stay_as_they_were(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    await set_profile(alice, "Alice", "a" * 1_000)
    await set_profile(bob, "Bob")
    before = company.node.store.rows_written
    await alice.post(BOB)
    assert company.node.store.rows_written == before + 3


# Teams


async def set_avatar(device: Device, avatar: str) -> int:
    return await device.do(SetTeamAvatar(id=new_id(), conversation=TEAM, avatar=avatar))


async def test_a_teams_avatar_arrives_at_its_members(company: Company) -> None:
    alice, bob, carol = await company.online("alice", "bob", "carol")
    await alice.create_team(TEAM, "bob", "carol")
    await carol.do(LeaveTeam(id=new_id(), conversation=TEAM))
    for device in (bob, carol):
        await device.changes()
    version = await set_avatar(alice, "t.png")
    row = rows_in(await bob.changes())[TEAM]
    assert (row.avatar, row.version) == ("t.png", version)
    assert await carol.changes() == [], "who has left sees it as it was (T2)"
    assert [team.avatar for team in await bob.teams()] == ["t.png"]
    assert await set_avatar(alice, "t.png") == version, "the same again is no change (C1)"
    assert await bob.changes() == []


async def test_only_the_owner_gives_a_team_its_avatar(company: Company) -> None:
    alice, bob, carol = await company.online("alice", "bob", "carol")
    await alice.create_team(TEAM, "bob")
    command = SetTeamAvatar(id=new_id(), conversation=TEAM, avatar="t.png")
    assert await bob.refused(command) is Code.NOT_THE_OWNER
    assert await carol.refused(command) is Code.NOT_A_MEMBER


# Aliases


async def alias(device: Device, conversation: Conversation, name: str) -> int:
    return await device.do(SetAlias(id=new_id(), conversation=conversation, alias=name))


async def test_i1_an_alias_is_on_all_my_devices_and_nobody_else_notices(
    company: Company,
) -> None:
    alice, other, bob = await company.online("alice", "alice", "bob")
    await alice.post(BOB)
    for device in (alice, other, bob):
        await device.changes()
    version = await alias(alice, BOB, "Dear Bob")
    for device in (alice, other):
        row = rows_in(await device.changes())[BOB]
        assert (row.alias, row.title, row.version) == ("Dear Bob", "Dear Bob", version)
    assert await bob.changes() == []
    assert await alias(alice, BOB, "Dear Bob") == version
    assert await alice.changes() == []
    await set_profile(bob, "Bob B.")
    row = rows_in(await alice.changes())[BOB]
    assert (row.title, row.name) == ("Dear Bob", "Bob B.")
    await alias(other, BOB, "")
    assert rows_in(await alice.changes())[BOB].title == "Bob B."


async def test_an_alias_needs_a_row_and_taking_away_what_is_not_there_succeeds(
    company: Company,
) -> None:
    (alice, _) = await company.online("alice", "bob")
    assert await alias(alice, BOB, "") == 0
    for name in (BOB, TEAM):
        command = SetAlias(id=new_id(), conversation=name, alias="x")
        assert await alice.refused(command) is Code.NOT_A_MEMBER


async def test_an_alias_of_a_team_survives_leaving_and_joining_again(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await alias(bob, TEAM, "Work")
    await bob.do(LeaveTeam(id=new_id(), conversation=TEAM))
    await alice.add_members(TEAM, "bob")
    assert (await bob.rows())[TEAM].title == "Work"


async def test_o3_an_alias_moves_no_row_and_brings_none_back(company: Company) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.post(BOB)
    await alice.post(ALICE)
    await alias(alice, BOB, "Dear")
    assert list(await alice.rows()) == [ALICE, BOB]
    await alice.do(Delete(id=new_id(), conversation=BOB))
    await alias(alice, BOB, "Dearest")
    assert list(await alice.rows()) == [ALICE]


# Looking up


async def look_up(device: Device, *accounts: str) -> list[Profile]:
    query = LookUpProfiles(id=new_id(), accounts=accounts)
    return list((await device.result(query, Profiles)).profiles)


async def test_profiles_are_told_of_who_shares_a_conversation(company: Company) -> None:
    alice, bob, carol, _ = await company.online("alice", "bob", "carol", "zoe")
    await alice.create_team(TEAM, "bob")
    await carol.post(ALICE)
    version = await bob.do(SetProfile(id=new_id(), name="Bob", avatar="b.png"))
    assert version == 0, "no row shows it"
    found = await look_up(alice, "zoe", "carol", "bob", "bob", "nobody", "alice")
    assert found == [
        Profile(account="alice"),
        Profile(account="bob", name="Bob", avatar="b.png", version=company.node.store.version),
        Profile(account="carol"),
    ]
    assert await look_up(carol, "bob") == []


async def test_a_question_for_profiles_is_bounded(company: Company) -> None:
    (alice,) = await company.online("alice")
    assert await look_up(alice, *(f"a{n}" for n in range(100))) == []
    many = LookUpProfiles(id=new_id(), accounts=tuple(f"a{n}" for n in range(101)))
    assert await alice.refused(many) is Code.BAD_VALUE
    bad = LookUpProfiles(id=new_id(), accounts=("a b",))
    assert await alice.refused(bad) is Code.BAD_VALUE
