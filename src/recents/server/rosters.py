"""Teams and who is in them (rules T1, T2, U5, O3)."""

from __future__ import annotations

from recents.core.commands import (
    AddMembers,
    CreateTeam,
    DismissTeam,
    LeaveTeam,
    RemoveMember,
    RenameTeam,
    SetTeamAvatar,
    TeamCommand,
)
from recents.core.errors import Code, Refused
from recents.core.head import Head, dismissed, renamed, with_avatar
from recents.core.ids import ConversationKey, key_of
from recents.core.membership import joined, parted
from recents.server.accounts import unknown_account
from recents.server.posting import not_a_member
from recents.server.store.port import Store
from recents.server.store.workspace import Wanted, Workspace

ADDING = (CreateTeam, AddMembers)
"""The commands for which ``check_room`` must be asked."""


async def check_room(
    store: Store, most: int, actor: str, command: CreateTeam | AddMembers
) -> None:
    """Refuse members that a team has no room for; an outsider learns nothing here.

    Raises:
        Refused: ``team_full``.
        StoreFailed: the store could not be read.
    """
    begins = isinstance(command, CreateTeam)
    key = key_of(actor, command.conversation)
    coming = {actor, *command.members}
    count = await store.count_members(key)
    if count + len(coming) <= most:
        return
    looked = await store.look([(account, key) for account in coming])
    present = {seen.account for seen in looked if seen.membership.parting is None}
    allowed = actor in present or (begins and count == 0)
    if allowed and count + len(coming - present) > most:
        raise Refused(Code.TEAM_FULL, f"a team has at most {most} members")


def want(actor: str, command: TeamCommand, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    key = key_of(actor, command.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))
    match command:
        case CreateTeam() | AddMembers():
            wanted.accounts.update(command.members)
            wanted.memberships.update((account, key) for account in command.members)
        case RemoveMember():
            wanted.memberships.add((command.member, key))
        case _:
            pass


def carry_out(workspace: Workspace, actor: str, command: TeamCommand, at_ms: int) -> None:
    """Change a team.

    Raises:
        Refused: ``not_a_member``, ``not_the_owner``, ``team_exists``, ``team_dismissed``,
            ``owner_cannot_leave``, ``unknown_account``.
    """
    key = key_of(actor, command.conversation)
    if isinstance(command, CreateTeam):
        _create(workspace, actor, key, command, at_ms)
        return
    head = workspace.head(key)
    membership = workspace.membership(actor, key)
    if head is None or membership is None:
        raise not_a_member(command.conversation)
    match command:
        case LeaveTeam():
            _leave(workspace, actor, key, head)
        case DismissTeam():
            _check_owner(head, actor, "dismiss it")
            workspace.put_head(key, dismissed(head, workspace.version))
        case _:
            if membership.parting is not None:
                raise not_a_member(command.conversation)
            if head.dismissed:
                raise _over(key)
            _change(workspace, actor, key, head, command, at_ms)


def _change(
    workspace: Workspace,
    actor: str,
    key: ConversationKey,
    head: Head,
    command: AddMembers | RemoveMember | RenameTeam | SetTeamAvatar,
    at_ms: int,
) -> None:
    match command:
        case AddMembers():
            _add(workspace, key, head, command.members, at_ms)
        case RenameTeam():
            _check_owner(head, actor, "rename it")
            workspace.put_head(key, renamed(head, command.name, workspace.version))
        case SetTeamAvatar():
            _check_owner(head, actor, "change its avatar")
            workspace.put_head(key, with_avatar(head, command.avatar, workspace.version))
        case RemoveMember():
            _check_owner(head, actor, "remove members")
            if command.member == head.owner:
                raise _owner_stays()
            membership = workspace.membership(command.member, key)
            if membership is not None and membership.parting is None:
                gone = parted(membership, head, workspace.version, removed=True)
                workspace.put_membership(command.member, key, gone)


def _create(
    workspace: Workspace, actor: str, key: ConversationKey, command: CreateTeam, at_ms: int
) -> None:
    known = workspace.head(key)
    if known is not None:
        # Asked again after a lost answer it is a success, and changes nothing: who was removed
        # meanwhile stays out.
        if known.dismissed or (known.owner, known.name) != (actor, command.name):
            raise Refused(Code.TEAM_EXISTS, f"there is a {key} already; choose another id")
        return
    _check_accounts(workspace, command.members)
    head = Head(version=workspace.version, name=command.name, owner=actor)
    workspace.put_head(key, head)
    _add(workspace, key, head, (actor, *command.members), at_ms)


def _add(
    workspace: Workspace,
    key: ConversationKey,
    head: Head,
    accounts: tuple[str, ...],
    at_ms: int,
) -> None:
    _check_accounts(workspace, [account for account in accounts if account != head.owner])
    for account in accounts:
        previous = workspace.membership(account, key)
        if previous is None or previous.parting is not None:
            anew = joined(head, at_ms, workspace.version, previous)
            workspace.put_membership(account, key, anew)


def _leave(workspace: Workspace, actor: str, key: ConversationKey, head: Head) -> None:
    membership = workspace.membership(actor, key)
    if membership is None or membership.parting is not None:
        return
    if head.dismissed:
        raise _over(key)
    if actor == head.owner:
        raise _owner_stays()
    gone = parted(membership, head, workspace.version, removed=False)
    workspace.put_membership(actor, key, gone)


def _check_owner(head: Head, actor: str, deed: str) -> None:
    if head.owner != actor:
        raise Refused(Code.NOT_THE_OWNER, f"only the owner of the team can {deed}")


def _over(key: ConversationKey) -> Refused:
    return Refused(Code.TEAM_DISMISSED, f"{key} was dismissed; it cannot be changed any more")


def _owner_stays() -> Refused:
    return Refused(
        Code.OWNER_CANNOT_LEAVE, "the owner cannot leave or be removed; dismiss the team instead"
    )


def _check_accounts(workspace: Workspace, accounts: list[str] | tuple[str, ...]) -> None:
    for account in accounts:
        if not workspace.account_exists(account):
            raise unknown_account(account)
