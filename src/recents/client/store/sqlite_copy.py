"""One account's copy on an open connection: what it says, and steps that change it.

Rules of this file:

1. A step is one transaction (port rule 1).
2. The log is flushed to the disk with a durable step only; with it goes all that was committed
   before (port rule 2).
3. What is read is checked by decoding it: a value that does not decode is damage.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

import apsw
import msgspec

from recents.client.store.port import FoundMessage, Saved, SetAside, Step
from recents.client.store.queries import named_queries
from recents.client.store.sqlite_words import Words
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.ordering import Place, place_of
from recents.core.pending import Pending
from recents.core.phrases import Phrase
from recents.core.totals import Totals

logger = logging.getLogger(__name__)

LOG_PAGES = 3_000
"""12 MiB: a log is moved into the file when it is longer. Moving 1,000 scattered rows takes twice
as long as committing them; reading a log of this length at the opening after a kill takes 4 ms."""

_TOP: Place = (-(2**63), "")

_totals = msgspec.json.Decoder(Totals)
_set_aside = msgspec.json.Decoder(SetAside)
_outbox = msgspec.json.Decoder(tuple[Pending, ...])
_rows = msgspec.json.Decoder(list[InboxEntry])
_messages = msgspec.json.Decoder(list[Message])


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()


def owner_of(connection: apsw.Connection) -> str:
    """Return the account whose copy a file is."""
    row = connection.execute(named_queries("copy")["owner"]).fetchone()
    if row is None or not isinstance(row[0], str):
        raise apsw.CorruptError("nothing says whose copy it is")
    return row[0]


class Transaction:
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


class Copy:
    """Reads and changes the copy behind a connection; used by one thread.

    Args:
        connection: to a file with the newest schema.
        account: whose copy it is.
        kept_messages: messages kept of each conversation, the newest.
    """

    def __init__(self, connection: apsw.Connection, account: str, kept_messages: int) -> None:
        self.connection = connection
        self._account = account
        self._kept_messages = kept_messages
        self._sql = named_queries("copy")
        self._words = Words(connection)
        self._durable = True
        self._log_pages = 0
        # In place of SQLite's own, which moves the log within a commit: its caller would wait.
        connection.set_wal_hook(self._committed)

    def begin(self, device_id: str, outbox: Iterable[Pending], aside: SetAside | None) -> None:
        """Write what a new copy begins with; the caller has a transaction open."""
        self._execute(
            "begin",
            account=self._account,
            device_id=device_id,
            totals=json_text(Totals()),
            set_aside=None if aside is None else json_text(aside),
        )
        self._put_commands(outbox)

    def saved(self) -> Saved:
        """Return what a device begins with."""
        row = self.connection.execute(self._sql["copy"]).fetchone()
        if row is None:
            raise apsw.CorruptError("nothing says how far the copy goes")
        device_id, token, totals, clock_ahead_ms, aside = row
        return Saved(
            device_id=device_id,
            token=token,
            totals=_totals.decode(totals),
            outbox=_outbox.decode(self._one("outbox")),
            clock_ahead_ms=clock_ahead_ms,
            set_aside=None if aside is None else _set_aside.decode(aside),
        )

    @property
    def log_is_long(self) -> bool:
        """Whether it is time for ``shorten_log``."""
        return self._log_pages >= LOG_PAGES

    def shorten_log(self) -> None:
        """Move commits from the log into the file; nothing is lost where that fails."""
        if self.log_is_long:
            self._log_pages = 0
            try:
                self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            except apsw.Error:
                logger.warning("! the log stays long, a later commit tries again", exc_info=True)

    def _committed(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def rows_after(self, place: Place | None, limit: int) -> list[InboxEntry]:
        """Return rows in the order of O1, from the top or behind a place."""
        after, conversation = place or _TOP
        return _rows.decode(
            self._one("rows_after", place=after, conversation=conversation, limit=limit)
        )

    def messages(self, conversation: str, before_seq: int, limit: int) -> list[Message]:
        """Return the newest kept messages with ``seq < before_seq``, oldest first."""
        return _messages.decode(
            self._one("messages", conversation=conversation, before_seq=before_seq, limit=limit)
        )

    def commit(self, step: Step) -> None:
        """Keep a step, whole or not at all."""
        self._be_durable(step.durable)
        with Transaction(self.connection):
            self._change_rows(step)
            self._change_messages(step)
            self._put_commands(step.outbox)
            if step.settled:
                self._execute("settle_commands", numbers=json_text(step.settled))
            if (step.token, step.totals, step.clock_ahead_ms) != (None, None, None):
                self._execute(
                    "put_copy",
                    token=step.token,
                    totals=None if step.totals is None else json_text(step.totals),
                    clock_ahead_ms=step.clock_ahead_ms,
                )

    def search(
        self, phrases: Sequence[Phrase], conversation: Conversation | None, limit: int
    ) -> list[FoundMessage]:
        """Return the newest kept messages whose text has every phrase, newest first."""
        while self.index_some(0):
            pass
        return self._words.found(phrases, conversation, limit)

    def index_quietly(self, most_waiting: int) -> bool:
        """Do as ``index_some``; where it fails, a search tries again and says why."""
        try:
            return self.index_some(most_waiting)
        except apsw.Error:
            logger.warning("! messages are not indexed for now", exc_info=True)
            return False

    def index_some(self, most_waiting: int) -> bool:
        """Bring the words of some messages in step with them, where more than so many wait.

        Returns:
            Whether there may be more to do.
        """
        if self._words.waiting() <= most_waiting:
            return False
        self._be_durable(durable=False)
        with Transaction(self.connection):
            self._words.catch_up()
        return True

    def _be_durable(self, durable: bool) -> None:
        if durable != self._durable:
            self.connection.pragma("synchronous", "FULL" if durable else "NORMAL")
            self._durable = durable

    def _change_rows(self, step: Step) -> None:
        if step.replaces_all:
            self._execute("remove_all_rows")
        if step.gone:
            names = [mark.conversation for mark in step.gone]
            self._execute("remove_rows", conversations=json_text(names))
        if step.rows:
            rows = [(row.conversation, place_of(row)[0], json_text(row)) for row in step.rows]
            self._execute("put_rows", rows=json_text(rows))

    def _change_messages(self, step: Step) -> None:
        if step.forgets_messages:
            self._execute("forget_messages")
            self._words.forget()
        messages = [
            (conversation, message.seq, json_text(message))
            for conversation, some in step.messages.items()
            for message in some
        ]
        if messages:
            self._execute("put_messages", messages=json_text(messages))
            self._execute(
                "prune_messages",
                conversations=json_text(list(step.messages)),
                kept=self._kept_messages,
            )
        amended = [
            (conversation, message.seq, json_text(message))
            for conversation, some in step.amended.items()
            for message in some
        ]
        if amended:
            self._execute("amend_messages", messages=json_text(amended))
        cleared: list[tuple[Conversation, int]] = [
            (image.conversation, image.cleared_seq)
            for images in (step.gone, step.rows)
            for image in images
            if image.cleared_seq
        ]
        if cleared:
            self._execute("clear_messages", cleared=json_text(cleared))

    def _put_commands(self, outbox: Iterable[Pending]) -> None:
        commands = [(pending.number, json_text(pending)) for pending in outbox]
        if commands:
            self._execute("put_commands", account=self._account, commands=json_text(commands))

    def _execute(self, query: str, **values: str | int | None) -> None:
        self.connection.execute(self._sql[query], values)

    def _one(self, query: str, **values: str | int) -> str:
        value = self.connection.execute(self._sql[query], values).get
        if not isinstance(value, str):
            raise apsw.CorruptError("text was expected")
        return value
