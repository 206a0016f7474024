"""Where a client is put together: the only place that chooses link, chance and ids."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable

from recents.client.arguments import callers_mistake
from recents.client.asking import Asking
from recents.client.backoff import Backoff
from recents.client.client import Client
from recents.client.link.port import Link
from recents.client.link.websocket import WebSocketLink
from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.requests import Requests
from recents.client.settings import Settings
from recents.client.sync_loop import SyncLoop
from recents.core.ids import check_id
from recents.wire.frames import PROTOCOL_VERSION, Hello


def connect(
    address: str,
    *,
    account: str,
    token: str,
    device: str = "",
    timeout_s: float = 10.0,
    request_timeout_s: float = 30.0,
) -> Client:
    """Make a client for ``async with``: it opens there, and closes at the end.

    Args:
        address: of the node: ``http://HOST:PORT`` or ``https://HOST``.
        account: who logs in.
        token: the secret that was given out for this account.
        device: a name for this device, for the node's logs.
        timeout_s: seconds within which the first page must be there.
        request_timeout_s: seconds that one call waits for its answer, across reconnects.

    Raises:
        CallerMistake: the address or the account cannot be right.
    """
    settings = Settings(open_timeout_s=timeout_s, request_timeout_s=request_timeout_s)
    with callers_mistake():
        check_id(account)
    hello = Hello(protocol=PROTOCOL_VERSION, account=account, token=token, device=device)
    return assemble(WebSocketLink(address), hello, settings, random.random, _new_id)


def assemble(
    link: Link,
    hello: Hello,
    settings: Settings,
    chance: Callable[[], float],
    new_id: Callable[[], str],
) -> Client:
    """Put a client together from a link, a greeting, and sources of chance and ids."""
    local, requests, announcer = LocalList(), Requests(settings), Announcer()
    backoff = Backoff(settings.first_delay_s, settings.longest_delay_s, chance)
    sync_loop = SyncLoop(link, hello, local, requests, announcer, backoff, settings)
    asking = Asking(hello.account, requests, new_id)
    return Client(local, requests, announcer, sync_loop, asking, settings)


def _new_id() -> str:
    """Make an id that begins with the time, so that nodes can file ids in the order they come."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(8)}"
