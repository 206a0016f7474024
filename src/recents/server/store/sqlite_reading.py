"""The reading half of the SQLite store.

Rules of this file:

1. Everything here runs on the reader's thread, on a connection that cannot write: reads never
   wait for a commit, commits never wait for a read.
2. What must fit together is read in one transaction (C2).
"""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from recents.core.head import Head
from recents.core.ids import ConversationKey, named_by
from recents.core.message import Message, vanished
from recents.core.ordering import Place
from recents.core.totals import Totals
from recents.server.store.port import (
    AMENDED_AT_ONCE,
    Account,
    KnownDevice,
    MuteEnd,
    Placed,
    Seen,
    TeamMember,
    Token,
    Webhook,
)
from recents.server.store.queries import named_queries
from recents.server.store.sqlite_failures import work_failures
from recents.server.store.sqlite_rows import (
    Row,
    fitting,
    head_of,
    json_text,
    message_of,
    seen_of,
    totals_in,
    webhook_of,
)
from recents.server.store.workspace import MembershipId

_BEFORE_ALL: Place = (-(2**63), "")


class Reading:
    """What the reader's thread does with its connection; see the port for what each is."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._sql = named_queries("reading") | named_queries("rows") | named_queries("calls")

    def head(self, key: ConversationKey) -> Head | None:
        """Return the head of a conversation."""
        return next((head_of(row) for row in self._rows("head", key=key)), None)

    def look(self, pairs: Iterable[MembershipId]) -> list[Seen]:
        """Return what makes the rows of these memberships."""
        names = [(account, named_by(account, key)) for account, key in set(pairs)]
        with work_failures("reading"):
            wanted = json_text(names)
        return [seen_of(row) for row in self._rows("look", pairs=wanted)]

    def changed_since(self, account: str, version: int) -> list[Seen]:
        """Return the account's memberships of which the row changed after a version."""
        rows = self._rows("changed_since", account=account, version=fitting(version))
        return [seen_of(row) for row in rows]

    def page(
        self, account: str, limit: int, after: Place | None, archived: bool | None
    ) -> tuple[list[Seen], Totals]:
        """Return visible rows after a place, and the totals of all."""
        place, conversation = after or _BEFORE_ALL
        with work_failures("reading"), self._connection:
            rows = self._rows(
                "page",
                account=account,
                limit=fitting(limit),
                place=fitting(place),
                conversation=conversation,
                archived=archived,
            )
            (sums,) = self._rows("totals", account=account)
        return [seen_of(row) for row in rows], totals_in(sums)

    def mutes_ending(self, upto_ms: int, limit: int) -> list[MuteEnd]:
        """Return mutes that end up to a time, the earliest first."""
        rows = self._rows("mutes_ending", upto_ms=fitting(upto_ms), limit=fitting(limit))
        return [MuteEnd(account, ConversationKey(key), *rest) for account, key, *rest in rows]

    def next_mute_end(self) -> int | None:
        """Return when the next mute ends by itself."""
        ((until_ms,),) = self._rows("next_mute_end")
        return None if until_ms is None else int(until_ms)

    def messages(
        self,
        key: ConversationKey,
        after_seq: int,
        before_seq: int,
        limit: int,
        account: str | None,
        *,
        gone: bool,
    ) -> list[Message]:
        """Return the newest messages between two places, oldest first."""
        rows = self._rows(
            "messages",
            key=key,
            after_seq=fitting(after_seq),
            before_seq=fitting(before_seq),
            limit=fitting(limit),
            account=account or "",
            gone=gone,
        )
        return [message_of(row) for row in reversed(rows)]

    def hidden_from(self, account: str, key: ConversationKey) -> frozenset[int]:
        """Return the seqs of the messages that an account deleted for itself."""
        return frozenset(seq for (seq,) in self._rows("hidden_from", account=account, key=key))

    def changed_after(self, key: ConversationKey, changes: int) -> frozenset[int]:
        """Return the seqs of the messages recalled or edited after so many changes."""
        rows = self._rows("changed_after", key=key, changes=fitting(changes))
        return frozenset(seq for (seq,) in rows)

    def amended_since(self, account: str, version: int) -> dict[ConversationKey, list[Message]]:
        """Return the messages that became others for an account after a version."""
        found: dict[ConversationKey, dict[int, Message]] = {}
        since = fitting(version)
        with work_failures("reading"), self._connection:
            changed = self._rows("amended_since", account=account, version=since)
            hidden = self._rows("hidden_since", account=account, version=since)
        for key, *row in changed:
            message = message_of(row)
            found.setdefault(key, {})[message.seq] = message
        for key, *row in hidden:
            message = vanished(message_of(row))
            found.setdefault(key, {})[message.seq] = message
        return {
            key: [some[seq] for seq in sorted(some)[-AMENDED_AT_ONCE:]]
            for key, some in found.items()
        }

    def mentions(
        self, account: str, key: ConversationKey, after_seq: int, limit: int
    ) -> list[int]:
        """Return the seqs of the messages behind the row's mentions, oldest first."""
        rows = self._rows(
            "mentions",
            account=account,
            conversation=named_by(account, key),
            after_seq=fitting(after_seq),
            limit=fitting(limit),
        )
        return [seq for (seq,) in rows]

    def members(self, key: ConversationKey, after: str, limit: int) -> list[TeamMember]:
        """Return present members in byte order."""
        rows = self._rows("members", key=key, after=after, limit=fitting(limit))
        return [TeamMember(*row) for row in rows]

    def count_members(self, key: ConversationKey) -> int:
        """Return the number of present members."""
        ((number,),) = self._rows("count_members", key=key)
        return int(number)

    def teams_of(self, account: str) -> list[tuple[ConversationKey, Head]]:
        """Return the teams that the account is in."""
        rows = self._rows("teams_of", account=account)
        return [(ConversationKey(key), head_of(row)) for key, *row in rows]

    def account(self, account: str) -> Account | None:
        """Return an account."""
        return next((Account(*row) for row in self._rows("account", account=account)), None)

    def accounts(self, after: str, limit: int) -> list[Account]:
        """Return accounts in byte order."""
        rows = self._rows("accounts", after=after, limit=fitting(limit))
        return [Account(*row) for row in rows]

    def contacts(self, account: str, wanted: Iterable[str]) -> list[Account]:
        """Return those of the wanted accounts that an account knows."""
        with work_failures("reading"):
            names = json_text(sorted(wanted))
        return [Account(*row) for row in self._rows("contacts", account=account, wanted=names)]

    def token(self, digest: bytes) -> Token | None:
        """Return the token with this digest."""
        return next((Token(*row) for row in self._rows("token", digest=digest)), None)

    def tokens_of(self, account: str) -> list[Token]:
        """Return all tokens of an account, oldest first."""
        return [Token(*row) for row in self._rows("tokens_of", account=account)]

    def device(self, account: str, device_id: str) -> KnownDevice | None:
        """Return a device."""
        rows = self._rows("device", account=account, device_id=device_id)
        return next((KnownDevice(*row) for row in rows), None)

    def devices_of(self, account: str) -> list[KnownDevice]:
        """Return all devices of an account, the one seen last first."""
        return [KnownDevice(*row) for row in self._rows("devices_of", account=account)]

    def webhooks(self) -> list[Webhook]:
        """Return all webhooks, oldest first."""
        return [webhook_of(row) for row in self._rows("webhooks")]

    def messages_behind(self, position: int, limit: int) -> list[Placed]:
        """Return messages of all conversations behind a position, the oldest first."""
        rows = self._rows("messages_behind", position=fitting(position), limit=fitting(limit))
        return [Placed(place, ConversationKey(key), message_of(row)) for place, key, *row in rows]

    def newest_position(self) -> int:
        """Return the position of the newest message."""
        ((position,),) = self._rows("newest_position")
        return int(position)

    def _rows(self, query: str, **values: str | int | bytes | None) -> list[Row]:
        with work_failures("reading"):
            return self._connection.execute(self._sql[query], values).fetchall()
