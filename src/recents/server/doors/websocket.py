"""The door for devices: one WebSocket each (``docs/protocol.md``, section 1)."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import WSCloseCode, WSMsgType, web

from recents.core.errors import Code, Refused
from recents.server.doors.problems import problem
from recents.server.node import Node
from recents.server.sessions import RETRY_AFTER_S, Session
from recents.wire.codec import MAX_DEVICE_MESSAGE_BYTES, encode
from recents.wire.frames import Bye
from recents.wire.greeting import Phase

_DRAIN_BEAT_S = 0.02

_CLOSE_S = 1.0
"""Seconds that a device has to answer our goodbye; then its connection is cut."""

_TEXT = frozenset({WSMsgType.TEXT, WSMsgType.BINARY})
"""A device that sends its text as bytes is understood all the same."""

_CLOSE_CODES = {Code.CLOSING: WSCloseCode.GOING_AWAY}


class SocketPeer:
    """A device behind a WebSocket."""

    __slots__ = ("_socket", "_transport")

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        """Wrap a socket that has been prepared."""
        self._socket = socket
        self._transport = transport

    async def send(self, message: bytes, *, deflated: bool = False) -> None:
        """Send a text message, or a deflated one; a dead socket is noticed by the reading side."""
        try:
            await self._socket.send_frame(
                message, WSMsgType.BINARY if deflated else WSMsgType.TEXT
            )
        except (ConnectionError, RuntimeError):
            return

    def backlog(self) -> int:
        """Return the bytes that are not yet on the wire."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return 0
        return transport.get_write_buffer_size()

    async def drained(self, backlog: int) -> None:
        """Return when at most this many bytes are unsent, or the connection is over."""
        while self.backlog() > backlog:  # noqa: ASYNC110 - the transport tells nobody publicly
            await asyncio.sleep(_DRAIN_BEAT_S)

    async def close(self, reason: str) -> None:
        """Close the socket with a code that fits the reason."""
        code = _CLOSE_CODES.get(Code(reason), WSCloseCode.POLICY_VIOLATION)
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._socket.close(code=code, message=reason.encode())
        except (ConnectionError, RuntimeError, TimeoutError):
            if self._transport is not None:
                self._transport.abort()

    def let_go(self) -> None:
        """Give a connection that is over a moment to send what is left, then cut it."""
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(_CLOSE_S, transport.abort)


async def connect(node: Node, request: web.Request) -> web.StreamResponse:
    """Serve one device until its connection ends."""
    socket = web.WebSocketResponse(
        heartbeat=node.settings.heartbeat_s,
        max_msg_size=MAX_DEVICE_MESSAGE_BYTES,
        compress=False,
        # The library would wait for slow devices inside of `send`; the deliveries mind them.
        writer_limit=sys.maxsize,
    )
    if not socket.can_prepare(request).ok:
        return _no_websocket()
    await socket.prepare(request)
    peer = SocketPeer(socket, request.transport)
    try:
        session = node.connect(peer)
    except Refused as refusal:
        await peer.send(encode(_bye(refusal)))
        await peer.close(refusal.code)
        return socket
    try:
        await _serve(session, socket, node.settings.greeting_timeout_s)
    finally:
        node.disconnect(session)
        peer.let_go()
    return socket


async def _serve(session: Session, socket: web.WebSocketResponse, greeting_s: float) -> None:
    deadline = asyncio.get_running_loop().time() + greeting_s
    try:
        while session.phase is Phase.GREETING:
            async with asyncio.timeout_at(deadline):
                message = await socket.receive()
            if message.type not in _TEXT:
                return
            await session.receive(message.data)
    except TimeoutError:
        late = Refused(Code.HELLO_FIRST, f"no hello within {greeting_s:g} seconds")
        await session.bye(late, RETRY_AFTER_S)
        return
    async for message in socket:
        if message.type in _TEXT:
            await session.receive(message.data)


def _bye(refusal: Refused) -> Bye:
    return Bye(code=refusal.code, message=refusal.args[0], retry_after_s=RETRY_AFTER_S)


def _no_websocket() -> web.Response:
    response = problem(
        426, Code.BAD_VALUE, "this address speaks WebSocket; connect with the SDK or such a client"
    )
    response.headers["Upgrade"] = "websocket"
    return response
