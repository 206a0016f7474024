"""What the oracle is told of teams and messages.

Rules of this file:

1. Who may do what is for the node to say; what no node could accept raises `ValueError`.
2. A message is stored as it was posted; what becomes of it is a fact beside it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from recents.testing.oracle_facts import P2P, TEAM_KINDS, Conversation, Message, kind_of
from recents.testing.oracle_rooms import Rooms

if TYPE_CHECKING:
    from collections.abc import Iterable


class Talking(Rooms):
    """Teams and messages."""

    # Teams.

    def create_team(
        self,
        team: str,
        *,
        owner: str,
        members: Iterable[str] = (),
        name: str = "",
        at_ms: int,
    ) -> None:
        """Create a team of `owner` and `members`; all of them have the row at once (T1).

        Raises:
            ValueError: The name is not that of a team, or the team exists.
        """
        kind = kind_of(team)
        if kind not in TEAM_KINDS:
            raise ValueError(f"{team!r} is not the name of a team")
        if team in self._teams:
            raise ValueError(f"{team} exists already")
        self._teams[team] = Conversation(kind, owner=owner, name=name)
        self.add_members(team, [owner, *members], at_ms=at_ms)

    def add_members(self, team: str, accounts: Iterable[str], *, at_ms: int) -> None:
        """Make `accounts` members, without unread (T1, U5); who is one already stays as it is.

        Raises:
            ValueError: There is no such team, or it is dismissed.
        """
        conversation = self._living_team(team)
        for account in accounts:
            self._join(account, team, conversation, at_ms)

    def remove_member(self, team: str, account: str) -> None:
        """Take `account` out; one who is not a member stays as it is (T2).

        Raises:
            ValueError: There is no such team, it is dismissed, or `account` owns it.
        """
        self._part(team, account, "removed")

    def leave(self, team: str, account: str) -> None:
        """Let `account` leave; one who is not a member stays as it is (T2).

        Raises:
            ValueError: There is no such team, it is dismissed, or `account` owns it.
        """
        self._part(team, account, "left")

    def dismiss(self, team: str) -> None:
        """End the team: the rows stay, nothing new can come (T2).

        Raises:
            ValueError: There is no such team, or it is dismissed already.
        """
        self._living_team(team).dismissed = True

    def rename(self, team: str, name: str) -> None:
        """Give the team a name; present members see it, and no row moves (O3).

        Raises:
            ValueError: There is no such team, or it is dismissed.
        """
        self._living_team(team).name = name

    def set_team_avatar(self, team: str, avatar: str) -> None:
        """Give the team an avatar; present members see it, and no row moves (O3).

        Raises:
            ValueError: There is no such team, or it is dismissed.
        """
        self._living_team(team).avatar = avatar

    # Messages.

    def post(
        self,
        sender: str,
        conversation: str,
        *,
        client_id: str,
        at_ms: int,
        kind: str = "text",
        text: str = "",
        counts: bool = True,
        bumps: bool = True,
        previews: bool = True,
        displayed_seq: int | None = None,
        marks_known: int | None = None,
        mentions: Iterable[str] = (),
    ) -> int:
        """Post a message and return its seq; the first message makes a P2P conversation.

        The same `client_id` again returns the first seq and changes nothing (M2).
        `displayed_seq` is what the sender had on screen, and reads up to there (U6); with it
        `marks_known` is what it is in `read`. The sender's draft is gone (G6). `mentions` names
        accounts, or `"@all"` (G3).

        Raises:
            ValueError: `sender` is not a member, `displayed_seq` is beyond the newest message, or
                there were fewer marks.
        """
        room = self._find(sender, conversation)
        if room is not None and (sender, client_id) in room.first_seqs:
            return room.first_seqs[sender, client_id]
        if room is None and kind_of(conversation) != P2P:
            raise ValueError(f"{sender} is not a member of {conversation}")
        if room is not None and not room.is_present(sender):
            raise ValueError(f"{sender} can no longer post to {conversation}")
        if displayed_seq is not None:
            self._read_each(sender, {conversation: displayed_seq}, {conversation: marks_known})

        if room is None or not room.messages:
            room = self._begin(sender, conversation, at_ms)
        seq = room.newest_seq + 1
        time_ms = max(at_ms, room.messages[-1].time_ms) if room.messages else at_ms
        message = Message(seq, client_id, sender, time_ms, kind, text, counts, bumps, previews)
        room.messages.append(replace(message, mentions=frozenset(mentions)))
        room.first_seqs[sender, client_id] = seq
        room.members[sender].drafts = []
        return seq

    def recall(self, account: str, conversation: str, seq: int, *, notice: bool = True) -> None:
        """Take message `seq` back for everybody; of two recalls the first stands (P2).

        With `notice` its place shows who recalled it, without it the message vanishes.

        Raises:
            ValueError: `account` is not a member, or there is no such message.
        """
        room, message = self._message_of_member(account, conversation, seq)
        if message.recalled_by is None:
            recalled = replace(message, recalled_by=account, recall_notice=notice)
            room.messages[seq - 1] = recalled

    def edit(
        self,
        account: str,
        conversation: str,
        seq: int,
        text: str,
        mentions: Iterable[str] = (),
    ) -> None:
        """Give message `seq` another text and other mentions, for everybody (P3, G3).

        Raises:
            ValueError: `account` is not a member, there is no such message, or it is recalled.
        """
        room, message = self._message_of_member(account, conversation, seq)
        if message.recalled_by is not None:
            raise ValueError(f"message {seq} of {conversation} is recalled")
        room.messages[seq - 1] = replace(
            message, text=text, edited=True, mentions=frozenset(mentions)
        )

    def delete_message(self, account: str, conversation: str, seq: int) -> None:
        """Delete message `seq` for `account` alone; also after it left the team (P2, T2).

        Raises:
            ValueError: `account` knows no such message.
        """
        room = self._find(account, conversation)
        if room is None or not 1 <= seq <= self.newest(account).get(conversation, 0):
            raise ValueError(f"{account} knows no message {seq} in {conversation}")
        room.members[account].deleted_messages.add(seq)

    # How the facts are found and changed.

    def _living_team(self, team: str) -> Conversation:
        if team not in self._teams:
            raise ValueError(f"there is no {team}")
        if self._teams[team].dismissed:
            raise ValueError(f"{team} is dismissed")
        return self._teams[team]

    def _part(self, team: str, account: str, membership: str) -> None:
        conversation = self._living_team(team)
        if conversation.owner == account:
            raise ValueError(f"{account} owns {team} and can only dismiss it")
        conversation.part(account, membership)

    def _begin(self, sender: str, conversation: str, at_ms: int) -> Conversation:
        """Let the first message of a conversation make members of both sides of a P2P one."""
        if kind_of(conversation) != P2P:
            return self._teams[conversation]
        room = self._begin_p2p(sender, conversation)
        self._join(sender, conversation, room, at_ms)
        self._join(conversation.removeprefix("p2p:"), f"p2p:{sender}", room, at_ms)
        return room

    def _message_of_member(
        self, account: str, conversation: str, seq: int
    ) -> tuple[Conversation, Message]:
        room = self._find(account, conversation)
        if room is None or not room.is_present(account):
            raise ValueError(f"{account} is not a member of {conversation}")
        if not 1 <= seq <= room.newest_seq:
            raise ValueError(f"there is no message {seq} in {conversation}")
        return room, room.messages[seq - 1]
