"""The way between a device and its node: messages take time, and things go wrong on it.

Rules of this file:

1. Within a connection the order holds, as on any transport; connections overtake each other.
2. What was sent before a connection was closed still arrives, unless it was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from recents.client.link.port import MAX_MESSAGE_BYTES, Connection
from recents.core.commands import AnyCommand
from recents.core.errors import PeerMistake, Refused, Unavailable
from recents.testing.faults import Chance, Faults
from recents.wire import codec
from recents.wire.frames import Answer, Error

if TYPE_CHECKING:
    from recents.server.node import Node
    from recents.server.sessions import Session
    from recents.testing.clock import Process

LATENCY_S = (0.002, 0.040)
"""Seconds that a message takes, least and most."""

_NEXT_S = 1e-6
_ERROR = '"error"'

Lost = Literal["answer", "command", "message"]


class Site:
    """Where the node runs, if it does.

    Attributes:
        node: the running node.
        process: what dies with it.
        hear: is told of each command that reaches the node.
        hear_no: is told of each command that the node refused for good.
    """

    def __init__(
        self,
        hear: Callable[[str, AnyCommand], None],
        hear_no: Callable[[str, str], None],
    ) -> None:
        """Begin without a node."""
        self.node: Node | None = None
        self.process: Process | None = None
        self.hear = hear
        self.hear_no = hear_no


class WorldLink:
    """A device's way to the node.

    Attributes:
        up: whether connections can be made.
    """

    def __init__(
        self, site: Site, account: str, chance: Chance, faults: Callable[[], Faults]
    ) -> None:
        """Lead to whatever node runs at ``site``."""
        self.up = True
        self.account = account
        self.chance = chance
        self.faults = faults
        self._site = site
        self._wires: list[_Wire] = []
        self._to_lose: list[Lost] = []

    async def open(self) -> Connection:
        """Connect.

        Raises:
            Unavailable: the link is down, or no node runs.
        """
        await asyncio.sleep(self.chance.between(*LATENCY_S))
        node, process = self._site.node, self._site.process
        if not self.up:
            raise Unavailable("this device is offline")
        if node is None or process is None:
            raise Unavailable("the node does not run")
        wire = _Wire(self)
        try:
            session = node.connect(_NodeEnd(wire, self._hear_node))
        except Refused as refusal:
            raise Unavailable(str(refusal)) from refusal
        self._wires.append(wire)
        process.start(self._serve(node, session, wire))
        return _DeviceEnd(wire)

    def cut(self) -> None:
        """Lose all connections, and what is under way on them."""
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.lose()

    def hang_up(self, *, to_node: bool) -> None:
        """End all connections, as one end that dies does: what it had sent still arrives."""
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.end(to_node=to_node)

    def lose_next(self, what: Lost) -> None:
        """Lose the next message that has an answer, or a command, or the next one at all."""
        self._to_lose.append(what)

    def lose_nothing(self) -> None:
        """Forget what was to be lost."""
        self._to_lose.clear()

    def is_lost(self, message: str, *, to_node: bool) -> bool:
        """Tell whether a message is one of those to be lost."""
        if not self._to_lose:
            return False
        wanted = self._to_lose[0]
        found = wanted == "message" or wanted == _what_is_in(message, to_node=to_node)
        if found:
            self._to_lose.pop(0)
        return found

    async def _serve(self, node: Node, session: Session, wire: _Wire) -> None:
        try:
            while (message := await wire.at_node.get()) is not None:
                self._hear(message)
                await session.receive(message)
        finally:
            node.disconnect(session)
            wire.end(to_node=False)

    def _hear(self, message: str) -> None:
        for data in codec.split(message):
            try:
                frame = codec.decode_device_frame(data)
            except Refused:
                continue
            if isinstance(frame, AnyCommand):
                self._site.hear(self.account, frame)

    def _hear_node(self, text: str) -> None:
        if _ERROR not in text:
            return
        for line in codec.split(text):
            frame = codec.decode_node_frame(line)
            if isinstance(frame, Error) and frame.id and frame.retry_after_s is None:
                self._site.hear_no(self.account, frame.id)


class _Wire:
    """One connection; what is at its ends is put into the queues as it arrives."""

    def __init__(self, link: WorldLink) -> None:
        self.at_device: asyncio.Queue[str | None] = asyncio.Queue()
        self.at_node: asyncio.Queue[str | None] = asyncio.Queue()
        self.broken = False
        self._link = link
        self._times = {True: 0.0, False: 0.0}
        self._open = {True: True, False: True}

    def is_open(self, *, to_node: bool) -> bool:
        """Tell whether something can be sent."""
        return not self.broken and self._open[to_node]

    def lose(self) -> None:
        """Lose the connection: both ends notice at once, what is under way is gone."""
        if not self.broken:
            self.broken = True
            self.at_device.put_nowait(None)
            self.at_node.put_nowait(None)

    def end(self, *, to_node: bool) -> None:
        """End it from one end: what this end has sent still arrives, and then its end."""
        if self._open[to_node]:
            self._open[to_node] = False
            self._arrive(None, to_node=to_node)
        # Who has closed hears nothing any more.
        (self.at_device if to_node else self.at_node).put_nowait(None)

    def carry(self, message: str, *, to_node: bool) -> None:
        """Take a message on its way, whatever may happen to it there."""
        if not self.is_open(to_node=to_node):
            return
        faults, chance = self._link.faults(), self._link.chance
        lost = self._link.is_lost(message, to_node=to_node)
        if lost or chance.happens("lose", faults.lose):
            self._open = {True: False, False: False}
            asyncio.get_running_loop().call_later(chance.between(*LATENCY_S), self.lose)
            return
        self._arrive(message, to_node=to_node)
        if chance.happens("repeat", faults.repeat) and '"hello"' not in message:
            self._arrive(message, to_node=to_node)
        if chance.happens("cut", faults.cut):
            self._open = {True: False, False: False}
            self._arrive(None, to_node=True)
            self._arrive(None, to_node=False)

    def _arrive(self, message: str | None, *, to_node: bool) -> None:
        loop, chance, faults = asyncio.get_running_loop(), self._link.chance, self._link.faults()
        wait_s = chance.between(*LATENCY_S)
        if chance.happens("delay", faults.delay):
            wait_s += chance.between(0, faults.delay_s)
        at_s = max(loop.time() + wait_s, self._times[to_node] + _NEXT_S)
        self._times[to_node] = at_s
        loop.call_at(at_s, self._put, message, to_node)

    def _put(self, message: str | None, to_node: bool) -> None:
        if not self.broken:
            (self.at_node if to_node else self.at_device).put_nowait(message)


class _DeviceEnd:
    """What the client has of a connection."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    async def send(self, message: str) -> None:
        if not self._wire.is_open(to_node=True):
            raise Unavailable("the connection is lost")
        self._wire.carry(message, to_node=True)

    async def receive(self) -> str | None:
        return await self._wire.at_device.get()

    async def close(self) -> None:
        self._wire.end(to_node=True)


class _NodeEnd:
    """What the node has of it."""

    def __init__(self, wire: _Wire, hear: Callable[[str], None]) -> None:
        self._wire = wire
        self._hear = hear

    async def send(self, message: bytes, *, deflated: bool = False) -> None:
        text = codec.inflated(message, MAX_MESSAGE_BYTES) if deflated else message.decode()
        self._hear(text)
        self._wire.carry(text, to_node=False)

    def backlog(self) -> int:
        return 0

    async def drained(self, backlog: int) -> None:
        return

    async def close(self, reason: str) -> None:
        self._wire.end(to_node=False)


def _what_is_in(message: str, *, to_node: bool) -> Lost:
    lines = codec.split(message)
    if not to_node:
        try:
            frames = [codec.decode_node_frame(line) for line in lines]
        except PeerMistake:
            return "message"
        return "answer" if any(isinstance(frame, Answer) for frame in frames) else "message"
    try:
        asked = [codec.decode_device_frame(line) for line in lines]
    except Refused:
        return "message"
    return "command" if any(isinstance(frame, AnyCommand) for frame in asked) else "message"
