"""The way from a node to the receivers of webhooks.

Rules of this file:

1. Nothing is followed: a redirect is an answer like another.
2. Where only public addresses are allowed, it is the address connected to that is looked at, not a
   name that may mean another one a moment later.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from recents.core.errors import Code, Refused
from recents.core.ids import check_encodable
from recents.server.settings import Settings
from recents.server.webhooks import SendFailed

MAX_URL_CHARACTERS = 2_000

_JSON = {"Content-Type": "application/json", "User-Agent": "recents"}


def check_url(url: str) -> str:
    """Return the address of a receiver if it may be one.

    Raises:
        Refused: ``bad_value``.
    """
    check_encodable(url, "url")
    try:
        parts = urlsplit(url)
        usable = (
            len(url) <= MAX_URL_CHARACTERS
            and url.isprintable()
            and " " not in url
            and parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and parts.username is None
            and not parts.fragment
        )
    except ValueError:
        usable = False
    if not usable:
        raise Refused(
            Code.BAD_VALUE,
            f"{url[:80]!r} cannot be called: write http://HOST/PATH or https://HOST/PATH, without "
            f"a user or a fragment, in at most {MAX_URL_CHARACTERS} characters",
        )
    return url


class Outgoing:
    """Delivers webhooks over HTTP; a ``Sender``."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; ``open`` comes before the first delivery."""
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make ready."""
        public_only = self._settings.webhooks_public_only
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_PublicResolver() if public_only else None),
            timeout=aiohttp.ClientTimeout(total=self._settings.webhook_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Let go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Deliver; return the status of the answer.

        Raises:
            SendFailed: there was none.
        """
        if self._session is None:
            raise SendFailed("the node is stopping")
        if self._settings.webhooks_public_only:
            _check_literal(urlsplit(url).hostname or "")
        try:
            async with self._session.post(
                url, data=body, headers=_JSON | headers, allow_redirects=False
            ) as answer:
                return answer.status
        except TimeoutError as error:
            raise SendFailed("the receiver did not answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SendFailed(f"the receiver was not reached: {error}") from error


class _PublicResolver(AbstractResolver):
    """Finds public addresses only."""

    def __init__(self) -> None:
        self._all = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._all.resolve(host, port, family)
        public = [one for one in found if _is_public(one["host"])]
        if not public:
            raise OSError(errno.EADDRNOTAVAIL, f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._all.close()


def _check_literal(host: str) -> None:
    # An address in the URL is connected to without being looked up.
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if not _is_public(host):
        raise SendFailed(f"{host} is no public address")


def _is_public(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast
