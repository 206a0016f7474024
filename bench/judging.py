"""Compares what a device or the node shows with what the oracle expects.

Rules of this file:

1. Every field of every row is compared, and the order, and the totals.
2. A mismatch says where, whose, which conversation, which field, and both values.
3. Judging only looks; it changes neither side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from recents.core.entry import InboxEntry
from recents.core.membership import Draft, Pinned
from recents.core.message import Message, Preview
from recents.core.totals import Totals
from recents.testing.oracle import (
    ExpectedDraft,
    ExpectedMessage,
    ExpectedPin,
    ExpectedPreview,
    ExpectedRow,
    ExpectedTotals,
    Oracle,
)

_PARTS = ("preview", "draft", "pin")
_ROW_FIELDS = tuple(field.name for field in fields(ExpectedRow) if field.name not in _PARTS)
_PREVIEW_FIELDS = tuple(field.name for field in fields(ExpectedPreview))
_DRAFT_FIELDS = tuple(field.name for field in fields(ExpectedDraft))
_PIN_FIELDS = tuple(field.name for field in fields(ExpectedPin))
_MESSAGE_FIELDS = tuple(field.name for field in fields(ExpectedMessage))
_TOTALS_FIELDS = tuple(field.name for field in fields(ExpectedTotals))


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as the oracle expects it."""

    where: str
    account: str
    conversation: str
    field: str
    expected: object
    got: object

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.account}, {self.conversation or 'whole list'}, {self.field}: "
            f"expected {self.expected!r}, got {self.got!r}"
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole list, as somebody shows it."""

    rows: Sequence[InboxEntry]
    totals: Totals


class Judge:
    """Judges lists, and remembers what was wrong.

    Attributes:
        mismatches: all of them, in the order in which they were found.
        compared: how many lists and histories were compared, by where.
        rows: how many rows were compared.
    """

    def __init__(self, oracle: Oracle) -> None:
        """Judge by this oracle."""
        self.mismatches: list[Mismatch] = []
        self.compared: Counter[str] = Counter()
        self.rows = 0
        self._oracle = oracle

    def judge(self, where: str, account: str, shown: Shown) -> None:
        """Compare a list and remember what is wrong with it."""
        self.compared[where] += 1
        self.rows += len(shown.rows)
        self.mismatches += self.differences(where, account, shown)

    def differences(self, where: str, account: str, shown: Shown) -> list[Mismatch]:
        """Return what is wrong with a list."""
        expected, totals = self._oracle.rows(account), self._oracle.totals(account)
        found = [*_in_rows(expected, shown.rows), *_in_totals(totals, shown.totals)]
        return [Mismatch(where, account, *difference) for difference in found]

    def judge_history(self, account: str, conversation: str, messages: Sequence[Message]) -> None:
        """Compare all messages that a device finds in a conversation (D3, D5, T2)."""
        self.compared["histories"] += 1
        expected = self._oracle.history(account, conversation)
        seqs, seqs_got = [one.seq for one in expected], [one.seq for one in messages]
        if seqs != seqs_got:
            self.complain("history", account, conversation, "seqs", _ends(seqs), _ends(seqs_got))
            return
        for message, got in zip(expected, messages, strict=True):
            for name in _MESSAGE_FIELDS:
                one, other = getattr(message, name), getattr(got, name)
                if one != other:
                    what = f"message {message.seq}, {name}"
                    self.complain("history", account, conversation, what, one, other)

    def complain(
        self,
        where: str,
        account: str,
        conversation: str,
        what: str,
        expected: object,
        got: object,
    ) -> None:
        """Remember something wrong that no list shows."""
        self.mismatches.append(Mismatch(where, account, conversation, what, expected, got))


_Difference = tuple[str, str, object, object]


def _in_rows(
    expected: Sequence[ExpectedRow], shown: Sequence[InboxEntry]
) -> Iterator[_Difference]:
    wanted = {row.conversation: row for row in expected}
    got = {str(row.conversation): row for row in shown}
    if len(got) != len(shown):
        yield "", "rows", f"{len(got)} different ones", f"{len(shown)}, some twice"
    for conversation, row in wanted.items():
        if conversation in got:
            yield from _in_row(row, got[conversation])
        else:
            yield conversation, "row", "a row", "no row"
    for conversation in got:
        if conversation not in wanted:
            yield conversation, "row", "no row", "a row"
    order = [row.conversation for row in expected if row.conversation in got]
    order_got = [str(row.conversation) for row in shown if row.conversation in wanted]
    for place, (one, other) in enumerate(zip(order, order_got, strict=False), 1):
        if one != other:
            yield "", f"order, place {place}", one, other
            return


def _in_row(expected: ExpectedRow, got: InboxEntry) -> Iterator[_Difference]:
    conversation = expected.conversation
    for name in _ROW_FIELDS:
        one, other = getattr(expected, name), getattr(got, name)
        if one != other:
            yield conversation, name, one, other
    for name, one, other in _in_preview(expected.preview, got.preview):
        yield conversation, f"preview {name}".rstrip(), one, other
    for name, one, other in _in_draft(expected.draft, got.draft):
        yield conversation, f"draft {name}".rstrip(), one, other
    for name, one, other in _in_pin(expected.pin, got.pin):
        yield conversation, f"pin {name}".rstrip(), one, other


def _in_preview(
    expected: ExpectedPreview | None, got: Preview | None
) -> Iterator[tuple[str, object, object]]:
    if expected is None or got is None:
        if expected is not None or got is not None:
            yield "", expected and f"message {expected.seq}", got and f"message {got.seq}"
        return
    for name in _PREVIEW_FIELDS:
        one, other = getattr(expected, name), getattr(got, name)
        if one != other:
            yield name, one, other


def _in_draft(
    expected: ExpectedDraft | None, got: Draft | None
) -> Iterator[tuple[str, object, object]]:
    if expected is None or got is None:
        if expected is not None or got is not None:
            yield "", expected and expected.text, got and got.text
        return
    for name in _DRAFT_FIELDS:
        one, other = getattr(expected, name), getattr(got, name)
        if one != other:
            yield name, one, other


def _in_pin(
    expected: ExpectedPin | None, got: Pinned | None
) -> Iterator[tuple[str, object, object]]:
    if expected is None or got is None:
        if expected is not None or got is not None:
            yield "", expected and expected.rank, got and got.rank
        return
    for name in _PIN_FIELDS:
        one, other = getattr(expected, name), getattr(got, name)
        if one != other:
            yield name, one, other


def _ends(seqs: list[int]) -> str:
    return f"{len(seqs)} messages, {seqs[0]} to {seqs[-1]}" if seqs else "no messages"


def _in_totals(expected: ExpectedTotals, got: Totals) -> Iterator[_Difference]:
    for name in _TOTALS_FIELDS:
        one, other = getattr(expected, name), getattr(got, name)
        if one != other:
            yield "", f"totals {name}", one, other
