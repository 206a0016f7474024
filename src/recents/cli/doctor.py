"""`recents doctor`: recounts a store, and repairs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recents.cli.ending import Ended, ExitCode, one_sentence, say
from recents.cli.login import JsonOption
from recents.cli.rendering import print_json, print_lines
from recents.cli.serving import DEFAULT_STORE

if TYPE_CHECKING:
    from recents.server.store.recount import Finding
    from recents.server.store.sqlite_doctor import Examined, FileDoctor


def doctor(
    store: Annotated[
        Path, typer.Option(metavar="FILE", help="SQLite file of a node that is stopped.")
    ] = DEFAULT_STORE,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make right what can be; the file is copied first.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Recount a whole store from its messages, and report what differs.

    Ends with 0 when nothing does (any more), with 1 when something does. With --repair what
    follows from the messages is written anew; messages themselves are never touched. Stop the
    node before.
    """
    # Here, so that commands which only ask a node do without a node's libraries.
    from recents.server.store.port import StoreUnusable
    from recents.server.store.sqlite_doctor import FileDoctor

    with one_sentence():
        try:
            with FileDoctor(store.absolute()) as file:
                clean = _look_through(file, repair=repair, json=json)
        except StoreUnusable as error:
            raise Ended(str(error), ExitCode.STORE_UNUSABLE) from error
        if not clean:
            raise typer.Exit(int(ExitCode.REFUSED))


def _look_through(file: FileDoctor, *, repair: bool, json: bool) -> bool:
    """Examine, and repair if that is wanted; return whether all is well in the end."""
    with _progress("recounting", file.amount()) as moved:
        examined = file.examine(lambda finding: _tell(finding, json=json), moved)
    if not examined.repairable or not repair:
        _sum_up(examined, json=json)
        return not examined.findings
    _sum_up(examined, json=json)
    copy = file.back_up()
    say(f"the file as it was is kept as {copy}")
    with _progress("repairing", file.amount()) as moved:
        written = file.repair(moved)
    say(f"{_counted(written, 'row')} repaired; looking through it again")
    with _progress("recounting", file.amount()) as moved:
        left = file.examine(lambda finding: _tell(finding, json=json), moved)
    _sum_up(left, json=json)
    return not left.findings


def _tell(finding: Finding, *, json: bool) -> None:
    if json:
        print_json({"finding": finding})
        return
    where = finding.conversation or "the file"
    whose = f" for {finding.account}" if finding.account else ""
    hopeless = "" if finding.repairable else "; cannot be repaired"
    print_lines(
        f"{where}{whose}: {finding.what} is {_said(finding.found)}, should be "
        f"{_said(finding.expected)}{hopeless}"
    )


def _said(value: str | int | None) -> str:
    return "missing" if value is None else str(value)


def _sum_up(examined: Examined, *, json: bool) -> None:
    if json:
        print_json({"examined": examined})
        return
    looked_at = ", ".join(
        _counted(getattr(examined, f"{thing}s"), thing)
        for thing in ("conversation", "message", "membership")
    )
    if not examined.findings:
        print_lines(f"no drift in {looked_at}")
        return
    hopeless = examined.findings - examined.repairable
    advice = [f"{examined.repairable} can be repaired (--repair)"] * bool(examined.repairable)
    advice += [f"{hopeless} cannot be repaired, put a backup in place"] * bool(hopeless)
    found = f"{_counted(examined.findings, 'finding')} in {looked_at}"
    print_lines(f"{found}: {'; '.join(advice)}")


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count != 1)}"


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far it is, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total)
        yield lambda done: bars.update(task, completed=done)
