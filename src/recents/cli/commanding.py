"""Commands, carried out before the program says so.

Rules of this file:

1. Nothing is said to have happened before the node has answered: a lost connection is waited out
   for some seconds, then it is said that nobody knows.
2. What the node refuses after that ends the command as what it refuses at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import recents
from recents.cli.login import PATIENCE_S
from recents.core.errors import Refused, Unavailable

T = TypeVar("T")


async def carried_out(me: recents.Client, command: Awaitable[T]) -> T:
    """Give a command and wait until the node has answered it.

    Raises:
        Refused: the node says no.
        Unavailable: it did not answer in time.
    """
    refusals: list[Refused] = []
    remove = me.on_refused(lambda _, refused: refusals.append(refused))
    try:
        result = await command
        # The call came back without an answer if the connection was lost.
        if me.unsent and not (await me.synced(PATIENCE_S) and await me.flush(PATIENCE_S)):
            raise _unanswered()
    finally:
        remove()
    if refusals:
        raise refusals[0]
    return result


async def sent(me: recents.Client, command: Awaitable[recents.Message]) -> recents.Message:
    """Send a message and return it as it stands on the node.

    Raises:
        Refused: the node says no.
        Unavailable: it did not answer in time.
    """
    arrived: dict[str, recents.Message] = {}
    moved = asyncio.Event()

    def note(_: str, message: recents.Message) -> None:
        if message.status == "sent":
            arrived[message.client_id] = message
        moved.set()

    remove = me.messages.on_status(note)
    try:
        message = await carried_out(me, command)
        if message.status == "sent":
            return message
        async with asyncio.timeout(PATIENCE_S):
            while message.client_id not in arrived:
                moved.clear()
                await moved.wait()
    except TimeoutError as error:
        raise _unanswered() from error
    finally:
        remove()
    return arrived[message.client_id]


def _unanswered() -> Unavailable:
    return Unavailable(
        "the connection was lost before the node answered: perhaps it was carried out, perhaps "
        "not, and it will not be tried again. Look with `recents list` before you repeat it",
        None,
    )
