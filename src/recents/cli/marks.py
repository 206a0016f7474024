"""`recents unread`, `draft`, `mute`, `unmute`: what a row carries besides its messages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

import recents
from recents.cli.commanding import carried_out
from recents.cli.ending import run
from recents.cli.lists import ToArgument, words_of
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
from recents.cli.rendering import print_json, print_lines, stamp, sums
from recents.core.commands import MuteLevel
from recents.core.errors import CallerMistake


def unread(
    to: ToArgument,
    first: Annotated[
        int | None,
        typer.Option("--from", min=1, metavar="SEQ", help="Make messages from SEQ on unread."),
    ] = None,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Mark a conversation unread.

    Puts a dot on the row, which changes no count and goes with the next reading. With --from the
    messages from there on are unread again.
    """

    async def work() -> None:
        login = checked_login(node, account, token)
        name = conversation_of(to)
        async with opened(login, complete=True) as me:
            if first is None:
                await carried_out(me, me.inbox.mark_unread(name))
            else:
                await carried_out(me, me.inbox.mark_unread_from(name, first))
            row, totals = await me.inbox.get(name), await me.inbox.totals()
        if json:
            _print_row(row, totals)
        elif row is None:
            print_lines("there is no such row; nothing to mark")
        elif first is None:
            print_lines(f"{name}: marked unread; now {sums(totals)}")
        else:
            print_lines(f"{name}: unread from message {first} on; now {sums(totals)}")

    run(work())


def draft(
    to: ToArgument,
    text: Annotated[
        str, typer.Argument(help="What to keep; - reads it; without it the draft is shown.")
    ] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Take the draft away.")] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Keep a text that is not sent yet, show it, or take it away.

    All devices of the account have it. Sending a message takes it away.
    """

    async def work() -> None:
        if clear and text:
            raise CallerMistake("a text to keep, or --clear")
        login = checked_login(node, account, token)
        name, words = conversation_of(to), words_of(text) if text else ""
        async with opened(login, complete=True) as me:
            if words or clear:
                await carried_out(me, me.inbox.set_draft(name, words))
            row, totals = await me.inbox.get(name), await me.inbox.totals()
        kept = row.draft.text if row and row.draft else None
        if json:
            _print_row(row, totals)
        elif words:
            print_lines(f"{name}: the draft is kept")
        else:
            print_lines(f"{name}: there is no draft" if kept is None else kept)

    run(work())


def mute(
    to: ToArgument,
    mentions: Annotated[
        bool, typer.Option("--mentions", help="Being mentioned still alerts.")
    ] = False,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
            metavar="TIME",
            help="End it then: 2030-12-31T18:00, by this machine's time zone.",
        ),
    ] = None,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Mute a conversation.

    Its messages are counted as before, but not in the badge.
    """
    level: MuteLevel = "mentions" if mentions else "none"
    until_ms = None if until is None else int(until.astimezone().timestamp() * 1_000)
    run(_mute((node, account, token), to, level, until_ms, json=json))


def unmute(
    to: ToArgument,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Let a conversation alert again."""
    run(_mute((node, account, token), to, None, None, json=json))


async def _mute(
    login_words: tuple[str, str, str],
    to: str,
    level: MuteLevel | None,
    until_ms: int | None,
    *,
    json: bool,
) -> None:
    name = conversation_of(to)
    async with opened(checked_login(*login_words), complete=True) as me:
        if level is None:
            await carried_out(me, me.inbox.unmute(name))
        else:
            await carried_out(me, me.inbox.mute(name, level, until_ms))
        row, totals = await me.inbox.get(name), await me.inbox.totals()
    if json:
        _print_row(row, totals)
        return
    kept = row.mute if row else level
    now = {"none": "muted", "mentions": "muted, but for mentions", None: "not muted"}[kept]
    if row and row.mute_until_ms is not None:
        now += f" until {stamp(row.mute_until_ms)}"
    print_lines(f"{name}: {now}; now {sums(totals)}")


def _print_row(row: recents.InboxEntry | None, totals: recents.Totals) -> None:
    print_json({"rows": [row] if row else [], "totals": totals})
