"""Teams and who is in them, as devices see it: rules T1, T2, U5, O2, O3 and the permissions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recents.core.commands import (
    AddMembers,
    CreateTeam,
    Delete,
    DismissTeam,
    LeaveTeam,
    RemoveMember,
    RenameTeam,
    TeamCommand,
)
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.settings import Settings
from recents.wire.frames import History, TeamMembers
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, a_post, messages_in, new_id, rows_in

pytestmark = pytest.mark.asyncio

TEAM, UNKNOWN = Conversation("team:t1"), Conversation("team:unknown")


def add(team: Conversation) -> TeamCommand:
    return AddMembers(id=new_id(), conversation=team, members=("eve",))


def remove(team: Conversation) -> TeamCommand:
    return RemoveMember(id=new_id(), conversation=team, member="bob")


def leave(team: Conversation) -> TeamCommand:
    return LeaveTeam(id=new_id(), conversation=team)


def rename(team: Conversation) -> TeamCommand:
    return RenameTeam(id=new_id(), conversation=team, name="Mine now")


def dismiss(team: Conversation) -> TeamCommand:
    return DismissTeam(id=new_id(), conversation=team)


Making = Callable[[Conversation], TeamCommand]


async def _team(company: Company) -> tuple[Device, Device, Device]:
    """Return an owner, a member, an outsider."""
    alice, bob, eve = await company.online("alice", "bob", "eve")
    await alice.create_team(TEAM, "bob")
    await alice.changes()
    await bob.changes()
    return alice, bob, eve


async def test_t1_a_team_appears_for_every_member_without_unread(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob", name="Name")
    for device in (alice, bob):
        row = rows_in(await device.changes())[TEAM]
        assert (row.unread, row.name, row.membership, row.preview) == (0, "Name", "member", None)
        assert row.activity_ms > 0


async def test_t1_creating_the_same_team_again_is_a_success(company: Company) -> None:
    alice, bob, _ = await _team(company)
    version = company.node.store.version
    await alice.create_team(TEAM, "bob")
    assert company.node.store.version == version
    assert await bob.changes() == []


async def test_t2_creating_the_same_team_again_brings_nobody_back(company: Company) -> None:
    alice, bob, _ = await _team(company)
    await alice.do(RemoveMember(id=new_id(), conversation=TEAM, member="bob"))
    await alice.create_team(TEAM, "bob")
    assert await bob.refused(a_post(TEAM)) is Code.NOT_A_MEMBER


@pytest.mark.parametrize("name", ["Team", "Other"])
async def test_t1_somebody_elses_team_id_is_taken(company: Company, name: str) -> None:
    _, _, eve = await _team(company)
    again = CreateTeam(id="1", conversation=TEAM, name=name, members=("eve",))
    assert await eve.refused(again) is Code.TEAM_EXISTS
    assert await eve.rows() == {}


@pytest.mark.parametrize("making", [add, remove, leave, rename, dismiss])
async def test_t1_an_outsider_cannot_tell_a_foreign_team_from_none(
    company: Company, making: Making
) -> None:
    alice, _, eve = await _team(company)
    version = company.node.store.version
    assert await eve.refused(making(TEAM)) is Code.NOT_A_MEMBER
    assert await eve.refused(making(UNKNOWN)) is Code.NOT_A_MEMBER
    assert company.node.store.version == version
    assert await alice.changes() == []


@pytest.mark.parametrize("team", [TEAM, UNKNOWN])
async def test_t1_an_outsider_reads_nothing(company: Company, team: Conversation) -> None:
    alice, _, eve = await _team(company)
    await alice.post(TEAM, "secret")
    assert await eve.refused(History(id="1", conversation=team)) is Code.NOT_A_MEMBER
    assert await eve.refused(TeamMembers(id="2", conversation=team)) is Code.NOT_A_MEMBER
    assert await eve.teams() == []
    assert await eve.changes() == []


async def test_any_member_may_add(company: Company) -> None:
    alice, bob, eve = await _team(company)
    await bob.do(add(TEAM))
    assert TEAM in rows_in(await eve.changes())
    assert [member.account for member in await alice.members(TEAM)] == ["alice", "bob", "eve"]
    assert [member.owner for member in await alice.members(TEAM)] == [True, False, False]


@pytest.mark.parametrize("making", [remove, rename, dismiss])
async def test_only_the_owner_may_do_the_rest(company: Company, making: Making) -> None:
    alice, bob, _ = await _team(company)
    assert await bob.refused(making(TEAM)) is Code.NOT_THE_OWNER
    await alice.do(making(TEAM))


async def test_the_owner_stays(company: Company) -> None:
    alice, _, _ = await _team(company)
    assert await alice.refused(leave(TEAM)) is Code.OWNER_CANNOT_LEAVE
    removing = RemoveMember(id="1", conversation=TEAM, member="alice")
    assert await alice.refused(removing) is Code.OWNER_CANNOT_LEAVE


@pytest.mark.parametrize("making", [add, remove, rename])
async def test_t2_a_dismissed_team_cannot_be_changed(company: Company, making: Making) -> None:
    alice, _, _ = await _team(company)
    await alice.do(dismiss(TEAM))
    assert await alice.refused(making(TEAM)) is Code.TEAM_DISMISSED
    await alice.do(dismiss(TEAM))
    again = CreateTeam(id="1", conversation=TEAM, name="Team")
    assert await alice.refused(again) is Code.TEAM_EXISTS


@pytest.mark.parametrize("making", [add, remove, rename])
async def test_t2_who_left_changes_nothing_and_does_not_hear_of_the_end(
    company: Company, making: Making
) -> None:
    alice, bob, _ = await _team(company)
    await bob.do(leave(TEAM))
    assert await bob.refused(making(TEAM)) is Code.NOT_A_MEMBER
    await bob.changes()
    await alice.do(dismiss(TEAM))
    assert await bob.refused(making(TEAM)) is Code.NOT_A_MEMBER
    assert (await bob.rows())[TEAM].membership == "left"
    assert await bob.changes() == []


async def test_t2_removed_the_row_stays_as_it_was(company: Company) -> None:
    alice, bob, _ = await _team(company)
    await alice.post(TEAM, "one")
    await alice.do(remove(TEAM))
    await alice.post(TEAM, "two")
    await alice.do(rename(TEAM))
    row = rows_in(await bob.changes())[TEAM]
    assert (row.membership, row.unread, row.last_seq, row.name) == ("removed", 1, 1, "Team")
    await bob.read(TEAM)
    assert (await bob.rows())[TEAM].unread == 0
    await bob.do(Delete(id="1", conversation=TEAM))
    assert await bob.rows() == {}


async def test_t2_leaving_twice_and_removing_who_is_gone_succeed(company: Company) -> None:
    alice, bob, _ = await _team(company)
    await bob.do(leave(TEAM))
    version = company.node.store.version
    await bob.do(leave(TEAM))
    await alice.do(remove(TEAM))
    await alice.do(RemoveMember(id=new_id(), conversation=TEAM, member="nobody"))
    assert company.node.store.version == version


async def test_u5_old_history_is_not_unread_also_when_joining_again(company: Company) -> None:
    alice, bob, eve = await _team(company)
    await alice.post(TEAM)
    await bob.do(add(TEAM))
    assert (await eve.rows())[TEAM].unread == 0
    await alice.post(TEAM)
    assert (await eve.rows())[TEAM].unread == 1
    await eve.do(leave(TEAM))
    await alice.post(TEAM)
    await bob.do(add(TEAM))
    row = (await eve.rows())[TEAM]
    assert (row.unread, row.last_seq, row.membership) == (0, 3, "member")
    await alice.post(TEAM)
    assert (await eve.rows())[TEAM].unread == 1


async def test_t1_adding_who_is_there_already_changes_nothing(company: Company) -> None:
    alice, bob, _ = await _team(company)
    await alice.post(TEAM)
    await bob.changes()
    await alice.add_members(TEAM, "bob", "alice")
    assert (await bob.rows())[TEAM].unread == 1
    assert await bob.changes() == []


async def test_unknown_accounts_are_refused_and_nobody_is_added(company: Company) -> None:
    alice, _, eve = await _team(company)
    adding = AddMembers(id="1", conversation=TEAM, members=("eve", "nobody"))
    assert await alice.refused(adding) is Code.UNKNOWN_ACCOUNT
    creating = CreateTeam(id="2", conversation=UNKNOWN, members=("eve", "nobody"))
    assert await alice.refused(creating) is Code.UNKNOWN_ACCOUNT
    assert await eve.rows() == {}
    assert set(await alice.rows()) == {TEAM}


async def test_p2p_conversations_have_no_teams_commands(company: Company) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    bob = Conversation("p2p:bob")
    for making in (add, remove, leave, rename, dismiss):
        assert await alice.refused(making(bob)) is Code.BAD_VALUE
    assert await alice.refused(TeamMembers(id="1", conversation=bob)) is Code.NOT_A_MEMBER


async def test_more_than_1000_members_in_one_command_are_refused(company: Company) -> None:
    alice, _, _ = await _team(company)
    adding = AddMembers(id="1", conversation=TEAM, members=("x",) * 1_001)
    assert await alice.refused(adding) is Code.BAD_VALUE


async def test_t3_a_full_team_takes_nobody_and_an_outsider_does_not_hear_of_it(
    found: Founder,
) -> None:
    company = await found(Settings(team_members=3))
    alice, bob, eve = await company.online("alice", "bob", "eve")
    await company.hire("dan")
    await alice.create_team(TEAM, "bob", "eve")
    assert await bob.refused(AddMembers(id="1", conversation=TEAM, members=("dan",))) is (
        Code.TEAM_FULL
    )
    await bob.add_members(TEAM, "alice", "bob", "eve")
    await eve.do(leave(TEAM))
    for team in (TEAM, UNKNOWN):
        for members in [("dan",), ("alice", "bob", "dan", "eve")]:
            adding = AddMembers(id=new_id(), conversation=team, members=members)
            assert await eve.refused(adding) is Code.NOT_A_MEMBER
    too_many = CreateTeam(id="2", conversation=UNKNOWN, members=("bob", "dan", "eve"))
    assert await alice.refused(too_many) is Code.TEAM_FULL
    assert await alice.refused(a_post(UNKNOWN)) is Code.NOT_A_MEMBER


async def test_t3_a_team_that_another_has_is_taken_however_full(found: Founder) -> None:
    company = await found(Settings(team_members=2))
    alice, _, eve = await company.online("alice", "bob", "eve")
    await alice.create_team(TEAM, "bob")
    assert await eve.refused(CreateTeam(id="1", conversation=TEAM, members=("bob",))) is (
        Code.TEAM_EXISTS
    )


async def test_t3_a_command_of_the_application_server_has_the_same_limit(
    found: Founder,
) -> None:
    company = await found(Settings(team_members=1))
    await company.online("alice", "bob")
    await company.node.command("alice", CreateTeam(id="1", conversation=TEAM))
    with pytest.raises(Exception, match="team_full"):
        await company.node.command(
            "alice", AddMembers(id="2", conversation=TEAM, members=("bob",))
        )


async def test_t2_who_is_removed_right_after_a_message_still_hears_it(company: Company) -> None:
    """All in one commit: the row and the message that was before the removal, none after it."""
    alice, bob, _ = await _team(company)
    posts = [a_post(TEAM, "before"), a_post(TEAM, "after")]
    await alice.send(posts[0], remove(TEAM), posts[1])
    await alice.answer_to(posts[1].id)
    changes = await bob.changes()
    assert rows_in(changes)[TEAM].last_seq == 1
    assert messages_in(changes) == [(TEAM, "before")]
