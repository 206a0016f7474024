"""A node behind a real address, and devices and application servers that talk to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp import WSMsgType

from recents.server.doors.listening import Listening
from recents.server.node import Node, system_clock_ms
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.wire import codec
from recents.wire.frames import Answer, Bye, DeviceFrame, Error, Hello, NodeFrame

ADMIN_KEY = "admin-key-for-tests"
PATIENCE_S = 5.0


class Socket:
    """One WebSocket; keeps the frames that it received, and counts deflated messages."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[NodeFrame] = []
        self.deflated = 0

    async def send(self, *frames: DeviceFrame) -> None:
        await self.say("\n".join(codec.encode(frame).decode() for frame in frames))

    async def say(self, message: str) -> None:
        await self.socket.send_str(message)

    async def receive(self) -> NodeFrame | None:
        """Return the next frame, or None at the end."""
        if not self.frames:
            async with asyncio.timeout(PATIENCE_S):
                message = await self.socket.receive()
            if message.type is WSMsgType.BINARY:
                self.deflated += 1
                text = codec.inflated(message.data, 2**24)
            elif message.type is WSMsgType.TEXT:
                text = message.data
            else:
                return None
            self.frames = [codec.decode_node_frame(line) for line in codec.split(text)]
        return self.frames.pop(0)

    async def answer(self) -> Answer | Error:
        """Return the next answer or error; changes before it are skipped."""
        while True:
            frame = await self.receive()
            assert frame is not None, "the connection ended"
            if isinstance(frame, Answer | Error):
                return frame

    async def ask(self, frame: DeviceFrame) -> Answer | Error:
        await self.send(frame)
        return await self.answer()

    def cut(self) -> None:
        """End the connection without a word."""
        transport = self.socket.get_extra_info("socket")
        transport.shutdown(socket.SHUT_RDWR)

    async def bye(self) -> Bye:
        """Return the goodbye with which the node ends this connection."""
        while True:
            frame = await self.receive()
            assert frame is not None, "the connection ended without a goodbye"
            if isinstance(frame, Bye):
                assert await self.receive() is None
                return frame


class Place:
    """A listening node, its people, and ways to reach it."""

    def __init__(self, at: Listening, http: aiohttp.ClientSession) -> None:
        self.at = at
        self.node = at.node
        self.http = http
        self.secrets: dict[str, str] = {}
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []

    @property
    def port(self) -> int:
        return int(self.at.address.rpartition(":")[2])

    async def hire(self, *accounts: str) -> None:
        for account in accounts:
            await self.node.accounts.create(account)
            _, self.secrets[account] = await self.node.accounts.give_token(account)

    def hello(self, account: str, **changes: object) -> Hello:
        hello = Hello(protocol=1, account=account, token=self.secrets[account])
        return msgspec.structs.replace(hello, **changes)

    async def connect(self) -> Socket:
        """Return a socket that has not greeted."""
        timeout = aiohttp.ClientWSTimeout(ws_close=1)
        url = f"{self.at.address}/v1/connect"
        socket = await self.http.ws_connect(url, max_msg_size=0, timeout=timeout)
        self._sockets.append(socket)
        return Socket(socket)

    async def hang_up(self) -> None:
        """Close every socket that is still open."""
        for one in self._sockets:
            await one.close()

    async def deserted(self, devices: int = 0) -> None:
        """Wait until so few devices are connected."""
        async with asyncio.timeout(PATIENCE_S):
            while self.node.devices > devices:  # noqa: ASYNC110 - the node tells nobody
                await asyncio.sleep(0.01)

    async def online(self, account: str, **changes: object) -> Socket:
        """Return a socket that has caught up."""
        socket = await self.connect()
        await socket.send(self.hello(account, **changes))
        while getattr(await socket.receive(), "token", None) is None:
            pass
        return socket

    async def rest(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str | None = ADMIN_KEY,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, object]]:
        """Make a REST call; return status and answer."""
        headers = dict(headers or {})
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        async with self.http.request(
            method, f"{self.at.address}{path}", data=data, headers=headers
        ) as response:
            raw = await response.read()
            answer = msgspec.json.decode(raw, type=dict[str, object]) if raw else {}
            return response.status, answer

    async def raw(self, request: bytes) -> bytes:
        """Send bytes as they are and return everything that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            async with asyncio.timeout(PATIENCE_S):
                return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def open_place(
    settings: Settings | None = None,
    store: Store | None = None,
    admin_key: str | None = ADMIN_KEY,
    clock_ms: Callable[[], int] = system_clock_ms,
) -> AsyncIterator[Place]:
    node = Node(store or MemoryStore(), settings, clock_ms=clock_ms)
    async with (
        aiohttp.ClientSession() as http,
        Listening(node, port=0, admin_key=admin_key) as at,
    ):
        place = Place(at, http)
        try:
            yield place
        finally:
            if node.running:
                await place.hang_up()
