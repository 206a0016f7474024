"""`recents list`, `send`, `read`, `delete`: one command, one answer, through the SDK."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

import recents
from recents.cli.commanding import carried_out, sent
from recents.cli.ending import Ended, ExitCode, run
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
from recents.cli.rendering import console, print_json, print_lines, rows_table, sums
from recents.core.errors import CallerMistake

ALL_ROWS = 1_000_000_000
"""More rows than any account has."""

ToArgument = Annotated[
    str, typer.Argument(metavar="TO", help="bob, p2p:bob, team:t1 or super_team:big.")
]
MaybeToArgument = Annotated[
    str, typer.Argument(metavar="TO", help="bob, p2p:bob, team:t1 or super_team:big.")
]
KindsOption = Annotated[
    str, typer.Option(help="With --all: only these kinds, for example p2p,team.", metavar="KINDS")
]


def list_rows(
    limit: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Show at most so many rows.")
    ] = 50,
    unread: Annotated[
        bool, typer.Option("--unread", help="Only rows with unread messages or a dot.")
    ] = False,
    kinds: Annotated[
        str, typer.Option(help="Only these kinds, for example p2p,team.", metavar="KINDS")
    ] = "",
    muted: Annotated[
        bool | None, typer.Option("--muted/--not-muted", help="Only muted rows, or only others.")
    ] = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="The archived rows in place of the others.")
    ] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Show the list, pinned rows first, then newest first.

    A row has the unread count, a dot if it was marked unread, the title, the draft or else the
    newest message with its time and status, and the name of the conversation for other commands.
    The totals are those of all rows that match.
    """

    async def work() -> None:
        login = checked_login(node, account, token)
        async with opened(login, complete=True) as me:
            page = await me.inbox.list(
                limit, unread_only=unread, kinds=_kinds(kinds), muted=muted, archived=archived
            )
        if json:
            print_json({"rows": page.entries, "totals": page.totals})
            return
        if page.entries:
            screen, now = console(), datetime.now().astimezone()
            # What is listed is there to be named in the next command.
            table = rows_table(
                page.entries, login.account, now, width=screen.width, narrow_drops="status"
            )
            screen.print(table)
            print()
        left_out = page.totals.conversations - len(page.entries)
        more = f"; {left_out} more with a higher --limit" if left_out else ""
        print_lines(f"{login.account}: {sums(page.totals)}{more}")

    run(work())


def send(
    to: ToArgument,
    text: Annotated[str, typer.Argument(help="What to say; - reads it from standard input.")],
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Send a message.

    Ends when the node has it safely.
    """

    async def work() -> None:
        login = checked_login(node, account, token)
        conversation, words = conversation_of(to), words_of(text)
        async with opened(login) as me:
            message = await sent(me, me.messages.send(conversation, words))
        if json:
            print_json({"conversation": conversation, "message": message})
        else:
            print_lines(f"sent to {conversation} as message {message.seq}")

    run(work())


def read(
    to: MaybeToArgument = "",
    everything: Annotated[bool, typer.Option("--all", help="Read all conversations.")] = False,
    kinds: KindsOption = "",
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Mark a conversation read, or all.

    All devices of the account hear of it.
    """

    async def work() -> None:
        _check_one_or_all(to, everything, kinds)
        login = checked_login(node, account, token)
        async with opened(login, complete=True) as me:
            concerned = [
                row for row in await _concerned(me, to, kinds) if row.unread or row.marked_unread
            ]
            if everything:
                await carried_out(me, me.inbox.mark_all_read(_kinds(kinds)))
            else:
                await carried_out(me, me.inbox.mark_read(conversation_of(to)))
            totals = await me.inbox.totals()
            rows = [await me.inbox.get(row.conversation) for row in concerned]
        if json:
            print_json({"rows": [row for row in rows if row], "totals": totals})
            return
        count = sum(row.unread for row in concerned)
        dots = sum(row.marked_unread for row in concerned)
        what = " and ".join(
            [f"{_counted(count, 'message')} read"] * bool(count)
            + [f"{_counted(dots, 'dot')} taken away"] * bool(dots)
        )
        where = "" if everything else f"{conversation_of(to)}: "
        print_lines(f"{where}{what or 'nothing was unread'}; now {sums(totals)}")

    run(work())


def delete(
    to: MaybeToArgument = "",
    everything: Annotated[bool, typer.Option("--all", help="Delete all rows.")] = False,
    clear_history: Annotated[
        bool, typer.Option("--clear-history", help="For you, delete the messages as well.")
    ] = False,
    kinds: KindsOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Delete a row from the list, or all.

    It disappears on all devices of the account; others notice nothing. A new message brings it
    back. History stays, unless --clear-history is given.
    """

    async def work() -> None:
        _check_one_or_all(to, everything, kinds)
        if everything and not yes and not sys.stdin.isatty():
            raise CallerMistake("nobody is here to be asked: say --yes to delete all rows")
        login = checked_login(node, account, token)
        async with opened(login, complete=True) as me:
            concerned = await _concerned(me, to, kinds)
            if everything:
                if not yes:
                    _ask(len(concerned), clear_history)
                deletion = me.inbox.delete_all(_kinds(kinds), clear_history=clear_history)
            else:
                deletion = me.inbox.delete(conversation_of(to), clear_history=clear_history)
            await carried_out(me, deletion)
            totals = await me.inbox.totals()
        if json:
            print_json({"rows": concerned, "totals": totals})
        elif concerned:
            print_lines(f"{_counted(len(concerned), 'row')} deleted; now {sums(totals)}")
        else:
            print_lines("there was no such row; nothing to delete")

    run(work())


def words_of(text: str) -> str:
    """Return what to say; ``-`` reads it from standard input."""
    words = sys.stdin.buffer.read() if text == "-" else text.encode("utf-8", "surrogateescape")
    try:
        decoded = words.decode()
    except UnicodeDecodeError as error:
        raise CallerMistake("the text is not UTF-8") from error
    if text == "-":
        decoded = decoded.removesuffix("\n")
    if not decoded:
        raise CallerMistake("the text is empty: say something")
    return decoded


def _check_one_or_all(to: str, everything: bool, kinds: str) -> None:
    if bool(to) == everything:
        raise CallerMistake("name one conversation, or say --all")
    if kinds and not everything:
        raise CallerMistake("--kinds goes with --all")


def _kinds(kinds: str) -> list[str] | None:
    return [kind.strip() for kind in kinds.split(",")] if kinds else None


async def _concerned(me: recents.Client, to: str, kinds: str) -> list[recents.InboxEntry]:
    """Return the rows that a command is about."""
    if to:
        row = await me.inbox.get(conversation_of(to))
        return [row] if row else []
    wanted = _kinds(kinds)
    page = await me.inbox.list(ALL_ROWS)
    return [row for row in page.entries if wanted is None or row.kind in wanted]


def _ask(count: int, clear_history: bool) -> None:
    history = " and their history" if clear_history else ""
    question = f"Delete {_counted(count, 'row')}{history}, on all your devices?"
    if not typer.confirm(question, err=True):
        raise Ended("nothing was deleted", ExitCode.INTERRUPTED)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)}"
