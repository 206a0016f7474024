"""The load, in a process of its own: `python -m bench.load` reads a plan, prints a result.

Half of the devices post, each to one device of the other half; so every message is one durable
post, one answer to its sender and one changed row on another device.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections.abc import Iterator

import msgspec
import uvloop

from bench.sockets import LoadSocket

TEXT = "hello, this is a message of some sixty characters, as people do"
# Ids look like the SDK's: the time in front, then 64 bits that no index likes.
_ANSWERED = re.compile(rb'"type":"answer","id":"[0-9a-f]{27}-([0-9]+)"')
_ARRIVED = re.compile(rb'"client_id":"[0-9a-f]{27}-([0-9]+)"')
_REFUSED = b'"type":"error"'
_OPEN_AT_ONCE = 100


class Login(msgspec.Struct, frozen=True):
    """An account and its token."""

    account: str
    token: str


class Plan(msgspec.Struct, frozen=True):
    """What to do.

    Attributes:
        logins: the devices; the first half posts to the second.
        seconds: for how long.
        window: unanswered messages per posting device; used without ``rate``.
        rate: messages per second over all devices, at even distances; None: as fast as it goes.
    """

    host: str
    port: int
    logins: list[Login]
    seconds: float
    window: int = 4
    rate: float | None = None


class Measured(msgspec.Struct, frozen=True):
    """What was seen; latencies in ms from the moment at which a message was due."""

    per_second: float
    answered: int
    arrived: int
    refused: int
    answer_ms: list[float] = []
    arrival_ms: list[float] = []


class Load:
    """Posts and listens."""

    def __init__(self, plan: Plan) -> None:
        """Prepare."""
        self.answer_ms: list[float] = []
        self.arrival_ms: list[float] = []
        self._plan = plan
        self._chance = random.Random(7)
        self._due: dict[int, float] = {}
        self._arriving: dict[int, float] = {}
        self._number = 0
        self._answered = 0
        self._arrived = 0
        self._refused = 0
        self._ready = 0
        self._all_ready = asyncio.Event()
        self._running = False
        half = len(plan.logins) // 2
        self._peer = {
            sender: plan.logins[half + place].account
            for place, sender in enumerate(login.account for login in plan.logins[:half])
        }
        self._senders: dict[LoadSocket, str] = {}

    async def run(self) -> Measured:
        """Connect everybody, post for the planned time, wait for the last ones."""
        plan = self._plan
        for at in range(0, len(plan.logins), _OPEN_AT_ONCE):
            part = plan.logins[at : at + _OPEN_AT_ONCE]
            await asyncio.gather(*(self._open(login) for login in part))
        await self._all_ready.wait()
        self._running = True
        began = time.perf_counter()
        if plan.rate is None:
            for socket in self._senders:
                for _ in range(plan.window):
                    self._post(socket, time.perf_counter())
            await asyncio.sleep(plan.seconds)
        else:
            await self._post_at(plan.rate, began)
        answered, seconds = self._answered, time.perf_counter() - began
        self._running = False
        for _ in range(500):
            if not self._due and not self._arriving:
                break
            await asyncio.sleep(0.01)
        return Measured(
            per_second=answered / seconds,
            answered=self._answered,
            arrived=self._arrived,
            refused=self._refused,
            answer_ms=percentiles(self.answer_ms),
            arrival_ms=percentiles(self.arrival_ms),
        )

    async def _open(self, login: Login) -> None:
        is_sender = login.account in self._peer
        socket = LoadSocket(self._heard_by_sender if is_sender else self._heard_by_receiver)
        await socket.open(self._plan.host, self._plan.port)
        if is_sender:
            self._senders[socket] = login.account
        socket.send(
            msgspec.json.encode(
                {
                    "type": "hello",
                    "protocol": 1,
                    "account": login.account,
                    "token": login.token,
                }
            )
        )

    async def _post_at(self, rate: float, began: float) -> None:
        for place, socket in enumerate(self._round_robin()):
            due = began + place / rate
            if due > began + self._plan.seconds:
                return
            ahead = due - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            self._post(socket, due)

    def _round_robin(self) -> Iterator[LoadSocket]:
        while True:
            yield from self._senders

    def _post(self, socket: LoadSocket, due: float) -> None:
        self._number += 1
        number = self._number
        self._due[number] = due
        self._arriving[number] = due
        peer = self._peer[self._senders[socket]]
        name = f"{time.time_ns() // 1_000_000:011x}{self._chance.getrandbits(64):016x}-{number}"
        socket.send(
            f'{{"type":"post","id":"{name}","conversation":"p2p:{peer}",'
            f'"client_id":"{name}","text":"{TEXT}"}}'.encode()
        )

    def _heard_by_sender(self, socket: LoadSocket, message: bytes) -> None:
        now = time.perf_counter()
        if not self._running and b'"caught_up"' in message:
            self._count_ready()
        for found in _ANSWERED.findall(message):
            due = self._due.pop(int(found), None)
            if due is None:
                continue
            self._answered += 1
            self.answer_ms.append((now - due) * 1_000)
            if self._running and self._plan.rate is None:
                self._post(socket, now)
        if _REFUSED in message:
            self._refused += 1

    def _heard_by_receiver(self, _: LoadSocket, message: bytes) -> None:
        now = time.perf_counter()
        if not self._running and b'"caught_up"' in message:
            self._count_ready()
        for found in _ARRIVED.findall(message):
            due = self._arriving.pop(int(found), None)
            if due is not None:
                self._arrived += 1
                self.arrival_ms.append((now - due) * 1_000)

    def _count_ready(self) -> None:
        self._ready += 1
        if self._ready == len(self._plan.logins):
            self._all_ready.set()


def percentiles(values: list[float]) -> list[float]:
    """Return p50, p90 and p99."""
    ordered = sorted(values) or [0.0]
    return [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.9, 0.99)]


async def _main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    print(msgspec.json.encode(await Load(plan).run()).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
