"""Steps that could not be kept yet, melted into one (rules C3, C6)."""

from __future__ import annotations

import msgspec

from recents.client.store.port import Step
from recents.core.ids import Conversation
from recents.core.message import Message

MOST_MESSAGES = 200
"""Of a conversation, the newest: a store keeps no more of them anyway."""


def melted(earlier: Step, later: Step) -> Step:
    """Return one step that does what two steps in a row do."""
    rows = {} if later.replaces_all else {row.conversation: row for row in earlier.rows}
    gone = {} if later.replaces_all else {mark.conversation: mark for mark in earlier.gone}
    for row in later.rows:
        rows[row.conversation] = row
        gone.pop(row.conversation, None)
    for mark in later.gone:
        gone[mark.conversation] = mark
        rows.pop(mark.conversation, None)
    outbox = {pending.number: pending for pending in earlier.outbox + later.outbox}
    settled = set(earlier.settled) | set(later.settled)
    return Step(
        rows=tuple(rows.values()),
        gone=tuple(gone.values()),
        replaces_all=earlier.replaces_all or later.replaces_all,
        token=later.token or earlier.token,
        totals=later.totals or earlier.totals,
        messages=_melted_messages(earlier, later),
        forgets_messages=earlier.forgets_messages or later.forgets_messages,
        outbox=tuple(one for number, one in outbox.items() if number not in settled),
        settled=tuple(sorted(settled)),
        clock_ahead_ms=(
            earlier.clock_ahead_ms if later.clock_ahead_ms is None else later.clock_ahead_ms
        ),
        durable=earlier.durable or later.durable,
        amended=_melted_amended(earlier, later),
    )


def _melted_amended(earlier: Step, later: Step) -> dict[Conversation, tuple[Message, ...]]:
    if later.forgets_messages:
        return later.amended
    amended = dict(earlier.amended)
    for name, several in later.amended.items():
        amended[name] = amended.get(name, ()) + several
    # What came anew is newer than what was changed before it.
    for name, several in later.messages.items():
        anew = {message.seq for message in several}
        kept = tuple(one for one in earlier.amended.get(name, ()) if one.seq not in anew)
        amended[name] = kept + later.amended.get(name, ())
    return {name: several for name, several in amended.items() if several}


def _melted_messages(earlier: Step, later: Step) -> dict[Conversation, tuple[Message, ...]]:
    if later.forgets_messages:
        return later.messages
    messages = dict(earlier.messages)
    for name, several in later.messages.items():
        messages[name] = (messages.get(name, ()) + several)[-MOST_MESSAGES:]
    return messages


def is_empty(step: Step) -> bool:
    """Tell whether a step changes nothing."""
    return msgspec.structs.replace(step, durable=False) == _NOTHING


_NOTHING = Step()
