"""A WebSocket client just big enough to load a node without being what is measured.

aiohttp's client costs more per frame than the node spends on a whole message, so the load would
need two cores to keep one node busy. This one masks with zeros (RFC 6455, 5.3 allows any key) and
looks at no more of a frame than its length.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable

_TEXT = 0x81
_CLOSE = 0x88
_PING = 0x89
_PONG = 0x8A
_MASKED = 0x80
_NO_MASK = bytes(4)
_HANDSHAKE = (
    "GET /v1/connect HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)


class LoadSocket(asyncio.Protocol):
    """One connection: ``received`` is called with each text message.

    Attributes:
        bytes_received: payload bytes so far.
        lost: set when the connection is over.
    """

    def __init__(self, received: Callable[[LoadSocket, bytes], None]) -> None:
        """Prepare; ``open`` connects."""
        self.bytes_received = 0
        self.lost = asyncio.Event()
        self._received = received
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open = False

    async def open(self, host: str, port: int) -> None:
        """Connect and upgrade."""
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        self._transport = transport
        key = base64.b64encode(bytes(16)).decode()
        transport.write(_HANDSHAKE.format(host=host, port=port, key=key).encode())
        await self._upgraded

    def send(self, message: bytes) -> None:
        """Send a text message."""
        assert self._transport is not None
        self._transport.write(_frame(_TEXT, message))

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Cut what comes into messages."""
        self._buffer += data
        if not self._open and not self._finish_handshake():
            return
        at = 0
        buffer = self._buffer
        while len(buffer) - at >= 2:
            length, head = buffer[at + 1], 2
            if length == 126:
                length, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
            if len(buffer) - at < head + length:
                break
            payload = bytes(buffer[at + head : at + head + length])
            self._take(buffer[at], payload)
            at += head + length
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember that it is over."""
        self.lost.set()
        if not self._upgraded.done():
            self._upgraded.set_exception(exc or ConnectionError("no upgrade"))

    def _finish_handshake(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self._buffer.startswith(b"HTTP/1.1 101"):
            self._upgraded.set_exception(ConnectionError(self._buffer[:80].decode()))
            return False
        del self._buffer[: end + 4]
        self._open = True
        self._upgraded.set_result(None)
        return True

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT:
            self.bytes_received += len(payload)
            self._received(self, payload)
        elif opcode == _PING and self._transport is not None:
            self._transport.write(_frame(_PONG, payload))
        elif opcode == _CLOSE:
            self.close()


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((opcode, _MASKED | size))
    elif size < 65_536:
        head = bytes((opcode, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((opcode, _MASKED | 127)) + size.to_bytes(8, "big")
    return head + _NO_MASK + payload
