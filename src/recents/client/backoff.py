"""How long to wait before reaching for the node again.

Rules of this file:

1. Each wait is twice the one before, up to a limit, and half of it is chance: devices that lost
   their node together do not come back together.
2. What the node asked for is added to it, never shortened.
"""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """The waits between attempts."""

    def __init__(self, first_s: float, longest_s: float, chance: Callable[[], float]) -> None:
        """Start afresh; ``chance`` gives numbers from 0 up to 1."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._chance = chance
        self._next_s = first_s

    def next_s(self, retry_after_s: float | None = None) -> float:
        """Return the seconds to wait now; the next wait is longer."""
        wait_s = self._next_s * (0.5 + 0.5 * self._chance())
        self._next_s = min(self._next_s * 2, self._longest_s)
        return wait_s + (retry_after_s or 0.0)

    def start_over(self) -> None:
        """The node was reached: the next wait is the shortest again."""
        self._next_s = self._first_s
