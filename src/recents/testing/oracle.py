"""The oracle: what every list of recent conversations must show, found by brute force.

Tell it all that was accepted (messages, reads, deletions, teams), in that order, and ask what an
account must see now. It judges nodes, clients, your own system: what differs from it is wrong.

Rules of this file:

1. Plain before fast: it keeps all messages and recounts them whenever it is asked.
2. It shares nothing with what it judges: only the standard library is imported.
3. Who may do what is for the node to say; what no node could accept raises `ValueError`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from recents.testing import oracle_recount as recount
from recents.testing.oracle_facts import (
    KINDS,
    P2P,
    TEAM_KINDS,
    Conversation,
    Member,
    Message,
    kind_of,
)
from recents.testing.oracle_recount import (
    ExpectedMessage,
    ExpectedPreview,
    ExpectedRow,
    ExpectedTotals,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["ExpectedMessage", "ExpectedPreview", "ExpectedRow", "ExpectedTotals", "Oracle"]


class Oracle:
    """Says what each account must see.

    Conversations are named as the account names them: `"p2p:bob"`, `"team:t1"`,
    `"super_team:big"`. All times are in milliseconds.

    Example:
        >>> oracle = Oracle()
        >>> oracle.post("alice", "p2p:bob", client_id="a1", at_ms=1_000, text="hello")
        1
        >>> [(row.conversation, row.unread) for row in oracle.rows("bob")]
        [('p2p:alice', 1)]
    """

    def __init__(self) -> None:
        """Start with no conversation at all."""
        self._teams: dict[str, Conversation] = {}
        # The same conversation stands under each of its members, by the name it has for them.
        self._by_account: dict[str, dict[str, Conversation]] = {}

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
            conversation.join(account, at_ms)
            self._by_account.setdefault(account, {})[team] = conversation

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
    ) -> int:
        """Post a message and return its seq; the first message makes a P2P conversation.

        The same `client_id` again returns the first seq and changes nothing (M2).
        `displayed_seq` is what the sender had on screen, and reads up to there (U6).

        Raises:
            ValueError: `sender` is not a member, or `displayed_seq` is beyond the newest message.
        """
        room = self._find(sender, conversation)
        if room is not None and (sender, client_id) in room.first_seqs:
            return room.first_seqs[sender, client_id]
        if room is None and kind_of(conversation) != P2P:
            raise ValueError(f"{sender} is not a member of {conversation}")
        if room is not None and not room.is_present(sender):
            raise ValueError(f"{sender} can no longer post to {conversation}")
        if displayed_seq is not None:
            self.read(sender, conversation, displayed_seq)

        if room is None:
            room = self._begin_p2p(sender, conversation, at_ms)
        seq = room.newest_seq + 1
        time_ms = max(at_ms, room.messages[-1].time_ms) if room.messages else at_ms
        room.messages.append(
            Message(seq, client_id, sender, time_ms, kind, text, counts, bumps, previews)
        )
        room.first_seqs[sender, client_id] = seq
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

    def edit(self, account: str, conversation: str, seq: int, text: str) -> None:
        """Give message `seq` another text, for everybody (P3).

        Raises:
            ValueError: `account` is not a member, there is no such message, or it is recalled.
        """
        room, message = self._message_of_member(account, conversation, seq)
        if message.recalled_by is not None:
            raise ValueError(f"message {seq} of {conversation} is recalled")
        room.messages[seq - 1] = replace(message, text=text, edited=True)

    def delete_message(self, account: str, conversation: str, seq: int) -> None:
        """Delete message `seq` for `account` alone; also after it left the team (P2, T2).

        Raises:
            ValueError: `account` knows no such message.
        """
        room = self._find(account, conversation)
        if room is None or not 1 <= seq <= self.newest(account).get(conversation, 0):
            raise ValueError(f"{account} knows no message {seq} in {conversation}")
        room.members[account].deleted_messages.add(seq)

    # Reading and deleting.

    def read(self, account: str, conversation: str, upto_seq: int | None = None) -> None:
        """Read up to `upto_seq`, or all there is now; never back (R1), nothing if unknown (R2).

        Raises:
            ValueError: `upto_seq` is beyond the newest message.
        """
        self._read_each(account, {conversation: upto_seq})

    def read_all(
        self,
        account: str,
        kinds: Collection[str] | None = None,
        upto: Mapping[str, int] | None = None,
    ) -> None:
        """Read every row, or those of `kinds`, gone and dismissed teams included (R5).

        Args:
            account: Who reads.
            kinds: `"p2p"`, `"team"`, `"super_team"`; None for all of them.
            upto: The newest seq that the device had, by conversation. What is not in it (unknown
                to the device, joined since) is not touched. None: all there is now.

        Raises:
            ValueError: There is no such kind, or a seq is beyond the newest message.
        """
        self._read_each(account, self._covered(account, kinds, upto))

    def delete(
        self,
        account: str,
        conversation: str,
        upto_seq: int | None = None,
        *,
        clear_history: bool = False,
    ) -> None:
        """Delete the row until a message newer than `upto_seq` comes (D1, D2, D6).

        Args:
            account: Who deletes.
            conversation: Which row.
            upto_seq: The newest message that the device had; None: the newest there is now.
            clear_history: Whether the messages up to there go as well (D3).

        Raises:
            ValueError: `upto_seq` is beyond the newest message.
        """
        self._delete_each(account, {conversation: upto_seq}, clear_history)

    def delete_all(
        self,
        account: str,
        kinds: Collection[str] | None = None,
        upto: Mapping[str, int] | None = None,
        *,
        clear_history: bool = False,
    ) -> None:
        """Delete every row, or those of `kinds` (D4); `kinds` and `upto` as in `read_all`.

        Raises:
            ValueError: There is no such kind, or a seq is beyond the newest message.
        """
        self._delete_each(account, self._covered(account, kinds, upto), clear_history)

    def clear_history(self, account: str, conversation: str, upto_seq: int | None = None) -> None:
        """Take the messages up to `upto_seq`, or all, from `account`; the row stays (D5).

        Raises:
            ValueError: `upto_seq` is beyond the newest message.
        """
        for member, seq in self._positions(account, {conversation: upto_seq}):
            member.cleared_seq = max(member.cleared_seq, seq)
            member.read_seq = max(member.read_seq, seq)

    # Questions.

    def rows(self, account: str) -> list[ExpectedRow]:
        """The visible rows: activity, newest first, then the conversation's name (O1)."""
        visible = [
            recount.row(named, conversation, account)
            for named, conversation in self._by_account.get(account, {}).items()
            if recount.is_listed(conversation, account)
        ]
        return sorted(visible, key=lambda row: (-row.activity_ms, row.conversation.encode()))

    def totals(self, account: str) -> ExpectedTotals:
        """The sums over `rows(account)`."""
        rows = self.rows(account)
        unread = sum(row.unread for row in rows)
        return ExpectedTotals(
            unread=unread,
            unread_conversations=len([row for row in rows if row.unread > 0]),
            conversations=len(rows),
            badge=unread,
        )

    def newest(self, account: str) -> dict[str, int]:
        """The newest seq of each conversation, hidden rows included: what `upto` takes."""
        known = self._by_account.get(account, {})
        return {n: len(recount.messages_known_to(room, account)) for n, room in known.items()}

    def countable(self, account: str, conversation: str) -> list[int]:
        """The seqs of the messages behind the unread number (U1), ascending."""
        room = self._find(account, conversation)
        return [] if room is None else recount.countable_seqs(room, account)

    def history(self, account: str, conversation: str) -> list[ExpectedMessage]:
        """The messages that `account` may see, ascending."""
        room = self._find(account, conversation)
        return [] if room is None else recount.history(room, account)

    # How the facts are found and changed.

    def _find(self, account: str, conversation: str) -> Conversation | None:
        """The conversation, if `account` is or was a member of it."""
        kind_of(conversation)
        return self._by_account.get(account, {}).get(conversation)

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

    def _begin_p2p(self, sender: str, conversation: str, at_ms: int) -> Conversation:
        """Make the conversation and both members, who may be the same account (I2)."""
        peer = conversation.removeprefix("p2p:")
        room = Conversation(P2P)
        for account, named in ((sender, conversation), (peer, f"p2p:{sender}")):
            room.join(account, at_ms)
            self._by_account.setdefault(account, {})[named] = room
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

    def _covered(
        self, account: str, kinds: Collection[str] | None, upto: Mapping[str, int] | None
    ) -> dict[str, int | None]:
        """What a command on many conversations covers, and up to where."""
        for kind in kinds or ():
            if kind not in KINDS:
                raise ValueError(f"there is no kind {kind!r}")
        rooms = self._by_account.get(account, {})
        hidden = {name for name in rooms if not recount.is_listed(rooms[name], account)}
        asked = dict.fromkeys(rooms) if upto is None else upto
        return {
            named: seq
            for named, seq in asked.items()
            if named not in hidden and (kinds is None or kind_of(named) in kinds)
        }

    def _positions(
        self, account: str, wanted: Mapping[str, int | None]
    ) -> list[tuple[Member, int]]:
        """Who moves and up to where, all of it checked before anything moves."""
        positions, known = [], self.newest(account)
        for named, upto_seq in wanted.items():
            room, newest = self._find(account, named), known.get(named, 0)
            seq = newest if upto_seq is None else upto_seq
            if not 0 <= seq <= newest:
                raise ValueError(f"{seq} is no place in {named}: {account} knows 0 to {newest}")
            if room is not None:
                positions.append((room.members[account], seq))
        return positions

    def _read_each(self, account: str, wanted: Mapping[str, int | None]) -> None:
        for member, seq in self._positions(account, wanted):
            member.read_seq = max(member.read_seq, seq)
            member.receipt_seq = max(member.receipt_seq, seq)

    def _delete_each(
        self, account: str, wanted: Mapping[str, int | None], clear_history: bool
    ) -> None:
        for member, seq in self._positions(account, wanted):
            member.deleted_seq = max(member.deleted_seq, seq)
            member.read_seq = max(member.read_seq, seq)
            if clear_history:
                member.cleared_seq = max(member.cleared_seq, seq)
