"""Changes of an ordered list, told by places in it (rules C1, C2, O1).

Rules of this file:

1. Steps are to be taken in order: each counts its places in the list that those before it made.
2. Whoever takes all steps on the old list has the new list, exactly.
3. No change, no step (C1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

import msgspec

from recents.core.entry import InboxEntry
from recents.core.totals import Totals


class Insert(msgspec.Struct, frozen=True, tag="insert", gc=False):
    """A row came in at ``index``; those from there on moved down."""

    index: int
    entry: InboxEntry


class Remove(msgspec.Struct, frozen=True, tag="remove", gc=False):
    """The row at ``index`` went, as it last was; those behind it moved up."""

    index: int
    entry: InboxEntry


class Move(msgspec.Struct, frozen=True, tag="move", gc=False):
    """The row at ``from_index`` was taken out, then put in at ``to_index``, as it is now."""

    from_index: int
    to_index: int
    entry: InboxEntry


class Update(msgspec.Struct, frozen=True, tag="update", gc=False):
    """The row at ``index`` looks different and stays there."""

    index: int
    entry: InboxEntry


ListStep = Insert | Remove | Move | Update


class ViewChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in a live view, at once (C2).

    Attributes:
        steps: in the order in which they are to be taken.
        totals: the sums over all rows of the filter after this change.
    """

    steps: tuple[ListStep, ...]
    totals: Totals

    def after(self, entries: Iterable[InboxEntry]) -> tuple[InboxEntry, ...]:
        """Return the rows after this change, from those before it."""
        return after(entries, self.steps)


def after(entries: Iterable[InboxEntry], steps: Sequence[ListStep]) -> tuple[InboxEntry, ...]:
    """Take steps on a list of rows, and return the list that they make."""
    rows = list(entries)
    for step in steps:
        match step:
            case Insert():
                rows.insert(step.index, step.entry)
            case Remove():
                del rows[step.index]
            case Move():
                del rows[step.from_index]
                rows.insert(step.to_index, step.entry)
            case Update():
                rows[step.index] = step.entry
            case _:
                assert_never(step)
    return tuple(rows)
