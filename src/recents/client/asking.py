"""How the faces ask the node: a new id, the request, its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from recents.client.arguments import checked
from recents.client.requests import Requests
from recents.core.commands import AnyCommand
from recents.wire import codec
from recents.wire.frames import Query

T = TypeVar("T", bound=msgspec.Struct)


class Asking:
    """Asks the node on behalf of one account.

    Attributes:
        account: whose requests these are.
        new_id: makes ids for requests, messages and teams.
    """

    def __init__(self, account: str, requests: Requests, new_id: Callable[[], str]) -> None:
        """Ask through ``requests``."""
        self.account = account
        self.new_id = new_id
        self._requests = requests

    async def order(self, command: AnyCommand) -> msgspec.Raw:
        """Have a command carried out.

        Raises:
            CallerMistake: its values break a rule; nothing was sent.
            Refused: the node says no.
            Unavailable: no answer.
        """
        return await self._requests.ask(checked(command))

    async def query(self, query: Query, kind: type[T]) -> T:
        """Ask a question.

        Raises:
            Refused: the node says no.
            Unavailable: no answer.
            PeerMistake: the answer is not of this kind.
        """
        return codec.decode_result(await self._requests.ask(query), kind)
