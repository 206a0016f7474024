"""Connects, greets, applies, and begins again when the connection ends (rules C1–C4, case 19).

Rules of this file:

1. One catch-up is one batch, then ``synced``, never the other way round.
2. Rows and answers of one message are one change, so that nothing is shown in between.
3. Commands are sent before questions, so that a question is answered after them.
4. A goodbye without a time to come back is final; every other end is followed by another try.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import assert_never

import msgspec

from recents.client.backoff import Backoff
from recents.client.changes import Cause
from recents.client.incoming import Arrival, Incoming
from recents.client.keeper import Broken, Keeper, broken
from recents.client.link.port import Connection, Link
from recents.client.listeners import Announcer
from recents.client.requests import Requests
from recents.client.settings import Settings
from recents.client.settling import Answered, Outcome
from recents.core.errors import PeerMistake, RecentsError, Refused, Unavailable
from recents.wire import codec
from recents.wire.frames import (
    Answer,
    Bye,
    CaughtUp,
    Changed,
    Error,
    Hello,
    NodeFrame,
    Posted,
    Welcome,
)
from recents.wire.sync_token import parts_of

log = logging.getLogger(__name__)


class _Ended(Exception):
    """A connection ended and another one makes sense, perhaps after some seconds."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class SyncLoop:
    """Keeps the local list like the node's, and carries commands, questions and answers.

    Attributes:
        first_page: set when rows can be listed, or never will be: see ``why_ended``.
        why_ended: makes the error with which the loop ended for good.
        trouble: why the newest attempt failed.
    """

    def __init__(
        self,
        link: Link,
        hello: Hello,
        keeper: Keeper,
        requests: Requests,
        announcer: Announcer,
        backoff: Backoff,
        settings: Settings,
        clock_ms: Callable[[], int],
        wake: asyncio.Event,
    ) -> None:
        """Put the parts together; nothing happens before ``run``."""
        self.first_page = asyncio.Event()
        self.why_ended: Callable[[], RecentsError] | None = None
        self.trouble: Exception | None = None
        self._link = link
        self._hello = hello
        self._keeper = keeper
        self._outbox = keeper.outbox
        self._requests = requests
        self._announcer = announcer
        self._backoff = backoff
        self._settings = settings
        self._clock_ms = clock_ms
        self._wake = wake
        self._incoming = Incoming()
        self._greeted = False

    async def run(self, device_id: str) -> None:
        """Stay connected until cancelled, or until the node says goodbye for good."""
        self._hello = msgspec.structs.replace(self._hello, device_id=device_id)
        try:
            while True:
                wait_s = await self._attempt()
                self._go_offline()
                await asyncio.sleep(wait_s)
        except Refused as refusal:
            code, sentence, details = refusal.code, refusal.args[0], refusal.details
            self._end(lambda: Refused(code, sentence, details))
        except Exception:
            log.exception("! the client stopped by a mistake of its own")
            self._end(broken)

    async def synced_within(self, timeout_s: float | None) -> bool:
        """Wait until the list is as the node has it; tell whether that was so in time.

        Raises:
            Refused: the node said no for good.
            Unavailable: the client was closed.
        """
        moved = asyncio.Event()
        remove = self._announcer.states.add(lambda _: moved.set())
        remove_too = self._announcer.endings.add(moved.set)
        try:
            async with asyncio.timeout(timeout_s):
                while self._announcer.state != "synced":
                    if self._announcer.ended:
                        raise (self.why_ended or _closed)()
                    moved.clear()
                    await moved.wait()
        except TimeoutError:
            return False
        finally:
            remove()
            remove_too()
        return True

    async def _attempt(self) -> float:
        """Connect once and stay while it lasts; return the seconds to wait before the next."""
        self._announcer.tell_state("connecting")
        self._greeted = False
        retry_after_s = None
        try:
            async with asyncio.timeout(self._settings.greeting_timeout_s) as patience:
                connection = await self._link.open()
                await self._use(connection, patience)
        except _Ended as ended:
            self.trouble, retry_after_s = ended, ended.retry_after_s
        except Broken:
            raise
        except (Unavailable, PeerMistake) as trouble:
            self.trouble = trouble
        except TimeoutError:
            self.trouble = Unavailable(
                f"no welcome from the node within {self._settings.greeting_timeout_s:g} s"
            )
        self._announcer.failing = not self._greeted
        wait_s = self._backoff.next_s(retry_after_s)
        log.info("x %s; again in %.1f s", self.trouble, wait_s)
        return wait_s

    def _go_offline(self) -> None:
        self._announcer.tell_state("offline")
        # Nobody waits for a network that is not there; what was commanded is kept.
        self._outbox.let_all_go()

    async def _use(self, connection: Connection, patience: asyncio.Timeout) -> None:
        """Greet, then take in what comes, until the connection ends."""
        writer: asyncio.Task[None] | None = None
        try:
            await self._keeper.copying.wait_for_the_rest()
            hello = msgspec.structs.replace(self._hello, since=self._keeper.copying.token)
            await connection.send(codec.join([codec.encode(hello)]))
            while (message := await connection.receive()) is not None:
                await self._take([codec.decode_node_frame(line) for line in codec.split(message)])
                if writer is None and self._greeted:
                    patience.reschedule(None)
                    writer = asyncio.create_task(self._write(connection))
            raise _Ended("the connection was lost")
        finally:
            self._outbox.rewind()
            self._requests.rewind()
            if writer is not None:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
            await connection.close()

    async def _write(self, connection: Connection) -> None:
        """Send commands and questions whenever there are some."""
        most = self._settings.requests_in_flight
        try:
            while True:
                self._wake.clear()
                if frames := self._outbox.take(most) or self._requests.take():
                    await connection.send(codec.join(frames))
                else:
                    await self._wake.wait()
        except Unavailable:
            pass
        except Exception:
            log.exception("! sending stopped by a mistake of the client's own")
        finally:
            # The receiving side notices.
            await connection.close()

    async def _take(self, frames: list[NodeFrame]) -> None:
        """Take in what came in one message."""
        arrival: Arrival | None = None
        outcomes: dict[str, Outcome] = {}
        answers: list[Answer | Error] = []
        for frame in frames:
            match frame:
                case Welcome():
                    self._begin(frame)
                case Changed() | CaughtUp():
                    whole = self._put_together(frame)
                    if whole is not None and arrival is not None:
                        await self._apply(arrival, outcomes)
                        arrival, outcomes = None, {}
                    arrival = whole or arrival
                case Answer() | Error() if frame.id is not None and self._requests.knows(frame.id):
                    answers.append(frame)
                case Answer():
                    outcomes[frame.id] = self._answer_of(frame)
                case Error():
                    if frame.retry_after_s is not None and self._commanded(frame):
                        await self._apply(arrival, outcomes)
                        raise _Ended(frame.message, frame.retry_after_s)
                    self._take_error(frame, outcomes)
                case Bye():
                    await self._apply(arrival, outcomes)
                    if frame.retry_after_s is None:
                        raise Refused(frame.code, frame.message, frame.details)
                    raise _Ended(f"{frame.message} [{frame.code}]", frame.retry_after_s)
                case _:
                    assert_never(frame)
        await self._apply(arrival, outcomes)
        for answer in answers:
            self._settle(answer)

    def _begin(self, welcome: Welcome) -> None:
        self._greeted = True
        self._keeper.clock_ahead_ms = welcome.time_ms - self._clock_ms()
        self._incoming.begin()
        self._announcer.tell_state("syncing")

    def _put_together(self, frame: Changed | CaughtUp) -> Arrival | None:
        if not self._greeted:
            raise PeerMistake(f"the node sent {type(frame).__name__} before its welcome")
        if frame.token is not None:
            try:
                parts_of(frame.token)
            except Refused as mistake:
                raise PeerMistake(f"the node sent what is no token: {mistake}") from mistake
        if isinstance(frame, Changed):
            return self._incoming.take_changes(frame, self._cause_of(frame))
        first_start = not self._keeper.local.complete and not len(self._keeper.local)
        return self._incoming.take_page(frame, first_start=first_start)

    async def _apply(self, arrival: Arrival | None, outcomes: dict[str, Outcome]) -> None:
        if arrival is None and not outcomes:
            return
        await self._keeper.take(arrival, outcomes)
        if arrival is None:
            return
        for name, messages in arrival.messages.items():
            over = {one.seq for one in arrival.amended.get(name, ()) if one.state == "gone"}
            for message in messages:
                if message.state != "gone" and message.seq not in over:
                    self._announcer.messages.tell(name, message)
        self.first_page.set()
        if arrival.caught_up:
            self._backoff.start_over()
            self.trouble = None
            self._announcer.tell_state("synced")

    def _answer_of(self, answer: Answer) -> Answered:
        posted = None
        if answer.result != msgspec.Raw(b"null"):
            posted = codec.decode_result(answer.result, Posted)
        return Answered(answer.version, posted)

    def _commanded(self, error: Error) -> bool:
        return error.id is not None and self._outbox.get(error.id) is not None

    def _take_error(self, error: Error, outcomes: dict[str, Outcome]) -> None:
        if error.id is None:
            # A frame of ours made no sense to the node: a mistake in one of the two programs.
            log.warning("! the node refused a frame: %s [%s]", error.message, error.code)
        elif error.retry_after_s is None:
            outcomes[error.id] = Refused(error.code, error.message, error.details)

    def _settle(self, answer: Answer | Error) -> None:
        assert answer.id is not None, "only answers to our questions come here"
        if isinstance(answer, Answer):
            self._requests.settle(answer.id, answer.result)
        elif answer.retry_after_s is None:
            refused = Refused(answer.code, answer.message, answer.details)
            self._requests.settle(answer.id, refused)
        else:
            self._requests.settle(answer.id, Unavailable(answer.message, answer.retry_after_s))

    def _cause_of(self, changed: Changed) -> Cause:
        if changed.messages:
            return "message"
        mine = any(
            self._outbox.concerning(image.conversation)
            for images in (changed.rows, changed.gone)
            for image in images
        )
        return "command" if mine else "other_device"

    def _end(self, why: Callable[[], RecentsError]) -> None:
        self.why_ended = why
        log.info("x %s; this was the end", why())
        self._requests.close(why)
        self._go_offline()
        self._announcer.end(why)
        self.first_page.set()


def _closed() -> RecentsError:
    return Unavailable("the client is closed", None)
