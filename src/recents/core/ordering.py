"""The order of the rows and places in it (rules O1, O4, G1).

Rules of this file:

1. Order is (pinned rows first, by rank; then activity, newest first; then the conversation's name,
   byte by byte): a strict total order, since no account has two rows of one name.
2. One number places a row, so that any store sorts by it; no activity reaches down to the pins.
3. A cursor names the place of a row, not its number, so rows that move disturb no page (O4).
"""

from __future__ import annotations

import re

from recents.core.entry import InboxEntry
from recents.core.errors import Code, Refused

Place = tuple[int, str]
"""(rank - PINS for a pinned row, else -place_ms; conversation): ascending places are the order."""

PINS = 2**60
"""Larger than any time and any rank."""

PINS_END: Place = (-(PINS // 2), "")
"""Pinned rows stand before it, all others behind it."""

_CURSOR = re.compile(r"(p-?)?(\d{1,16})\.([!-~]{1,80})", re.ASCII)


def place_of(entry: InboxEntry) -> Place:
    """Return the place of a row; rows sorted by it stand in the order of O1."""
    pin = entry.pin
    return (-entry.place_ms if pin is None else pin.rank - PINS), entry.conversation


def cursor_after(entry: InboxEntry) -> str:
    """Return the cursor of the page that follows this row. Opaque to callers."""
    pin = entry.pin
    return f"{entry.place_ms if pin is None else f'p{pin.rank}'}.{entry.conversation}"


def place_after(cursor: str) -> Place:
    """Return the place that a cursor names.

    Raises:
        Refused: ``bad_value`` for anything that ``cursor_after`` did not make.
    """
    match = _CURSOR.fullmatch(cursor)
    if not match:
        raise Refused(
            Code.BAD_VALUE, f"{cursor[:80]!r} is not a cursor: pass next_cursor of the page before"
        )
    sort, number, name = match[1], int(match[2]), match[3]
    if sort is None:
        return -number, name
    return (number if sort == "p" else -number) - PINS, name
