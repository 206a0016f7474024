"""A figure beside its budget."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        met: whether the budget holds; None where there is none.
    """

    what: str
    measured: str
    budget: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """The last column."""
        return "" if self.met is None else "ok" if self.met else "MISSED"


def at_most(what: str, measured: float, budget: float, unit: str) -> Figure:
    """Return a figure that should stay below its budget."""
    return Figure(what, f"{measured:,.2f} {unit}", f"≤ {budget:,g} {unit}", measured <= budget)


def at_least(what: str, measured: float, budget: float, unit: str) -> Figure:
    """Return a figure that should reach its budget."""
    return Figure(what, f"{measured:,.2f} {unit}", f"≥ {budget:,g} {unit}", measured >= budget)
