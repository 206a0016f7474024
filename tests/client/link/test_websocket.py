"""The WebSocket link against real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web

from recents.client.link import websocket
from recents.client.link.port import MAX_MESSAGE_BYTES
from recents.client.link.websocket import WebSocketLink, connect_url
from recents.core.errors import CallerMistake, PeerMistake, Unavailable
from recents.wire.codec import deflated

pytestmark = pytest.mark.asyncio

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """Serve the node's path on a port of its own; gives the address."""
    app = web.Application()
    app.router.add_get("/v1/connect", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
            if message.data == "bye":
                await socket.close()
            if message.data == "bytes":
                await socket.send_bytes(b"x")
            if message.data == "deflated":
                await socket.send_bytes(deflated("grüße\n".encode() * 1_000))
            if message.data == "bomb":
                await socket.send_bytes(deflated(b"x" * (MAX_MESSAGE_BYTES + 1)))
            if message.data == "large":
                await socket.send_str("x" * (MAX_MESSAGE_BYTES + 1))
            if message.data == "cut":
                assert request.transport is not None
                request.transport.abort()
    return socket


async def test_the_path_follows_the_address() -> None:
    assert connect_url("http://h:7380") == "ws://h:7380/v1/connect"
    assert connect_url("https://h/chat/") == "wss://h/chat/v1/connect"
    assert connect_url("wss://h") == "wss://h/v1/connect"
    assert connect_url("http://[::1]:7380") == "ws://[::1]:7380/v1/connect"
    for wrong in ("h", "http://h?x=1", "http://h#x", "http://[::1"):
        with pytest.raises(CallerMistake):
            connect_url(wrong)


async def test_text_goes_there_and_back() -> None:
    async with serving(echo) as address:
        connection = await WebSocketLink(address).open()
        await connection.send("grüße")
        assert await connection.receive() == "grüße"
        await connection.close()
        await connection.close()
        with pytest.raises(Unavailable):
            await connection.send("late")
        assert await connection.receive() is None


@pytest.mark.parametrize("end", ["bye", "large", "cut"])
async def test_every_end_is_none(end: str) -> None:
    async with serving(echo) as address:
        connection = await WebSocketLink(address).open()
        await connection.send(end)
        received: list[str | None] = []
        while received[-1:] != [None]:
            received.append(await connection.receive())
        assert received in ([end, None], [None])
        await connection.close()


async def test_deflated_text_is_text() -> None:
    async with serving(echo) as address:
        connection = await WebSocketLink(address).open()
        await connection.send("deflated")
        assert await connection.receive() == "deflated"
        assert await connection.receive() == "grüße\n" * 1_000
        await connection.close()


@pytest.mark.parametrize("sent", ["bytes", "bomb"])
async def test_other_bytes_are_the_nodes_mistake(sent: str) -> None:
    async with serving(echo) as address:
        connection = await WebSocketLink(address).open()
        await connection.send(sent)
        await connection.receive()
        with pytest.raises(PeerMistake):
            await connection.receive()
        await connection.close()


async def test_closing_wakes_a_receiver() -> None:
    async with serving(echo) as address:
        connection = await WebSocketLink(address).open()
        receiving = asyncio.create_task(connection.receive())
        await asyncio.sleep(0.01)
        await connection.close()
        assert await receiving is None


async def test_a_silent_node_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "HEARTBEAT_S", 0.05)

    async def deaf(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await asyncio.sleep(0.5)
        return socket

    async with serving(deaf) as address:
        connection = await WebSocketLink(address).open()
        assert await asyncio.wait_for(connection.receive(), 0.4) is None
        await connection.close()


async def test_nobody_there_says_what_to_do(unused_tcp_port: int) -> None:
    with pytest.raises(Unavailable, match="start one with `recents serve`, or check the address"):
        await WebSocketLink(f"http://127.0.0.1:{unused_tcp_port}").open()


async def test_a_refused_connection_is_named_in_words(unused_tcp_port: int) -> None:
    with pytest.raises(Unavailable, match="Connection refused"):
        await WebSocketLink(f"http://127.0.0.1:{unused_tcp_port}").open()


async def test_connecting_can_be_called_off() -> None:
    async def dawdle(request: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response()

    async with serving(dawdle) as address:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(WebSocketLink(address).open(), 0.05)


async def test_an_unknown_name_says_what_to_do() -> None:
    with pytest.raises(Unavailable, match=r"no node answers at http://nowhere\.invalid"):
        await WebSocketLink("http://nowhere.invalid:7380").open()


@pytest.mark.parametrize(
    ("status", "says"), [(200, "but not a node"), (404, "HTTP 404"), (503, "not ready")]
)
async def test_something_else_than_a_node_is_named(status: int, says: str) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(status=status, text="hello")

    async with serving(page) as address:
        with pytest.raises(Unavailable, match=says):
            await WebSocketLink(address).open()


async def test_something_that_does_not_speak_http_is_named() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(Unavailable):
            await WebSocketLink(f"http://127.0.0.1:{port}").open()
    finally:
        server.close()
        await server.wait_closed()
