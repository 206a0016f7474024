"""`recents doctor`: recounts the store of a node or of a device, and repairs it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recents.cli.ending import Ended, ExitCode, one_sentence, run, say
from recents.cli.lists import ALL_ROWS
from recents.cli.login import (
    DEFAULT_NODE,
    AccountOption,
    JsonOption,
    Login,
    NodeOption,
    TokenOption,
    opened,
)
from recents.cli.rendering import print_json, print_lines
from recents.cli.serving import DEFAULT_STORE
from recents.client.store.naming import file_of
from recents.core.errors import CallerMistake

if TYPE_CHECKING:
    from recents.client.store.sqlite_doctor import CopyDoctor, CopyExamined, CopyFinding
    from recents.server.store.recount import Finding
    from recents.server.store.sqlite_doctor import Examined, FileDoctor


def doctor(
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"SQLite file of a node that is stopped; {DEFAULT_STORE}."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Look through a device's copy in here instead."),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make right what can be; the file is kept as it was.")
    ] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Recount a whole store from its messages, and report what differs.

    Ends with 0 when nothing does (any more), with 1 when something does. With --repair what
    follows from the messages is written anew; messages themselves are never touched. Stop the
    node before.

    With --data-dir it is the copy of an account (--account, --node) on this device, with --token
    beside what the node has. A copy that is wrong is set aside by --repair, and fetched from the
    node at the next start.
    """
    with one_sentence():
        if store is not None and data_dir is not None:
            raise CallerMistake("--store is a node's file, --data-dir a device's: name one")
        if data_dir is None:
            clean = _store_is_clean((store or DEFAULT_STORE).absolute(), repair=repair, json=json)
        else:
            if not account:
                raise CallerMistake("whose copy? Name the account with --account")
            path, login = file_of(data_dir, node, account), Login(node, account, token)
            clean = _copy_is_clean(path, login, repair=repair, json=json)
        if not clean:
            raise typer.Exit(int(ExitCode.REFUSED))


def _store_is_clean(path: Path, *, repair: bool, json: bool) -> bool:
    # Here, so that commands which only ask a node do without a node's libraries.
    from recents.server.store.port import StoreUnusable
    from recents.server.store.sqlite_doctor import FileDoctor

    try:
        with FileDoctor(path) as file:
            return _look_through(file, repair=repair, json=json)
    except StoreUnusable as error:
        raise Ended(str(error), ExitCode.STORE_UNUSABLE) from error


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


def _copy_is_clean(path: Path, login: Login, *, repair: bool, json: bool) -> bool:
    from recents.client.store.port import StoreUnusable
    from recents.client.store.sqlite_doctor import CopyDoctor, begin_anew

    try:
        with CopyDoctor(path, login.account) as copy:
            examined = copy.examine(lambda finding: _tell_of_copy(finding, json=json))
            # What cannot be read cannot be compared either, and is fetched anew anyhow.
            if login.token and not examined.findings:
                examined.findings += run(_beside_the_node(copy, login, json=json))
        if json:
            print_json({"examined": examined})
        else:
            looked_at = _amounts(examined, "row", "message", "command")
            found = _counted(examined.findings, "finding") if examined.findings else "no drift"
            print_lines(f"{found} in {looked_at}")
        if not examined.findings or not repair:
            return not examined.findings
        aside = begin_anew(path, login.account, lambda: secrets.token_hex(16))
    except StoreUnusable as error:
        raise Ended(str(error), ExitCode.STORE_UNUSABLE) from error
    lost = "; there may have been more" if aside.lost else ""
    say(
        f"the copy was set aside as {aside.path}, {_counted(aside.rescued, 'unsent command')} "
        f"rescued{lost}; the next start fetches the list from the node"
    )
    return True


async def _beside_the_node(copy: CopyDoctor, login: Login, *, json: bool) -> int:
    """Compare a copy with what a new device is told; return how many findings there are."""
    findings = 0

    def tell(finding: CopyFinding) -> None:
        nonlocal findings
        findings += 1
        _tell_of_copy(finding, json=json)

    async with opened(login, complete=True) as me:
        page = await me.inbox.list(ALL_ROWS)
        compared = None if me.token is None else copy.compare(me.token, page.entries, tell)
    if compared is None:
        say("not compared: at the next start the node sends this copy everything anyhow")
    else:
        say(f"{_counted(compared, 'row')} compared with those of the node")
    return findings


def _tell_of_copy(finding: CopyFinding, *, json: bool) -> None:
    if json:
        print_json({"finding": finding})
        return
    print_lines(
        f"{finding.conversation or 'the copy'}: {finding.what} is {_said(finding.found)}, "
        f"should be {_said(finding.expected)}"
    )


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
    looked_at = _amounts(examined, "conversation", "message", "membership")
    if not examined.findings:
        print_lines(f"no drift in {looked_at}")
        return
    hopeless = examined.findings - examined.repairable
    advice = [f"{examined.repairable} can be repaired (--repair)"] * bool(examined.repairable)
    advice += [f"{hopeless} cannot be repaired, put a backup in place"] * bool(hopeless)
    found = f"{_counted(examined.findings, 'finding')} in {looked_at}"
    print_lines(f"{found}: {'; '.join(advice)}")


def _amounts(examined: Examined | CopyExamined, *things: str) -> str:
    return ", ".join(_counted(getattr(examined, f"{thing}s"), thing) for thing in things)


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
