"""Replays chat traffic through a real node with real clients, and judges every list.

    python bench/replay.py FILE.jsonl[.gz] [--limit N] [--seed 7] [--window N] [--json]

A node runs in a process of its own on a SQLite file. Every account of the file is a real SDK
client, connected over a socket the whole time. Channels become teams, lines with `"to"` become
P2P conversations. Part of the people reads, deletes, clears, leaves and reconnects on the way.
In the end every account's list must equal the oracle's: on its live device, on one that logs in
fresh, and as the node itself lists it. The histories of some conversations are compared too, and
when the node has stopped its file is recounted as `recents doctor` does.

Exit codes: 0 no mismatch, 1 mismatches, drift or a refused step, 2 the replay could not begin or
go on.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if __name__ == "__main__" and not __package__:
    # Started as a file: Python then looks beside it, and not where `bench` is.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.judging import Judge, Shown
from bench.own_node import NodeFailed, OwnNode
from bench.people import People, StepFailed, history_of, shown_by
from bench.planning import Planner
from bench.schedule import Schedule
from bench.steps import Step, touches
from bench.traffic import CannotRead, Traffic, read_lines, traffic_of
from recents.core.errors import RecentsError
from recents.server.store.recount import Finding
from recents.server.store.sqlite_doctor import Examined, FileDoctor
from recents.testing.oracle import Oracle

DEFAULT_SEED = 7
DEFAULT_WINDOW = 64
"""Steps under way at the same time: enough for commits to be shared by many."""

AT_ONCE = 64
"""Accounts that are made, connected or judged at the same time."""

HISTORIES = 3
"""Conversations of each account whose messages are compared one by one."""

SETTLE_S = 5.0
"""Seconds that a live device may take to show what it must; then it counts as wrong."""

SPARE_FILES = 512
"""File descriptors beyond one per account: fresh devices, REST calls, the store."""

MISMATCHES_SHOWN = 10

Show = Callable[[str, int], Callable[[], None]]
"""Begins a bar with a title and a length; what it returns moves it by one."""


class CannotBegin(Exception):
    """The machine does not allow this replay; the message says what to do."""


class Report(msgspec.Struct, kw_only=True):
    """What a replay did and found."""

    file: str
    seed: int
    messages: int
    accounts: int
    teams: int
    p2p_conversations: int
    texts_made_up: int
    texts_shortened: int
    names_rewritten: int
    steps: dict[str, int]
    traffic_s: float
    whole_s: float
    messages_per_s: float
    compared: dict[str, int]
    rows_compared: int
    mismatches: int
    first_mismatches: list[str]
    examined: Examined | None
    first_findings: list[str]


class Replay:
    """One run."""

    def __init__(self, traffic: Traffic, seed: int, window: int, show: Show) -> None:
        """Plan everything; `show` shows how far it has come."""
        self.traffic = traffic
        self._planner = Planner(traffic, seed)
        self.steps: list[Step] = self._planner.plan()
        self.done: Counter[str] = Counter()
        self.traffic_s = 0.0
        self._oracle = Oracle()
        self.judge = Judge(self._oracle)
        self._chance = random.Random(seed)
        self._window = window
        self._show = show

    async def run(self, store: Path | None) -> None:
        """Run the traffic through a node on this store, and judge."""
        async with OwnNode(store) as node:
            tokens: dict[str, str] = {}

            async def make(account: str) -> None:
                tokens[account] = await node.make_account(account)

            await self._each("making accounts", make)
            people = People(node.address, tokens, self._oracle, self.judge)
            try:
                await self._each("connecting", people.arrive)
                # What stands by now stays: looking through it again and again costs seconds.
                gc.freeze()
                await self._take_steps(people)
                self.done = people.done
                await self._judge_all(people, node)
            finally:
                await people.leave_all()

    async def _take_steps(self, people: People) -> None:
        schedule = Schedule()
        for step in self.steps:
            schedule.add(*touches(step))
        advance = self._show("replaying", len(schedule))

        async def take(number: int) -> None:
            await people.take(self.steps[number])
            advance()

        began = time.perf_counter()
        await schedule.run(take, self._window)
        self.traffic_s = time.perf_counter() - began

    async def _judge_all(self, people: People, node: OwnNode) -> None:
        deadline = time.perf_counter() + SETTLE_S

        async def live(account: str) -> None:
            shown = await people.shown(account)
            while time.perf_counter() < deadline:
                if not self.judge.differences("live device", account, shown):
                    break
                await asyncio.sleep(0.1)
                shown = await people.shown(account)
            self.judge.judge("live device", account, shown)

        async def fresh(account: str) -> None:
            client = await people.log_in(account)
            self.judge.judge("fresh device", account, await shown_by(client))
            has = self._planner.conversations_of(account)
            for conversation in self._chance.sample(has, min(len(has), HISTORIES)):
                messages = await history_of(client, conversation)
                self.judge.judge_history(account, conversation, messages)
            await client.close()

        async def listed(account: str) -> None:
            shown = await _listed_by(node, account, self._chance.randint(3, 40))
            self.judge.judge("node's list", account, shown)

        await self._each("judging live devices", live)
        await self._each("judging fresh devices", fresh)
        await self._each("judging the node's lists", listed)

    async def _each(self, title: str, act: Callable[[str], Awaitable[None]]) -> None:
        """Do something for every account, some at the same time."""
        advance = self._show(title, len(self.traffic.accounts))
        schedule = Schedule()
        for _ in self.traffic.accounts:
            schedule.add((), ())

        async def take(number: int) -> None:
            await act(self.traffic.accounts[number])
            advance()

        await schedule.run(take, AT_ONCE)


async def _listed_by(node: OwnNode, account: str, limit: int) -> Shown:
    page = await node.list(account, limit)
    rows = list(page.rows)
    while page.next_cursor is not None:
        page = await node.list(account, limit, page.next_cursor)
        rows += page.rows
    return Shown(rows, page.totals)


def allow_files(count: int) -> None:
    """Raise the limit of open files of this process and of the node that it starts.

    Raises:
        CannotBegin: the system does not allow so many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))
    except (OSError, ValueError) as error:
        raise CannotBegin(
            f"this replay needs {count:,} open files and the system allows {hard:,}: raise it "
            f"(`ulimit -Hn {count}` as root), or take part of the file with --limit"
        ) from error


def replay(
    path: Path,
    *,
    limit: int | None,
    seed: int,
    window: int,
    in_memory: bool = False,
    console: Console,
) -> Report:
    """Replay a file and return what was found.

    Raises:
        CannotRead: the file is not what a replay takes.
        CannotBegin: the machine does not allow it.
        StepFailed: the node refused a step or did not answer.
        NodeFailed: the node did not start, or its REST face failed.
    """
    began = time.perf_counter()
    traffic = traffic_of(read_lines(path, limit), seed)
    allow_files(len(traffic.accounts) + SPARE_FILES)
    with tempfile.TemporaryDirectory(prefix="recents-replay-") as folder, _bars(console) as bars:
        run = Replay(traffic, seed, window, lambda title, total: _bar(bars, title, total))
        store = None if in_memory else Path(folder) / "replay.db"
        uvloop.run(run.run(store))
        examined, findings = (None, []) if store is None else _looked_through(store)
    mismatches = run.judge.mismatches
    return Report(
        file=path.name,
        seed=seed,
        messages=len(traffic.messages),
        accounts=len(traffic.accounts),
        teams=len(traffic.team_names),
        p2p_conversations=len(
            {frozenset((one.sender, one.to)) for one in traffic.messages if one.to is not None}
        ),
        texts_made_up=traffic.made_up,
        texts_shortened=traffic.shortened,
        names_rewritten=traffic.renamed,
        steps=dict(sorted(run.done.items())),
        traffic_s=round(run.traffic_s, 2),
        whole_s=round(time.perf_counter() - began, 2),
        messages_per_s=round(len(traffic.messages) / max(run.traffic_s, 1e-9), 1),
        compared=dict(run.judge.compared),
        rows_compared=run.judge.rows,
        mismatches=len(mismatches),
        first_mismatches=[str(one) for one in mismatches[:MISMATCHES_SHOWN]],
        examined=examined,
        first_findings=findings,
    )


def _looked_through(store: Path) -> tuple[Examined, list[str]]:
    """Recount the file that the node has left behind."""
    findings: list[str] = []

    def tell(finding: Finding) -> None:
        if len(findings) < MISMATCHES_SHOWN:
            findings.append(str(finding))

    with FileDoctor(store) as doctor:
        return doctor.examine(tell), findings


def _bars(console: Console) -> AbstractContextManager[Progress | None]:
    if not console.is_terminal:
        return nullcontext(None)
    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _bar(bars: Progress | None, title: str, total: int) -> Callable[[], None]:
    if bars is None:
        return lambda: None
    task = bars.add_task(title, total=total)
    return lambda: bars.advance(task)


def summary(report: Report) -> Iterable[str]:
    """Yield the report in lines for people."""
    texts = "texts as in the file"
    if report.texts_made_up:
        texts = f"{report.texts_made_up:,} bodies made up, since the file has none for them"
    if report.texts_shortened:
        texts += f"; {report.texts_shortened:,} cut to the longest that may be sent"
    if report.names_rewritten:
        texts += f"; {report.names_rewritten:,} names rewritten to valid ids"
    yield (
        f"{report.file}: {report.messages:,} messages, {report.accounts:,} accounts, "
        f"{report.teams:,} teams, {report.p2p_conversations:,} P2P conversations"
    )
    yield texts
    yield (
        f"{report.traffic_s:.1f} s of traffic, {report.messages_per_s:,.0f} messages/s, each "
        f"durable before the next in its conversation; {report.whole_s:.1f} s in all"
    )
    yield "steps: " + ", ".join(f"{name} {count:,}" for name, count in report.steps.items())
    compared = ", ".join(f"{count:,} {where}" for where, count in report.compared.items())
    yield f"compared: {compared}; {report.rows_compared:,} rows"
    for line in report.first_mismatches:
        yield f"  {line}"
    if report.mismatches > len(report.first_mismatches):
        yield f"  … and {report.mismatches - len(report.first_mismatches):,} more"
    if report.examined is not None:
        looked_at = f"{report.examined.messages:,} messages, {report.examined.memberships:,} rows"
        yield f"the file afterwards: {looked_at}, {report.examined.findings} findings of drift"
        yield from (f"  {line}" for line in report.first_findings)
    yield f"{report.mismatches} mismatches"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _options(arguments)
    try:
        report = replay(
            options.file,
            limit=options.limit,
            seed=options.seed,
            window=options.window,
            in_memory=options.in_memory,
            console=Console(stderr=True),
        )
    except StepFailed as error:
        print(f"replay: a step failed: {error}", file=sys.stderr)
        return 1
    except (CannotRead, CannotBegin, NodeFailed, RecentsError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        print("\n".join(summary(report)))
    drift = report.examined is not None and report.examined.findings
    return 1 if report.mismatches or drift else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="replay.py",
        description="Replay chat traffic through a real node with real clients, and judge every "
        "list.",
    )
    parser.add_argument("file", type=Path, help="JSON lines, plain or .gz")
    parser.add_argument("--limit", type=_positive, help="take only so many lines")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="who does what, and when")
    parser.add_argument(
        "--window", type=_positive, default=DEFAULT_WINDOW, help="steps at the same time at most"
    )
    parser.add_argument(
        "--in-memory", action="store_true", help="let the node keep everything in memory"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or above")
    return number


if __name__ == "__main__":
    sys.exit(main())
