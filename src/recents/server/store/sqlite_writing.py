"""The writing half of the SQLite store: loading, committing, forgetting.

Rules of this file:

1. Everything here runs on the writer's thread; nothing else writes, nothing else sees the caches.
2. The caches hold what is committed: they change after a commit, never before (port rule 1).
3. Messages and commands that were sent before (M2, C4) cost nothing until there is one: a unique
   index refuses the commit, and only then are the ids looked up and the batch decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Generic, TypeVar

import apsw

from recents.core.face import Face
from recents.core.head import Head
from recents.core.ids import ConversationKey, named_by, parties_of
from recents.core.membership import Membership, Position, first_readable
from recents.core.message import Message
from recents.server.store.queries import named_queries
from recents.server.store.sqlite_accounts import AccountWriting
from recents.server.store.sqlite_calls import CallWriting
from recents.server.store.sqlite_failures import work_failures
from recents.server.store.sqlite_rows import (
    Row,
    amendment_of,
    end_of_mention,
    fitting,
    head_of,
    json_text,
    membership_of,
    message_of,
    move_of_membership,
    only_moved,
    row_of_face,
    row_of_head,
    row_of_hidden,
    row_of_membership,
    row_of_mention,
    row_of_message,
    row_of_verdict,
    seen_of,
    verdict_of,
)
from recents.server.store.sqlite_transaction import Transaction
from recents.server.store.workspace import (
    ClientKey,
    CommandId,
    Cutoff,
    Loaded,
    MembershipId,
    MessageId,
    PositionKey,
    Verdict,
    Wanted,
    Workspace,
)

KEPT_HEADS = 20_000
"""About 1 KB each."""

KEPT_MEMBERSHIPS = 100_000
"""About 300 bytes each; those with a draft or an extension, which may take a hundred times that,
are not kept."""

KEPT_ACCOUNTS = 100_000

FORGOTTEN_AT_ONCE = 1_000
"""Verdicts that are forgotten in one go: the commits that wait behind it wait for a few ms."""

K = TypeVar("K")
V = TypeVar("V")


class _Kept(Generic[K, V]):
    """The values put in last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.values: dict[K, V] = {}

    def drop(self, key: K) -> None:
        self.values.pop(key, None)

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
        accounts: what it does with accounts, tokens and devices.
        calls: what it does with idempotency keys.
        epoch: names this file's line of versions.
        version: number of the newest commit.
        rows_written: rows of messages, heads and memberships written.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.accounts = AccountWriting(connection)
        self.calls = CallWriting(connection)
        self._sql = named_queries("writing") | named_queries("rows")
        self._heads: _Kept[ConversationKey, Head] = _Kept(KEPT_HEADS)
        self._memberships: _Kept[MembershipId, Membership] = _Kept(KEPT_MEMBERSHIPS)
        self._faces: _Kept[str, Face] = _Kept(KEPT_ACCOUNTS)
        self.rows_written = 0
        self.epoch: str
        self.version: int
        self.epoch, self.version = connection.execute(self._sql["store"]).get

    def renew_epoch(self) -> None:
        """Begin another line of versions."""
        with work_failures("the commit"), Transaction(self.connection):
            rows: list[Row] = self.connection.execute(self._sql["renew_epoch"]).fetchall()
        ((self.epoch,),) = rows

    # Transactions

    def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        """Load, decide, commit; decide again where something was sent before (M2, C4)."""
        with work_failures("loading"):
            loaded = self._load(wanted)
        workspace = self._decided(loaded, decide)
        with work_failures("the commit"):
            try:
                self._commit(workspace, loaded)
            except apsw.ConstraintError:
                loaded.posted = self._posted(wanted.client_keys)
                loaded.verdicts = self._verdicts(wanted.commands)
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
        if not workspace.changed and not workspace.verdicts:
            return
        version = workspace.version
        messages = [
            row_of_message(key, message, version)
            for key, batch in workspace.messages.items()
            for message in batch
        ]
        heads = [row_of_head(key, head) for key, head in workspace.heads.items()]
        faces = [row_of_face(*known, version) for known in workspace.faces.items()]
        amended = [amendment_of(*changed, version) for changed in workspace.amended.items()]
        hidden = [row_of_hidden(*one, version) for one in workspace.hidden.items()]
        mentions = [row_of_mention(mention) for mention in workspace.mentions]
        verdicts = [row_of_verdict(*known) for known in workspace.verdicts.items()]
        moved: list[Row] = []
        put: list[Row] = []
        for pair, membership in workspace.memberships.items():
            if only_moved(loaded.memberships.get(pair), membership):
                moved.append(move_of_membership(*pair, membership))
            else:
                put.append(row_of_membership(*pair, membership))
        with Transaction(self.connection):
            self._write("add_message", messages)
            self._write("amend_message", amended)
            self._write("add_hidden", hidden)
            self._write("add_mention", mentions)
            self._write("end_mention", [end_of_mention(end) for end in workspace.unmentions])
            self._write("put_head", heads)
            self._write("move_membership", moved)
            self._write("put_membership", put)
            self._write("put_face", faces)
            self._write("add_verdict", verdicts)
            if workspace.changed:
                self.connection.execute(self._sql["set_version"], (version,))
        if workspace.changed:
            rows = sum(map(len, (messages, amended, hidden, mentions, heads, moved, put)))
            self._committed(workspace, rows)

    def _write(self, query: str, rows: list[Row]) -> None:
        if rows:
            self.connection.executemany(self._sql[query], rows)

    def _committed(self, workspace: Workspace, rows: int) -> None:
        self.version = workspace.version
        self.rows_written += rows
        for key, head in workspace.heads.items():
            self._heads.put(key, head)
        for pair, membership in workspace.memberships.items():
            self._keep(pair, membership)
        for account, face in workspace.faces.items():
            self._faces.put(account, face)

    def _keep(self, pair: MembershipId, membership: Membership) -> None:
        if membership.draft is None and not membership.extension:
            self._memberships.put(pair, membership)
        else:
            self._memberships.drop(pair)

    def forget_verdicts(self, before_ms: int) -> int:
        """Forget some of the verdicts from before a time, the oldest first."""
        values = {"before_ms": fitting(before_ms), "limit": FORGOTTEN_AT_ONCE}
        with work_failures("forgetting"), Transaction(self.connection):
            self.connection.execute(self._sql["forget_verdicts"], values)
            return self.connection.changes()

    # Loading

    def _load(self, wanted: Wanted) -> Loaded:
        loaded = Loaded(
            heads=self._loaded_heads(wanted.heads),
            memberships=self._loaded_memberships(wanted.memberships),
            accounts=self._known_accounts(wanted.accounts),
        )
        for account in wanted.talks:
            self._load_talks(account, loaded)
        for account in wanted.inboxes:
            self._load_inbox(account, loaded)
        for place in wanted.positions | self._floors(wanted.floors):
            position = self._position(place, loaded.heads.get(place[1]))
            if position:
                loaded.positions[place] = position
        for cutoff in wanted.cutoffs:
            loaded.cutoffs[cutoff] = self._positions_at(cutoff)
        loaded.messages = self._one_each("message", wanted.messages)
        loaded.olders = self._one_each("older", wanted.messages)
        loaded.hidden = {
            one
            for one in wanted.hidden
            if self._rows("hidden", account=one[0], key=one[1], seq=fitting(one[2]))
        }
        return loaded

    def _floors(self, pairs: Iterable[MembershipId]) -> set[PositionKey]:
        found = self._loaded_memberships(pairs)
        return {(*pair, first_readable(membership)) for pair, membership in found.items()}

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
                self._keep((account, key), found[account, key])
        return found

    def _known_accounts(self, accounts: Iterable[str]) -> dict[str, Face]:
        kept = self._faces.values
        found = {account: kept[account] for account in accounts if account in kept}
        missing = [account for account in accounts if account not in found]
        if missing:
            for account, *face in self._rows("known_accounts", accounts=json_text(missing)):
                found[account] = Face(*face)
                self._faces.put(account, found[account])
        return found

    def _load_talks(self, account: str, loaded: Loaded) -> None:
        keys = {ConversationKey(key) for (key,) in self._rows("talks_of", account=account)}
        pairs = {(party, key) for key in keys for party in parties_of(key)}
        loaded.talks[account] = keys
        loaded.heads.update(self._loaded_heads(keys))
        loaded.memberships.update(self._loaded_memberships(pairs))

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

    def _one_each(self, query: str, wanted: Iterable[MessageId]) -> dict[MessageId, Message]:
        return {
            (key, seq): message_of(row)
            for key, seq in wanted
            for row in self._rows(query, key=key, seq=fitting(seq))
        }

    def _posted(self, client_keys: Iterable[ClientKey]) -> dict[ClientKey, Message]:
        return {
            (key, sender, client_id): message_of(row)
            for key, sender, client_id in client_keys
            for row in self._rows("posted", key=key, sender=sender, client_id=client_id)
        }

    def _verdicts(self, commands: Iterable[CommandId]) -> dict[CommandId, Verdict]:
        rows = self._rows("verdicts", commands=json_text(list(commands)))
        return {(account, command_id): verdict_of(row) for account, command_id, *row in rows}

    def _rows(self, query: str, **values: str | int) -> list[Row]:
        return self.connection.execute(self._sql[query], values).fetchall()
