"""The REST face of a node, asked with the admin key."""

from __future__ import annotations

from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from yarl import URL

from recents.cli.login import no_node
from recents.core.errors import CallerMistake, Code, PeerMistake, Refused, Unavailable

_PATIENCE_S = 30.0
_UNAVAILABLE = 503


class _Problem(msgspec.Struct):
    """The error answer of a node; a ``code`` that is newer than this program has its words."""

    code: str
    detail: str
    details: dict[str, str | int] = {}


class Rest:
    """Calls of one command: ``async with Rest(node) as rest``."""

    def __init__(self, node: str, admin_key: str = "") -> None:
        """Prepare for the node at an address.

        Raises:
            CallerMistake: this is not an address.
        """
        try:
            url = urlsplit(node)
            usable = url.scheme in {"http", "https"} and url.hostname and url.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise CallerMistake(f"{node!r} is not the address of a node: write http://HOST:PORT")
        self._node = node.rstrip("/")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {admin_key}"} if admin_key else None,
            timeout=aiohttp.ClientTimeout(total=_PATIENCE_S),
        )

    async def call(
        self,
        method: str,
        *path: str,
        body: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> dict[str, object]:
        """Call ``/v1/…`` and return the JSON object that it answers.

        Raises:
            Refused: the node says no.
            Unavailable: no node answers, or not now.
            PeerMistake: something else than a node answers.
        """
        segments = "/".join(quote(segment, safe="") for segment in path)
        url = URL(f"{self._node}/v1/{segments}", encoded=True)
        # A redirect would carry the admin key to somewhere nobody named.
        request = self._session.request(
            method,
            url.update_query(query or {}),
            data=None if body is None else msgspec.json.encode(body),
            headers=None if body is None else {"Content-Type": "application/json"},
            allow_redirects=False,
        )
        try:
            async with request as response:
                return self._answer(response.status, await response.read())
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise no_node(self._node) from error
        except aiohttp.ClientError as error:
            raise PeerMistake(f"{type(error).__name__} from {self._node}") from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    def _answer(self, status: int, body: bytes) -> dict[str, object]:
        try:
            if status < 300:
                return msgspec.json.decode(body, type=dict[str, object])
            problem = msgspec.json.decode(body, type=_Problem)
            code = Code(problem.code)
        except (msgspec.MsgspecError, ValueError) as error:
            raise PeerMistake(f"HTTP {status} from {self._node}") from error
        if status == _UNAVAILABLE:
            raise Unavailable(problem.detail)
        raise Refused(code, problem.detail, problem.details)
