"""One connected device: from its greeting to its end (``docs/protocol.md``, sections 2–5).

Rules of this file:

1. A bad frame is answered with an error; the connection goes on. A bad greeting ends it.
2. Requests are carried out and answered in the order in which they came.
3. A device with too many unanswered requests is not read any further.
4. After a command that could not be carried out now, none of this connection is: the device
   connects anew and asks again from that one on, so that nothing overtakes it (C4).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import msgspec

from recents.core.checking import check
from recents.core.commands import AnyCommand
from recents.core.errors import Code, Refused
from recents.core.message import check_token
from recents.server.accounts import Accounts
from recents.server.catching_up import catch_up
from recents.server.committer import Committer, Outcome, Work
from recents.server.deliveries import Deliveries
from recents.server.devices import KnownDevices, revoked
from recents.server.outlet import Outlet
from recents.server.peer import Peer
from recents.server.questions import Questions
from recents.server.rosters import ADDING, check_room
from recents.server.settings import Settings
from recents.server.store.port import Store, StoreFailed
from recents.wire import codec
from recents.wire.frames import (
    PROTOCOL_VERSION,
    Answer,
    Bye,
    Error,
    Explain,
    Hello,
    History,
    ListRows,
    LookUpProfiles,
    MyDevices,
    MyMentions,
    MyTeams,
    Query,
    RevokeDevice,
    TeamMembers,
    Welcome,
)
from recents.wire.greeting import Phase, step

log = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0
_QUERIES = (
    ListRows,
    History,
    TeamMembers,
    MyTeams,
    LookUpProfiles,
    MyDevices,
    RevokeDevice,
    Explain,
    MyMentions,
)
_TEMPORARY = frozenset({Code.OVERLOADED, Code.STORE_FAILED, Code.CLOSING})
_MAX_DEVICE_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session works with."""

    store: Store
    settings: Settings
    accounts: Accounts
    committer: Committer
    deliveries: Deliveries
    questions: Questions
    devices: KnownDevices
    catch_ups: asyncio.Semaphore


class Session:
    """The node's side of one connection.

    Attributes:
        phase: where the connection stands.
        account: who is logged in; empty before the greeting.
        device: how the device calls itself.
        device_id: which of the account's devices it is; empty where it keeps no id.
        token_id: with which token it logged in.
        order: tells which of two connections is the newer one.
    """

    def __init__(self, parts: Parts, peer: Peer, time_ms: int) -> None:
        """Begin in the greeting phase."""
        self.phase = Phase.GREETING
        self.account = ""
        self.device = ""
        self.device_id = ""
        self.token_id = ""
        self.order = parts.devices.next_connection()
        self._parts = parts
        self._peer = peer
        self._time_ms = time_ms
        self._outlet: Outlet | None = None
        self._waiting = 0
        self._stuck: Refused | None = None
        self._answered = asyncio.Event()

    async def receive(self, message: str | bytes) -> None:
        """Take in one text message with one or more frames."""
        for data in codec.split(message):
            if self.phase is Phase.CLOSED:
                return
            await self._receive_frame(data)

    async def bye(self, refusal: Refused, retry_after_s: float | None = None) -> None:
        """Tell the device why, and close the connection."""
        if self.phase is Phase.CLOSED:
            return
        self.end()
        await self.last_words(refusal, retry_after_s)

    async def last_words(self, refusal: Refused, retry_after_s: float | None = None) -> None:
        """Tell the device why its connection has ended, and close it."""
        frame = Bye(
            code=refusal.code,
            message=refusal.args[0],
            details=refusal.details,
            retry_after_s=retry_after_s,
        )
        await self._peer.send(codec.encode(frame))
        await self._peer.close(refusal.code)

    def end(self) -> None:
        """Forget the device: its connection is over."""
        self.phase = Phase.CLOSED
        self._answered.set()
        self._parts.devices.leave(self)
        if self._outlet is not None:
            self._parts.deliveries.discard(self._outlet)

    async def _receive_frame(self, data: bytes) -> None:
        if self._outlet is not None:
            # A device that reads no answers gets no further questions in (rule 3).
            await self._outlet.room(self._parts.settings.backlog_bytes)
        try:
            frame = codec.decode_device_frame(data)
            phase = step(self.phase, frame)
        except Refused as refusal:
            if self.phase is Phase.GREETING:
                await self.bye(refusal)
            else:
                await self._say_error(codec.readable_id(data), refusal)
            return
        if isinstance(frame, Hello):
            await self._greet(frame, phase)
        elif isinstance(frame, _QUERIES):
            await self._ask(frame)
        else:
            await self._submit(frame)

    async def _greet(self, hello: Hello, phase: Phase) -> None:
        parts = self._parts
        try:
            _check_device(hello)
            token = await parts.accounts.log_in(hello.account, hello.token)
            known = await parts.devices.look_up(hello.account, hello.device_id)
            if self._is_over():
                return
            # From here to the next await this session is entered everywhere: whoever revokes its
            # token or its device from now on finds it, who did before is found here.
            parts.accounts.check_still_good(token)
            self.account, self.token_id = hello.account, token.token_id
            self.device, self.device_id = hello.device, hello.device_id
            parts.devices.enter(self, known)
        except Refused as refusal:
            await self.bye(refusal)
            return
        except StoreFailed as failure:
            await self._bye_for_failure(failure)
            return
        self.phase = phase
        deflate_bytes = parts.settings.deflate_bytes if hello.deflate else None
        outlet = self._outlet = Outlet(hello.account, self._peer, deflate_bytes)
        # From here on every commit marks this device; what was committed before is read below.
        parts.deliveries.add(outlet)
        await parts.deliveries.send_alone(outlet, lambda: self._bring_up_to_date(outlet, hello))

    async def _bring_up_to_date(self, outlet: Outlet, hello: Hello) -> None:
        parts = self._parts
        try:
            teams = await parts.store.teams_of(self.account)
            if self._is_over():
                return
            parts.deliveries.watch(outlet, [key for key, _ in teams])
            async with parts.catch_ups:
                frames = [
                    codec.encode(frame)
                    async for frame in catch_up(
                        parts.store,
                        parts.settings,
                        self.account,
                        hello.since,
                        # Commits up to here are read, later ones mark this device.
                        lambda: parts.deliveries.version,
                    )
                ]
        except Refused as refusal:
            await self.bye(refusal)
            return
        except StoreFailed as failure:
            await self._bye_for_failure(failure)
            return
        # Sent outside of the semaphore: a slow device keeps no other from catching up.
        frames[0] = b"\n".join([codec.encode(self._welcome()), frames[0]])
        for frame in frames:
            await self._peer.drained(parts.settings.backlog_bytes)
            if self._is_over():
                return
            await outlet.send(frame)

    def _is_over(self) -> bool:
        return self.phase is Phase.CLOSED

    def _welcome(self) -> Welcome:
        return Welcome(
            protocol=PROTOCOL_VERSION,
            account=self.account,
            time_ms=self._time_ms,
            heartbeat_s=self._parts.settings.heartbeat_s,
        )

    async def _bye_for_failure(self, failure: StoreFailed) -> None:
        log.warning("! greeting of a device failed: %s", failure)
        await self.bye(_cannot_read(), RETRY_AFTER_S)

    async def _ask(self, query: Query) -> None:
        await self._until_unanswered(0)
        if self._is_over():
            return
        try:
            check_token(query.id, "request id")
            result = await self._look_up(query)
        except Refused as refusal:
            await self._say_error(query.id, refusal)
        except StoreFailed as failure:
            log.warning("! a query failed: %s", failure)
            await self._say_error(query.id, _cannot_read())
        else:
            answer = codec.encode(Answer(id=query.id, result=codec.encode_result(result)))
            if isinstance(query, RevokeDevice) and query.device_id == self.device_id:
                await self._end_revoked(answer)
            else:
                self._say(answer)

    async def _look_up(self, query: Query) -> msgspec.Struct:
        match query:
            case MyDevices():
                return await self._parts.devices.of(self)
            case RevokeDevice():
                return await self._parts.devices.revoke(self, query.device_id)
            case _:
                return await self._parts.questions.answer(self.account, query)

    async def _end_revoked(self, answer: bytes) -> None:
        """Answer a device that has revoked itself, and end its connection."""
        if self._outlet is not None and not self._is_over():
            _, answers = self._outlet.take()
            await self._outlet.send(b"\n".join([*answers, answer]))
        await self.bye(revoked())

    async def _submit(self, command: AnyCommand) -> None:
        refusal = self._stuck or await self._admit(command)
        if refusal is None:
            return
        if refusal.code in _TEMPORARY:
            self._stuck = refusal
        await self._say_error(command.id, refusal)

    async def _admit(self, command: AnyCommand) -> Refused | None:
        """Hand a command to the committer, or return why not."""
        parts = self._parts
        try:
            check(command)
            objection = await self._objection(command)
            await self._until_unanswered(parts.settings.unanswered_requests - 1)
            if self._stuck is not None:
                # What was asked before has failed while this one waited (rule 4).
                return self._stuck
            if not self._is_over():
                work = Work(self.account, command, self._answer, self, objection=objection)
                parts.committer.submit(work)
                self._waiting += 1
        except Refused as refusal:
            return refusal
        except StoreFailed as failure:
            log.warning("! looking at a team failed: %s", failure)
            return _cannot_read()
        return None

    async def _objection(self, command: AnyCommand) -> Refused | None:
        """Tell why a team has no room, once what was asked before has been carried out."""
        if not isinstance(command, ADDING):
            return None
        await self._until_unanswered(0)
        parts = self._parts
        try:
            await check_room(parts.store, parts.settings.team_members, self.account, command)
        except Refused as refusal:
            return refusal
        return None

    def _answer(self, work: Work, outcome: Outcome) -> None:
        self._waiting -= 1
        self._answered.set()
        command_id = work.command.id
        if isinstance(outcome, Refused):
            if outcome.code in _TEMPORARY:
                self._stuck = outcome
            self._say(codec.encode(_error(command_id, outcome)))
        elif outcome.posted is None:
            self._say(codec.encode(Answer(id=command_id, version=outcome.version)))
        else:
            result = codec.encode_result(outcome.posted)
            self._say(codec.encode(Answer(id=command_id, version=outcome.version, result=result)))

    async def _until_unanswered(self, count: int) -> None:
        while self._waiting > count and not self._is_over():
            self._answered.clear()
            await self._answered.wait()

    async def _say_error(self, request_id: str | None, refusal: Refused) -> None:
        # What was asked before is answered before (rule 2).
        await self._until_unanswered(0)
        self._say(codec.encode(_error(request_id, refusal)))

    def _say(self, frame: bytes) -> None:
        if self._outlet is not None and not self._is_over():
            self._parts.deliveries.answer(self._outlet, frame)


def _check_device(hello: Hello) -> None:
    if len(hello.device) > _MAX_DEVICE_CHARACTERS:
        raise Refused(Code.BAD_VALUE, f"device is longer than {_MAX_DEVICE_CHARACTERS} characters")
    if hello.device_id:
        check_token(hello.device_id, "device_id")


def _cannot_read() -> Refused:
    return Refused(Code.STORE_FAILED, "the node could not read its store; try again")


def _error(request_id: str | None, refusal: Refused) -> Error:
    return Error(
        id=request_id,
        code=refusal.code,
        message=refusal.args[0],
        details=refusal.details,
        retry_after_s=RETRY_AFTER_S if refusal.code in _TEMPORARY else None,
    )
