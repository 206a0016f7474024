"""One device of one account: what ``recents.connect`` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from recents.client.asking import Asking
from recents.client.inbox import Inbox
from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.messages import Messages
from recents.client.requests import Requests
from recents.client.settings import Settings
from recents.client.state import State
from recents.client.sync_loop import SyncLoop
from recents.client.teams import Teams
from recents.core.errors import CallerMistake, RecentsError, Unavailable


class Client:
    """A connection that lasts: it comes back by itself until it is closed.

    Attributes:
        inbox: the list of recent conversations.
        messages: sending and reading messages.
        teams: teams and who is in them.
    """

    def __init__(
        self,
        local: LocalList,
        requests: Requests,
        announcer: Announcer,
        sync_loop: SyncLoop,
        asking: Asking,
        settings: Settings,
    ) -> None:
        """Put the parts together; applications call ``recents.connect``."""
        self.inbox = Inbox(local, asking, announcer)
        self.messages = Messages(asking, self.inbox, announcer)
        self.teams = Teams(asking)
        self._account = asking.account
        self._requests = requests
        self._announcer = announcer
        self._sync_loop = sync_loop
        self._settings = settings
        self._running: asyncio.Task[None] | None = None

    @property
    def account(self) -> str:
        """Whose list this is."""
        return self._account

    @property
    def state(self) -> State:
        """Where this client stands towards its node."""
        return self._announcer.state

    def on_state(self, listener: Callable[[State], object]) -> Callable[[], None]:
        """Call ``listener`` with each new state; returns a function that ends this."""
        return self._announcer.states.add(listener)

    async def open(self) -> None:
        """Connect; returns as soon as the first page can be listed.

        Raises:
            Refused: the node says no: ``unauthorized``, ``revoked``, ``protocol_version``.
            Unavailable: no node answers in time.
            CallerMistake: this client was opened before; make another one.
        """
        if self._running is not None:
            raise CallerMistake("this client was opened before; call recents.connect again")
        self._requests.open()
        self._running = asyncio.create_task(self._sync_loop.run())
        try:
            async with asyncio.timeout(self._settings.open_timeout_s):
                await self._sync_loop.first_page.wait()
        except TimeoutError:
            await self.close()
            raise self._no_answer() from self._sync_loop.trouble
        except BaseException:
            await self.close()
            raise
        if self._sync_loop.why_ended is not None:
            await self.close()
            raise self._sync_loop.why_ended()

    async def close(self) -> None:
        """End at once: calls that wait for an answer raise ``Unavailable``."""
        why = self._sync_loop.why_ended or _closed
        self._requests.close(why)
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait([self._running])
        self._announcer.tell_state("offline")
        self._announcer.end(self._sync_loop.why_ended)

    def _no_answer(self) -> RecentsError:
        trouble = self._sync_loop.trouble
        if trouble is None:
            return Unavailable(f"the node did not answer in {self._settings.open_timeout_s:g} s")
        return Unavailable(str(trouble))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<recents.Client {self._account} {self.state}>"


def _closed() -> RecentsError:
    return Unavailable("the client is closed", None)
