"""The writing half of the SQLite store: transactions, accounts, tokens.

Rules of this file:

1. Everything here runs on the writer's thread; nothing else writes, nothing else sees the caches.
2. The caches hold what is committed: they change after a commit, never before (port rule 1).
3. Duplicates (M2) cost nothing until there is one: a unique index refuses the commit, and only
   then are the client ids looked up and the batch decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Generic, TypeVar

import apsw

from recents.core.head import Head
from recents.core.ids import ConversationKey, named_by
from recents.core.membership import Membership, Position
from recents.core.message import Message
from recents.server.store.port import Account, Token
from recents.server.store.queries import named_queries
from recents.server.store.sqlite_failures import work_failures
from recents.server.store.sqlite_rows import (
    Row,
    fitting,
    head_of,
    json_text,
    membership_of,
    message_of,
    move_of_membership,
    only_moved,
    row_of_head,
    row_of_membership,
    row_of_message,
    seen_of,
)
from recents.server.store.workspace import (
    ClientKey,
    Cutoff,
    Loaded,
    MembershipId,
    PositionKey,
    Wanted,
    Workspace,
)

KEPT_HEADS = 20_000
"""About 1 KB each."""

KEPT_MEMBERSHIPS = 100_000
"""About 300 bytes each."""

KEPT_ACCOUNTS = 100_000

K = TypeVar("K")
V = TypeVar("V")


class _Kept(Generic[K, V]):
    """The values put in last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.values: dict[K, V] = {}

    def put(self, key: K, value: V) -> None:
        self.values.pop(key, None)
        self.values[key] = value
        if len(self.values) > self._limit:
            # Many at once: to find the first key of a dict again and again is slow.
            for oldest in list(islice(self.values, self._limit // 10 + 1)):
                del self.values[oldest]


class Writing:
    """What the writer's thread does with its connection.

    Attributes:
        epoch: names this file's line of versions.
        version: number of the newest commit.
        rows_written: rows of messages, heads and memberships written.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self._sql = named_queries("writing") | named_queries("rows")
        self._heads: _Kept[ConversationKey, Head] = _Kept(KEPT_HEADS)
        self._memberships: _Kept[MembershipId, Membership] = _Kept(KEPT_MEMBERSHIPS)
        self._accounts: _Kept[str, bool] = _Kept(KEPT_ACCOUNTS)
        self.rows_written = 0
        self.epoch: str
        self.version: int
        self.epoch, self.version = connection.execute(self._sql["store"]).get

    def renew_epoch(self) -> None:
        """Begin another line of versions."""
        with work_failures("the commit"), _Transaction(self.connection):
            rows: list[Row] = self.connection.execute(self._sql["renew_epoch"]).fetchall()
        ((self.epoch,),) = rows

    # Transactions

    def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        """Load, decide, commit; decide again where a message had been posted before (M2)."""
        with work_failures("loading"):
            loaded = self._load(wanted)
        workspace = self._decided(loaded, decide)
        with work_failures("the commit"):
            try:
                self._commit(workspace, loaded)
            except apsw.ConstraintError:
                loaded.posted = self._posted(wanted.client_keys)
            else:
                return workspace
        workspace = self._decided(loaded, decide)
        with work_failures("the commit"):
            self._commit(workspace, loaded)
        return workspace

    def _decided(self, loaded: Loaded, decide: Callable[[Workspace], None]) -> Workspace:
        workspace = Workspace(self.version + 1, loaded)
        decide(workspace)
        return workspace

    def _commit(self, workspace: Workspace, loaded: Loaded) -> None:
        if not workspace.changed:
            return
        version = workspace.version
        messages = [
            row_of_message(key, message, version)
            for key, batch in workspace.messages.items()
            for message in batch
        ]
        heads = [row_of_head(key, head) for key, head in workspace.heads.items()]
        moved: list[Row] = []
        put: list[Row] = []
        for pair, membership in workspace.memberships.items():
            if only_moved(loaded.memberships.get(pair), membership):
                moved.append(move_of_membership(*pair, membership))
            else:
                put.append(row_of_membership(*pair, membership))
        with _Transaction(self.connection):
            self._write("add_message", messages)
            self._write("put_head", heads)
            self._write("move_membership", moved)
            self._write("put_membership", put)
            self.connection.execute(self._sql["set_version"], (version,))
        self._committed(workspace, len(messages) + len(heads) + len(moved) + len(put))

    def _write(self, query: str, rows: list[Row]) -> None:
        if rows:
            self.connection.executemany(self._sql[query], rows)

    def _committed(self, workspace: Workspace, rows: int) -> None:
        self.version = workspace.version
        self.rows_written += rows
        for key, head in workspace.heads.items():
            self._heads.put(key, head)
        for pair, membership in workspace.memberships.items():
            self._memberships.put(pair, membership)

    # Loading

    def _load(self, wanted: Wanted) -> Loaded:
        loaded = Loaded(
            heads=self._loaded_heads(wanted.heads),
            memberships=self._loaded_memberships(wanted.memberships),
            accounts=self._known_accounts(wanted.accounts),
        )
        for account in wanted.inboxes:
            self._load_inbox(account, loaded)
        for place in wanted.positions:
            position = self._position(place, loaded.heads.get(place[1]))
            if position:
                loaded.positions[place] = position
        for cutoff in wanted.cutoffs:
            loaded.cutoffs[cutoff] = self._positions_at(cutoff)
        return loaded

    def _loaded_heads(self, keys: Iterable[ConversationKey]) -> dict[ConversationKey, Head]:
        kept = self._heads.values
        found = {key: kept[key] for key in keys if key in kept}
        missing = [key for key in keys if key not in found]
        if missing:
            for key, *row in self._rows("heads", keys=json_text(missing)):
                found[key] = head_of(row)
                self._heads.put(key, found[key])
        return found

    def _loaded_memberships(self, pairs: Iterable[MembershipId]) -> dict[MembershipId, Membership]:
        kept = self._memberships.values
        found = {pair: kept[pair] for pair in pairs if pair in kept}
        missing = [(pair[0], named_by(*pair)) for pair in pairs if pair not in found]
        if missing:
            for account, key, *row in self._rows("memberships", pairs=json_text(missing)):
                found[account, key] = membership_of(row)
                self._memberships.put((account, key), found[account, key])
        return found

    def _known_accounts(self, accounts: Iterable[str]) -> set[str]:
        kept = self._accounts.values
        found = {account for account in accounts if account in kept}
        missing = [account for account in accounts if account not in found]
        if missing:
            for (account,) in self._rows("known_accounts", accounts=json_text(missing)):
                found.add(account)
                self._accounts.put(account, True)
        return found

    def _load_inbox(self, account: str, loaded: Loaded) -> None:
        rows = [seen_of(row) for row in self._rows("inbox_of", account=account)]
        loaded.inboxes[account] = {seen.key for seen in rows}
        loaded.heads.update((seen.key, seen.head) for seen in rows)
        loaded.memberships.update(((account, seen.key), seen.membership) for seen in rows)

    def _position(self, place: PositionKey, head: Head | None = None) -> Position | None:
        account, key, seq = place
        if head is not None and seq >= head.last_seq:
            return None
        if seq == 0:
            own = self._rows("own_messages", key=key, account=account)[0][0]
            return Position(0, 0, own)
        for ordinal, own in self._rows("position", key=key, account=account, seq=fitting(seq)):
            return Position(seq, ordinal, own)
        return None

    def _positions_at(self, cutoff: Cutoff) -> dict[ConversationKey, Position]:
        account, version = cutoff
        rows = self._rows("seqs_at", account=account, version=fitting(version))
        found = {key: self._position((account, key, seq)) for key, seq in rows}
        return {key: position for key, position in found.items() if position}

    def _posted(self, client_keys: Iterable[ClientKey]) -> dict[ClientKey, Message]:
        return {
            (key, sender, client_id): message_of(row)
            for key, sender, client_id in client_keys
            for row in self._rows("posted", key=key, sender=sender, client_id=client_id)
        }

    def _rows(self, query: str, **values: str | int) -> list[Row]:
        return self.connection.execute(self._sql[query], values).fetchall()

    # Accounts and tokens

    def create_account(self, account: Account) -> bool:
        """Store a new account; False when the id is taken."""
        return self._change(
            "create_account",
            account=account.account,
            name=account.name,
            created_ms=account.created_ms,
        )

    def rename_account(self, account: str, name: str) -> bool:
        """Change the display name; False when there is no such account."""
        return self._change("rename_account", account=account, name=name)

    def add_token(self, token: Token) -> None:
        """Store a token."""
        self._change(
            "add_token",
            token_id=token.token_id,
            account=token.account,
            digest=token.digest,
            label=token.label,
            created_ms=token.created_ms,
            revoked_ms=token.revoked_ms,
        )

    def revoke_tokens(self, account: str, at_ms: int, token_id: str | None) -> list[str]:
        """Revoke one token or all of an account; return the ids that were good until now."""
        values = {"account": account, "at_ms": at_ms, "token_id": token_id}
        with work_failures("revoking"), _Transaction(self.connection):
            rows = self.connection.execute(self._sql["revoke_tokens"], values).fetchall()
        return [str(row[0]) for row in sorted(rows, key=lambda row: (row[1], row[0]))]

    def _change(self, query: str, **values: str | int | bytes | None) -> bool:
        with work_failures("the commit"), _Transaction(self.connection):
            self.connection.execute(self._sql[query], values)
            return self.connection.changes() > 0


class _Transaction:
    """Commits at the end of a block, or takes everything back when anything fails in it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            # SQLite has rolled back by itself after some errors, and not after others.
            if self._connection.in_transaction:
                with suppress(apsw.Error):
                    self._connection.execute("ROLLBACK")
