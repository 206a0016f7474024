"""How the faces ask and command: a new id, a question or an order, what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from recents.client.arguments import checked
from recents.client.jobs import Plan
from recents.client.keeper import Keeper
from recents.client.listeners import Announcer
from recents.client.outbox import Ticket, conversation_of
from recents.client.planning import Wish
from recents.client.requests import Requests
from recents.client.settings import Settings
from recents.client.state import State
from recents.core.commands import AnyCommand
from recents.core.ids import Conversation
from recents.wire import codec
from recents.wire.frames import Posted, Query

T = TypeVar("T", bound=msgspec.Struct)


class Asking:
    """Asks and commands on behalf of one account.

    Attributes:
        account: whose requests these are.
        new_id: makes ids for requests, messages and teams.
    """

    def __init__(
        self,
        account: str,
        requests: Requests,
        keeper: Keeper,
        announcer: Announcer,
        settings: Settings,
        new_id: Callable[[], str],
    ) -> None:
        """Ask through ``requests``, command through ``keeper``."""
        self.account = account
        self.new_id = new_id
        self._requests = requests
        self._keeper = keeper
        self._announcer = announcer
        self._settings = settings

    @property
    def offline(self) -> bool:
        """Whether there is no connection, and none to be expected.

        While one is being made there is hope, unless the attempt before came to nothing: a
        network that swallows everything lets each of them take its time.
        """
        state = self._announcer.state
        return state == "offline" or (state == "connecting" and self._announcer.failing)

    async def query(self, query: Query, kind: type[T]) -> T:
        """Ask a question.

        Raises:
            Refused: the node says no.
            Unavailable: no answer.
            PeerMistake: the answer is not of this kind.
        """
        return codec.decode_result(await self._requests.ask(query), kind)

    async def query_while_online(self, query: Query, kind: type[T]) -> T | None:
        """Ask a question, unless this device is offline or goes offline meanwhile: then None.

        Raises:
            Refused, Unavailable, PeerMistake: as ``query`` does.
        """
        if self.offline:
            return None
        asking = asyncio.ensure_future(self.query(query, kind))

        def give_up(state: State) -> None:
            if state == "offline":
                asking.cancel()

        remove = self._announcer.states.add(give_up)
        try:
            await asyncio.wait([asking])
        finally:
            remove()
            asking.cancel()
        return None if asking.cancelled() else asking.result()

    async def order(self, plan: Plan, *names: Conversation) -> None:
        """Give commands, and wait for what comes of them unless this device is offline.

        Args:
            plan: tells the commands.
            names: the conversations that they are about; none: all.

        Raises:
            Refused: the node said no to one of them while this waited.
            Unavailable: they could not be kept; nothing was given.
        """
        for ticket in await self._keeper.order(plan, *names):
            await self.outcome(ticket)

    async def order_one(self, command: AnyCommand) -> None:
        """Give one command that needs no planning; see ``order``.

        Raises:
            CallerMistake: its values break a rule.
        """
        wish = Wish(command=checked(command))

        async def plan() -> Sequence[Wish]:
            return [wish]

        name = conversation_of(command)
        assert name is not None, "commands for all rows are planned"
        for ticket in await self._keeper.order(plan, name, blind=True):
            await self.outcome(ticket)

    async def give(self, plan: Plan, name: Conversation, *, blind: bool) -> Ticket | None:
        """Give one command or none; ``outcome`` tells what comes of it; see ``Keeper.order``."""
        tickets = await self._keeper.order(plan, name, blind=blind)
        return tickets[0] if tickets else None

    async def outcome(self, ticket: Ticket) -> Posted | None:
        """Wait for what comes of a command, unless this device is offline.

        Returns:
            Where a message stands; None for other commands, and where there is no answer now: the
            command is on its way.

        Raises:
            Refused: the node said no.
        """
        if self.offline:
            ticket.let_go()
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                return await asyncio.shield(ticket.answer)
        except TimeoutError:
            ticket.let_go()
            return None

    async def retry(self, client_id: str) -> Ticket:
        """Send a failed message again; see ``Keeper.retry``."""
        return await self._keeper.retry(client_id)

    async def discard(self, client_id: str) -> None:
        """Give a failed message up; see ``Keeper.discard``."""
        await self._keeper.discard(client_id)
