"""`recents watch`: the list as it lives, as a table on a terminal, as lines elsewhere."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

import recents
from recents.cli.ending import run, until_stopped
from recents.cli.harmless import harmless
from recents.cli.lists import ALL_ROWS
from recents.cli.login import (
    DEFAULT_NODE,
    AccountOption,
    JsonOption,
    Login,
    NodeOption,
    TokenOption,
    checked_login,
    opened,
)
from recents.cli.rendering import (
    MOST_SHOWN,
    console,
    mark,
    print_json,
    print_lines,
    rows_table,
    summary,
    sums,
)
from recents.core.errors import Unavailable

_BETWEEN_PICTURES_S = 0.1
"""Ten pictures a second are as live as an eye can read, whatever the node sends."""

_PICTURE_AGES_S = 20.0
"""The picture is drawn anew this often without a change: "today" ends at midnight."""

_LINES_AROUND = 4
"""Lines that are not rows: the heads, a blank, what is left out, the state."""

_ROWS_IN_A_LINE = 3

_STATES = {
    "offline": ("○ offline, trying again", "yellow"),
    "connecting": ("○ connecting", "yellow"),
    "syncing": ("◌ catching up", "yellow"),
    "synced": ("● live", "green"),
}


def watch(
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Show the list live until Ctrl-C.

    On a terminal a table; elsewhere a line for every change; with --json an object for every
    change (cause, synced, added, updated, removed, totals), the first one with all rows as added.
    """

    async def work() -> None:
        login = checked_login(node, account, token)
        as_table = sys.stdout.isatty() and not json
        await until_stopped(_draw(login) if as_table else _tell(login, json))

    run(work())


async def _draw(login: Login) -> None:
    """Draw the table again whenever it may look different."""
    screen = console()
    async with opened(login) as me:
        changes = me.inbox.changes()
        look = asyncio.Event()
        me.on_state(lambda _: look.set())
        following = asyncio.create_task(_follow(changes, look))
        with Live(console=screen, screen=True, auto_refresh=False) as live, _resizes(look):
            while not following.done():
                look.clear()
                live.update(await _picture(me, login, screen), refresh=True)
                await asyncio.sleep(_BETWEEN_PICTURES_S)
                await _woken(look)
        following.result()


async def _follow(changes: recents.ChangeFeed, look: asyncio.Event) -> None:
    try:
        async for _ in changes:
            look.set()
    finally:
        look.set()


async def _woken(look: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PICTURE_AGES_S):
            await look.wait()
    except TimeoutError:
        return


@contextmanager
def _resizes(look: asyncio.Event) -> Iterator[None]:
    if not hasattr(signal, "SIGWINCH"):
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, look.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


async def _picture(me: recents.Client, login: Login, screen: Console) -> Group:
    page = await me.inbox.list(max(1, screen.size.height - _LINES_AROUND))
    now = datetime.now().astimezone()
    words, colour = _STATES[me.state]
    left_out = page.totals.conversations - len(page.entries)
    return Group(
        rows_table(
            page.entries,
            login.account,
            now,
            width=screen.width,
            narrow_drops="conversation",
            most_shown=MOST_SHOWN,
        ),
        Text(f"… {left_out} more" if left_out else "", style="dim"),
        Text.assemble(
            (words, colour),
            f"  {sums(page.totals)}  ",
            (f"{login.account} at {login.node}, {now:%H:%M}, Ctrl-C ends", "dim"),
            no_wrap=True,
            overflow="ellipsis",
        ),
    )


async def _tell(login: Login, json: bool) -> None:
    """Print the list as it is, then every change of it."""
    async with opened(login, complete=True) as me:
        changes = me.inbox.changes()
        page = await me.inbox.list(ALL_ROWS)
        first = recents.ChangeBatch(totals=page.totals, cause="catch_up", added=page.entries)
        if json:
            print_json(first)
        else:
            print_lines(f"{login.account}: {sums(page.totals)}")
            sys.stdout.flush()
        async for batch in changes:
            if json:
                print_json(batch)
            else:
                print_lines(_line(batch, login.account))
                sys.stdout.flush()
    raise Unavailable("the connection ended")


def _line(batch: recents.ChangeBatch, account: str) -> str:
    now = datetime.now().astimezone()
    shown = [_change(row, account) for row in (*batch.added, *batch.updated)]
    shown += [f"{row.conversation} deleted" for row in batch.removed]
    rest = len(shown) - _ROWS_IN_A_LINE
    what = "; ".join(shown[:_ROWS_IN_A_LINE]) + (f"; and {rest} more" if rest > 0 else "")
    return f"{now:%H:%M:%S} {batch.cause}: {what} | {sums(batch.totals)}"


def _change(row: recents.InboxEntry, account: str) -> str:
    shown = mark(row)
    unread = f" ({shown})" if shown else ""
    muted = " [muted]" if row.mute else ""
    return harmless(f"{row.conversation}{unread}{muted} {summary(row, account)}".rstrip())
