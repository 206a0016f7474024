"""Teams, as they reach the node."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.client.client import Client
from recents.core.commands import (
    AddMembers,
    CreateTeam,
    DismissTeam,
    LeaveTeam,
    RemoveMember,
    RenameTeam,
)
from recents.core.errors import CallerMistake
from recents.core.ids import Conversation
from recents.wire.frames import Member, Members, Team, TeamMembers, Teams
from tests.client.fake_node import FakeNode, make_client

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest_asyncio.fixture
async def me(node: FakeNode) -> AsyncIterator[Client]:
    async with make_client(node) as client:
        yield client


async def test_T1_a_team_is_created_with_its_members(node: FakeNode, me: Client) -> None:
    made = await me.teams.create("Crew", ["bob", "carol"], id="t1")
    (create,) = node.heard(CreateTeam)
    assert made == create.conversation == "team:t1"
    assert (create.name, create.members) == ("Crew", ("bob", "carol"))
    assert node.heard(AddMembers) == []


async def test_a_team_without_an_id_gets_one(node: FakeNode, me: Client) -> None:
    first, second = await me.teams.create(), await me.teams.create(kind="super_team")
    assert first.startswith("team:")
    assert second.startswith("super_team:")


async def test_T3_many_members_are_added_a_thousand_at_a_time(node: FakeNode, me: Client) -> None:
    accounts = [f"u{n}" for n in range(2_500)]
    await me.teams.create("Big", accounts, id="big", kind="super_team")
    await me.teams.add_members("super_team:big", accounts)
    (create,) = node.heard(CreateTeam)
    added = [add.members for add in node.heard(AddMembers)]
    assert [len(create.members), *map(len, added)] == [1_000, 1_000, 500, 1_000, 1_000, 500]
    assert [*create.members, *added[0], *added[1]] == accounts


async def test_the_other_commands_name_the_team(node: FakeNode, me: Client) -> None:
    await me.teams.remove_member("team:t1", "bob")
    await me.teams.leave("team:t1")
    await me.teams.rename("team:t1", "New")
    await me.teams.dismiss("team:t1")
    assert node.heard(RemoveMember)[0].member == "bob"
    assert node.heard(LeaveTeam)[0].conversation == "team:t1"
    assert node.heard(RenameTeam)[0].name == "New"
    assert node.heard(DismissTeam)[0].conversation == "team:t1"


async def test_members_are_read_to_the_end(node: FakeNode, me: Client) -> None:
    pages = {
        "": Members(members=(Member(account="a", joined_ms=1, owner=True),), more=True),
        "a": Members(members=(Member(account="b", joined_ms=2),)),
    }

    def answer(request: object) -> Members:
        assert isinstance(request, TeamMembers)
        return pages[request.after]

    node.answers = answer
    assert [one.account for one in await me.teams.members("team:t1")] == ["a", "b"]


async def test_a_page_without_members_is_the_last_whatever_it_says(
    node: FakeNode, me: Client
) -> None:
    node.answers = lambda request: Members(members=(), more=True)
    assert await me.teams.members("team:t1") == ()


async def test_my_teams(node: FakeNode, me: Client) -> None:
    crew = Team(conversation=Conversation("team:t1"), name="Crew", owner="bob")
    node.answers = lambda request: Teams(teams=(crew,))
    assert await me.teams.mine() == (crew,)


async def test_what_cannot_be_right_is_not_sent(node: FakeNode, me: Client) -> None:
    for call in (
        me.teams.create(id="a:b"),
        me.teams.create(kind="p2p"),
        me.teams.create(kind="club"),
        me.teams.create("n" * 129),
        me.teams.create(members="bob"),
        me.teams.add_members("p2p:bob", ["carol"]),
        me.teams.add_members("team:t1", "carol"),
        me.teams.leave("t1"),
        me.teams.members("t1"),
    ):
        with pytest.raises(CallerMistake):
            await call
    assert len(node.connection.heard) == 1
