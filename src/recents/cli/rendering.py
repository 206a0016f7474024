"""Rows, totals and times for human eyes, and JSON for programs.

Rules of this file:

1. Text from others is made harmless and is never read as markup.
2. JSON has the names of the wire, and every field, also those with their default value.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recents.cli.harmless import harmless, harmless_json
from recents.core.entry import InboxEntry
from recents.core.ids import is_p2p
from recents.core.message import Preview
from recents.core.totals import Totals

DOT = "•"

MOST_SHOWN = 99
"""U3. A live badge shows 99+ beyond it; everything else shows the number."""

_UNBOUNDED_WIDTH = 10_000
"""Columns of an output that is no terminal: nothing is cut where a program may read it."""

_STATUSES = {
    "sending": "… sending",
    "failed": "! not sent",
    "sent": "✓ sent",
    "read": "✓✓ read",
    None: "",
}

_WIDE = 100
"""Cells from which on a line has room for every column."""


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leave the end to the command, as for every other way to print."""
        raise


def console() -> Console:
    """Return standard output as a place for tables."""
    width = None if sys.stdout.isatty() else _UNBOUNDED_WIDTH
    return _Output(markup=False, emoji=False, highlight=False, width=width)


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    print(harmless_json(msgspec.json.encode(_complete(value)).decode()), flush=True)


def print_lines(*lines: str) -> None:
    """Print lines, harmless each."""
    for line in lines:
        print(harmless(line))


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a plain table."""
    table = _bare_table()
    for head in heads:
        table.add_column(head, no_wrap=True)
    for row in rows:
        table.add_row(*[Text(harmless(cell)) for cell in row])
    console().print(table)


def rows_table(
    entries: Iterable[InboxEntry],
    account: str,
    now: datetime,
    *,
    width: int,
    narrow_drops: str,
    most_shown: int | None = None,
) -> Table:
    """Return the list as a table, one line a row.

    Args:
        entries: the rows.
        account: whose list it is.
        now: decides how times are said.
        width: cells in a line.
        narrow_drops: the column that a narrow terminal has no room for.
        most_shown: for badges, see ``badge``.
    """
    bounded = width < _UNBOUNDED_WIDTH
    narrow = width < _WIDE
    # Expanded, the columns keep their widths, and the message gets what is left.
    table = _bare_table(expand=bounded)
    table.add_column("unread", justify="right", no_wrap=True)
    longest_title = 16 if narrow else 32 if bounded else None
    table.add_column("title", no_wrap=True, overflow="ellipsis", max_width=longest_title)
    table.add_column("last message", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("time", no_wrap=True)
    last = [name for name in ("status", "conversation") if not (narrow and name == narrow_drops)]
    for name in last:
        table.add_column(name, no_wrap=True, overflow="fold", style="dim")
    for entry in entries:
        cells = {"status": status(entry), "conversation": harmless(entry.conversation)}
        table.add_row(
            Text(mark(entry, most_shown), style="dim" if entry.mute else "bold cyan"),
            Text(harmless(entry.title), style="bold" if entry.unread else ""),
            Text(harmless(summary(entry, account)), style="" if entry.unread else "dim"),
            Text(when(entry.draft.time_ms if entry.draft else entry.time_ms, now)),
            *[Text(cells[name]) for name in last],
        )
    return table


def mark(entry: InboxEntry, most_shown: int | None = None) -> str:
    """Return the unread count of a row, and a dot if somebody marked it (R4)."""
    dot = DOT if entry.marked_unread else ""
    return f"{badge(entry.unread, most_shown)} {dot}".strip()


def badge(unread: int, most_shown: int | None = None) -> str:
    """Return the unread count for a row; nothing for zero (U3)."""
    if most_shown is not None and unread > most_shown:
        return f"{most_shown}+"
    return str(unread) if unread else ""


def summary(entry: InboxEntry, account: str) -> str:
    """Return the draft, or else who said what last."""
    if entry.draft is not None:
        return f"Draft: {entry.draft.text}"
    preview = entry.preview
    if preview is None:
        return ""
    if preview.state == "recalled":
        who = "You" if preview.recalled_by == account else preview.recalled_by
        return f"{who} recalled a message"
    text = _content(preview)
    if preview.sender == account:
        return f"You: {text}"
    return text if is_p2p(entry.conversation) else f"{preview.sender}: {text}"


def status(entry: InboxEntry) -> str:
    """Return how far my message has come or that I am out, and what I keep with it (P4, T2, G)."""
    words = {"none": "muted", "mentions": "mentions only", None: ""}
    shown = entry.membership if entry.membership != "member" else _STATUSES[entry.status]
    kept = ("pinned" * entry.pinned, "archived" * entry.archived)
    labels = [f"#{label}" for label in entry.labels]
    return harmless(", ".join(filter(None, (shown, words[entry.mute], *kept, *labels))))


def when(time_ms: int, now: datetime) -> str:
    """Return a time as people say it: the hour today, the weekday this week, else the date."""
    then = datetime.fromtimestamp(time_ms / 1000).astimezone()
    days = (now.date() - then.date()).days
    if days <= 0:
        return f"{then:%H:%M}"
    if days < 7:
        return f"{then:%a}"
    return f"{then:%d %b}" if then.year == now.year else f"{then:%Y-%m-%d}"


def stamp(time_ms: int) -> str:
    """Return a time in full."""
    return f"{datetime.fromtimestamp(time_ms / 1000).astimezone():%Y-%m-%d %H:%M}"


def sums(totals: Totals) -> str:
    """Return the totals as a sentence."""
    if not totals.conversations:
        return "no conversations"
    conversations = f"{totals.conversations} conversation{'s' * (totals.conversations > 1)}"
    marked = f", {totals.marked_unread} marked unread" if totals.marked_unread else ""
    if not totals.unread:
        read = "no message unread" if marked else "all read"
        return f"{read} in {conversations}{marked}"
    muted = f" ({totals.muted_unread} of them muted)" if totals.muted_unread else ""
    somewhere = f"{totals.unread_conversations} of {conversations}"
    return f"{totals.unread} unread{muted} in {somewhere}{marked}"


def _content(preview: Preview) -> str:
    text = preview.text if preview.kind == "text" else f"[{preview.kind}] {preview.text}".rstrip()
    return f"{text} (edited)" if preview.state == "edited" else text


def _bare_table(expand: bool = False) -> Table:
    return Table(box=None, expand=expand, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def _complete(value: object) -> object:
    """Return a value with every field written out, which structs leave out at their default."""
    if isinstance(value, msgspec.Struct):
        return {name: _complete(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: _complete(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_complete(one) for one in value]
    return value
