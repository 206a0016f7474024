"""The order of the rows and places in it (rules O1, O4).

Rules of this file:

1. Order is (activity, newest first; then the conversation's name, byte by byte): a strict total
   order, since no account has two rows of one name.
2. A cursor names the place of a row, not its number, so rows that move disturb no page (O4).
"""

from __future__ import annotations

import re

from recents.core.entry import InboxEntry
from recents.core.errors import Code, Refused

Place = tuple[int, str]
"""(-place_ms, conversation): ascending places are the order of the list."""

_CURSOR = re.compile(r"(\d{1,16})\.([!-~]{1,80})", re.ASCII)


def place_of(entry: InboxEntry) -> Place:
    """Return the place of a row; rows sorted by it stand in the order of O1."""
    return -entry.place_ms, entry.conversation


def cursor_after(entry: InboxEntry) -> str:
    """Return the cursor of the page that follows this row. Opaque to callers."""
    return f"{entry.place_ms}.{entry.conversation}"


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
    return -int(match[1]), match[2]
