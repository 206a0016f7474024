"""What rows and answers that came together change on this device (rules C1–C4).

Rules of this file:

1. Everything is worked out first, then kept, then applied: nothing is half done in between.
2. After a reset versions do not compare, since they may be another store's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from recents.client.changes import Cause
from recents.client.incoming import Arrival
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox, conversation_of
from recents.client.settling import Confirmed, Outcome, Settlement, settle
from recents.client.store.port import Step
from recents.core.entry import InboxEntry
from recents.core.errors import Refused
from recents.core.ids import Conversation
from recents.core.pending import Pending
from recents.core.replica import News, Replica, same_to_the_user
from recents.wire.frames import Posted
from recents.wire.sync_token import parts_of

CLOCK_SLACK_MS = 1_000
"""How far this device may be wrong about the node's clock."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of this device's state.

    Attributes:
        step: what the store keeps of it.
        names: the rows that may look different, in the order in which they came.
        cause: what the listeners are told.
        outcomes: commands that leave the outbox, and what their callers are told.
        refused: commands that were refused, and why.
    """

    step: Step
    names: dict[Conversation, None]
    cause: Cause
    outcomes: list[tuple[Pending, Posted | Refused | None]]
    refused: list[tuple[Pending, Refused]]
    _rows: Callable[[LocalList], None]
    _settlement: Settlement = field(default_factory=Settlement)

    def apply(self, local: LocalList, outbox: Outbox) -> None:
        """Change rows and outbox; ``show_anew`` is to follow."""
        self._rows(local)
        for pending in self._settlement.put.values():
            outbox.put(pending)
        for number, posted in self._settlement.posted.items():
            outbox.note(number, posted)
        for number in self._settlement.settled:
            outbox.discard(number)
        for number in self._settlement.landed:
            outbox.landed(number)


@dataclass(frozen=True, slots=True)
class _Rows:
    """How the confirmed rows will be."""

    confirmed: Confirmed
    names: dict[Conversation, None]
    step: Step
    apply: Callable[[LocalList], None]


def change_of(
    account: str,
    local: LocalList,
    outbox: Outbox,
    token: str | None,
    arrival: Arrival | None,
    outcomes: Mapping[str, Outcome],
    now_ms: int = 0,
) -> Change:
    """Work out a change; nothing is changed yet.

    Args:
        account: whose device it is.
        local: its rows as they are.
        outbox: its commands as they are.
        token: everything up to here is in the rows.
        arrival: what came of rows, if anything.
        outcomes: what came of answers to commands.
        now_ms: the node's time, as far as this device knows it.
    """
    if arrival is None:
        rows = _no_rows(local, token)
    elif arrival.replaces_all:
        rows = _all_rows(local, token, arrival)
    else:
        rows = _some_rows(local, token, arrival)
    messages = arrival.messages if arrival else {}
    amended = arrival.amended if arrival else {}
    settlement = settle(account, outbox, outcomes, messages, rows.confirmed, amended)
    names = dict(rows.names)
    by_number = {pending.number: pending for pending in outbox}
    for number in (*settlement.put, *settlement.settled):
        pending = by_number[number]
        name = conversation_of(pending.command)
        names |= dict.fromkeys(pending.seqs if name is None else (name,))
    return Change(
        step=_with_outbox(rows.step, settlement),
        names=names,
        cause=_cause(local, arrival, now_ms),
        outcomes=[(by_number[number], told) for number, told in settlement.settled.items()],
        refused=settlement.refused,
        _rows=rows.apply,
        _settlement=settlement,
    )


def _cause(local: LocalList, arrival: Arrival | None, now_ms: int) -> Cause:
    """Tell where a change comes from; mutes that ended are nobody's deed (G2)."""
    if arrival is None:
        return "command"
    ends = [
        _mute_has_ended(local.confirmed(row.conversation), row, now_ms) for row in arrival.rows
    ]
    if arrival.cause == "other_device" and ends and all(ends) and not arrival.gone:
        return "timer"
    return arrival.cause


def _mute_has_ended(old: InboxEntry | None, new: InboxEntry, now_ms: int) -> bool:
    if old is None or old.mute_until_ms is None or old.mute_until_ms > now_ms + CLOCK_SLACK_MS:
        return False
    ended = msgspec.structs.replace(old, mute=None, mute_until_ms=None)
    return same_to_the_user(ended, new)


def _no_rows(local: LocalList, token: str | None) -> _Rows:
    confirmed = Confirmed(local.confirmed, _version_of(token))
    return _Rows(confirmed, {}, Step(), lambda _: None)


def _some_rows(local: LocalList, token: str | None, arrival: Arrival) -> _Rows:
    news = local.news(arrival.rows, arrival.gone)
    images: dict[Conversation, InboxEntry | None] = {row.conversation: row for row in news.rows}
    images.update({mark.conversation: None for mark in news.gone})

    def row(name: Conversation) -> InboxEntry | None:
        return images[name] if name in images else local.confirmed(name)

    confirmed = Confirmed(row, max(_version_of(token), _version_of(arrival.token)))
    step = Step()
    if arrival.token is not None:
        step = Step(
            rows=news.rows,
            gone=news.gone,
            token=arrival.token,
            totals=news.totals,
            messages=arrival.messages,
            amended=arrival.amended,
        )
    names = dict.fromkeys(images)
    return _Rows(confirmed, names, step, lambda target: _accept(target, news, arrival))


def _accept(local: LocalList, news: News, arrival: Arrival) -> None:
    local.accept(news)
    _complete(local, arrival)


def _all_rows(local: LocalList, token: str | None, arrival: Arrival) -> _Rows:
    replica = Replica()
    replica.restore(arrival.rows)
    assert arrival.token is not None, "all rows come with their token"
    other_line = token is not None and parts_of(token)[0] != parts_of(arrival.token)[0]

    def replace(target: LocalList) -> None:
        target.replace(replica)
        _complete(target, arrival)

    return _Rows(
        Confirmed(replica.rows.get, _version_of(arrival.token), other_line),
        dict.fromkeys((*replica.rows, *local.confirmed_rows)),
        Step(
            rows=arrival.rows,
            replaces_all=True,
            token=arrival.token,
            totals=replica.totals,
            messages=arrival.messages,
            # A row that was deleted with its history is not even mentioned (D3).
            forgets_messages=True,
        ),
        replace,
    )


def _complete(local: LocalList, arrival: Arrival) -> None:
    if arrival.token is not None:
        local.complete = True
    local.whole = arrival.totals if arrival.token is None else None


def _with_outbox(step: Step, settlement: Settlement) -> Step:
    return msgspec.structs.replace(
        step, outbox=tuple(settlement.put.values()), settled=tuple(settlement.settled)
    )


def _version_of(token: str | None) -> int:
    return 0 if token is None else parts_of(token)[1]
