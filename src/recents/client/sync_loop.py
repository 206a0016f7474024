"""Connects, greets, applies, and begins again when the connection ends (rules C1–C3, case 19).

Rules of this file:

1. One catch-up is one batch, then ``synced``, never the other way round.
2. Answers wait until the list shows what they answer: during a catch-up, until it ends.
3. A goodbye without a time to come back is final; every other end is followed by another try.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import assert_never

import msgspec

from recents.client.backoff import Backoff
from recents.client.changes import Cause, ChangeBatch
from recents.client.link.port import Connection, Link
from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.requests import Outcome, Requests
from recents.client.settings import Settings
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
    Welcome,
)

log = logging.getLogger(__name__)


class _Ended(Exception):
    """A connection ended and another one makes sense, perhaps after some seconds."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class SyncLoop:
    """Keeps the local list like the node's, and carries requests and answers.

    Attributes:
        first_page: set when rows can be listed, or never will be: see ``why_ended``.
        why_ended: makes the error with which the loop ended for good.
        trouble: why the newest attempt failed.
    """

    def __init__(
        self,
        link: Link,
        hello: Hello,
        local: LocalList,
        requests: Requests,
        announcer: Announcer,
        backoff: Backoff,
        settings: Settings,
    ) -> None:
        """Put the parts together; nothing happens before ``run``."""
        self.first_page = asyncio.Event()
        self.why_ended: Callable[[], RecentsError] | None = None
        self.trouble: Exception | None = None
        self._link = link
        self._hello = hello
        self._local = local
        self._requests = requests
        self._announcer = announcer
        self._backoff = backoff
        self._settings = settings
        self._greeted = False
        self._held: list[tuple[str, Outcome]] = []

    async def run(self) -> None:
        """Stay connected until cancelled, or until the node says goodbye for good."""
        try:
            while True:
                wait_s = await self._attempt()
                self._announcer.tell_state("offline")
                await asyncio.sleep(wait_s)
        except Refused as refusal:
            code, sentence, details = refusal.code, refusal.args[0], refusal.details
            self._end(lambda: Refused(code, sentence, details))
        except Exception:
            log.exception("! the client stopped by a mistake of its own")
            self._end(
                lambda: Unavailable(
                    "the client stopped by a mistake of its own; see the log", None
                )
            )

    async def _attempt(self) -> float:
        """Connect once and stay while it lasts; return the seconds to wait before the next."""
        self._announcer.tell_state("connecting")
        retry_after_s = None
        try:
            async with asyncio.timeout(self._settings.greeting_timeout_s) as patience:
                connection = await self._link.open()
                await self._use(connection, patience)
        except _Ended as ended:
            self.trouble, retry_after_s = ended, ended.retry_after_s
        except (Unavailable, PeerMistake) as trouble:
            self.trouble = trouble
        except TimeoutError:
            self.trouble = Unavailable(
                f"no welcome from the node within {self._settings.greeting_timeout_s:g} s"
            )
        wait_s = self._backoff.next_s(retry_after_s)
        log.info("x %s; again in %.1f s", self.trouble, wait_s)
        return wait_s

    async def _use(self, connection: Connection, patience: asyncio.Timeout) -> None:
        """Greet, then take in what comes, until the connection ends."""
        writer: asyncio.Task[None] | None = None
        self._greeted = False
        self._held = []
        try:
            hello = msgspec.structs.replace(self._hello, since=self._local.token)
            await connection.send(codec.join([codec.encode(hello)]))
            while (message := await connection.receive()) is not None:
                for line in codec.split(message):
                    self._take(codec.decode_node_frame(line))
                if writer is None and self._greeted:
                    patience.reschedule(None)
                    writer = asyncio.create_task(self._write(connection))
            raise _Ended("the connection was lost")
        finally:
            self._requests.rewind()
            if writer is not None:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
            await connection.close()

    async def _write(self, connection: Connection) -> None:
        """Send requests whenever there are some."""
        try:
            while True:
                frames = self._requests.take()
                if frames:
                    await connection.send(codec.join(frames))
                else:
                    self._requests.wake.clear()
                    await self._requests.wake.wait()
        except Unavailable:
            pass
        finally:
            # The receiving side notices.
            await connection.close()

    def _take(self, frame: NodeFrame) -> None:
        match frame:
            case Changed():
                self._expect_greeted(frame)
                batch = self._local.take_changes(frame, self._cause_of(frame))
                self._announce(batch)
                self._announce_messages(frame)
            case Answer():
                self._settle(frame.id, frame.result)
            case Error():
                self._take_error(frame)
            case CaughtUp():
                self._expect_greeted(frame)
                self._take_page(frame)
            case Welcome():
                self._greeted = True
                self._local.begin()
                self._announcer.tell_state("syncing")
            case Bye():
                if frame.retry_after_s is None:
                    raise Refused(frame.code, frame.message, frame.details)
                raise _Ended(f"{frame.message} [{frame.code}]", frame.retry_after_s)
            case _:
                assert_never(frame)

    def _expect_greeted(self, frame: NodeFrame) -> None:
        if not self._greeted:
            raise PeerMistake(f"the node sent {type(frame).__name__} before its welcome")

    def _take_page(self, page: CaughtUp) -> None:
        self._announce(self._local.take_page(page))
        self.first_page.set()
        if self._local.catching_up:
            return
        self._backoff.start_over()
        self.trouble = None
        self._announcer.tell_state("synced")
        held, self._held = self._held, []
        for request_id, outcome in held:
            self._requests.settle(request_id, outcome)

    def _take_error(self, error: Error) -> None:
        if error.id is None:
            # A frame of ours made no sense to the node: a mistake in one of the two programs.
            log.warning("! the node refused a frame: %s [%s]", error.message, error.code)
            return
        if error.retry_after_s is None:
            self._settle(error.id, Refused(error.code, error.message, error.details))
        else:
            self._settle(error.id, Unavailable(error.message, error.retry_after_s))

    def _settle(self, request_id: str, outcome: Outcome) -> None:
        if self._local.catching_up:
            self._held.append((request_id, outcome))
        else:
            self._requests.settle(request_id, outcome)

    def _cause_of(self, changed: Changed) -> Cause:
        if changed.messages:
            return "message"
        mine = self._requests.concern(
            image.conversation for images in (changed.rows, changed.gone) for image in images
        )
        return "command" if mine else "other_device"

    def _announce(self, batch: ChangeBatch | None) -> None:
        if batch is not None:
            self._announcer.tell_batch(batch)

    def _announce_messages(self, changed: Changed) -> None:
        for conversation, messages in changed.messages.items():
            for message in messages:
                self._announcer.messages.tell(conversation, message)

    def _end(self, why: Callable[[], RecentsError]) -> None:
        self.why_ended = why
        log.info("x %s; this was the end", why())
        self._requests.close(why)
        self._announcer.tell_state("offline")
        self._announcer.end(why)
        self.first_page.set()
