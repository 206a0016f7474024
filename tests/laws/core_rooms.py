"""A conversation in dictionaries: what a store adds to the functions of the core.

Rules of this file:

1. Only finding messages and counting those between two places: the rest is the core's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recents.core.entry import Tally
from recents.core.head import Head
from recents.core.membership import Membership, Position, head_seen
from recents.core.message import Message, Preview, preview_of


@dataclass
class Room:
    """One conversation: its head, its messages, its members."""

    head: Head
    messages: list[Message] = field(default_factory=list)
    vanished: set[int] = field(default_factory=set)
    """Recalled without notice."""
    seqs: dict[tuple[str, str], int] = field(default_factory=dict)
    members: dict[str, Membership] = field(default_factory=dict)
    hidden: dict[str, set[int]] = field(default_factory=dict)
    """What each member deleted for itself."""
    photographs: dict[str, tuple[list[Message], set[int]]] = field(default_factory=dict)
    """Messages and vanished ones as they were when a member left (T2)."""
    marks: dict[str, list[int]] = field(default_factory=dict)
    """The commits of each member's marks: what `marks_known` counts is here an epoch."""

    def messages_of(self, account: str) -> tuple[list[Message], set[int]]:
        return self.photographs.get(account) or (self.messages, self.vanished)

    def hidden_from(self, account: str) -> set[int]:
        return self.hidden.setdefault(account, set())

    def epoch(self, account: str, marks_known: int | None) -> int | None:
        """The commit of the newest mark that a reader knew."""
        if marks_known is None:
            return None
        return self.marks[account][marks_known - 1] if marks_known else 0

    def position(self, account: str, seq: int) -> Position:
        """The place after ``seq``, as ``account`` counts from it."""
        messages, _ = self.messages_of(account)
        skipped = [
            message
            for message in messages[seq:]
            if message.counts
            and (message.sender == account or message.seq in self.hidden_from(account))
        ]
        return Position(seq, messages[seq - 1].ordinal if seq else 0, len(skipped))

    def retracted_after(self, account: str, seq: int) -> int:
        """How many messages after ``seq`` were recalled that ``account`` would have counted.

        Looked for where the head says that there may be some, as a store does.
        """
        messages, _ = self.messages_of(account)
        last = head_seen(self.head, self.members[account]).last_retraction
        return sum(
            message.state == "recalled"
            and message.counts
            and message.sender != account
            and message.seq not in self.hidden_from(account)
            for message in messages[seq:last]
        )

    def tally(self, account: str) -> Tally:
        """What only the messages tell ``account`` of its row."""
        membership = self.members[account]
        shown = head_seen(self.head, membership).preview
        return Tally(
            retracted_after_read=self.retracted_after(account, membership.read_seq),
            preview_hidden=shown is not None and shown.seq in self.hidden_from(account),
            older=self.newest_preview(account, shown.seq) if shown else None,
        )

    def newest_preview(self, account: str | None, below: int) -> Preview | None:
        """The newest message to show below a place: to ``account``, or to everybody (P1)."""
        messages, vanished = self.messages, self.vanished
        hidden: set[int] = set()
        if account is not None:
            messages, vanished = self.messages_of(account)
            hidden = self.hidden_from(account)
        for message in reversed(messages[: below - 1]):
            if message.previews and message.seq not in vanished | hidden:
                return preview_of(message)
        return None
