"""`recents profile`, `alias`: what accounts and rows are called."""

from __future__ import annotations

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
from recents.cli.rendering import print_json, print_lines
from recents.core.errors import CallerMistake


def profile(
    who: Annotated[
        str, typer.Argument(metavar="WHO", help="Whose to show; by default one's own.")
    ] = "",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help='Be called NAME; "" for no name.')
    ] = None,
    avatar: Annotated[
        str | None, typer.Option(metavar="URL", help='Have this picture; "" for none.')
    ] = None,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Show the name and the picture of an account, or change one's own.

    All contacts see a change in their lists.
    """

    async def work() -> None:
        changes = name is not None or avatar is not None
        if changes and who:
            raise CallerMistake("WHO to show, or one's own --name and --avatar to change")
        login = checked_login(node, account, token)
        async with opened(login, complete=True) as me:
            if changes:
                await carried_out(me, me.profiles.set(name=name, avatar=avatar))
            found = await me.profiles.get(who or None)
        if json:
            print_json({"profiles": [found] if found else []})
        elif found is None:
            print_lines(f"{who} shares no conversation with you, or does not exist")
        else:
            print_lines(_line_of(found))

    run(work())


def alias(
    to: ToArgument,
    own_name: Annotated[
        str,
        typer.Argument(metavar="ALIAS", help="What you call it; without it the title is shown."),
    ] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Take the alias away.")] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Give a row a name that only you see, on all devices, show it, or take it away."""

    async def work() -> None:
        if clear and own_name:
            raise CallerMistake("a name of your own, or --clear")
        login, where = checked_login(node, account, token), conversation_of(to)
        async with opened(login, complete=True) as me:
            if own_name or clear:
                await carried_out(me, me.inbox.set_alias(where, own_name))
            row, totals = await me.inbox.get(where), await me.inbox.totals()
        if json:
            print_json({"rows": [row] if row else [], "totals": totals})
        elif row is None:
            print_lines("there is no such row")
        else:
            print_lines(f"{where}: {row.title}")

    run(work())


def _line_of(found: recents.Profile) -> str:
    called = (
        f"{found.account} is called {found.name}" if found.name else f"{found.account} has no name"
    )
    return f"{called}; {found.avatar}" if found.avatar else called
