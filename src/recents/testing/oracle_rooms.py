"""All conversations that the oracle knows of, and how they are found.

Rules of this file:

1. Everything is checked before anything moves: a mistake changes no fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recents.testing import oracle_recount as recount
from recents.testing.oracle_facts import P2P, Conversation, Face, Member, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self


class Rooms:
    """The conversations, each under the names that its members have for it."""

    def __init__(self) -> None:
        """Start with no conversation at all."""
        self._teams: dict[str, Conversation] = {}
        # The same conversation stands under each of its members, by the name it has for them.
        self._by_account: dict[str, dict[str, Conversation]] = {}
        self._faces: dict[str, Face] = {}

    def copy(self) -> Self:
        """Return an oracle that knows the same, to be told something else from here on."""
        # Under each of its members it is the same conversation, in the copy too.
        rooms = {id(room): room for known in self._by_account.values() for room in known.values()}
        copies = {key: room.copy() for key, room in rooms.items()}
        other = type(self)()
        other._teams = {team: copies[id(room)] for team, room in self._teams.items()}
        other._by_account = {
            account: {named: copies[id(room)] for named, room in known.items()}
            for account, known in self._by_account.items()
        }
        other._faces = self._faces.copy()
        return other

    def newest(self, account: str) -> dict[str, int]:
        """The newest seq of each conversation, hidden rows included: what `upto` takes."""
        known = self._by_account.get(account, {})
        return {n: len(recount.messages_known_to(room, account)) for n, room in known.items()}

    def marks(self, account: str) -> dict[str, int]:
        """How often each conversation was marked unread so far: what `marks_known` takes."""
        known = self._by_account.get(account, {})
        return {named: room.members[account].marks for named, room in known.items()}

    def _face_shown(self, account: str, conversation: str) -> Face:
        """The face in a row: that of who is at the other end, in P2P (I2)."""
        if kind_of(conversation) != P2P:
            return Face()
        return self._faces.get(conversation.removeprefix("p2p:"), Face())

    def _find(self, account: str, conversation: str) -> Conversation | None:
        """The conversation, if `account` is or was a member of it."""
        kind_of(conversation)
        return self._by_account.get(account, {}).get(conversation)

    def _member(self, account: str, conversation: str) -> Member | None:
        room = self._find(account, conversation)
        return None if room is None else room.members[account]

    def _begin_p2p(self, account: str, conversation: str) -> Conversation:
        """Find or make the conversation between two accounts, perhaps the same one (I2)."""
        peer = conversation.removeprefix("p2p:")
        known = self._find(account, conversation) or self._find(peer, f"p2p:{account}")
        return known or Conversation(P2P)

    def _join(self, account: str, named: str, room: Conversation, at_ms: int) -> None:
        room.join(account, at_ms)
        self._by_account.setdefault(account, {})[named] = room

    def _positions(
        self, account: str, wanted: Mapping[str, int | None]
    ) -> dict[str, tuple[Member, int]]:
        """Who moves and up to where."""
        positions, known = {}, self.newest(account)
        for named, upto_seq in wanted.items():
            member, newest = self._member(account, named), known.get(named, 0)
            seq = newest if upto_seq is None else upto_seq
            if not 0 <= seq <= newest:
                raise ValueError(f"{seq} is no place in {named}: {account} knows 0 to {newest}")
            if member is not None:
                positions[named] = member, seq
        return positions

    def _read_each(
        self,
        account: str,
        wanted: Mapping[str, int | None],
        marks_known: Mapping[str, int | None] | None,
    ) -> None:
        positions = self._positions(account, wanted)
        heard_of = {
            named: None if marks_known is None else marks_known.get(named, 0)
            for named in positions
        }
        for named, (member, _) in positions.items():
            if not 0 <= (heard_of[named] or 0) <= member.marks:
                raise ValueError(
                    f"{account} marked {named} {member.marks} times, not {heard_of[named]}"
                )
        for named, (member, seq) in positions.items():
            member.read(seq, heard_of[named])
