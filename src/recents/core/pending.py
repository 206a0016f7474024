"""A command on its way: what a device remembers of it until its rows show it (rules C4, D7, P4).

Rules of this file:

1. A pending command is a value; it moves from waiting to answered, or a message from waiting to
   failed and back, and never otherwise.
2. What the device knew when the command was given stands in it, so that what the user sees does
   not change because something else arrived.
"""

from __future__ import annotations

import msgspec

from recents.core.commands import AnyCommand, ClearHistory, Delete, Post
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation
from recents.core.message import Message, Preview

_replace = msgspec.structs.replace


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Why the node said no, as plain values."""

    code: Code
    message: str
    details: dict[str, str | int] = {}

    def error(self) -> Refused:
        """Return it as the error to raise."""
        return Refused(self.code, self.message, dict(self.details))


class Pending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A command that this device's confirmed rows do not show yet.

    Attributes:
        number: its place in the outbox: 1, 2, 3 …; commands are sent in this order.
        command: what was asked.
        at_ms: when, by the node's clock as far as the device knew it; places an echo (P4).
        seen_seq: the newest message of the conversation that the device had.
        left: of a reading, or a mark-unread, that ends before ``seen_seq``: how many messages
            after it are unread, where the device could count them.
        seqs: of a command for all rows: the rows that it covers, each up to which message; of a
            profile: the row that shows it on this device.
        epoch: of a reading of all rows: the newest commit whose marks the device knew (R3).
        messages: of a recall, an edit or a deletion of messages: those that the device had,
            as they were, and that the rows still count.
        left_mentions: with ``left``: how many of these mention the account, and how many only all.
        older: of a recall: what a row shows instead, as far as the device knew (P2).
        version: the rows show what it did from this version on; None: not answered yet.
        seq: of a message: its place, once it was answered or a row has shown it.
        refusal: of a message: why it failed; None: it is on its way.
    """

    number: int
    command: AnyCommand
    at_ms: int
    seen_seq: int = 0
    left: int | None = None
    seqs: dict[Conversation, int] = {}
    epoch: int | None = None
    version: int | None = None
    seq: int | None = None
    refusal: Refusal | None = None
    messages: tuple[Message, ...] = ()
    older: Preview | None = None
    left_mentions: tuple[int, int] | None = None

    @property
    def waiting(self) -> bool:
        """Whether it is still to be sent, or to be answered."""
        return self.version is None and self.refusal is None

    @property
    def failed(self) -> bool:
        """Whether it is a message that the node refused."""
        return self.refusal is not None


def answered(pending: Pending, version: int, seq: int | None = None) -> Pending:
    """Return the command after its answer."""
    return _replace(pending, version=version, seq=seq, refusal=None)


def placed(pending: Pending, seq: int) -> Pending:
    """Return a message that a row shows already; its answer is still to come."""
    assert isinstance(pending.command, Post), "only messages have a place"
    return _replace(pending, seq=seq)


def extended(pending: Pending, upto_seq: int) -> Pending:
    """Return a deletion that covers a message more: one that was sent before it (D2)."""
    assert isinstance(pending.command, Delete | ClearHistory), "only deletions end at a message"
    command = _replace(pending.command, upto_seq=upto_seq)
    return _replace(pending, command=command, seen_seq=upto_seq)


def failed(pending: Pending, refusal: Refusal) -> Pending:
    """Return a message after its refusal (P4)."""
    assert isinstance(pending.command, Post), "only messages fail; other commands are taken back"
    return _replace(pending, refusal=refusal)


def retried(pending: Pending, number: int, at_ms: int) -> Pending:
    """Return a failed message on its way again, behind all others (P4)."""
    return _replace(pending, number=number, at_ms=at_ms, refusal=None)
