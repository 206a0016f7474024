"""A node that follows a script: what the SDK's tests talk to instead of a real one.

Unlike a real node it keeps nothing: it says what a test tells it to say.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from recents.client.client import Client
from recents.client.opening import assemble
from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import DeviceStore
from recents.core.commands import AnyCommand
from recents.core.entry import InboxEntry
from recents.core.errors import RecentsError, Refused, Unavailable
from recents.core.ids import Conversation
from recents.core.message import Preview
from recents.core.totals import Totals
from recents.wire import codec
from recents.wire.frames import (
    Answer,
    Bye,
    CaughtUp,
    Changed,
    DeviceFrame,
    Error,
    Hello,
    NodeFrame,
    Query,
    Welcome,
)
from recents.wire.sync_token import token_of

F = TypeVar("F", bound=DeviceFrame)

Reply = msgspec.Struct | RecentsError | None
Script = Callable[[AnyCommand | Query], Reply]

EPOCH, OTHER_EPOCH = "0" * 16, "f" * 16
"""Two lines of versions: a node, and the same node restored from a backup."""


def token(version: int, epoch: str = EPOCH) -> str:
    """Make a sync token."""
    return token_of(epoch, version)


WELCOME = Welcome(protocol=1, account="alice", time_ms=0, heartbeat_s=25.0)


class FakeConnection:
    """One connection; a test may speak through it at any moment."""

    def __init__(self, node: "FakeNode") -> None:
        self.heard: list[DeviceFrame] = []
        self.messages: list[str] = []
        self.closed = False
        self._node = node
        self._to_device: asyncio.Queue[str | None] = asyncio.Queue()

    async def send(self, message: str) -> None:
        if self.closed:
            raise Unavailable("the connection was lost")
        self.messages.append(message)
        for line in codec.split(message):
            frame = codec.decode_device_frame(line)
            self.heard.append(frame)
            self._node.receive(self, frame)

    async def receive(self) -> str | None:
        return None if self.closed else await self._to_device.get()

    async def close(self) -> None:
        self.closed = True
        self._to_device.put_nowait(None)

    def say(self, *frames: NodeFrame) -> None:
        """Send frames, in one message."""
        self.say_text(codec.join(codec.encode(frame) for frame in frames))

    def say_text(self, text: str) -> None:
        self._to_device.put_nowait(text)

    def drop(self) -> None:
        """Lose the connection without a goodbye."""
        self._to_device.put_nowait(None)


class FakeNode:
    """The node, as a `Link`.

    Attributes:
        greets: the frames that answer each hello, one list per connection; the last one stays.
            None: silence.
        answers: decides the answer to each request; None: requests stay unanswered.
        refuses: the next attempts to connect fail with these.
        connections: all of them, the newest last.
        welcome_ms: the time in its welcome.
    """

    def __init__(self) -> None:
        self.greets: list[list[NodeFrame] | None] = [[CaughtUp(reset=True, token=token(1))]]
        self.answers: Script | None = lambda request: None
        self.refuses: list[Exception] = []
        self.connections: list[FakeConnection] = []
        self.welcome_ms = 0

    async def open(self) -> FakeConnection:
        if self.refuses:
            raise self.refuses.pop(0)
        self.connections.append(FakeConnection(self))
        return self.connections[-1]

    @property
    def connection(self) -> FakeConnection:
        return self.connections[-1]

    def heard(self, kind: type[F]) -> list[F]:
        """Return all frames of one kind, over all connections."""
        return [
            frame
            for connection in self.connections
            for frame in connection.heard
            if isinstance(frame, kind)
        ]

    def receive(self, connection: FakeConnection, frame: DeviceFrame) -> None:
        if isinstance(frame, Hello):
            greeting = self.greets.pop(0) if len(self.greets) > 1 else self.greets[0]
            if greeting is not None:
                refused = any(isinstance(frame, Bye) for frame in greeting)
                welcome = msgspec.structs.replace(WELCOME, time_ms=self.welcome_ms)
                connection.say(*([] if refused else [welcome]), *greeting)
        elif self.answers is not None:
            connection.say(answer_to(frame, self.answers(frame)))


def answer_to(request: AnyCommand | Query, reply: Reply, version: int = 0) -> Answer | Error:
    """Make the frame that answers a request."""
    if isinstance(reply, Refused):
        return Error(id=request.id, code=reply.code, message=reply.args[0], details=reply.details)
    assert not isinstance(reply, RecentsError)
    return Answer(id=request.id, version=version, result=codec.encode_result(reply))


_ids = itertools.count(1)


def make_client(
    node: FakeNode, settings: Settings | None = None, store: DeviceStore | None = None
) -> Client:
    """Make a client whose node is a fake, whose chance is 1, and whose clock stands still.

    With the ``store`` of an earlier one it is the same device, started again.
    """
    return assemble(
        node,
        Hello(protocol=1, account="alice", token="secret", device="laptop"),
        settings or Settings(),
        store or MemoryDeviceStore(lambda: "d1"),
        lambda: 0,
        lambda: 1.0,
        lambda: f"id{next(_ids)}",
    )


def row(
    name: str,
    version: int = 1,
    *,
    at: int = 1_000,
    last_seq: int = 1,
    read_seq: int = 0,
    unread: int = 0,
    text: str = "hi",
    marked_unread: bool = False,
) -> InboxEntry:
    """Make a row of a P2P conversation."""
    return InboxEntry(
        conversation=Conversation(name if ":" in name else f"p2p:{name}"),
        version=version,
        activity_ms=at,
        last_seq=last_seq,
        read_seq=read_seq,
        unread=unread,
        marked_unread=marked_unread,
        preview=Preview(seq=last_seq, client_id="c", sender="bob", time_ms=at, text=text),
    )


def first_page(
    *rows: InboxEntry, upto: str | None = token(1), totals: Totals | None = None
) -> CaughtUp:
    """Make the first page of a first start or a reset; without ``upto`` others follow."""
    return CaughtUp(rows=rows, reset=True, totals=totals or Totals(), token=upto)


def changed(*rows: InboxEntry, upto: str | None = token(2), **fields: object) -> Changed:
    """Make a frame of changed rows; without ``upto`` it goes on in the next one."""
    return msgspec.structs.replace(Changed(token=upto, rows=rows), **fields)


def names(rows: Iterable[InboxEntry]) -> list[str]:
    """Return the names of rows, in their order."""
    return [entry.conversation for entry in rows]


async def settle() -> None:
    """Let everything happen that needs no time to pass."""
    for _ in range(100):
        await asyncio.sleep(0)
