"""Tells the oracle what a node committed, in the words of the rules.

Rules of this file:

1. A command is told once, where it was carried out first (C4, M2).
2. What a command names by the number of a commit, the oracle is told as what was there then: the
   messages of each conversation (R5, D4), and the marks (R3).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable

from recents.core.commands import (
    AddLabel,
    AddMembers,
    AnyCommand,
    Archive,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    DeleteMessages,
    DismissTeam,
    Edit,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    ReadAll,
    Recall,
    RemoveLabel,
    RemoveMember,
    RenameTeam,
    SetAlias,
    SetDraft,
    SetExtension,
    SetProfile,
    SetTeamAvatar,
    Unarchive,
    Unpin,
)
from recents.testing.oracle import Oracle
from recents.wire.sync_token import parts_of
from tests.processes.record import Decided, Heard

_Past = list[tuple[int, int, int]]
"""From which commit on which seq was the newest, and how often the account had joined."""


class Retelling:
    """Tells one oracle of one node.

    Args:
        accounts: those that have devices.

    Attributes:
        oracle: who is told.
    """

    def __init__(self, accounts: Iterable[str]) -> None:
        self.oracle = Oracle()
        self._accounts = tuple(accounts)
        self._past: dict[str, defaultdict[str, _Past]] = {
            account: defaultdict(list) for account in self._accounts
        }
        self._marks: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._archived: dict[tuple[str, str], int] = {}
        self._present: set[tuple[str, str]] = set()
        self._joined: defaultdict[tuple[str, str], int] = defaultdict(int)

    def tell(self, batches: Iterable[Decided]) -> None:
        """Tell all that was committed."""
        for batch in batches:
            for heard in batch.heard:
                if heard.taken and not heard.again:
                    self._tell(heard, batch.at_ms, batch.version)
            if batch.changed:
                for account in self._accounts:
                    self._remember(account, batch.version)

    def _remember(self, account: str, version: int) -> None:
        for name, newest in self.oracle.newest(account).items():
            past, joined = self._past[account][name], self._joined[account, name]
            if not past or past[-1][1:] != (newest, joined):
                past.append((version, newest, joined))

    def _tell(self, heard: Heard, at_ms: int, version: int) -> None:
        actor, command = heard.actor, heard.command
        match command:
            case Post():
                seq = self._post(actor, command, at_ms)
                assert seq == heard.seq, f"{actor} was told seq {heard.seq}, not {seq}: {command}"
            case MarkUnread() | MarkUnreadFrom():
                before = self.oracle.marks(actor).get(command.conversation, 0)
                self._mark(actor, command)
                if self.oracle.marks(actor).get(command.conversation, 0) > before:
                    self._marks[actor, command.conversation].append(version)
            case ReadAll() | DeleteAll():
                self._for_all(actor, command)
            case SetProfile():
                self.oracle.set_profile(actor, name=command.name, avatar=command.avatar)
            case Read() | Delete() | ClearHistory():
                self._cover(actor, command)
            case Archive():
                self._archive(actor, command, version)
            case SetDraft() | Mute() | Pin() | Unpin() | Unarchive() | SetAlias():
                self._organize(actor, command, at_ms)
            case AddLabel():
                self.oracle.add_label(actor, command.conversation, command.label)
            case RemoveLabel():
                self.oracle.remove_label(actor, command.conversation, command.label)
            case SetExtension():
                self.oracle.set_extension(actor, command.conversation, command.text)
            case Recall(conversation=name, seq=seq):
                self.oracle.recall(actor, name, seq, notice=command.notice)
            case DeleteMessages(conversation=name):
                for seq in command.seqs:
                    self.oracle.delete_message(actor, name, seq)
            case Edit(conversation=name, seq=seq):
                self.oracle.edit(actor, name, seq, command.text, command.mentions)
            case _:
                self._change_team(actor, command, at_ms)

    def _post(self, actor: str, post: Post, at_ms: int) -> int:
        return self.oracle.post(
            actor,
            post.conversation,
            client_id=post.client_id,
            at_ms=at_ms,
            kind=post.kind,
            text=post.text,
            counts=post.counts,
            bumps=post.bumps,
            previews=post.previews,
            displayed_seq=post.displayed_seq,
            mentions=post.mentions,
            marks_known=self._marks_known(actor, post),
        )

    def _mark(self, actor: str, command: MarkUnread | MarkUnreadFrom) -> None:
        if isinstance(command, MarkUnread):
            self.oracle.mark_unread(actor, command.conversation)
        else:
            self.oracle.mark_unread_from(actor, command.conversation, command.seq)

    def _marks_known(self, actor: str, command: Read | Post) -> int | None:
        if command.epoch is None or (isinstance(command, Post) and command.displayed_seq is None):
            return None
        return bisect_right(self._marks[actor, command.conversation], command.epoch)

    def _cover(self, actor: str, command: Read | Delete | ClearHistory) -> None:
        name = command.conversation
        match command:
            case Read():
                known = self._marks_known(actor, command)
                self.oracle.read(actor, name, command.upto_seq, marks_known=known)
            case Delete():
                clear = command.clear_history
                self.oracle.delete(actor, name, command.upto_seq, clear_history=clear)
            case ClearHistory():
                self.oracle.clear_history(actor, name, command.upto_seq)

    def _archive(self, actor: str, command: Archive, version: int) -> None:
        name = command.conversation
        before = name in self.oracle.archived(actor)
        self.oracle.archive(actor, name, command.upto_seq)
        if not before and name in self.oracle.archived(actor):
            self._archived[actor, name] = version

    def _organize(
        self,
        actor: str,
        command: SetDraft | Mute | Pin | Unpin | Unarchive | SetAlias,
        at_ms: int,
    ) -> None:
        name = command.conversation
        match command:
            case SetDraft():
                self.oracle.set_draft(actor, name, command.text, at_ms=at_ms)
            case Mute():
                self.oracle.mute(actor, name, command.level, command.until_ms, at_ms=at_ms)
            case Pin():
                self.oracle.pin(actor, name, command.rank, command.ext, at_ms=at_ms)
            case Unpin():
                self.oracle.unpin(actor, name)
            case Unarchive():
                self.oracle.unarchive(actor, name)
            case SetAlias():
                self.oracle.set_alias(actor, name, command.alias)

    def _for_all(self, actor: str, command: ReadAll | DeleteAll) -> None:
        assert command.upto is not None, "the SDK always names what it has"
        _, version = parts_of(command.upto)
        upto = self._still(actor, version)
        archived = {
            name
            for (account, name), made in self._archived.items()
            if account == actor and made <= version
        }
        if isinstance(command, ReadAll):
            marks_known = {
                name: bisect_right(made, version)
                for (account, name), made in self._marks.items()
                if account == actor
            }
            self.oracle.read_all(
                actor, command.kinds, upto, marks_known=marks_known, archives_known=archived
            )
        else:
            clear = command.clear_history
            self.oracle.delete_all(
                actor, command.kinds, upto, clear_history=clear, archives_known=archived
            )

    def _still(self, account: str, version: int) -> dict[str, int]:
        """What was there at a commit, but for the teams that the account joined again since."""
        found = {}
        for name, past in self._past[account].items():
            place = bisect_right(past, version, key=lambda known: known[0])
            if place and past[place - 1][2] == self._joined[account, name]:
                found[name] = past[place - 1][1]
        return found

    def _change_team(self, actor: str, command: AnyCommand, at_ms: int) -> None:
        match command:
            case CreateTeam(conversation=team):
                members = command.members
                self.oracle.create_team(
                    team, owner=actor, members=members, name=command.name, at_ms=at_ms
                )
                self._join(team, (actor, *members))
            case AddMembers(conversation=team):
                self.oracle.add_members(team, command.members, at_ms=at_ms)
                self._join(team, command.members)
            case RemoveMember(conversation=team, member=member):
                self.oracle.remove_member(team, member)
                self._present.discard((member, team))
            case LeaveTeam(conversation=team):
                if (actor, team) in self._present:
                    self.oracle.leave(team, actor)
                    self._present.discard((actor, team))
            case RenameTeam(conversation=team):
                self.oracle.rename(team, command.name)
            case SetTeamAvatar(conversation=team):
                self.oracle.set_team_avatar(team, command.avatar)
            case DismissTeam(conversation=team):
                self.oracle.dismiss(team)
            case _:
                raise AssertionError(f"{command} is told elsewhere")

    def _join(self, team: str, accounts: Iterable[str]) -> None:
        for account in accounts:
            if (account, team) not in self._present:
                self._present.add((account, team))
                self._joined[account, team] += 1
