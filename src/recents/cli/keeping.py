"""`recents pin`, `unpin`, `archive`, `unarchive`, `label`, `labels`: one's own order of rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

import recents
from recents.cli.commanding import carried_out
from recents.cli.ending import run
from recents.cli.lists import ToArgument
from recents.cli.login import (
    DEFAULT_NODE,
    AccountOption,
    JsonOption,
    NodeOption,
    TokenOption,
    checked_login,
    conversation_of,
    opened,
)
from recents.cli.rendering import print_json, print_lines, print_table, sums
from recents.core.errors import CallerMistake
from recents.core.ids import Conversation

Deed = Callable[[recents.Client, Conversation], Awaitable[None]]
"""What to do with a row."""


def pin(
    to: ToArgument,
    ext: Annotated[str, typer.Option(metavar="TEXT", help="Keep a text with the pin.")] = "",
    before: Annotated[
        str, typer.Option(metavar="OTHER", help="Put it before this pinned conversation.")
    ] = "",
    last: Annotated[bool, typer.Option("--last", help="Put it behind all others.")] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Pin a conversation to the top of the list, or move its pin.

    A new pin goes on top of the others; one that is there keeps its place unless told otherwise.
    """

    async def pin_it(me: recents.Client, name: Conversation) -> None:
        if before or last:
            await me.inbox.move_pin(name, conversation_of(before) if before else None)
        else:
            await me.inbox.pin(name, ext)

    async def work() -> None:
        if bool(ext) + bool(before) + last > 1:
            raise CallerMistake("one of --ext, --before and --last")
        await _do((node, account, token), to, pin_it, "pinned", json=json)

    run(work())


def unpin(
    to: ToArgument,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Take the pin of a conversation away."""
    login = (node, account, token)
    run(_do(login, to, lambda me, name: me.inbox.unpin(name), "not pinned", json=json))


def archive(
    to: ToArgument,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Put a conversation out of the list and its totals.

    It is back when somebody else writes, unless it is muted.
    """
    login = (node, account, token)
    run(_do(login, to, lambda me, name: me.inbox.archive(name), "archived", json=json))


def unarchive(
    to: ToArgument,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Put an archived conversation back into the list."""
    login = (node, account, token)
    run(_do(login, to, lambda me, name: me.inbox.unarchive(name), "in the list", json=json))


def label(
    to: ToArgument,
    name: Annotated[str, typer.Argument(metavar="LABEL", help="The name of the label.")],
    off: Annotated[bool, typer.Option("--off", help="Take it off.")] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Put a label on a conversation, as into a folder, or take it off."""

    async def label_it(me: recents.Client, row: Conversation) -> None:
        if off:
            await me.inbox.remove_label(row, name)
        else:
            await me.inbox.add_label(row, name)

    said = f"without the label {name}" if off else f"labelled {name}"
    run(_do((node, account, token), to, label_it, said, json=json))


def labels(
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Show the labels that conversations have, and what is unread in each."""

    async def work() -> None:
        async with opened(checked_login(node, account, token), complete=True) as me:
            found = await me.inbox.labels()
        if json:
            print_json({"labels": found})
        elif found:
            rows = [(one.name, str(one.conversations), str(one.unread or "")) for one in found]
            print_table(("label", "conversations", "unread"), rows)
        else:
            print_lines("no conversation has a label")

    run(work())


async def _do(
    login_words: tuple[str, str, str], to: str, deed: Deed, said: str, *, json: bool
) -> None:
    name = conversation_of(to)
    async with opened(checked_login(*login_words), complete=True) as me:
        await carried_out(me, deed(me, Conversation(name)))
        row, totals = await me.inbox.get(name), await me.inbox.totals()
    if json:
        print_json({"rows": [row] if row else [], "totals": totals})
    elif row is None:
        print_lines("there is no such row; nothing to do")
    else:
        print_lines(f"{name}: {said}; now {sums(totals)}")
