"""A way to the node that counts what goes over it."""

from __future__ import annotations

from recents.client.link.port import Connection
from recents.server.node import Node
from recents.testing.in_process import InProcessLink
from recents.wire import codec


class CountingLink:
    """A client's way to a node of the same process.

    Attributes:
        asked: the frames of the device, of all connections.
        told: the frames of the node.
    """

    def __init__(self, node: Node) -> None:
        self.asked: list[bytes] = []
        self.told: list[bytes] = []
        self._link = InProcessLink(node)

    async def open(self) -> Connection:
        return _Counting(await self._link.open(), self)

    async def cut(self) -> None:
        await self._link.cut()

    def begin_anew(self) -> None:
        """Forget what went over it so far."""
        self.asked.clear()
        self.told.clear()


class _Counting:
    def __init__(self, connection: Connection, link: CountingLink) -> None:
        self._connection = connection
        self._link = link

    async def send(self, message: str) -> None:
        self._link.asked += codec.split(message)
        await self._connection.send(message)

    async def receive(self) -> str | None:
        message = await self._connection.receive()
        if message is not None:
            self._link.told += codec.split(message)
        return message

    async def close(self) -> None:
        await self._connection.close()
