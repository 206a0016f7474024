"""The store in one SQLite file: the embedded default.

One thread writes, one reads, one moves the log into the file (``sqlite_writing``,
``sqlite_reading``, ``sqlite_checkpoints``); this file hands each call to the right one. A batch is
one hop to the writer's thread and back.

The driver lets go of the interpreter's lock at every step of a statement and must get it back: a
process with a busy event loop beside it should have ``sys.setswitchinterval(0.0001)``, or commits
wait up to 5 ms per row (measured: 1.6k against 22k messages a second).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from recents.core.head import Head
from recents.core.ids import ConversationKey
from recents.core.message import Message
from recents.core.ordering import Place
from recents.core.totals import Totals
from recents.server.store.port import Account, KnownDevice, Seen, StoreFailed, TeamMember, Token
from recents.server.store.sqlite_checkpoints import Checkpoints
from recents.server.store.sqlite_failures import opening_failures
from recents.server.store.sqlite_opening import Connections, close_connections, open_connections
from recents.server.store.sqlite_reading import Reading
from recents.server.store.sqlite_writing import Writing
from recents.server.store.workspace import MembershipId, Wanted, Workspace

T = TypeVar("T")


@dataclass(slots=True)
class _Opened:
    connections: Connections
    writing: Writing
    reading: Reading
    checkpoints: Checkpoints


class SqliteStore:
    """Accounts, messages, heads and memberships in one SQLite file.

    Args:
        path: the file; made with its first opening. ``<path>.lock`` beside it keeps a second
            node out.
        restored: the file is a backup that was put back. Commits that devices have seen are
            missing from it, so it begins another line of versions, and devices fetch everything
            anew.
    """

    def __init__(self, path: Path, *, restored: bool = False) -> None:
        self._path = path
        self._restored = restored
        self._opened: _Opened | None = None
        self._writer_thread: ThreadPoolExecutor
        self._reader_thread: ThreadPoolExecutor

    @property
    def epoch(self) -> str:
        """Names this file's line of versions; chosen at random when it is made."""
        return self._open_parts().writing.epoch

    @property
    def version(self) -> int:
        """Number of the newest commit; 0 when there is none."""
        return self._open_parts().writing.version

    @property
    def rows_written(self) -> int:
        """Rows of messages, heads and memberships written since it was opened; for tests."""
        return self._open_parts().writing.rows_written

    async def open(self) -> None:
        """Open the file, making or migrating it where needed.

        Raises:
            StoreUnusable: it cannot be used, with what to do.
        """
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._reader_thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        try:
            self._opened = await _hop(self._writer_thread, self._open)
        finally:
            if self._opened is None:
                self._end_threads()

    def _open(self) -> _Opened:
        connections = open_connections(self._path)
        try:
            with opening_failures(self._path):
                writing = Writing(connections.writer)
                if self._restored:
                    writing.renew_epoch()
                return _Opened(
                    connections,
                    writing,
                    Reading(connections.reader),
                    Checkpoints(connections.writer, self._writer_thread, connections.checkpointer),
                )
        except BaseException:
            close_connections(connections)
            raise

    async def close(self) -> None:
        """Finish what was begun, bring everything into the one file, let go of it."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        try:
            # What was handed to a thread before is finished first.
            await _hop(self._reader_thread, lambda: None)
            await _hop(self._writer_thread, lambda: None)
            await _hop(None, opened.checkpoints.stop)
            await _hop(self._writer_thread, partial(close_connections, opened.connections))
        finally:
            self._end_threads()

    def _end_threads(self) -> None:
        self._writer_thread.shutdown(wait=False)
        self._reader_thread.shutdown(wait=False)

    async def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        """Load what is wanted, let ``decide`` change it, commit the changes durably.

        A caller that is cancelled while it waits stops waiting; the commit goes on.

        Raises:
            StoreFailed: nothing was stored.
        """
        return await self._write(lambda writing: writing.transact(wanted, decide))

    async def forget_verdicts(self, before_ms: int) -> int:
        """Forget some of the verdicts from before a time, the oldest first; return how many."""
        return await self._write(lambda writing: writing.forget_verdicts(before_ms))

    async def head(self, key: ConversationKey) -> Head | None:
        """Return the head of a conversation."""
        return await self._read(lambda reading: reading.head(key))

    async def look(self, pairs: Collection[MembershipId]) -> list[Seen]:
        """Return what makes the rows of these memberships; unknown pairs are left out."""
        return await self._read(lambda reading: reading.look(pairs))

    async def changed_since(self, account: str, version: int) -> list[Seen]:
        """Return the account's memberships of which the row changed after a version; 0: all."""
        return await self._read(lambda reading: reading.changed_since(account, version))

    async def page(
        self, account: str, limit: int, after: Place | None = None
    ) -> tuple[list[Seen], Totals]:
        """Return visible rows in the order of O1 after a place, and the totals of all rows."""
        return await self._read(lambda reading: reading.page(account, limit, after))

    async def messages(
        self,
        key: ConversationKey,
        *,
        after_seq: int,
        before_seq: int,
        limit: int,
        account: str | None = None,
    ) -> list[Message]:
        """Return the newest messages with ``after_seq < seq < before_seq``, oldest first."""
        return await self._read(
            lambda reading: reading.messages(key, after_seq, before_seq, limit, account)
        )

    async def amended_since(
        self, account: str, version: int
    ) -> dict[ConversationKey, list[Message]]:
        """Return the messages that became others for an account after a version."""
        return await self._read(lambda reading: reading.amended_since(account, version))

    async def mentions(
        self, account: str, key: ConversationKey, after_seq: int, limit: int
    ) -> list[int]:
        """Return the seqs of the messages behind the row's mentions, oldest first (G3)."""
        return await self._read(lambda reading: reading.mentions(account, key, after_seq, limit))

    async def members(self, key: ConversationKey, after: str, limit: int) -> list[TeamMember]:
        """Return present members of a team in byte order, after an account id."""
        return await self._read(lambda reading: reading.members(key, after, limit))

    async def count_members(self, key: ConversationKey) -> int:
        """Return the number of present members of a team."""
        return await self._read(lambda reading: reading.count_members(key))

    async def teams_of(self, account: str) -> list[tuple[ConversationKey, Head]]:
        """Return the teams that the account is in and that have not been dismissed."""
        return await self._read(lambda reading: reading.teams_of(account))

    async def create_account(self, account: Account) -> bool:
        """Store a new account; False when the id is taken, which changes nothing."""
        return await self._write(lambda writing: writing.accounts.create_account(account))

    async def rename_account(self, account: str, name: str) -> bool:
        """Change the display name; False when there is no such account."""
        return await self._write(lambda writing: writing.accounts.rename_account(account, name))

    async def account(self, account: str) -> Account | None:
        """Return an account."""
        return await self._read(lambda reading: reading.account(account))

    async def accounts(self, after: str, limit: int) -> list[Account]:
        """Return accounts in byte order, after an account id."""
        return await self._read(lambda reading: reading.accounts(after, limit))

    async def add_token(self, token: Token) -> None:
        """Store a token."""
        await self._write(lambda writing: writing.accounts.add_token(token))

    async def token(self, digest: bytes) -> Token | None:
        """Return the token with this digest, revoked or not."""
        return await self._read(lambda reading: reading.token(digest))

    async def tokens_of(self, account: str) -> list[Token]:
        """Return all tokens of an account, oldest first, revoked ones included."""
        return await self._read(lambda reading: reading.tokens_of(account))

    async def revoke_tokens(
        self, account: str, at_ms: int, token_id: str | None = None
    ) -> list[str]:
        """Revoke one token or all of an account; return the ids that were good until now."""
        return await self._write(
            lambda writing: writing.accounts.revoke_tokens(account, at_ms, token_id)
        )

    async def put_devices(self, devices: Collection[KnownDevice], most: int) -> None:
        """Note devices as they are now; of each account at most ``most`` are kept."""
        await self._write(lambda writing: writing.accounts.put_devices(devices, most))

    async def device(self, account: str, device_id: str) -> KnownDevice | None:
        """Return a device."""
        return await self._read(lambda reading: reading.device(account, device_id))

    async def devices_of(self, account: str) -> list[KnownDevice]:
        """Return all devices of an account, the one seen last first, then by ``device_id``."""
        return await self._read(lambda reading: reading.devices_of(account))

    async def revoke_device(self, account: str, device_id: str, at_ms: int) -> bool:
        """Revoke a device; False when there is no such device, or it was revoked before."""
        return await self._write(
            lambda writing: writing.accounts.revoke_device(account, device_id, at_ms)
        )

    async def _write(self, work: Callable[[Writing], T]) -> T:
        return await _hop(self._writer_thread, partial(work, self._open_parts().writing))

    async def _read(self, work: Callable[[Reading], T]) -> T:
        return await _hop(self._reader_thread, partial(work, self._open_parts().reading))

    def _open_parts(self) -> _Opened:
        if self._opened is None:
            raise StoreFailed(f"{self._path} is not open")
        return self._opened


async def _hop(thread: ThreadPoolExecutor | None, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, work)
