"""The questions that this client asked and the node has not answered yet.

Rules of this file:

1. Questions go out in the order they were made, and a lost connection changes nothing in it: what
   was not answered is sent again, which is harmless, since a question changes nothing and a
   device can be revoked twice.
2. The number of unanswered requests is bounded; one more fails at once.
3. A caller that gave up is not asked for again on the next connection.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from recents.client.settings import Settings
from recents.core.errors import CallerMistake, RecentsError, Unavailable
from recents.wire.codec import MAX_DEVICE_MESSAGE_BYTES, encode
from recents.wire.frames import Query

Outcome = msgspec.Raw | RecentsError
"""What the node answered: a result, or why not."""


@dataclass(slots=True, eq=False)
class _Request:
    asked: Query
    frame: bytes
    answer: asyncio.Future[msgspec.Raw]
    sent: bool = False


class Requests:
    """Requests in order: those waiting to be sent, then those waiting to be answered.

    Attributes:
        wake: set when there may be something to send.
    """

    def __init__(self, settings: Settings, wake: asyncio.Event) -> None:
        """Start closed: requests are accepted after ``open``."""
        self.wake = wake
        self._settings = settings
        # Not a dict: taking the first again and again would make it scan what it lost.
        self._waiting: OrderedDict[str, _Request] = OrderedDict()
        self._in_flight: dict[str, _Request] = {}
        self._why_closed: Callable[[], RecentsError] | None = lambda: Unavailable(
            "the client is not open: use `async with recents.connect(...) as me`", None
        )

    def open(self) -> None:
        """Accept requests."""
        self._why_closed = None

    def close(self, why: Callable[[], RecentsError]) -> None:
        """Fail every request, now and from now on."""
        self._why_closed = why
        for request in (*self._in_flight.values(), *self._waiting.values()):
            if not request.answer.done():
                request.answer.set_exception(why())
        self._in_flight.clear()
        self._waiting.clear()

    async def ask(self, asked: Query) -> msgspec.Raw:
        """Send a request and wait for its answer.

        Raises:
            CallerMistake: it cannot be written as JSON.
            Refused: the node says no.
            Unavailable: no answer in time, too many requests, or the client is closed.
        """
        request = self._accept(asked)
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                return await request.answer
        except TimeoutError:
            raise self._too_late(request) from None
        finally:
            self._waiting.pop(asked.id, None)

    def take(self) -> list[bytes]:
        """Take what may be sent now, in order: as much as fits in one message."""
        frames: list[bytes] = []
        size = 0
        while self._waiting and len(self._in_flight) < self._settings.requests_in_flight:
            key, request = next(iter(self._waiting.items()))
            size += len(request.frame) + 1
            if frames and size > MAX_DEVICE_MESSAGE_BYTES:
                break
            del self._waiting[key]
            self._in_flight[key] = request
            request.sent = True
            frames.append(request.frame)
        return frames

    def rewind(self) -> None:
        """The connection is lost: what was sent and not answered is to be sent again, first."""
        again = {
            key: request for key, request in self._in_flight.items() if not request.answer.done()
        }
        self._in_flight = {}
        self._waiting = OrderedDict(again | self._waiting)
        self.wake.set()

    def knows(self, request_id: str) -> bool:
        """Tell whether this is a question of ours that was sent."""
        return request_id in self._in_flight

    def settle(self, request_id: str, outcome: Outcome) -> None:
        """Give a caller its answer; one that gave up, or that nobody asked, gets none."""
        request = self._in_flight.pop(request_id, None)
        if self._waiting:
            self.wake.set()
        if request is None or request.answer.done():
            return
        if isinstance(outcome, RecentsError):
            request.answer.set_exception(outcome)
        else:
            request.answer.set_result(outcome)

    def _accept(self, asked: Query) -> _Request:
        if self._why_closed is not None:
            raise self._why_closed()
        unanswered = len(self._waiting) + len(self._in_flight)
        if unanswered >= self._settings.unanswered_requests:
            raise Unavailable(f"{unanswered} requests wait for an answer; let some finish first")
        try:
            frame = encode(asked)
        except (TypeError, ValueError, RecursionError) as error:
            raise CallerMistake(f"this cannot be sent as JSON: {error}") from error
        request = _Request(asked, frame, asyncio.get_running_loop().create_future())
        self._waiting[asked.id] = request
        self.wake.set()
        return request

    def _too_late(self, request: _Request) -> Unavailable:
        waited = f"no answer within {self._settings.request_timeout_s:g} s"
        if request.sent:
            return Unavailable(f"{waited}; what was asked may still be carried out")
        return Unavailable(f"{waited}: not connected; nothing was sent")
