"""What goes wrong in a world, and how often.

Rules of this file:

1. Whether something goes wrong is drawn from the world's seed; each way to the node has its own
   chance, so that what happens to one device does not depend on the others.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Rates from 0 to 1; the first group is drawn for each message, the second for each commit.

    Attributes:
        lose: the message is lost, and with it the connection.
        cut: the message arrives, then the connection is lost.
        repeat: the message arrives twice.
        delay: it comes late, and everything behind it on this connection.
        delay_s: how late at most, in seconds.
        crash_device: the device dies in the middle of a step of its store.
        crash_node: the node dies in the middle of a commit.
        fail_commit: the node's store fails: nothing of this commit is stored.
        fail_step: a device's store fails: nothing of this step is kept.
        down_s: seconds at most after which a device or a node that died is started again.
    """

    lose: float = 0.0
    cut: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    delay_s: float = 3.0
    crash_device: float = 0.0
    crash_node: float = 0.0
    fail_commit: float = 0.0
    fail_step: float = 0.0
    down_s: float = 3.0


NO_FAULTS = Faults()


class Chance:
    """Draws from a seed, and counts what it has done."""

    def __init__(self, seed: str, happened: Counter[str]) -> None:
        """Begin; the same seed draws the same."""
        self._random = random.Random(seed)
        self._happened = happened

    def happens(self, what: str, rate: float) -> bool:
        """Tell whether a fault happens now."""
        if not rate or self._random.random() >= rate:
            return False
        self._happened[what] += 1
        return True

    def between(self, least: float, most: float) -> float:
        """Draw a number."""
        return self._random.uniform(least, most)

    def number(self) -> float:
        """Draw a number from 0 up to 1."""
        return self._random.random()
