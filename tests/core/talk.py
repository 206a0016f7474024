"""Ann's conversation with Bob as a node has it, made with the functions of the core alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from recents.core.commands import (
    AnyCommand,
    Archive,
    ClearHistory,
    Delete,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    SetAlias,
    SetDraft,
    Unarchive,
    Unpin,
)
from recents.core.entry import InboxEntry, entry_of, is_visible
from recents.core.head import Head, absorb, next_message
from recents.core.ids import Conversation
from recents.core.marks import organized
from recents.core.membership import (
    Membership,
    Position,
    after_own_send,
    first_readable,
    joined,
    read_upto,
    unread_from,
    unread_marked,
    without_history,
    without_row,
)
from recents.core.message import Message

BOB = Conversation("p2p:bob")


@dataclass
class Talk:
    """Ann's conversation with Bob as a node has it; every call is a commit."""

    head: Head = field(default_factory=Head)
    ann: Membership = field(default_factory=lambda: joined(Head(), 1_000, 1))
    messages: list[Message] = field(default_factory=list)
    version: int = 1
    now_ms: int = 1_000

    def row(self) -> InboxEntry | None:
        return entry_of("ann", BOB, self.head, self.ann) if self.visible else None

    @property
    def visible(self) -> bool:
        return is_visible(self.head, self.ann)

    def position(self, seq: int) -> Position:
        counted = [message for message in self.messages if message.counts]
        return Position(
            seq,
            sum(message.seq <= seq for message in counted),
            sum(message.seq > seq and message.sender == "ann" for message in counted),
        )

    def left_after(self, seq: int) -> int:
        """How many of Bob's messages after one a device that has them all counts."""
        return sum(one.seq > seq and one.counts and one.sender == "bob" for one in self.messages)

    def commit(self, command: AnyCommand, at_ms: int, sender: str = "ann") -> None:
        self.version += 1
        version, ann, end = self.version, self.ann, self.head.last_seq
        match command:
            case Post():
                if command.displayed_seq is not None:
                    place = self.position(command.displayed_seq)
                    ann = read_upto(ann, place, version, command.epoch)
                message = next_message(self.head, command, sender, at_ms)
                self.messages.append(message)
                self.head = absorb(self.head, message, version)
                ann = after_own_send(ann, message, version) if sender == "ann" else ann
            case Read():
                ann = read_upto(ann, self.position(command.upto_seq or 0), version, command.epoch)
            case MarkUnread():
                ann = unread_marked(ann, version) if self.visible else ann
            case MarkUnreadFrom():
                place = self.position(max(command.seq - 1, first_readable(ann)))
                ann = unread_from(ann, place, version)
            case Delete():
                place = self.position(end if command.upto_seq is None else command.upto_seq)
                ann = without_row(ann, place, version, clear_history=command.clear_history)
            case ClearHistory():
                place = self.position(end if command.upto_seq is None else command.upto_seq)
                ann = without_history(ann, place, version)
            case Archive():
                place = self.position(end if command.upto_seq is None else command.upto_seq)
                ann = organized(self.head, ann, command, at_ms, version, place)
            case SetDraft() | Mute() | Pin() | Unpin() | Unarchive() | SetAlias():
                ann = organized(self.head, ann, command, at_ms, version)
            case _:
                raise NotImplementedError(command)
        self.ann = ann
