"""The way to a node over WebSocket.

Rules of this file:

1. Everything that the library or the network raises becomes ``Unavailable`` here, once.
2. A node that is silent for longer than a ping and its answer take is gone.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp

from recents.client.link.port import MAX_MESSAGE_BYTES
from recents.core.errors import CallerMistake, Unavailable
from recents.wire.codec import inflated

PATH = "/v1/connect"

HEARTBEAT_S = 25.0
"""Seconds between our pings; no answer for half as long is an end."""

_CLOSE_S = 1.0
"""Seconds that a node has to answer our goodbye."""

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def connect_url(address: str) -> str:
    """Return where to connect for a node's address.

    Raises:
        CallerMistake: this is not the address of a node.
    """
    mistake = CallerMistake(
        f"{address!r} is not the address of a node: write http://HOST:PORT or https://HOST"
    )
    try:
        url = urlsplit(address)
        # Reading the port checks it.
        usable = url.scheme in _SCHEMES and url.hostname and url.port != 0
    except (AttributeError, TypeError, ValueError):
        raise mistake from None
    if not usable or url.query or url.fragment:
        raise mistake
    return f"{_SCHEMES[url.scheme]}://{url.netloc}{url.path.rstrip('/')}{PATH}"


class WebSocketLink:
    """Connects to the node at an address, ``http://HOST:PORT`` or ``https://HOST``."""

    def __init__(self, address: str) -> None:
        """Remember the address.

        Raises:
            CallerMistake: this is not the address of a node.
        """
        self._address = address
        self._url = connect_url(address)

    async def open(self) -> WebSocketConnection:
        """Connect.

        Raises:
            Unavailable: nobody answers there, or somebody else than a node.
        """
        session = aiohttp.ClientSession()
        try:
            socket = await self._connect(session)
        except BaseException:
            await session.close()
            raise
        return WebSocketConnection(session, socket)

    async def _connect(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        try:
            return await session.ws_connect(
                self._url,
                heartbeat=HEARTBEAT_S,
                max_msg_size=MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
            )
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise Unavailable(
                f"no node answers at {self._address}: start one with `recents serve`, or check "
                f"the address ({_reason(error)})"
            ) from error
        except aiohttp.ClientError as error:
            raise self._not_a_node(error) from error

    def _not_a_node(self, error: aiohttp.ClientError) -> Unavailable:
        status = getattr(error, "status", None)
        if status is not None and status >= 500:
            return Unavailable(f"the node at {self._address} is not ready (HTTP {status})")
        said = f"HTTP {status}" if status else str(error) or type(error).__name__
        return Unavailable(
            f"something answers at {self._address}, but not a node ({said}): check the address"
        )


class WebSocketConnection:
    """One WebSocket to a node."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        """Take over a session and its only socket."""
        self._session = session
        self._socket = socket

    async def send(self, message: str) -> None:
        """Send a text message.

        Raises:
            Unavailable: the connection is lost.
        """
        try:
            await self._socket.send_str(message)
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"the connection was lost: {_reason(error)}") from error

    async def receive(self) -> str | None:
        """Return the next text message, or None at the end.

        Raises:
            PeerMistake: the node sent bytes that are not deflated text, or too much of it.
        """
        received = await self._socket.receive()
        if received.type is aiohttp.WSMsgType.TEXT:
            text: str = received.data
            return text
        if received.type is aiohttp.WSMsgType.BINARY:
            return inflated(received.data, MAX_MESSAGE_BYTES)
        return None

    async def close(self) -> None:
        """End the connection; waits a moment for the node's goodbye."""
        with suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
            await self._socket.close()
        await self._session.close()


def _reason(error: BaseException) -> str:
    cause = getattr(error, "os_error", error)
    number = getattr(cause, "errno", None)
    if number is not None and number > 0:
        return os.strerror(number)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
