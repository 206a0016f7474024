"""A node that listens on an address, from start to graceful stop."""

from __future__ import annotations

import errno
import gc
import sys
from types import TracebackType
from typing import Self

from aiohttp import web

from recents.core.errors import CallerMistake, RecentsError
from recents.server.doors.http import application
from recents.server.doors.outgoing import Outgoing
from recents.server.node import Node

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7380

SWITCH_INTERVAL_S = 0.0001
"""The committing thread needs the interpreter for microseconds at a time. At the default of 5 ms
it waits that long for each of them beside a busy event loop, and commits starve."""

GC_THRESHOLDS = (100_000, 50, 100)
"""Allocations before a collection of the youngest objects, and how many of those before one of
the older ones. The defaults (700, 10, 10) walk through all connections again and again: a tenth
of the throughput, and pauses of tens of ms at 1,000 devices. Few cycles are made here, so few
have to wait."""

_STOP_TIMEOUT_S = 5.0


class CannotListen(RecentsError):
    """The address cannot be used; the message says why and what to do."""


class Listening:
    """A node behind an address: ``async with Listening(node) as at: print(at.address)``.

    Attributes:
        address: ``http://host:port`` with the real port.
    """

    def __init__(
        self,
        node: Node,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        *,
        admin_key: str | None = None,
    ) -> None:
        """Prepare; port 0 takes any free one.

        Raises:
            CallerMistake: the port is not between 0 and 65535.
        """
        if not 0 <= port <= 65_535:
            raise CallerMistake(f"port is {port}; use 0 to 65535")
        self.node = node
        self.address = ""
        self._host, self._port = host, port
        self._outgoing = Outgoing(node.settings)
        app = application(node, admin_key)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_TIMEOUT_S)

    async def __aenter__(self) -> Self:
        """Start the node and listen.

        Raises:
            StoreUnusable: the store cannot be opened.
            CannotListen: the address is taken or does not exist.
        """
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.set_threshold(*GC_THRESHOLDS)
        await self._outgoing.open()
        try:
            await self.node.start(self._outgoing)
        except BaseException:
            await self.node.stop()
            await self._outgoing.close()
            raise
        try:
            await self._runner.setup()
            site = web.TCPSite(self._runner, self._host, self._port, backlog=4_096)
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            await self.node.stop()
            await self._outgoing.close()
            raise _cannot_listen(self._host, self._port, error) from error
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop: no new connections, devices told why, what was committed answered."""
        for site in list(self._runner.sites):
            await site.stop()
        await self.node.stop()
        await self._runner.cleanup()
        await self._outgoing.close()


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        return CannotListen(
            f"port {port} on {host} is taken: stop the other program, or choose another port with "
            "--port"
        )
    if error.errno == errno.EACCES:
        return CannotListen(f"port {port} needs more rights; choose one above 1023 with --port")
    return CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}")
