"""`make bench`: measures a real node against the budgets and prints a table.

Every figure is a median over rounds; throughput stands beside that of a bare toy (`bench/toy.py`)
which runs in turn with the node in the same minutes, since machines are noisy and differ.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from bench.coming_back import measure_coming_back
from bench.doctor import measure_doctor
from bench.lists import measure_lists, measure_reconnects
from bench.memory import measure_memory
from bench.offline import measure_offline
from bench.report import Figure
from bench.search import measure_search
from bench.throughput import measure_latency, measure_throughput

MEASUREMENTS: dict[str, Callable[[Path, bool], Awaitable[list[Figure]]]] = {
    "throughput": measure_throughput,
    "latency": measure_latency,
    "lists": measure_lists,
    "reconnects": measure_reconnects,
    "memory": measure_memory,
    "offline": measure_offline,
    "coming_back": measure_coming_back,
    "search": measure_search,
    "doctor": measure_doctor,
}


async def _measure(names: list[str], quick: bool) -> list[Figure]:
    console = Console(stderr=True)
    figures: list[Figure] = []
    for name in names:
        console.print(f"measuring {name} …")
        with tempfile.TemporaryDirectory(prefix="recents-bench-") as folder:
            figures += await MEASUREMENTS[name](Path(folder), quick)
    return figures


def main() -> int:
    """Measure what was asked for; exit 0 whatever the figures are: machines differ."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*MEASUREMENTS, []], help="default: all")
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    arguments = parser.parse_args()
    _allow_files(6_000)
    figures = uvloop.run(_measure(arguments.what or list(MEASUREMENTS), arguments.quick))
    table = Table(title="measured here, beside the budgets of 2 cores")
    for heading in ("what", "measured", "budget", ""):
        table.add_column(heading)
    for figure in figures:
        table.add_row(figure.what, figure.measured, figure.budget, figure.verdict)
    Console(width=130).print(table)
    return 0


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        if hard != resource.RLIM_INFINITY and hard < count:
            sys.exit(f"bench needs {count} open files, the limit is {hard}: raise `ulimit -n`")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


if __name__ == "__main__":
    sys.exit(main())
