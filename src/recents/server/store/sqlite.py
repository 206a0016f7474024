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
from recents.server.store.port import (
    Account,
    KeptAnswer,
    KnownDevice,
    MuteEnd,
    Placed,
    Seen,
    StoreFailed,
    TeamMember,
    Token,
    Webhook,
)
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
        self,
        account: str,
        limit: int,
        after: Place | None = None,
        *,
        archived: bool | None = False,
    ) -> tuple[list[Seen], Totals]:
        """Return visible rows in the order of O1 after a place, and the totals of all rows."""
        return await self._read(lambda reading: reading.page(account, limit, after, archived))

    async def mutes_ending(self, upto_ms: int, limit: int) -> list[MuteEnd]:
        """Return mutes that end up to a time, the earliest first (G2)."""
        return await self._read(lambda reading: reading.mutes_ending(upto_ms, limit))

    async def next_mute_end(self) -> int | None:
        """Return when the next mute ends by itself; None: none does."""
        return await self._read(lambda reading: reading.next_mute_end())

    async def messages(
        self,
        key: ConversationKey,
        *,
        after_seq: int,
        before_seq: int,
        limit: int,
        account: str | None = None,
        gone: bool = False,
    ) -> list[Message]:
        """Return the newest messages with ``after_seq < seq < before_seq``, oldest first."""
        return await self._read(
            lambda reading: reading.messages(key, after_seq, before_seq, limit, account, gone=gone)
        )

    async def hidden_from(self, account: str, key: ConversationKey) -> frozenset[int]:
        """Return the seqs of the messages that an account deleted for itself (U1)."""
        return await self._read(lambda reading: reading.hidden_from(account, key))

    async def changed_after(self, key: ConversationKey, changes: int) -> frozenset[int]:
        """Return the seqs of the messages recalled or edited after so many changes (T2)."""
        return await self._read(lambda reading: reading.changed_after(key, changes))

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

    async def account(self, account: str) -> Account | None:
        """Return an account."""
        return await self._read(lambda reading: reading.account(account))

    async def accounts(self, after: str, limit: int) -> list[Account]:
        """Return accounts in byte order, after an account id."""
        return await self._read(lambda reading: reading.accounts(after, limit))

    async def contacts(self, account: str, wanted: Collection[str]) -> list[Account]:
        """Return those of the wanted accounts that an account knows, in byte order."""
        return await self._read(lambda reading: reading.contacts(account, wanted))

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

    async def begin_answer(self, begun: KeptAnswer, after_ms: int) -> KeptAnswer | None:
        """Note that a call was begun; where it was before, return what is known instead."""
        return await self._write(lambda writing: writing.calls.begin_answer(begun, after_ms))

    async def keep_answer(self, kept: KeptAnswer) -> None:
        """Note how a call ended."""
        await self._write(lambda writing: writing.calls.keep_answer(kept))

    async def forget_answers(self, before_ms: int, most: int) -> int:
        """Forget some keys, the oldest first; return how many."""
        return await self._write(lambda writing: writing.calls.forget_answers(before_ms, most))

    async def add_webhook(self, webhook: Webhook) -> None:
        """Store a webhook."""
        await self._write(lambda writing: writing.calls.add_webhook(webhook))

    async def webhooks(self) -> list[Webhook]:
        """Return all webhooks, oldest first, then by id."""
        return await self._read(lambda reading: reading.webhooks())

    async def note_webhook(self, webhook: Webhook) -> bool:
        """Note position and state of a webhook; False when there is none with this id."""
        return await self._write(lambda writing: writing.calls.note_webhook(webhook))

    async def remove_webhook(self, webhook_id: str) -> bool:
        """Forget a webhook; False when there is none with this id."""
        return await self._write(lambda writing: writing.calls.remove_webhook(webhook_id))

    async def messages_behind(self, position: int, limit: int) -> list[Placed]:
        """Return messages of all conversations behind a position, the oldest first."""
        return await self._read(lambda reading: reading.messages_behind(position, limit))

    async def newest_position(self) -> int:
        """Return the position of the newest message; 0 when there is none."""
        return await self._read(lambda reading: reading.newest_position())

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
