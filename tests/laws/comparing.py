"""What the core, a node or a device shows, beside what the oracle expects."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recents.core.entry import InboxEntry
from recents.core.explain import Explanation
from recents.core.totals import NOTHING, Totals, totals_of
from recents.testing.oracle import ExpectedRow, ExpectedTotals, Oracle


def compare(
    who: str, rows: Iterable[InboxEntry], totals: Totals, oracle: Oracle, account: str
) -> None:
    """Fail, saying what differs, unless rows and totals are what ``account`` must see."""
    compare_to(who, rows, totals, oracle.rows(account), oracle.totals(account))


def compare_to(
    who: str,
    rows: Iterable[InboxEntry],
    totals: Totals,
    expected: list[ExpectedRow],
    expected_totals: ExpectedTotals,
) -> None:
    """Fail, saying what differs, unless rows and totals are the expected ones."""
    got = [as_expected(row) for row in rows]
    want = [msgspec.to_builtins(row) for row in expected]
    assert got == want, f"{who}\n got  {got}\n want {want}"
    sums = as_expected_totals(totals)
    assert sums == msgspec.to_builtins(expected_totals), f"{who}: {sums} is not {expected_totals}"


def compare_explanation(told: Explanation, row: InboxEntry, oracle: Oracle, account: str) -> None:
    """Fail unless an explanation names the very messages behind the badge (U1, U2)."""
    name = row.conversation
    countable, uncounted = oracle.countable(account, name), oracle.uncounted(account, name)
    assert [message.seq for message in told.messages] == countable, f"{account}: {told}"
    assert told.unread == told.counted == row.unread == len(countable), f"{account}: {told}"
    got = {message.seq: message.reason for message in told.uncounted}
    assert got == uncounted, f"{account}: {got} is not {uncounted}"
    assert sum(told.reasons.values()) == len(uncounted)
    assert told.complete
    assert told.place.by is not None, f"{account}: {told}"
    assert told.place.place_ms == row.place_ms
    sums = totals_of((row,)) if told.listed else NOTHING
    shares = told.share.unread, told.share.muted_unread, told.share.badge
    assert shares == (sums.unread, sums.muted_unread, sums.badge)


def as_expected(row: InboxEntry) -> dict[str, object]:
    """Return a row in the words of the oracle: plain values, without numbers of commits."""
    shown: dict[str, object] = {name: getattr(row, name) for name in _ROW}
    for name in ("preview", "draft", "pin"):
        part = shown[name]
        if isinstance(part, msgspec.Struct):
            shown[name] = {field: getattr(part, field) for field in part.__struct_fields__}
    return shown


def as_expected_totals(totals: Totals) -> dict[str, int]:
    """Return totals in the words of the oracle."""
    return {name: getattr(totals, name) for name in ExpectedTotals.__dataclass_fields__}


_ROW = tuple(ExpectedRow.__dataclass_fields__)
