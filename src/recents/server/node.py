"""A node: its parts put together, started and stopped."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from recents.core.checking import check
from recents.core.commands import AnyCommand
from recents.core.errors import Code, Refused
from recents.server.accounts import Accounts
from recents.server.carrying_out import Done
from recents.server.committer import Committer, Outcome, Work, closing
from recents.server.deliveries import Deliveries
from recents.server.devices import KnownDevices, Onlooker
from recents.server.forgetting import Forgetting
from recents.server.mute_ends import MuteEnds
from recents.server.peer import Peer
from recents.server.questions import Questions
from recents.server.rosters import ADDING, check_room
from recents.server.sessions import RETRY_AFTER_S, Parts, Session
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from recents.server.store.workspace import Workspace
from recents.server.webhooks import Sender, Webhooks
from recents.wire.frames import Devices, Revoked

log = logging.getLogger(__name__)


def system_clock_ms() -> int:
    """Return the time of day in ms since 1970; here and nowhere else is a clock read."""
    return time.time_ns() // 1_000_000


def open_store(path: Path | None, *, restored: bool = False) -> Store:
    """Choose a store: a SQLite file, or memory when there is no path.

    Args:
        path: the file.
        restored: it is a backup that was put back; see ``SqliteStore``.
    """
    return MemoryStore() if path is None else SqliteStore(path, restored=restored)


class Node:
    """One server process.

    Attributes:
        settings: limits and beats.
        accounts: accounts and tokens.
        questions: what can be asked.
        store: where everything is kept.
        webhooks: where committed messages are told.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        *,
        clock_ms: Callable[[], int] = system_clock_ms,
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Make a node on a store; time and chance can be passed in."""
        self.settings = settings or Settings()
        self.store = store
        self.accounts = Accounts(store, clock_ms, new_secret, new_id)
        self.questions = Questions(store, self.settings)
        self.webhooks = Webhooks(store, self.settings, clock_ms, new_secret, chance)
        self._clock_ms = clock_ms
        self._new_id = new_id
        self._parts: Parts | None = None
        self._sessions: set[Session] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stops: list[Callable[[], None]] = []

    async def start(self, sender: Sender | None = None) -> None:
        """Open the store and begin to commit and deliver.

        Args:
            sender: a way to the receivers of webhooks; without one they wait.

        Raises:
            StoreUnusable: the store cannot be opened.
        """
        await self.store.open()
        deliveries = Deliveries(self.store, self.settings)

        def committed(workspace: Workspace) -> None:
            deliveries.committed(workspace)
            mute_ends.committed(workspace)
            if workspace.messages:
                self.webhooks.poke()

        committer = Committer(self.store, self.settings, self._clock_ms, committed)
        mute_ends = MuteEnds(self.store, committer, self._clock_ms)
        devices = KnownDevices(
            self.store, self.settings, self._clock_ms, self.accounts, self._with_token
        )
        forgetting = Forgetting(self.store, self.settings, self._clock_ms)
        self._parts = Parts(
            store=self.store,
            settings=self.settings,
            accounts=self.accounts,
            committer=committer,
            deliveries=deliveries,
            questions=self.questions,
            devices=devices,
            catch_ups=asyncio.Semaphore(self.settings.catch_ups_at_once),
        )
        self._stops = [committer.stop, deliveries.stop, devices.stop, forgetting.stop]
        self._stops.append(mute_ends.stop)
        self._tasks = [
            asyncio.create_task(committer.run(), name="committer"),
            asyncio.create_task(deliveries.run(), name="deliveries"),
            asyncio.create_task(devices.run(), name="devices"),
            asyncio.create_task(forgetting.run(), name="forgetting"),
            asyncio.create_task(mute_ends.run(), name="mute ends"),
        ]
        if sender is not None:
            await self.webhooks.start(sender)

    async def stop(self) -> None:
        """Answer what was committed, refuse the rest, say goodbye, close the store."""
        parts, self._parts = self._parts, None
        if parts is None:
            return
        await self.webhooks.stop()
        for stop in self._stops:
            stop()
        await asyncio.gather(*self._tasks)
        await parts.deliveries.drain()
        await self._say_bye(self._sessions, closing(), RETRY_AFTER_S)
        self._sessions.clear()
        await parts.devices.finish()
        await self.store.close()

    def connect(self, peer: Peer) -> Session:
        """Begin a session for a device.

        Raises:
            Refused: ``closing``.
        """
        session = Session(self._running(), peer, self._clock_ms())
        self._sessions.add(session)
        return session

    def disconnect(self, session: Session) -> None:
        """End a session whose connection is over."""
        session.end()
        self._sessions.discard(session)

    async def command(self, actor: str, command: AnyCommand, *, once: bool = False) -> Done:
        """Carry out a command for an account, as the REST face does.

        Args:
            actor: which account.
            command: what to do.
            once: it may be asked again with the same id, and is applied once (C4).

        Raises:
            Refused: with the reason.
        """
        check(command)
        parts = self._running()
        objection = await self._objection(actor, command)
        if objection is not None and not once:
            raise objection
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def answer(_: Work, outcome: Outcome) -> None:
            if not done.done():
                done.set_result(outcome)

        parts.committer.submit(Work(actor, command, answer, once=once, objection=objection))
        outcome = await done
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def _objection(self, actor: str, command: AnyCommand) -> Refused | None:
        try:
            if isinstance(command, ADDING):
                await check_room(self.store, self.settings.team_members, actor, command)
        except Refused as refusal:
            return refusal
        return None

    async def revoke(self, account: str, token_id: str | None = None) -> int:
        """Revoke one token or all of an account, and end the connections that used them.

        Raises:
            Refused: ``unknown_account`` or ``not_found``.
        """
        revoked = set(await self.accounts.revoke(account, token_id))
        refusal = Refused(Code.REVOKED, "the token was revoked; ask for a new one")
        await self._say_bye(
            [session for session in self._sessions if session.token_id in revoked], refusal
        )
        return len(revoked)

    async def devices_of(self, account: str) -> Devices:
        """Return the devices of an account that may connect.

        Raises:
            Refused: ``closing``.
        """
        return await self._running().devices.of(Onlooker(account))

    async def revoke_device(self, account: str, device_id: str, token_id: str = "") -> Revoked:
        """End a device of an account; ``token_id``: with which token this is asked.

        Raises:
            Refused: ``bad_value``, ``not_found`` or ``closing``.
        """
        return await self._running().devices.revoke(Onlooker(account, token_id), device_id)

    def _with_token(self, token_id: str) -> list[Session]:
        return [session for session in self._sessions if session.token_id == token_id]

    def new_command_id(self) -> str:
        """Make an id for a command that this node gives itself."""
        return self._new_id()

    def now_ms(self) -> int:
        """Return the time by this node's clock, ms since 1970."""
        return self._clock_ms()

    @property
    def devices(self) -> int:
        """How many devices are connected."""
        return len(self._sessions)

    @property
    def running(self) -> bool:
        """Whether it takes commands."""
        return self._parts is not None

    async def _say_bye(
        self, sessions: Iterable[Session], refusal: Refused, retry_after_s: float | None = None
    ) -> None:
        # All at once: each device may take a moment to answer.
        await asyncio.gather(*(session.bye(refusal, retry_after_s) for session in sessions))

    def _running(self) -> Parts:
        if self._parts is None:
            raise closing()
        return self._parts
