"""A client and a node in one process: no socket between them, everything else is real."""

from __future__ import annotations

import asyncio

from recents.client.link.port import MAX_MESSAGE_BYTES, Connection
from recents.core.errors import Refused, Unavailable
from recents.server.node import Node
from recents.server.sessions import Session
from recents.wire.codec import inflated


class InProcessLink:
    """A client's way to a node of the same process.

    Attributes:
        cut_off: while True no connection can be opened.
    """

    def __init__(self, node: Node) -> None:
        """Lead to ``node``, which must be running whenever a client connects."""
        self.cut_off = False
        self._node = node
        self._connections: set[_InProcessConnection] = set()

    async def open(self) -> Connection:
        """Connect.

        Raises:
            Unavailable: the link is cut off, or the node is stopping.
        """
        if self.cut_off:
            raise Unavailable("the link is cut off")
        connection = _InProcessConnection()
        try:
            connection.begin(self._node, self._node.connect(connection.peer))
        except Refused as refusal:
            raise Unavailable(str(refusal)) from refusal
        self._connections.add(connection)
        return connection

    async def cut(self) -> None:
        """Break every connection that is open, as a lost network does."""
        connections, self._connections = self._connections, set()
        for connection in connections:
            await connection.close()


class _InProcessPeer:
    """The node's end: what it sends is in the client's hands at once."""

    def __init__(self, to_client: asyncio.Queue[str | None]) -> None:
        self._to_client = to_client

    async def send(self, message: bytes, *, deflated: bool = False) -> None:
        text = inflated(message, MAX_MESSAGE_BYTES) if deflated else message.decode()
        self._to_client.put_nowait(text)

    def backlog(self) -> int:
        return 0

    async def drained(self, backlog: int) -> None:
        return

    async def close(self, reason: str) -> None:
        self._to_client.put_nowait(None)


class _InProcessConnection:
    """The client's end."""

    def __init__(self) -> None:
        self._to_client: asyncio.Queue[str | None] = asyncio.Queue()
        self._to_node: asyncio.Queue[str] = asyncio.Queue()
        self._serving: asyncio.Task[None] | None = None
        self.peer = _InProcessPeer(self._to_client)

    def begin(self, node: Node, session: Session) -> None:
        self._serving = asyncio.create_task(self._serve(node, session))

    async def send(self, message: str) -> None:
        self._to_node.put_nowait(message)

    async def receive(self) -> str | None:
        return await self._to_client.get()

    async def close(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait([self._serving])
        self._to_client.put_nowait(None)

    async def _serve(self, node: Node, session: Session) -> None:
        try:
            while True:
                await session.receive(await self._to_node.get())
        finally:
            node.disconnect(session)
