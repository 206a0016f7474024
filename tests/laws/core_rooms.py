"""A conversation in dictionaries: what a store adds to the functions of the core.

Rules of this file:

1. Only finding messages and counting those between two places: the rest is the core's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from recents.core.entry import Tally
from recents.core.head import Head
from recents.core.membership import Membership, Position, head_seen
from recents.core.message import (
    MENTION_ALL,
    RETRACTED,
    Message,
    Preview,
    is_countable,
    named_in,
    preview_of,
)


@dataclass
class Room:
    """One conversation: its head, its messages, its members."""

    head: Head
    messages: list[Message] = field(default_factory=list)
    changes: dict[int, int] = field(default_factory=dict)
    """The number of the recall of each message that was recalled."""
    before: list[tuple[int, Message]] = field(default_factory=list)
    """Messages as they were before the change with this number."""
    seqs: dict[tuple[str, str], int] = field(default_factory=dict)
    members: dict[str, Membership] = field(default_factory=dict)
    hidden: dict[str, set[int]] = field(default_factory=dict)
    """What each member deleted for itself."""
    marks: dict[str, list[int]] = field(default_factory=dict)
    """The commits of each member's marks: what `marks_known` counts is here an epoch."""

    def seen_by(self, account: str) -> list[Message]:
        """The messages up to the end that a member sees, as they are now (T2)."""
        return self.messages[: head_seen(self.head, self.members[account]).last_seq]

    def keep(self, message: Message) -> None:
        """Remember a message that is about to be changed."""
        self.before.append((self.head.changes + 1, message))

    def as_at(self, message: Message, changes: int) -> Message:
        """A message as it was after so many changes of the conversation."""
        later = [old for n, old in self.before if n > changes and old.seq == message.seq]
        return later[0] if later else message

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

    def own_position(self, account: str, seq: int) -> Position:
        """The same place, where only the account's own messages count as skipped."""
        messages = self.seen_by(account)
        own = sum(message.counts and message.sender == account for message in messages[seq:])
        return replace(self.position(account, seq), skipped_after=own)

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
        seen = head_seen(self.head, membership)
        unread = [
            message
            for message in (self.as_at(one, seen.changes) for one in self.seen_by(account))
            if message.seq > membership.read_seq
            and is_countable(message, account)
            and message.seq not in self.hidden_from(account)
        ]
        me = [one for one in unread if account in named_in(one)]
        shown = head_seen(self.head, membership).preview
        return Tally(
            retracted_after_read=self.retracted_after(account, membership.read_seq),
            preview_hidden=shown is not None and shown.seq in self.hidden_from(account),
            older=self.newest_preview(account, shown.seq) if shown else None,
            mentions_me=len(me),
            mentions_all=sum(MENTION_ALL in named_in(one) and one not in me for one in unread),
        )

    def newest_preview(self, account: str | None, below: int) -> Preview | None:
        """The newest message to show below a place: to ``account``, or to everybody (P1)."""
        hidden = set() if account is None else self.hidden_from(account)
        for message in reversed(self.messages[: below - 1]):
            if message.previews and message.state != "gone" and message.seq not in hidden:
                return preview_of(message)
        return None
