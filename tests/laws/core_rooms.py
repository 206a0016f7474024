"""A conversation in dictionaries: what a store adds to the functions of the core.

Rules of this file:

1. Only finding messages and counting those between two places: the rest is the core's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recents.core.entry import Tally
from recents.core.head import Head
from recents.core.membership import Membership, Position, head_seen
from recents.core.message import RETRACTED, Message, Preview, preview_of


@dataclass
class Room:
    """One conversation: its head, its messages, its members."""

    head: Head
    messages: list[Message] = field(default_factory=list)
    changes: dict[int, int] = field(default_factory=dict)
    """The number of the recall of each message that was recalled."""
    seqs: dict[tuple[str, str], int] = field(default_factory=dict)
    members: dict[str, Membership] = field(default_factory=dict)
    hidden: dict[str, set[int]] = field(default_factory=dict)
    """What each member deleted for itself."""
    marks: dict[str, list[int]] = field(default_factory=dict)
    """The commits of each member's marks: what `marks_known` counts is here an epoch."""

    def seen_by(self, account: str) -> list[Message]:
        """The messages up to the end that a member sees, as they are now (T2)."""
        return self.messages[: head_seen(self.head, self.members[account]).last_seq]

    def hidden_from(self, account: str) -> set[int]:
        return self.hidden.setdefault(account, set())

    def epoch(self, account: str, marks_known: int | None) -> int | None:
        """The commit of the newest mark that a reader knew."""
        if marks_known is None:
            return None
        return self.marks[account][marks_known - 1] if marks_known else 0

    def position(self, account: str, seq: int) -> Position:
        """The place after ``seq``, as ``account`` counts from it."""
        messages = self.seen_by(account)
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
        seen = head_seen(self.head, self.members[account])
        return sum(
            message.state in RETRACTED
            and self.changes[message.seq] <= seen.changes
            and message.counts
            and message.sender != account
            and message.seq not in self.hidden_from(account)
            for message in self.messages[seq : seen.last_retraction]
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
        hidden = set() if account is None else self.hidden_from(account)
        for message in reversed(self.messages[: below - 1]):
            if message.previews and message.state != "gone" and message.seq not in hidden:
                return preview_of(message)
        return None
