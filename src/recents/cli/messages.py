"""`recents history`, `recall`, `edit`: messages, and what becomes of them."""

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
from recents.cli.rendering import print_json, print_lines

SeqArgument = Annotated[
    int, typer.Argument(min=1, metavar="SEQ", help="Which message; `recents history` shows it.")
]


def history(
    to: ToArgument,
    before: Annotated[
        int | None, typer.Option(min=1, metavar="SEQ", help="Only messages before SEQ.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Show at most so many messages.")
    ] = 50,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Show messages of a conversation, oldest first, each with its number."""

    async def work() -> None:
        login = checked_login(node, account, token)
        async with opened(login, complete=True) as me:
            page = await me.messages.history(conversation_of(to), before, limit)
        if json:
            print_json({"messages": page.messages, "more": page.more})
            return
        if page.more:
            print_lines(f"there are older ones: --before {page.messages[0].seq}")
        print_lines(*[_line_of(message) for message in page.messages])

    run(work())


def recall(
    to: ToArgument,
    seq: SeqArgument,
    silent: Annotated[
        bool, typer.Option("--silent", help="It vanishes; nothing says that it was there.")
    ] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Take a message back for everybody.

    A message of your own within two minutes; in a team that you own any message at any time.
    """

    async def work() -> None:
        login = checked_login(node, account, token)
        name = conversation_of(to)
        async with opened(login, complete=True) as me:
            await carried_out(me, me.messages.recall(name, seq, notice=not silent))
            message = await me.messages.get(name, seq)
        _say(name, message, f"message {seq} is recalled", json=json)

    run(work())


def edit(
    to: ToArgument,
    seq: SeqArgument,
    text: Annotated[str, typer.Argument(help="The new text; - reads it.")],
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Give a message of your own another text."""

    async def work() -> None:
        login = checked_login(node, account, token)
        name, words = conversation_of(to), words_of(text)
        async with opened(login, complete=True) as me:
            await carried_out(me, me.messages.edit(name, seq, words))
            message = await me.messages.get(name, seq)
        _say(name, message, f"message {seq} is edited", json=json)

    run(work())


def _say(name: str, message: recents.Message | None, sentence: str, *, json: bool) -> None:
    if json:
        print_json({"conversation": name, "message": message})
    else:
        print_lines(f"{name}: {sentence}")


def _line_of(message: recents.Message) -> str:
    at = datetime.fromtimestamp(message.time_ms / 1_000)  # noqa: DTZ006  # for a human eye
    said = message.text or f"({message.kind})"
    if message.state == "recalled":
        said = f"(recalled by {message.recalled_by})"
    edited = " (edited)" if message.state == "edited" else ""
    return f"{message.seq}  {at:%Y-%m-%d %H:%M}  {message.sender}: {said}{edited}"
