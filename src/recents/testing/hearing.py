"""Tells the oracle what a node has accepted, in the order in which it did.

Rules of this file:

1. The oracle hears the rules' words: how far, which marks were known; never versions or tokens.
2. A command that is carried out twice, or one that nobody gave, is a mistake of the node.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

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
from recents.core.ids import ConversationKey, key_of
from recents.server.store.workspace import Workspace
from recents.testing.oracle import Oracle
from recents.testing.stores import Applied
from recents.wire.sync_token import parts_of

_LATER = 2**53
"""The version of what is only supposed."""


_MUTE_ENDS = "mute "
"""So begin the ids of the commands with which the node ends mutes; no device can say a blank."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that the node has carried out.

    Attributes:
        account: who gave it.
        command: what.
        at_ms: the node's time.
        version: the number of the commit.
    """

    account: str
    command: AnyCommand
    at_ms: int
    version: int


class Hearing:
    """Hears commands arrive and commits happen.

    Attributes:
        oracle: what must be seen now.
        accepted: every command that was carried out, in order.
        refused: (account, id) of every command that was refused for good.
        mistakes: what no node may do.
    """

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.oracle = Oracle()
        self.accepted: list[Accepted] = []
        self.refused: set[tuple[str, str]] = set()
        self.mistakes: list[str] = []
        self._commands: dict[tuple[str, str], AnyCommand] = {}
        self._posts: dict[tuple[ConversationKey, str, str], Post] = {}
        self._done: set[tuple[str, str]] = set()
        self._newest: dict[ConversationKey, list[tuple[int, int]]] = {}
        self._marked: dict[tuple[str, str], list[int]] = {}
        self._joined: dict[tuple[str, str], int] = {}
        self._archived: dict[tuple[str, str], int] = {}
        self._present: set[tuple[str, str]] = set()
        self._dismissed: set[str] = set()
        self._founded: set[str] = set()

    def arrived(self, account: str, command: AnyCommand) -> None:
        """A command has reached the node."""
        known = self._commands.setdefault((account, command.id), command)
        if known != command:
            self.mistakes.append(f"{account} gave {known}, then {command}, as the same command")
        if isinstance(command, Post):
            key = key_of(account, command.conversation)
            self._posts.setdefault((key, account, command.client_id), command)

    def said_no(self, account: str, command_id: str) -> None:
        """The node has refused a command."""
        self.refused.add((account, command_id))

    def committed(self, workspace: Workspace, applied: list[Applied]) -> None:
        """A commit has been made."""
        for one in applied:
            try:
                self._apply(one, workspace.version)
            except Exception as mistake:  # told when somebody asks
                self.mistakes.append(f"{one} is what no node may accept: {mistake!r}")
        for key, messages in workspace.messages.items():
            self._newest.setdefault(key, []).append((workspace.version, messages[-1].seq))

    def copy(self) -> Hearing:
        """Return the same, to hear something else from here on."""
        other = Hearing()
        other.oracle = self.oracle.copy()
        other._newest = {key: known.copy() for key, known in self._newest.items()}
        other._marked = {key: known.copy() for key, known in self._marked.items()}
        other._joined = self._joined.copy()
        other._archived = self._archived.copy()
        other._present = self._present.copy()
        other._dismissed = self._dismissed.copy()
        other._founded = self._founded.copy()
        return other

    def imagine(self, account: str, command: AnyCommand, at_ms: int) -> None:
        """Suppose that the node had just accepted a command; for a ``copy``.

        Raises:
            ValueError: no node could accept it.
        """
        if isinstance(command, Post):
            seq = self.oracle.newest(account).get(command.conversation, 0) + 1
            self._post(account, command, seq, at_ms, _LATER)
        else:
            self._carry_out(account, command, at_ms, _LATER)

    def is_founded(self, team: str) -> bool:
        """Tell whether a team was created."""
        return team in self._founded

    def marks(self, account: str, conversation: str) -> int:
        """Tell how often an account has marked a conversation unread."""
        return len(self._marked.get((account, conversation), ()))

    def newest_at(self, account: str, conversation: str, version: int) -> int:
        """Return the newest seq that a conversation had for an account at a version."""
        if self._joined.get((account, conversation), 0) > version:
            return 0
        known = self._newest.get(key_of(account, conversation), [])
        place = bisect_right(known, version, key=lambda one: one[0])
        newest = known[place - 1][1] if place else 0
        return min(newest, self.oracle.newest(account).get(conversation, 0))

    def _apply(self, one: Applied, version: int) -> None:
        if one.posted is not None:
            key, message = one.posted
            post = self._posts[key, one.account, message.client_id]
            self._once(one.account, f"post {message.client_id} in {key}")
            self._post(one.account, post, message.seq, message.time_ms, version)
            self.accepted.append(Accepted(one.account, post, message.time_ms, version))
            return
        assert one.verdict is not None, "what is not a message has a verdict"
        self._once(one.account, one.command_id)
        if one.command_id.startswith(_MUTE_ENDS):
            name = one.command_id.rpartition(" ")[2]
            self.oracle.end_mute(one.account, name, at_ms=one.verdict.at_ms)
        elif one.verdict.refusal() is None:
            command = self._commands[one.account, one.command_id]
            self._carry_out(one.account, command, one.verdict.at_ms, version)
            self.accepted.append(Accepted(one.account, command, one.verdict.at_ms, version))

    def _once(self, account: str, what: str) -> None:
        if (account, what) in self._done:
            self.mistakes.append(f"{what} of {account} was carried out twice (C4)")
        self._done.add((account, what))

    def _post(self, account: str, post: Post, seq: int, at_ms: int, version: int) -> None:
        name = post.conversation
        if name.startswith("p2p:"):
            self._join(name, {account}, version)
            self._join(f"p2p:{account}", {name.removeprefix("p2p:")}, version)
        expected = self.oracle.post(
            account,
            name,
            client_id=post.client_id,
            at_ms=at_ms,
            kind=post.kind,
            text=post.text,
            counts=post.counts,
            bumps=post.bumps,
            previews=post.previews,
            displayed_seq=post.displayed_seq,
            mentions=post.mentions,
            marks_known=self._marks_at(account, name, post.epoch),
        )
        if expected != seq:
            self.mistakes.append(f"message {expected} of {name} got the seq {seq} (M1)")

    def _carry_out(self, account: str, command: AnyCommand, at_ms: int, version: int) -> None:
        oracle = self.oracle
        match command:
            case Post():
                raise AssertionError("messages have no verdict")
            case Read(conversation=name, upto_seq=upto, epoch=epoch):
                known = self._marks_at(account, name, epoch)
                oracle.read(account, name, upto, marks_known=known)
            case MarkUnread(conversation=name) | MarkUnreadFrom(conversation=name):
                self._mark(account, command, version)
            case Delete(conversation=name, upto_seq=upto, clear_history=clear):
                oracle.delete(account, name, upto, clear_history=clear)
            case ClearHistory(conversation=name, upto_seq=upto):
                oracle.clear_history(account, name, upto)
            case ReadAll() | DeleteAll():
                self._carry_out_all(account, command)
            case SetDraft(conversation=name, text=text):
                if text and name.startswith("p2p:"):
                    self._join(name, {account}, version)
                oracle.set_draft(account, name, text, at_ms=at_ms)
            case Mute(conversation=name, level=level, until_ms=until_ms):
                oracle.mute(account, name, level, until_ms, at_ms=at_ms)
            case Pin(conversation=name, rank=rank, ext=ext):
                oracle.pin(account, name, rank, ext, at_ms=at_ms)
            case Unpin(conversation=name):
                oracle.unpin(account, name)
            case Archive(conversation=name, upto_seq=upto):
                before = name in oracle.archived(account)
                oracle.archive(account, name, upto)
                if not before and name in oracle.archived(account):
                    self._archived[account, name] = version
            case Unarchive(conversation=name):
                oracle.unarchive(account, name)
            case AddLabel(conversation=name, label=label):
                oracle.add_label(account, name, label)
            case RemoveLabel(conversation=name, label=label):
                oracle.remove_label(account, name, label)
            case SetExtension(conversation=name, text=text):
                oracle.set_extension(account, name, text)
            case SetAlias(conversation=name, alias=alias):
                oracle.set_alias(account, name, alias)
            case SetProfile(name=called, avatar=avatar):
                oracle.set_profile(account, name=called, avatar=avatar)
            case Recall(conversation=name, seq=seq, notice=notice):
                oracle.recall(account, name, seq, notice=notice)
            case DeleteMessages(conversation=name, seqs=seqs):
                for seq in seqs:
                    oracle.delete_message(account, name, seq)
            case Edit(conversation=name, seq=seq, text=text):
                oracle.edit(account, name, seq, text, command.mentions)
            case _:
                self._change_team(account, command, at_ms, version)

    def _mark(self, account: str, command: MarkUnread | MarkUnreadFrom, version: int) -> None:
        name = command.conversation
        before = self.oracle.marks(account).get(name, 0)
        if isinstance(command, MarkUnread):
            self.oracle.mark_unread(account, name)
        else:
            self.oracle.mark_unread_from(account, name, command.seq)
        if self.oracle.marks(account).get(name, 0) > before:
            self._marked.setdefault((account, name), []).append(version)

    def _carry_out_all(self, account: str, command: ReadAll | DeleteAll) -> None:
        upto: dict[str, int] | None = None
        known: dict[str, int] | None = None
        archived: set[str] | None = None
        if command.upto is not None:
            at = parts_of(command.upto)[1]
            names = [
                name
                for name in self.oracle.newest(account)
                if self._joined.get((account, name), 0) <= at
            ]
            upto = {name: self.newest_at(account, name, at) for name in names}
            known = {name: self._marks_at(account, name, at) or 0 for name in names}
            archived = {name for name in names if self._archived.get((account, name), 0) <= at}
        if isinstance(command, ReadAll):
            self.oracle.read_all(
                account, command.kinds, upto, marks_known=known, archives_known=archived
            )
        else:
            self.oracle.delete_all(
                account,
                command.kinds,
                upto,
                clear_history=command.clear_history,
                archives_known=archived,
            )

    def _change_team(self, account: str, command: AnyCommand, at_ms: int, version: int) -> None:
        oracle = self.oracle
        match command:
            case CreateTeam(conversation=team, name=title, members=members):
                if team not in self._founded:
                    self._founded.add(team)
                    oracle.create_team(
                        team, owner=account, members=members, name=title, at_ms=at_ms
                    )
                    self._join(team, {account, *members}, version)
            case AddMembers(conversation=team, members=members):
                if members:
                    oracle.add_members(team, members, at_ms=at_ms)
                self._join(team, set(members), version)
            case RemoveMember(conversation=team, member=member):
                if (member, team) in self._present:
                    oracle.remove_member(team, member)
                    self._present.discard((member, team))
            case LeaveTeam(conversation=team):
                if (account, team) in self._present and team not in self._dismissed:
                    oracle.leave(team, account)
                    self._present.discard((account, team))
            case RenameTeam(conversation=team, name=title):
                oracle.rename(team, title)
            case SetTeamAvatar(conversation=team, avatar=avatar):
                oracle.set_team_avatar(team, avatar)
            case DismissTeam(conversation=team):
                if team not in self._dismissed:
                    oracle.dismiss(team)
                self._dismissed.add(team)
            case _:
                raise AssertionError(f"{command} is not about a team")

    def _marks_at(self, account: str, conversation: str, version: int | None) -> int | None:
        if version is None:
            return None
        return bisect_right(self._marked.get((account, conversation), []), version)

    def _join(self, conversation: str, accounts: set[str], version: int) -> None:
        for account in accounts:
            if (account, conversation) not in self._present:
                self._present.add((account, conversation))
                self._joined[account, conversation] = version
