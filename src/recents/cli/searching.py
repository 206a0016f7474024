"""`recents search`: rows by name and newest message, or messages by what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

import recents
from recents.cli.ending import run
from recents.cli.lists import words_of
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
from recents.cli.rendering import (
    console,
    print_json,
    print_lines,
    print_table,
    rows_table,
    stamp,
)
from recents.core.errors import CallerMistake

LOOKED_THROUGH = 100
"""Conversations, the newest, whose messages are asked of the node: this machine keeps none."""

MESSAGES = 200
"""Messages of each, the newest: as many as a device keeps."""

_ASKED_AT_ONCE = 16


def search(
    text: Annotated[str, typer.Argument(help="Words; the last ones may be unfinished.")],
    messages: Annotated[
        bool, typer.Option("--messages", help="Look for messages instead of rows.")
    ] = False,
    to: Annotated[
        str, typer.Option("--in", help="With --messages: only in this one.", metavar="TO")
    ] = "",
    limit: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Show at most so many.")
    ] = 50,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Search the list, or messages.

    Rows are found by name, id, draft and newest message. With --messages the newest 200 messages
    of a conversation are looked through, or those of the newest 100 conversations.
    """

    async def work() -> None:
        if to and not messages:
            raise CallerMistake("--in goes with --messages")
        login, words = checked_login(node, account, token), words_of(text)
        async with opened(login, complete=True) as me:
            if messages:
                name = conversation_of(to) if to else None
                await _fetch(me, name)
                _print_messages(await me.messages.search(words, name, limit), json)
            else:
                _print_rows(await me.inbox.search(words, limit), login.account, json)

    run(work())


async def _fetch(me: recents.Client, name: str | None) -> None:
    """Ask the node for messages; then they can be searched."""
    page = await me.inbox.list(LOOKED_THROUGH)
    names = [name] if name else [row.conversation for row in page.entries]
    for first in range(0, len(names), _ASKED_AT_ONCE):
        some = names[first : first + _ASKED_AT_ONCE]
        await asyncio.gather(*(me.messages.history(one, limit=MESSAGES) for one in some))


def _print_rows(rows: Sequence[recents.InboxEntry], account: str, json: bool) -> None:
    if json:
        print_json({"rows": rows})
        return
    if rows:
        screen, now = console(), datetime.now().astimezone()
        screen.print(rows_table(rows, account, now, width=screen.width, narrow_drops="status"))
    else:
        print_lines("nothing found")


def _print_messages(found: Sequence[recents.FoundMessage], json: bool) -> None:
    if json:
        print_json({"messages": found})
    elif found:
        lines = (
            (
                stamp(one.message.time_ms),
                one.conversation,
                str(one.message.seq),
                one.message.sender,
                " ".join(one.message.text.split()),
            )
            for one in found
        )
        print_table(["time", "conversation", "seq", "sender", "message"], lines)
    else:
        print_lines("nothing found")
