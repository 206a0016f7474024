"""One device of one account: what ``recents.connect`` returns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from recents.client.asking import Asking
from recents.client.copying import Copying
from recents.client.devices import Devices
from recents.client.explaining import Explaining
from recents.client.history import Histories
from recents.client.inbox import Inbox
from recents.client.keeper import Keeper
from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.messages import Messages
from recents.client.other_previews import OtherPreviews
from recents.client.outbox import Outbox
from recents.client.planning import Planning
from recents.client.profiles import Profiles
from recents.client.requests import Requests
from recents.client.settings import Settings
from recents.client.state import State
from recents.client.store.port import SetAside
from recents.client.sync_loop import SyncLoop
from recents.client.teams import Teams
from recents.core.commands import AnyCommand
from recents.core.errors import CallerMistake, RecentsError, Refused, Unavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a client is made of; ``opening.assemble`` puts it together."""

    local: LocalList
    outbox: Outbox
    copying: Copying
    keeper: Keeper
    planning: Planning
    requests: Requests
    asking: Asking
    announcer: Announcer
    sync_loop: SyncLoop
    settings: Settings


class Client:
    """A connection that lasts: it comes back by itself until it is closed, and works without.

    Attributes:
        inbox: the list of recent conversations.
        messages: sending and reading messages.
        teams: teams and who is in them.
        devices: the devices of this account.
        profiles: names and pictures of accounts.
        device_id: tells this device from the account's others; "" before it is opened.
    """

    def __init__(self, parts: Parts) -> None:
        """Put the faces on; applications call ``recents.connect``."""
        asking, announcer = parts.asking, parts.announcer
        histories = Histories(asking, parts.keeper, parts.copying, parts.local, parts.outbox)
        explaining = Explaining(asking, parts.copying, parts.local, parts.outbox)
        other_previews = OtherPreviews(asking.account, histories)
        self.inbox = Inbox(
            parts.local,
            parts.copying,
            parts.planning,
            asking,
            announcer,
            explaining,
            other_previews,
        )
        self.messages = Messages(asking, parts.planning, histories, self.inbox, announcer)
        self.teams = Teams(asking)
        self.devices = Devices(asking)
        self.profiles = Profiles(asking, parts.local)
        self.device_id = ""
        self._parts = parts
        self._opened = self._closed = False
        self._running: asyncio.Task[None] | None = None

    @property
    def account(self) -> str:
        """Whose list this is."""
        return self._parts.asking.account

    @property
    def state(self) -> State:
        """Where this client stands towards its node."""
        return self._parts.announcer.state

    @property
    def trouble(self) -> Exception | None:
        """Why there is no connection, or None."""
        sync_loop = self._parts.sync_loop
        return sync_loop.why_ended() if sync_loop.why_ended else sync_loop.trouble

    @property
    def unsent(self) -> int:
        """How many commands the node has not answered yet."""
        return self._parts.outbox.waiting

    @property
    def token(self) -> str | None:
        """Everything up to here is in the list: text for a node to read; None: not yet."""
        return self._parts.copying.token

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Copies of this account on this device that could not be used and were kept (C6)."""
        return tuple(self._parts.copying.set_aside)

    def on_state(self, listener: Callable[[State], object]) -> Callable[[], None]:
        """Call ``listener`` with each new state; returns a function that ends this."""
        return self._parts.announcer.states.add(listener)

    def on_refused(self, listener: Callable[[AnyCommand, Refused], object]) -> Callable[[], None]:
        """Call ``listener`` with each command that the node refused, and why.

        What it did to the list has been taken back then; a message stays, as ``failed``.

        Returns:
            A function that ends this.
        """
        return self._parts.announcer.refusals.add(listener)

    def on_set_aside(self, listener: Callable[[SetAside], object]) -> Callable[[], None]:
        """Call ``listener`` when this device's copy turns out damaged while it is used (C6).

        Returns:
            A function that ends this.
        """
        return self._parts.announcer.set_asides.add(listener)

    async def synced(self, timeout_s: float | None = None) -> bool:
        """Wait until the list is as the node has it.

        Args:
            timeout_s: seconds to wait at most; for ever by default.

        Returns:
            Whether it is.

        Raises:
            Refused: the node said no for good.
            Unavailable: the client was closed.
        """
        return await self._parts.sync_loop.synced_within(timeout_s)

    async def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until the node has answered every command.

        Args:
            timeout_s: seconds to wait at most; for ever by default.

        Returns:
            Whether it has; False at once when the client is closed, or the node has ended it.
        """
        announcer = self._parts.announcer
        return await self._parts.outbox.empty_within(timeout_s, lambda: announcer.ended)

    async def open(self) -> None:
        """Open this device's copy, and begin to connect.

        Returns as soon as the first page can be listed: at once where this device has a copy,
        else when the node has sent it.

        Raises:
            Refused: the node says no: ``unauthorized``, ``revoked``, ``protocol_version``. With a
                copy at hand the list can still be read: then ``trouble`` says it.
            Unavailable: there is no copy and no node answers in time, or the copy cannot be used.
            CallerMistake: this client was opened before; make another one.
        """
        if self._opened:
            raise CallerMistake("this client was opened before; call recents.connect again")
        parts = self._parts
        self._opened, self._closed = True, False
        try:
            self.device_id = await parts.keeper.open()
        except BaseException:
            self._opened = False
            raise
        if self._closed:
            await self.close()
            raise _closed()
        parts.requests.open()
        parts.announcer.tell_state("connecting")
        self._running = asyncio.create_task(parts.sync_loop.run(self.device_id), name="sync")
        if parts.local.complete:
            return
        try:
            async with asyncio.timeout(parts.settings.open_timeout_s):
                await parts.sync_loop.first_page.wait()
        except TimeoutError:
            await self.close()
            raise self._no_answer() from parts.sync_loop.trouble
        except BaseException:
            await self.close()
            raise
        if parts.sync_loop.why_ended is not None:
            await self.close()
            raise parts.sync_loop.why_ended()

    async def close(self) -> None:
        """End at once; commands that the node has not answered are kept on this device."""
        parts = self._parts
        self._closed = True
        if parts.outbox.waiting:
            log.warning("x closed with %d commands unanswered", parts.outbox.waiting)
        why = parts.sync_loop.why_ended or _closed
        parts.requests.close(why)
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait([self._running])
        parts.announcer.tell_state("offline")
        await parts.keeper.close(why)
        parts.announcer.end(parts.sync_loop.why_ended)

    def _no_answer(self) -> RecentsError:
        trouble = self._parts.sync_loop.trouble
        if trouble is None:
            patience_s = self._parts.settings.open_timeout_s
            return Unavailable(f"the node did not answer in {patience_s:g} s")
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
        try:
            if kind is None:
                await self._parts.outbox.empty_within(
                    self._parts.settings.closing_s, lambda: self._parts.asking.offline
                )
        finally:
            await self.close()

    def __repr__(self) -> str:
        return f"<recents.Client {self.account} {self.state}>"


def _closed() -> RecentsError:
    return Unavailable("the client is closed", None)
