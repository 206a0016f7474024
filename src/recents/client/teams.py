"""Teams and who is in them (rules T1–T3)."""

from __future__ import annotations

from collections.abc import Iterable

from recents.client.arguments import callers_mistake, checked_conversation, several
from recents.client.asking import Asking
from recents.core.commands import (
    MAX_MEMBERS_PER_COMMAND,
    AddMembers,
    CreateTeam,
    DismissTeam,
    LeaveTeam,
    RemoveMember,
    RenameTeam,
    SetTeamAvatar,
)
from recents.core.errors import CallerMistake
from recents.core.ids import TEAM_KINDS, Conversation, Kind, check_id
from recents.wire.frames import Member, Members, MyTeams, Team, TeamMembers
from recents.wire.frames import Teams as TeamsFound


class Teams:
    """The teams of one account.

    Commands work offline, as those of ``Inbox`` do; ``members`` and ``mine`` ask the node.

    Every call raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when the
    node says no while the call waits, ``Unavailable`` when this device cannot keep a command or
    the node does not answer a question.
    """

    def __init__(self, asking: Asking) -> None:
        """Ask through ``asking``."""
        self._asking = asking

    async def create(
        self,
        name: str = "",
        members: Iterable[str] = (),
        *,
        id: str | None = None,
        kind: Kind | str = Kind.TEAM,
    ) -> Conversation:
        """Create a team that this account owns (T1).

        Args:
            name: what the rows of its members show; at most 128 characters.
            members: the first members; the owner is one without being named.
            id: the team's id (I1); made up by default. Creating it again is a success.
            kind: ``team`` or ``super_team``.

        Returns:
            The conversation, e.g. ``team:t1``.
        """
        accounts = several(members, "members")
        conversation = _name_of(kind, self._asking.new_id() if id is None else id)
        first, rest = accounts[:MAX_MEMBERS_PER_COMMAND], accounts[MAX_MEMBERS_PER_COMMAND:]
        await self._asking.order_one(
            CreateTeam(
                id=self._asking.new_id(), conversation=conversation, name=name, members=first
            )
        )
        await self.add_members(conversation, rest)
        return conversation

    async def add_members(self, team: str, accounts: Iterable[str]) -> None:
        """Add accounts to a team (T1). More than 1,000 are added by several commands."""
        members = several(accounts, "accounts")
        for at in range(0, len(members), MAX_MEMBERS_PER_COMMAND):
            some = members[at : at + MAX_MEMBERS_PER_COMMAND]
            await self._asking.order_one(
                AddMembers(id=self._asking.new_id(), conversation=Conversation(team), members=some)
            )

    async def remove_member(self, team: str, account: str) -> None:
        """Remove an account from a team; only its owner may (T2)."""
        command_id = self._asking.new_id()
        await self._asking.order_one(
            RemoveMember(id=command_id, conversation=Conversation(team), member=account)
        )

    async def leave(self, team: str) -> None:
        """Leave a team; its owner cannot (T2)."""
        await self._asking.order_one(
            LeaveTeam(id=self._asking.new_id(), conversation=Conversation(team))
        )

    async def rename(self, team: str, name: str) -> None:
        """Give a team another name; only its owner may."""
        await self._asking.order_one(
            RenameTeam(id=self._asking.new_id(), conversation=Conversation(team), name=name)
        )

    async def set_avatar(self, team: str, avatar: str) -> None:
        """Give a team another avatar, "" for none; only its owner may."""
        await self._asking.order_one(
            SetTeamAvatar(id=self._asking.new_id(), conversation=Conversation(team), avatar=avatar)
        )

    async def dismiss(self, team: str) -> None:
        """End a team for everybody; only its owner may (T2)."""
        await self._asking.order_one(
            DismissTeam(id=self._asking.new_id(), conversation=Conversation(team))
        )

    async def members(self, team: str) -> tuple[Member, ...]:
        """Return all present members of a team, in byte order of their accounts."""
        conversation = checked_conversation(team)
        found: list[Member] = []
        more = True
        while more:
            page = await self._asking.query(
                TeamMembers(
                    id=self._asking.new_id(),
                    conversation=conversation,
                    after=found[-1].account if found else "",
                ),
                Members,
            )
            found += page.members
            more = page.more and bool(page.members)
        return tuple(found)

    async def mine(self) -> tuple[Team, ...]:
        """Return the teams that this account is in."""
        return (await self._asking.query(MyTeams(id=self._asking.new_id()), TeamsFound)).teams


def _name_of(kind: Kind | str, team_id: str) -> Conversation:
    if kind not in TEAM_KINDS:
        raise CallerMistake(f"{kind!r} is not a kind of team: use team or super_team")
    with callers_mistake():
        return Conversation(f"{Kind(kind)}:{check_id(team_id, 'team id')}")
