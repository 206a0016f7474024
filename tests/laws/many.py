"""Plays many histories from seeds: ``python -m tests.laws.many --count 20000 --workers 2``.

Prints each seed that breaks a law, made as short as it goes, and at the end what was exercised.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator

from tests.laws.history import Step, made_up, play

LENGTHS = (12, 25, 40)
LONGEST_S = 60
"""Real seconds: a thousand times what a history takes."""


def outcome_of(seed: int) -> tuple[int, Counter[str], str]:
    """Play one history; return its seed, what happened in it, and what broke."""
    steps, rough = _of(seed)
    try:
        return seed, _play(steps, seed, rough=rough), ""
    except Exception:  # every end but a good one is told
        return seed, Counter(), traceback.format_exc(limit=-8)


def shorter(seed: int) -> tuple[list[Step], bool, str]:
    """Leave out steps of a failing history as long as it fails."""
    steps, rough = _of(seed)
    if rough and _error(steps, seed, rough=False):
        rough = False
    error = _error(steps, seed, rough=rough)
    size = len(steps) // 2
    while size:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            found = _error(fewer, seed, rough=rough)
            if found:
                steps, error = fewer, found
            else:
                at += size
        size //= 2
    return steps, rough, error


class _TooLong(BaseException):
    """A history does not come to its end."""


def _ring(_: int, __: object) -> None:
    raise _TooLong


def _play(steps: list[Step], seed: int, *, rough: bool) -> Counter[str]:
    signal.signal(signal.SIGALRM, _ring)
    signal.alarm(LONGEST_S)
    try:
        return play(steps, seed=seed, rough=rough)
    finally:
        signal.alarm(0)


def _of(seed: int) -> tuple[list[Step], bool]:
    return made_up(seed, LENGTHS[seed % 3]), seed % 2 == 1


def _error(steps: list[Step], seed: int, *, rough: bool) -> str:
    try:
        _play(steps, seed, rough=rough)
    except Exception as error:  # as above
        return f"{type(error).__name__}: {error}"
    return ""


def _outcomes(seeds: range, workers: int) -> Iterator[tuple[int, Counter[str], str]]:
    if workers == 1:
        yield from map(outcome_of, seeds)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap_unordered(outcome_of, seeds, chunksize=20)


def main() -> int:
    """Play them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--most-failures", type=int, default=5)
    parser.add_argument("--shorten", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, played, failed = time.monotonic(), 0, 0
    exercised: Counter[str] = Counter()
    seeds = range(options.first, options.first + options.count)
    for seed, happened, error in _outcomes(seeds, options.workers):
        played += 1
        exercised += happened
        if error:
            failed += 1
            print(f"FAILED seed {seed}\n{error}", flush=True)
            if options.shorten:
                steps, rough, error = shorter(seed)
                print(f"  rough={rough} steps={[tuple(step) for step in steps]}\n  {error}")
            if failed >= options.most_failures:
                break
        if played % 1_000 == 0:
            print(f"{played} histories, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{played} histories, {failed} failed, {time.monotonic() - began:.0f} s")
    print(", ".join(f"{what} {times}" for what, times in sorted(exercised.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
