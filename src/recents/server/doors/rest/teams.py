"""Calls about teams; changes are made in the name of the team's owner."""

from __future__ import annotations

from recents.core.commands import (
    AddMembers,
    CreateTeam,
    DismissTeam,
    RemoveMember,
    RenameTeam,
    SetTeamAvatar,
)
from recents.core.errors import Code, Refused
from recents.core.face import check_avatar
from recents.core.head import Head
from recents.core.ids import (
    TEAM_KINDS,
    Conversation,
    ConversationKey,
    check_conversation,
    kind_of,
)
from recents.server.doors.rest.routes import Asked, Route
from recents.server.doors.rest.shapes import (
    MemberPage,
    NewFace,
    NewMembers,
    NewTeam,
    Page,
    TeamMember,
    WholeTeam,
)

ONE = "/v1/teams/{team}"


async def create_team(asked: Asked) -> WholeTeam:
    """Make a team in the name of its owner."""
    body = asked.body(NewTeam)
    await asked.node.accounts.get(body.owner)
    command = CreateTeam(
        id=asked.new_id(), conversation=body.team, name=body.name, members=body.members
    )
    await asked.command(body.owner, command)
    return await _team(asked, body.team)


async def get_team(asked: Asked) -> WholeTeam:
    """Return a team."""
    return await _team(asked, asked.path["team"])


async def change_team(asked: Asked) -> WholeTeam:
    """Give a team another name or avatar."""
    team, owner = await _owner_of(asked)
    face = asked.body(NewFace)
    check_avatar(face.avatar or "")
    if face.name is not None:
        rename = RenameTeam(id=asked.new_id(), conversation=team, name=face.name)
        await asked.command(owner, rename)
    if face.avatar is not None:
        show = SetTeamAvatar(id=asked.new_id("avatar"), conversation=team, avatar=face.avatar)
        await asked.command(owner, show)
    return await get_team(asked)


async def dismiss_team(asked: Asked) -> WholeTeam:
    """End a team for everybody."""
    team, owner = await _owner_of(asked)
    await asked.command(owner, DismissTeam(id=asked.new_id(), conversation=team))
    return await get_team(asked)


async def list_members(asked: Asked) -> MemberPage:
    """Return a page of present members."""
    team, owner = await _owner_of(asked)
    page = asked.query(Page)
    found = await asked.node.store.members(ConversationKey(team), page.after, page.limit + 1)
    return MemberPage(
        members=tuple(
            TeamMember(account=one.account, joined_ms=one.joined_ms, owner=one.account == owner)
            for one in found[: page.limit]
        ),
        more=len(found) > page.limit,
    )


async def add_members(asked: Asked) -> WholeTeam:
    """Add accounts to a team; those who are in it already stay as they are."""
    team, owner = await _owner_of(asked)
    members = asked.body(NewMembers).members
    await asked.command(owner, AddMembers(id=asked.new_id(), conversation=team, members=members))
    return await get_team(asked)


async def remove_member(asked: Asked) -> WholeTeam:
    """Remove an account from a team; succeeds when it is not in it."""
    team, owner = await _owner_of(asked)
    command = RemoveMember(id=asked.new_id(), conversation=team, member=asked.account)
    await asked.command(owner, command)
    return await get_team(asked)


async def _owner_of(asked: Asked) -> tuple[Conversation, str]:
    team = asked.path["team"]
    head = await _head(asked, team)
    return Conversation(team), head.owner or ""


async def _head(asked: Asked, team: str) -> Head:
    conversation = check_conversation(team)
    head = (
        await asked.node.store.head(ConversationKey(conversation))
        if kind_of(conversation) in TEAM_KINDS
        else None
    )
    if head is None:
        raise Refused(Code.NOT_FOUND, f"there is no team {team!r}")
    return head


async def _team(asked: Asked, team: str) -> WholeTeam:
    head = await _head(asked, team)
    return WholeTeam(
        team=Conversation(team),
        name=head.name or "",
        owner=head.owner or "",
        dismissed=head.dismissed,
        members=await asked.node.store.count_members(ConversationKey(team)),
        avatar=head.avatar,
    )


_KITCHEN = {
    "team": "team:kitchen",
    "name": "Kitchen",
    "owner": "alice",
    "dismissed": False,
    "members": 2,
    "avatar": "",
}
_ALICE = {"account": "alice", "joined_ms": 1767225600000, "owner": True}
_OFTEN = (Code.NOT_FOUND, Code.TEAM_DISMISSED)

ROUTES = (
    Route(
        name="create_team",
        method="POST",
        path="/v1/teams",
        tag="Teams",
        summary="Make a team. Again with the same owner and name, it changes nothing.",
        body=NewTeam,
        call=create_team,
        answer=WholeTeam,
        status=201,
        refusals=(
            Code.UNKNOWN_ACCOUNT,
            Code.TEAM_EXISTS,
            Code.TEAM_FULL,
            Code.TEAM_DISMISSED,
            Code.NOT_A_MEMBER,
        ),
        example={"team": "team:kitchen", "owner": "alice", "name": "Kitchen", "members": ["bob"]},
        answered=_KITCHEN,
    ),
    Route(
        name="get_team",
        method="GET",
        path=ONE,
        tag="Teams",
        summary="Return a team with the number of its members.",
        call=get_team,
        answer=WholeTeam,
        refusals=(Code.NOT_FOUND,),
        answered=_KITCHEN,
    ),
    Route(
        name="change_team",
        method="PATCH",
        path=ONE,
        tag="Teams",
        summary="Give a team another name or avatar.",
        body=NewFace,
        call=change_team,
        answer=WholeTeam,
        refusals=_OFTEN,
        example={"name": "Kitchen"},
        answered=_KITCHEN,
    ),
    Route(
        name="dismiss_team",
        method="DELETE",
        path=ONE,
        tag="Teams",
        summary="End a team for everybody; its id stays taken.",
        call=dismiss_team,
        answer=WholeTeam,
        refusals=_OFTEN,
        answered={**_KITCHEN, "dismissed": True},
    ),
    Route(
        name="list_members",
        method="GET",
        path=f"{ONE}/members",
        tag="Teams",
        summary="List the present members of a team in byte order.",
        query=Page,
        call=list_members,
        answer=MemberPage,
        refusals=(Code.NOT_FOUND,),
        answered={"members": [_ALICE], "more": True},
    ),
    Route(
        name="add_members",
        method="POST",
        path=f"{ONE}/members",
        tag="Teams",
        summary="Add accounts to a team; those who are in it already stay as they are.",
        body=NewMembers,
        call=add_members,
        answer=WholeTeam,
        refusals=(*_OFTEN, Code.UNKNOWN_ACCOUNT, Code.TEAM_FULL),
        example={"members": ["bob"]},
        answered=_KITCHEN,
    ),
    Route(
        name="remove_member",
        method="DELETE",
        path=f"{ONE}/members/{{account}}",
        tag="Teams",
        summary="Remove an account from a team; succeeds when it is not in it.",
        call=remove_member,
        answer=WholeTeam,
        refusals=(*_OFTEN, Code.OWNER_CANNOT_LEAVE),
        answered={**_KITCHEN, "members": 1},
    ),
)
