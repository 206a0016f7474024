"""What the oracle is told of reading and deleting, marks, drafts, mutes, pins, faces.

Rules of this file:

1. A command covers what its device had when it was given: up to which message, and which marks
   it had heard of. What came since stands (R1, R3, R5, D2).
2. All of it concerns one account; nobody else notices but by a receipt (R6, D1), or by another
   name or avatar of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recents.testing import oracle_recount as recount
from recents.testing.oracle_facts import (
    KINDS,
    MOST_LABELS,
    MUTE_LEVELS,
    P2P,
    Draft,
    Face,
    Pin,
    kind_of,
)
from recents.testing.oracle_rooms import Rooms

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Organizing(Rooms):
    """What an account does with its rows."""

    # Reading and deleting.

    def read(
        self,
        account: str,
        conversation: str,
        upto_seq: int | None = None,
        *,
        marks_known: int | None = None,
    ) -> None:
        """Read up to `upto_seq`, or all there is now; never back (R1), nothing if unknown (R2).

        Args:
            account: Who reads.
            conversation: What.
            upto_seq: The newest message that the reader saw; None: the newest there is now.
            marks_known: How many of the marks on this conversation, by `mark_unread` and
                `mark_unread_from`, the reader had heard of: `marks` said so when it looked. Those
                made since stand (R3, R4); the peer is told all the same (R6). None: all.

        Raises:
            ValueError: `upto_seq` is beyond the newest message, or there were fewer marks.
        """
        self._read_each(account, {conversation: upto_seq}, {conversation: marks_known})

    def read_all(
        self,
        account: str,
        kinds: Collection[str] | None = None,
        upto: Mapping[str, int] | None = None,
        *,
        marks_known: Mapping[str, int] | None = None,
        archives_known: Collection[str] | None = None,
    ) -> None:
        """Read every row, or those of `kinds`, gone and dismissed teams included (R5).

        Archived rows are left as they are (G4).

        Args:
            account: Who reads.
            kinds: `"p2p"`, `"team"`, `"super_team"`; None for all of them.
            upto: The newest seq that the device had, by conversation. What is not in it (unknown
                to the device, joined since) is not touched. None: all there is now.
            marks_known: As in `read`, by conversation; of one that is not in it the reader knew
                no mark. None: all there are now.
            archives_known: The conversations that stand archived and of which the device had
                heard so; a row that was archived later is read. None: all of them.

        Raises:
            ValueError: There is no such kind, a seq is beyond the newest message, or there were
                fewer marks.
        """
        self._read_each(account, self._covered(account, kinds, upto, archives_known), marks_known)

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
        archives_known: Collection[str] | None = None,
    ) -> None:
        """Delete every row, or those of `kinds` (D4); the other arguments as in `read_all`.

        Raises:
            ValueError: There is no such kind, or a seq is beyond the newest message.
        """
        covered = self._covered(account, kinds, upto, archives_known)
        self._delete_each(account, covered, clear_history)

    def clear_history(self, account: str, conversation: str, upto_seq: int | None = None) -> None:
        """Take the messages up to `upto_seq`, or all, from `account`; the row stays (D5).

        Raises:
            ValueError: `upto_seq` is beyond the newest message.
        """
        for member, seq in self._positions(account, {conversation: upto_seq}).values():
            member.clear(seq)

    # Marks, drafts, mutes, pins, archive.

    def mark_unread(self, account: str, conversation: str) -> None:
        """Put a dot on the row (R4); nothing where the list has no such row."""
        room = self._find(account, conversation)
        if room is not None and recount.is_listed(room, account):
            member = room.members[account]
            member.marks += 1
            member.dotted_by = member.marks

    def mark_unread_from(self, account: str, conversation: str, seq: int) -> None:
        """Make the messages from `seq` on unread again (R3).

        What was cleared, or was there before `account` joined, stays read (U1).

        Raises:
            ValueError: `account` knows no such message.
        """
        room = self._find(account, conversation)
        if room is None or not 1 <= seq <= self.newest(account)[conversation]:
            raise ValueError(f"{account} knows no message {seq} in {conversation}")
        member = room.members[account]
        member.marks += 1
        member.moved_back_by = member.marks
        member.read_seq = max(seq - 1, member.cleared_seq, member.joined_seq)

    def set_draft(self, account: str, conversation: str, text: str = "", *, at_ms: int) -> None:
        """Keep `text` with the row, an empty one for none (G6).

        A first draft begins a P2P conversation for `account` alone.

        Raises:
            ValueError: `account` never was in this team.
        """
        room = self._find(account, conversation)
        if room is None:
            if not text:
                return
            if kind_of(conversation) != P2P:
                raise ValueError(f"{account} is not a member of {conversation}")
            room = self._begin_p2p(account, conversation)
            self._join(account, conversation, room, at_ms)
        drafts = room.members[account].drafts
        if not text:
            drafts.clear()
        elif not drafts or drafts[-1].text != text:
            drafts.append(Draft(text, at_ms))

    def mute(
        self,
        account: str,
        conversation: str,
        level: str | None = None,
        until_ms: int | None = None,
        *,
        at_ms: int = 0,
    ) -> None:
        """Let only so much alert: `"none"`, `"mentions"`; None: everything again (G2, U4).

        With `until_ms` that ends by itself when the node's clock shows it: tell so with
        `end_mute`. Where it is not after `at_ms` there is no mute at all.

        Raises:
            ValueError: There is no such level, or `account` has no such conversation to mute.
        """
        if level is not None and level not in MUTE_LEVELS:
            raise ValueError(f"there is no level {level!r}")
        known = self._member(account, conversation)
        if known is None and level is not None:
            raise ValueError(f"{account} has no {conversation} to mute")
        if until_ms is not None and until_ms <= at_ms:
            level = None
        room = self._find(account, conversation)
        if room is not None:
            member = room.members[account]
            if level != member.mute and member.archived_seq is not None:
                # Muting moves no row between the lists (G4).
                newest = len(recount.messages_known_to(room, account))
                member.archived_seq = newest if recount.is_archived(room, account) else None
            member.mute = level
            member.mute_until_ms = None if level is None else until_ms

    def end_mute(self, account: str, conversation: str, *, at_ms: int) -> None:
        """The node's clock shows `at_ms`: a mute whose time is up ends (G2)."""
        member = self._member(account, conversation)
        until_ms = None if member is None else member.mute_until_ms
        if until_ms is not None and until_ms <= at_ms:
            self.mute(account, conversation)

    def pin(
        self, account: str, conversation: str, rank: int, ext: str = "", *, at_ms: int
    ) -> None:
        """Hold the row at the top, the smallest rank first (G1); nothing where there is no row.

        Raises:
            ValueError: `account` has no such conversation to pin.
        """
        room = self._find(account, conversation)
        if room is None:
            raise ValueError(f"{account} has no {conversation} to pin")
        pins = room.members[account].pins
        if recount.is_listed(room, account) and not (
            pins and (pins[-1].rank, pins[-1].ext) == (rank, ext)
        ):
            pins.append(Pin(rank, ext, at_ms))

    def unpin(self, account: str, conversation: str) -> None:
        """Let the row stand where its activity puts it (G1)."""
        member = self._member(account, conversation)
        if member is not None:
            member.pins = []

    def archive(self, account: str, conversation: str, upto_seq: int | None = None) -> None:
        """Put the row out of the list, until somebody else writes (G4).

        Nothing changes where the list has no such row, where it is archived already, or where
        somebody wrote after `upto_seq` and the row is not muted: then it is back at once.

        Raises:
            ValueError: `account` has no such conversation, or `upto_seq` is beyond the newest.
        """
        room = self._find(account, conversation)
        if room is None:
            raise ValueError(f"{account} has no {conversation} to archive")
        ((member, seq),) = self._positions(account, {conversation: upto_seq}).values()
        if recount.is_archived(room, account) or not recount.is_listed(room, account):
            return
        known = recount.messages_known_to(room, account)
        since = [
            message
            for message in known[seq:]
            if message.counts
            and message.sender != account
            and message.seq not in member.deleted_messages
        ]
        if member.mute is not None or not since:
            member.archived_seq = len(known)

    def unarchive(self, account: str, conversation: str) -> None:
        """Put the row back into the list (G4)."""
        member = self._member(account, conversation)
        if member is not None:
            member.archived_seq = None

    def add_label(self, account: str, conversation: str, label: str) -> None:
        """Put a label on the row (G5).

        Raises:
            ValueError: `account` has no such conversation, or the row has no room for it.
        """
        member = self._member(account, conversation)
        if member is None:
            raise ValueError(f"{account} has no {conversation} to label")
        if len(member.labels | {label}) > MOST_LABELS:
            raise ValueError(f"{conversation} of {account} has {MOST_LABELS} labels")
        member.labels.add(label)

    def remove_label(self, account: str, conversation: str, label: str) -> None:
        """Take a label off the row (G5)."""
        member = self._member(account, conversation)
        if member is not None:
            member.labels.discard(label)

    def set_extension(self, account: str, conversation: str, text: str = "") -> None:
        """Keep a text of the application with the row, an empty one for none (G7).

        Raises:
            ValueError: `account` has no such conversation.
        """
        member = self._member(account, conversation)
        if member is not None:
            member.extension = text
        elif text:
            raise ValueError(f"{account} has no {conversation} to extend")

    def set_alias(self, account: str, conversation: str, alias: str = "") -> None:
        """Let `account` call the row `alias`, an empty one for nothing of its own (I1).

        Raises:
            ValueError: `account` has no such conversation to name.
        """
        member = self._member(account, conversation)
        if member is not None:
            member.alias = alias
        elif alias:
            raise ValueError(f"{account} has no {conversation} to name")

    # Faces.

    def set_profile(
        self, account: str, *, name: str | None = None, avatar: str | None = None
    ) -> None:
        """Let `account` have another name or avatar; None leaves one as it is.

        Whoever has a P2P row with it sees that, and no row moves (O3).
        """
        face = self._faces.get(account, Face())
        self._faces[account] = Face(
            face.name if name is None else name, face.avatar if avatar is None else avatar
        )

    # How the facts are found and changed.

    def _covered(
        self,
        account: str,
        kinds: Collection[str] | None,
        upto: Mapping[str, int] | None,
        archives_known: Collection[str] | None,
    ) -> dict[str, int | None]:
        """What a command on many conversations covers, and up to where."""
        for kind in kinds or ():
            if kind not in KINDS:
                raise ValueError(f"there is no kind {kind!r}")
        rooms = self._by_account.get(account, {})
        hidden = {name for name in rooms if not recount.is_listed(rooms[name], account)}
        asked = dict.fromkeys(rooms) if upto is None else upto
        known = rooms.keys() if archives_known is None else archives_known
        archived = {
            name
            for name, seq in asked.items()
            if name in rooms and name in known and recount.is_archived(rooms[name], account, seq)
        }
        return {
            named: seq
            for named, seq in asked.items()
            if named not in hidden | archived and (kinds is None or kind_of(named) in kinds)
        }

    def _delete_each(
        self, account: str, wanted: Mapping[str, int | None], clear_history: bool
    ) -> None:
        for member, seq in self._positions(account, wanted).values():
            member.delete(seq)
            if clear_history:
                member.clear(seq)
