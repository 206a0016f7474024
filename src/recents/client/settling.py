"""What the node's answers and rows mean for the outbox (rules C3, C4, D2, P4).

Rules of this file:

1. An answered command leaves when the confirmed rows have reached the version of its answer.
2. A message leaves when it is seen among the messages, or by rule 1.
3. A refused message stays, as failed, until its row is deleted; any other refused command is
   taken back.
4. A message that is in extends the deletions behind it: they were given with it on screen.
5. Nothing here changes anything; a ``Settlement`` says what is to change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from recents.client.outbox import Outbox, conversation_of
from recents.core.commands import ClearHistory, Delete, DeleteAll, DeleteMessages, Post, Recall
from recents.core.entry import InboxEntry
from recents.core.errors import Refused
from recents.core.ids import Conversation
from recents.core.message import RETRACTED, Message
from recents.core.pending import Pending, Refusal, answered, extended, failed, placed
from recents.wire.frames import Posted


@dataclass(frozen=True, slots=True)
class Answered:
    """The node carried a command out."""

    version: int
    posted: Posted | None = None


Outcome = Answered | Refused

NOTHING_AMENDED: Mapping[Conversation, tuple[Message, ...]] = {}


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The confirmed rows as they will be, and how far they go.

    Attributes:
        row: gives a row, or None.
        version: everything up to here is in the rows.
        other_line: the rows are another line of versions than those of the answers before.
    """

    row: Callable[[Conversation], InboxEntry | None]
    version: int
    other_line: bool = False


@dataclass(slots=True)
class Settlement:
    """What is to change in the outbox.

    Attributes:
        put: commands in their new state, by number.
        settled: commands that leave, each with what its caller is told.
        posted: what the answers to messages said, by number.
        refused: commands that were refused, and why.
        landed: commands that were answered, so that others may be sent.
    """

    put: dict[int, Pending] = field(default_factory=dict)
    settled: dict[int, Posted | Refused | None] = field(default_factory=dict)
    posted: dict[int, Posted] = field(default_factory=dict)
    refused: list[tuple[Pending, Refused]] = field(default_factory=list)
    landed: list[int] = field(default_factory=list)


def settle(
    account: str,
    outbox: Outbox,
    outcomes: Mapping[str, Outcome],
    messages: Mapping[Conversation, tuple[Message, ...]],
    confirmed: Confirmed,
    amended: Mapping[Conversation, tuple[Message, ...]] = NOTHING_AMENDED,
) -> Settlement:
    """Tell what answers, messages and rows change in the outbox.

    Args:
        account: whose outbox it is.
        outbox: the commands as they are.
        outcomes: what the node said, by command id.
        messages: new messages, by conversation.
        confirmed: the rows as they will be.
        amended: messages that became others, by conversation.
    """
    settlement = Settlement()
    seen = _own(account, messages) if len(outbox) else {}
    places: list[tuple[Conversation, int, Pending]] = []
    deletions: dict[Conversation, list[Pending]] = {}
    for pending in outbox:
        command = pending.command
        if isinstance(command, Delete | ClearHistory):
            deletions.setdefault(command.conversation, []).append(pending)
        if isinstance(command, Recall | DeleteMessages) and pending.messages:
            there = {one.seq for one in amended.get(command.conversation, ()) if _is_over(one)}
            left = tuple(one for one in pending.messages if one.seq not in there)
            if left != pending.messages:
                # The rows have it already, whether its answer has come or not.
                pending = msgspec.structs.replace(pending, messages=left)
                settlement.put[pending.number] = pending
        if isinstance(command, Post):
            arrived = seen.get((command.conversation, command.client_id))
            if arrived is not None:
                settlement.landed.append(pending.number)
                settlement.settled[pending.number] = arrived
                places.append((command.conversation, arrived.seq, pending))
                continue
            seq = _seq_in_row(account, pending, command, confirmed)
            if seq is not None:
                settlement.put[pending.number] = placed(pending, seq)
        outcome = outcomes.get(command.id) if pending.waiting else None
        if isinstance(outcome, Refused):
            _refuse(settlement, outbox, pending, outcome)
        elif outcome is not None or pending.version is not None:
            after = _answer(settlement, pending, outcome)
            if _is_shown(after, confirmed):
                settlement.put.pop(after.number, None)
                posted = settlement.posted.pop(after.number, None) or outbox.posted(after.number)
                settlement.settled[after.number] = posted
                if not isinstance(command, Post):
                    _drop_failed(settlement, outbox, after)
                elif after.seq is not None:
                    places.append((command.conversation, after.seq, pending))
    for name, seq, post in places:
        behind = [one for one in deletions.get(name, ()) if one.number > post.number]
        _extend(settlement, behind, seq, confirmed.row(name))
    return settlement


def _is_over(message: Message) -> bool:
    return message.state in RETRACTED


def _seq_in_row(account: str, pending: Pending, post: Post, confirmed: Confirmed) -> int | None:
    """Return where a row shows a message whose answer was lost, unless that is known (P4)."""
    row = confirmed.row(post.conversation) if pending.waiting and pending.seq is None else None
    preview = row.preview if row else None
    if preview is None or (preview.sender, preview.client_id) != (account, post.client_id):
        return None
    return preview.seq


def _own(
    account: str, messages: Mapping[Conversation, tuple[Message, ...]]
) -> dict[tuple[Conversation, str], Posted]:
    return {
        (name, message.client_id): Posted(
            seq=message.seq, ordinal=message.ordinal, time_ms=message.time_ms
        )
        for name, several in messages.items()
        for message in several
        if message.sender == account
    }


def _refuse(settlement: Settlement, outbox: Outbox, pending: Pending, refused: Refused) -> None:
    settlement.landed.append(pending.number)
    settlement.refused.append((pending, refused))
    if isinstance(pending.command, Post) and not _is_deleted_later(outbox, pending):
        refusal = Refusal(refused.code, refused.args[0], refused.details)
        settlement.put[pending.number] = failed(pending, refusal)
    else:
        settlement.settled[pending.number] = refused


def _drop_failed(settlement: Settlement, outbox: Outbox, deletion: Pending) -> None:
    """Give up the failed messages that were on screen when their row was deleted."""
    command = deletion.command
    if isinstance(command, Delete | ClearHistory):
        names = {command.conversation}
    else:
        names = set(deletion.seqs) if isinstance(command, DeleteAll) else set()
    for name in names:
        for pending in outbox.of(name):
            if pending.failed and pending.number < deletion.number:
                settlement.settled[pending.number] = None


def _is_deleted_later(outbox: Outbox, post: Pending) -> bool:
    """Tell whether the user deleted the row with this message in it meanwhile."""
    name = conversation_of(post.command)
    assert name is not None, "a message is in one conversation"
    return any(
        isinstance(pending.command, Delete)
        or (isinstance(pending.command, DeleteAll) and name in pending.seqs)
        for pending in outbox.concerning(name)
        if pending.number > post.number
    )


def _answer(settlement: Settlement, pending: Pending, outcome: Answered | None) -> Pending:
    if outcome is None:
        return pending
    settlement.landed.append(pending.number)
    seq = None
    if outcome.posted is not None:
        settlement.posted[pending.number] = outcome.posted
        seq = outcome.posted.seq
    after = answered(pending, outcome.version, seq)
    settlement.put[pending.number] = after
    return after


def _is_shown(pending: Pending, confirmed: Confirmed) -> bool:
    version = pending.version
    if not version or confirmed.other_line:
        return True
    name = conversation_of(pending.command)
    row = None if name is None else confirmed.row(name)
    return version <= (confirmed.version if row is None else row.version)


def _extend(
    settlement: Settlement, deletions: list[Pending], seq: int, row: InboxEntry | None
) -> None:
    """Let deletions that were given after a message cover it, now that it has a place (D2)."""
    for known in deletions:
        pending = settlement.put.get(known.number, known)
        command = pending.command
        assert isinstance(command, Delete | ClearHistory), "only deletions end at a message"
        if not pending.waiting:
            continue
        upto = command.upto_seq or 0
        # Nobody else's message in between is covered unseen.
        seen = upto + 1 == seq or (row is not None and not row.unread)
        if upto < seq and seen:
            settlement.put[known.number] = extended(pending, seq)
