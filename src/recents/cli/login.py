"""Who asks, and which node: the options that the commands share, and the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import typer

import recents
from recents.core.errors import CallerMistake, Unavailable

DEFAULT_NODE = "http://127.0.0.1:7380"

PATIENCE_S = 10.0
"""Seconds for a first answer; enough for a node that is starting behind a slow line."""

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}

NodeOption = Annotated[
    str, typer.Option("--node", envvar="RECENTS_NODE", help="Address of the node.", metavar="URL")
]
AccountOption = Annotated[
    str, typer.Option("--account", envvar="RECENTS_ACCOUNT", help="Who you are.", metavar="NAME")
]
TokenOption = Annotated[
    str,
    typer.Option(
        "--token",
        envvar="RECENTS_TOKEN",
        help="Your token. Better in the variable: others on this machine see command lines.",
        metavar="TOKEN",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for programs, one value a line.")]


@dataclass(frozen=True, slots=True)
class Login:
    """An account at a node."""

    node: str
    account: str
    token: str


def checked_login(node: str, account: str, token: str) -> Login:
    """Return a login that is complete.

    Raises:
        CallerMistake: account or token is missing.
    """
    missing = [
        variable
        for variable, value in (("RECENTS_ACCOUNT", account), ("RECENTS_TOKEN", token))
        if not value
    ]
    if missing:
        raise CallerMistake(
            f"who are you? Set {' and '.join(missing)}; `recents account add NAME` makes an "
            "account and prints both"
        )
    return Login(node, account, token)


@asynccontextmanager
async def opened(login: Login, *, complete: bool = False) -> AsyncIterator[recents.Client]:
    """Connect; with ``complete`` only when all rows are here.

    Raises:
        CallerMistake: address or account cannot be right.
        Refused: the node does not accept the login.
        Unavailable: no node answers.
    """
    client = recents.connect(
        login.node,
        account=login.account,
        token=login.token,
        device="command line",
        data_dir=None,
        timeout_s=PATIENCE_S,
    )
    await _check_reachable(login.node)
    synced = asyncio.Event()
    client.on_state(lambda state: synced.set() if state == "synced" else None)
    async with client as me:
        if complete:
            await _within_patience(synced)
        yield me


async def _within_patience(synced: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await synced.wait()
    except TimeoutError as error:
        raise Unavailable("the list did not arrive in time; try again") from error


async def _check_reachable(node: str) -> None:
    """Say at once that nobody is there: the client itself would go on trying for a while."""
    url = urlsplit(node)
    port = url.port or _DEFAULT_PORTS[url.scheme]
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(url.hostname, port)
    except (OSError, TimeoutError) as error:
        raise no_node(node) from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def no_node(node: str) -> Unavailable:
    """Return the error of an address where no node answers."""
    return Unavailable(f"no node answers at {node}: start one with `recents serve`")


def conversation_of(to: str) -> str:
    """Return the conversation that ``to`` names: ``bob`` is short for ``p2p:bob``."""
    return to if ":" in to else f"p2p:{to}"
