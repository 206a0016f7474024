"""Rows that are searched for, and which of them come first.

Rules of this file:

1. A row is found where every word of the query is in its name, its id, its draft or its preview,
   or begins a syllable of how the name sounds.
2. Names come before texts, beginnings before middles; equals stand in the order of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from recents.core.entry import InboxEntry
from recents.core.folding import folded
from recents.core.ids import Conversation
from recents.core.ordering import Place, place_of


class Findable(msgspec.Struct, gc=False):
    """What a search looks at in a row, folded. Before each word stands a blank.

    Attributes:
        row: the row itself.
        place: where it stands.
        names: name and id, a line each, with a line's end on either side.
        texts: draft and preview.
        sounds: ways to spell the name by its sound, a line each; None: not asked for yet.
        whole: all of it, so that most rows are ruled out by one look.
    """

    row: InboxEntry
    place: Place
    names: str
    texts: str
    sounds: str | None
    whole: str


def findable(row: InboxEntry) -> Findable:
    """Return what a search looks at in a row."""
    names = f"\n {folded(row.title)}\n {folded(row.id)}\n"
    draft = row.draft.text if row.draft else ""
    texts = folded(f"{draft}\n{row.preview.text}" if row.preview else draft)
    return Findable(row, place_of(row), names, texts, None, names + texts)


def sounding(found: Findable, sounds_of: Callable[[str], Iterable[str]]) -> None:
    """Let a row be found by how its name sounds as well."""
    found.sounds = "".join(f"\n {sound}" for sound in sounds_of(found.row.title))
    found.whole += found.sounds


Some = list[Findable]

# Loops of their own, without a call for each row: they are what a search of 10,000 rows costs.
_STAGES: tuple[Callable[[Some, str], Some], ...] = (
    lambda rows, word: [row for row in rows if f"\n {word}\n" in row.names],
    lambda rows, word: [row for row in rows if f"\n {word}" in row.names],
    lambda rows, word: [row for row in rows if f" {word}" in row.names],
    lambda rows, word: [row for row in rows if word in row.names],
    lambda rows, word: [
        row for row in rows if word in row.names or f"\n {word}" in (row.sounds or "")
    ],
    lambda rows, word: [
        row
        for row in rows
        if word in row.names or word in row.texts or f"\n {word}" in (row.sounds or "")
    ],
)
"""From the best to the last: each finds what those before it find, and more."""


def best(rows: Iterable[Findable], words: Sequence[str], limit: int) -> list[InboxEntry]:
    """Return the rows that have every word, those first whose worst word is found best.

    Args:
        rows: what is searched, in the order of the list.
        words: folded, at least one.
        limit: at most so many rows.
    """
    possible = list(rows)
    # The longest first: it leaves the fewest.
    for word in sorted(words, key=len, reverse=True):
        possible = [row for row in possible if word in row.whole]
    chosen: dict[Conversation, InboxEntry] = {}
    for stage in _STAGES:
        some = possible
        for word in words:
            some = stage(some, word)
        for one in some[:limit]:
            chosen.setdefault(one.row.conversation, one.row)
        if len(chosen) >= min(limit, len(possible)):
            break
    return list(chosen.values())[:limit]
