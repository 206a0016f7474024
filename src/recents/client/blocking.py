"""The client for scripts and notebooks: what ``recents.connect_blocking`` returns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from recents.client.blocking_calls import OwnThread, twin_of
from recents.client.blocking_faces import (
    BlockingDevices,
    BlockingMessages,
    BlockingProfiles,
    BlockingTeams,
)
from recents.client.blocking_inbox import BlockingInbox
from recents.client.blocking_view import removing
from recents.client.client import Client
from recents.client.opening import USER_DATA, connect
from recents.client.state import State
from recents.client.store.port import SetAside
from recents.core.commands import AnyCommand
from recents.core.errors import Refused


def connect_blocking(
    address: str,
    *,
    account: str,
    token: str,
    device: str = "",
    data_dir: str | Path | None = USER_DATA,
    timeout_s: float = 10.0,
    request_timeout_s: float = 30.0,
) -> BlockingClient:
    """Make a client for ``with``: the twin of ``connect`` for code that is not asynchronous.

    It opens there, and closes at the end; see ``connect``. It lives on a thread of its own, so it
    goes on receiving while the caller does something else, and may be called from any thread,
    also from one that runs an event loop, such as a notebook's.

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
    return BlockingClient(
        connect(
            address,
            account=account,
            token=token,
            device=device,
            data_dir=data_dir,
            timeout_s=timeout_s,
            request_timeout_s=request_timeout_s,
        )
    )


@twin_of(Client)
class BlockingClient:
    """A connection that lasts: it comes back by itself until it is closed, and works without.

    Calls may come from several threads at once. Ctrl-C ends the waiting of a call, not what it
    commanded, and the client can be used on. Listeners are called on the client's own thread,
    and cannot call the client, which would wait for itself. A process that was forked needs a
    client of its own. One that nobody closed is closed when the interpreter ends.

    Attributes:
        inbox: the list of recent conversations.
        messages: sending and reading messages.
        teams: teams and who is in them.
        devices: the devices of this account.
        profiles: names and pictures of accounts.
    """

    def __init__(self, client: Client) -> None:
        """Run ``client`` on a thread; applications call ``recents.connect_blocking``."""
        own = OwnThread(f"recents {client.account}", lambda: client.__aexit__(None, None, None))
        self.inbox = BlockingInbox(own, client.inbox)
        self.messages = BlockingMessages(own, client.messages)
        self.teams = BlockingTeams(own, client.teams)
        self.devices = BlockingDevices(own, client.devices)
        self.profiles = BlockingProfiles(own, client.profiles)
        self._own = own
        self._client = client

    @property
    def device_id(self) -> str:
        """Tells this device from the account's others; "" before it is opened."""
        return self._client.device_id

    @property
    def account(self) -> str:
        """Whose list this is."""
        return self._client.account

    @property
    def state(self) -> State:
        """Where this client stands towards its node."""
        return self._client.state

    @property
    def trouble(self) -> Exception | None:
        """Why there is no connection, or None."""
        return self._own.do(lambda: self._client.trouble)

    @property
    def unsent(self) -> int:
        """How many commands the node has not answered yet."""
        return self._own.do(lambda: self._client.unsent)

    @property
    def token(self) -> str | None:
        """Everything up to here is in the list: text for a node to read; None: not yet."""
        return self._own.do(lambda: self._client.token)

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Copies of this account on this device that could not be used and were kept (C6)."""
        return self._own.do(lambda: self._client.set_aside)

    def on_state(self, listener: Callable[[State], object]) -> Callable[[], None]:
        """Call ``listener`` with each new state; returns a function that ends this."""
        return removing(self._own, self._own.do(self._client.on_state, listener))

    def on_refused(self, listener: Callable[[AnyCommand, Refused], object]) -> Callable[[], None]:
        """Call ``listener`` with each command that the node refused, and why."""
        return removing(self._own, self._own.do(self._client.on_refused, listener))

    def on_set_aside(self, listener: Callable[[SetAside], object]) -> Callable[[], None]:
        """Call ``listener`` when this device's copy turns out damaged while it is used (C6)."""
        return removing(self._own, self._own.do(self._client.on_set_aside, listener))

    def synced(self, timeout_s: float | None = None) -> bool:
        """Wait until the list is as the node has it."""
        return self._own.call(self._client.synced, timeout_s)

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until the node has answered every command."""
        return self._own.call(self._client.flush, timeout_s)

    def open(self) -> None:
        """Open this device's copy, and begin to connect."""
        started = self._own.start()
        try:
            self._own.call(self._client.open)
        except BaseException:
            if started:
                self._own.end(self._client.close)
            raise

    def close(self) -> None:
        """End at once; commands that the node has not answered are kept on this device."""
        self._own.end(self._client.close)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._own.end(lambda: self._client.__aexit__(kind, error, traceback))

    def __repr__(self) -> str:
        return f"<recents.BlockingClient {self.account} {self.state}>"
