"""Where a client is put together: here link, store, clock, chance and ids are chosen."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import platformdirs

from recents.client.arguments import callers_mistake
from recents.client.asking import Asking
from recents.client.backoff import Backoff
from recents.client.client import Client, Parts
from recents.client.copying import Copying
from recents.client.keeper import Keeper
from recents.client.link.port import Link
from recents.client.link.websocket import WebSocketLink
from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox
from recents.client.planning import Planning
from recents.client.requests import Requests
from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.naming import file_of
from recents.client.store.port import DeviceStore
from recents.client.store.sqlite import SqliteDeviceStore
from recents.client.sync_loop import SyncLoop
from recents.core.errors import CallerMistake
from recents.core.ids import check_display_name, check_id
from recents.core.message import check_token
from recents.wire.frames import PROTOCOL_VERSION, Hello

USER_DATA = Path()
"""Stands for the folder in which this platform keeps the data of a user's programs."""

MAX_TOKEN_CHARACTERS = 1_024
"""Far more than any node gives out; what is longer is no token but a mistake."""


def connect(
    address: str,
    *,
    account: str,
    token: str,
    device: str = "",
    data_dir: str | Path | None = USER_DATA,
    timeout_s: float = 10.0,
    request_timeout_s: float = 30.0,
) -> Client:
    """Make a client for ``async with``: it opens there, and closes at the end.

    With a copy of the list on this device it opens at once, also without a network; see
    ``Client.open``. At the end it gives commands that are under way some seconds to get through;
    others stay on this device and are sent the next time.

    Args:
        address: of the node: ``http://HOST:PORT`` or ``https://HOST``.
        account: who logs in.
        token: the secret that was given out for this account.
        device: a name for this device, for the list of the account's devices.
        data_dir: the folder for this device's copy, a file for each node and account; by default
            where this platform keeps such data. None: in memory, forgotten at the end.
        timeout_s: seconds within which the first page must be there, on a first start.
        request_timeout_s: seconds that one call waits for its answer, across reconnects.

    Raises:
        CallerMistake: one of the arguments cannot be right.
    """
    settings = Settings(open_timeout_s=timeout_s, request_timeout_s=request_timeout_s)
    with callers_mistake():
        check_id(account)
        check_token(token, "token", MAX_TOKEN_CHARACTERS)
        check_display_name(device)
    link = WebSocketLink(address)
    hello = Hello(
        protocol=PROTOCOL_VERSION, account=account, token=token, device=device, deflate=True
    )
    store = _store(data_dir, address, account)
    return assemble(link, hello, settings, store, _clock_ms, random.random, _new_id)


def assemble(
    link: Link,
    hello: Hello,
    settings: Settings,
    store: DeviceStore,
    clock_ms: Callable[[], int],
    chance: Callable[[], float],
    new_id: Callable[[], str],
) -> Client:
    """Put a client together from a link, a greeting, a store, and sources of time and chance."""
    wake, announcer = asyncio.Event(), Announcer()
    outbox, requests = Outbox(wake), Requests(settings, wake)
    local = LocalList(hello.account, outbox)
    copying = Copying(store, local, outbox, announcer)
    keeper = Keeper(hello.account, copying, local, outbox, announcer, settings, clock_ms)
    backoff = Backoff(settings.first_delay_s, settings.longest_delay_s, chance)
    return Client(
        Parts(
            local=local,
            outbox=outbox,
            copying=copying,
            keeper=keeper,
            planning=Planning(hello.account, local, outbox, copying.messages, new_id),
            requests=requests,
            asking=Asking(hello.account, requests, keeper, announcer, settings, new_id),
            announcer=announcer,
            sync_loop=SyncLoop(
                link, hello, keeper, requests, announcer, backoff, settings, clock_ms, wake
            ),
            settings=settings,
        )
    )


def _store(data_dir: str | Path | None, address: str, account: str) -> DeviceStore:
    if data_dir is None:
        # What is forgotten at the end is no device that anybody would look for in a list.
        return MemoryDeviceStore(lambda: "")
    if "\0" in str(data_dir):
        raise CallerMistake(f"{str(data_dir)!r} is not the name of a folder")
    folder = Path(data_dir)
    if data_dir is USER_DATA:
        folder = platformdirs.user_data_path("recents", appauthor=False)
    return SqliteDeviceStore(file_of(folder, address, account), account, _new_id)


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _new_id() -> str:
    """Make an id that begins with the time, so that nodes can file ids in the order they come."""
    return f"{_clock_ms():011x}{secrets.token_hex(8)}"
