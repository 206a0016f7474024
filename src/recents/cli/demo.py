"""`recents demo`: a node with a made-up company that talks, to look at and to play with."""

from __future__ import annotations

import asyncio
import errno
import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recents.cli.demo_company import COMPANY, LABEL, PEOPLE, TEAMS, VISITORS
from recents.cli.demo_people import Cast, DemoClock, connected
from recents.cli.ending import Ended, ExitCode, run, stop_signals
from recents.cli.login import DEFAULT_NODE
from recents.cli.program import command
from recents.cli.serving import DEFAULT_HOST, DEFAULT_PORT, Port, new_event_loop

if TYPE_CHECKING:
    from recents.server.doors.listening import Listening
    from recents.server.node import Node


def demo(
    port: Port = DEFAULT_PORT,
    pace: Annotated[
        float,
        typer.Option(
            min=0.01, metavar="SECONDS", help="Seconds between two messages, in the mean."
        ),
    ] = 4.0,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", help="Another number, another order of talks.")
    ] = 7,
) -> None:
    """Run a node with a made-up company that talks.

    Ctrl-C ends it. It lives in a scratch folder, which is removed at the end.
    """
    with tempfile.TemporaryDirectory(prefix="recents-demo-") as folder:
        run(_demo(Path(folder) / "demo.db", port, pace, random.Random(seed)), new_event_loop)


async def _demo(store: Path, port: int, pace_s: float, chance: random.Random) -> None:
    # Here, so that commands which only ask a node do without a node's libraries.
    from recents.server.node import system_clock_ms

    clock = DemoClock(system_clock_ms)
    async with stop_signals() as stop, AsyncExitStack() as stack:
        print(LABEL, flush=True)
        node, listening = await _listen(store, clock, port, stack)
        tokens = await _hire(node)
        clients = await connected(listening.address, tokens, stack)
        cast = Cast(clients, chance, pace_s)
        await cast.make_history(clock)
        print("\n".join(_greeting(listening.address, tokens, cast.sent)), flush=True)
        talking = asyncio.create_task(cast.go_on_talking())
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({talking, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if talking.done():
            talking.result()
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    print("the demo is over; its scratch folder is removed", flush=True)


async def _listen(
    store: Path, clock: DemoClock, port: int, stack: AsyncExitStack
) -> tuple[Node, Listening]:
    """Listen on ``port``, or where that is taken, on any free one."""
    from recents.server.doors.listening import CannotListen, Listening
    from recents.server.node import Node, open_store

    for choice in (port, 0):
        node = Node(open_store(store), clock_ms=clock)
        try:
            listening = await stack.enter_async_context(Listening(node, DEFAULT_HOST, choice))
        except CannotListen as error:
            taken = isinstance(error.__cause__, OSError) and (
                error.__cause__.errno == errno.EADDRINUSE
            )
            if not taken or choice == 0:
                raise Ended(str(error), ExitCode.CANNOT_LISTEN) from error
            print(f"Port {port} is taken; this demo takes another one.")
        else:
            return node, listening
    raise AssertionError("port 0 either listens or raises")


async def _hire(node: Node) -> dict[str, str]:
    """Make everybody's account; return their tokens."""
    tokens = {}
    for account, name in PEOPLE.items():
        await node.accounts.create(account, name)
        _, tokens[account] = await node.accounts.give_token(account, "demo")
    return tokens


def _greeting(address: str, tokens: dict[str, str], messages: int) -> list[str]:
    where = "" if address == DEFAULT_NODE else f" RECENTS_NODE={address}"
    lines = [
        f"{COMPANY}: {len(PEOPLE)} accounts, {len(TEAMS)} teams, {messages} messages so far, "
        "and they go on talking.",
        f"The node listens on {address}",
        "",
        "Watch two of them. Paste both lines into another terminal:",
    ]
    for account in VISITORS:
        login = f"RECENTS_ACCOUNT={account} RECENTS_TOKEN={tokens[account]}"
        lines += [
            "",
            f"  # {PEOPLE[account]}",
            f"  export{where} {login}",
            f"  {command('watch')}",
        ]
    return [
        *lines,
        "",
        "After an export line you can also say these; Zoë answers.",
        "",
        f"  {command('list')}",
        f"  {command('send', 'zoe', 'How is the blue glass?')}",
        f"  {command('read', '--all')}",
        f"  {command('delete', 'team:party')}",
        "",
        "Ctrl-C here ends the demo.",
    ]
