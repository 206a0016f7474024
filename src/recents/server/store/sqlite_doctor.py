"""Recounting a whole file, and repairing it (rules M1, M2, U2).

Rules of this file:

1. Nothing is written but by ``repair``, and that only after the file was copied.
2. Nobody else may have the file open: the node's lock is taken.
3. Conversations come one after the other, each from four streams that are sorted alike.
4. A repair is one commit per conversation, with a number of its own: devices hear of it.
5. Messages are never written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw
import msgspec

from recents.server.store.judging import HeadRow, Judgement, MemberRow, without_defaults
from recents.server.store.port import StoreUnusable
from recents.server.store.queries import migrations, named_queries
from recents.server.store.recount import Finding, Recount, Said, preview_text
from recents.server.store.sqlite_failures import opening_failures
from recents.server.store.sqlite_opening import APPLICATION_ID, BUSY_MS, locked
from recents.server.store.sqlite_transaction import Transaction

Tell = Callable[[Finding], None]
Row = tuple[Any, ...]

MOVES_EVERY = 10_000
"""Messages after which the caller hears how far it has come."""

_PAGES_AT_ONCE = 4_000

_MAPPED_BYTES = 2**40
"""The whole file: the messages of a conversation are scattered over it, and the system's own cache
is the largest there is."""


class Examined(msgspec.Struct, kw_only=True):
    """What was looked at, and how much of it was wrong."""

    conversations: int = 0
    messages: int = 0
    memberships: int = 0
    findings: int = 0
    repairable: int = 0


class FileDoctor:
    """Looks through one file of a node that does not run: ``with FileDoctor(path) as doctor``."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._sql = named_queries("doctor")
        self._lock: apsw.Connection
        self._reader: apsw.Connection

    def __enter__(self) -> Self:
        """Take the lock and open the file.

        Raises:
            StoreUnusable: it is not there, not ours, of another version, or in use.
        """
        path = self._path
        if not path.is_file():
            raise StoreUnusable(f"there is no store {path}: name the file of a node")
        with opening_failures(path):
            self._lock = locked(
                path, f"a node is using {path}: stop it, look through the file, start it again"
            )
            try:
                self._reader = self._opened(apsw.SQLITE_OPEN_READWRITE)
            except BaseException:
                self._lock.close()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reader.close()
        self._lock.close()

    def amount(self) -> int:
        """Return how many messages there are to go through."""
        with opening_failures(self._path):
            ((messages,),) = self._rows("doctor_counts")
        return int(messages)

    def examine(self, tell: Tell, moved: Callable[[int], None] = lambda _: None) -> Examined:
        """Go through everything, and tell what is wrong.

        Args:
            tell: hears of each finding.
            moved: hears now and then how many messages were gone through.

        Raises:
            StoreUnusable: the file cannot be read.
        """
        examined = Examined()

        def note(finding: Finding) -> None:
            examined.findings += 1
            examined.repairable += finding.repairable
            tell(finding)

        with opening_failures(self._path):
            for finding in self._faults_of_the_file():
                note(finding)
            for judgement in self._judgements(self._newest()[0], examined, moved):
                for finding in judgement.findings:
                    note(finding)
        return examined

    def back_up(self) -> Path:
        """Copy the file to a name beside it that is free; return that.

        Raises:
            StoreUnusable: there is no room, or no right to write.
        """
        number = 1
        while (copy := Path(f"{self._path}.before-repair-{number}")).exists():
            number += 1
        with opening_failures(copy):
            copy.touch(mode=0o600)
            target = apsw.Connection(str(copy))
            try:
                with target.backup("main", self._reader, "main") as backup:
                    while not backup.done:
                        backup.step(_PAGES_AT_ONCE)
            finally:
                target.close()
        return copy

    def repair(self, moved: Callable[[int], None] = lambda _: None) -> int:
        """Make right what follows from the messages; return how many rows were written.

        Raises:
            StoreUnusable: the file cannot be read or written.
        """
        written = 0
        with opening_failures(self._path):
            stored, newest = self._newest()
            writer = self._opened(apsw.SQLITE_OPEN_READWRITE)
            try:
                if newest > stored:
                    # First: what is written next must be newer than all that devices may have.
                    with Transaction(writer):
                        writer.execute(named_queries("writing")["set_version"], (newest,))
                version = max(stored, newest)
                for judgement in self._judgements(version, Examined(), moved):
                    if judgement.rows:
                        written += len(judgement.rows)
                        version += 1
                        _write(writer, judgement, version)
            finally:
                writer.close()
        return written

    # Reading.

    def _opened(self, flags: int) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=flags)
        connection.set_busy_timeout(BUSY_MS)
        try:
            _check_ours(self._path, connection)
            connection.pragma("synchronous", "FULL")
            connection.pragma("mmap_size", _MAPPED_BYTES)
            connection.execute(named_queries("rows")["create_inbox"])
        except BaseException:
            connection.close()
            raise
        return connection

    def _rows(self, query: str, **values: Said) -> list[Row]:
        rows: list[Row] = self._reader.execute(self._sql[query], values).fetchall()
        return rows

    def _newest(self) -> tuple[int, int]:
        """Return the number of the newest commit, and the largest that a row has."""
        ((stored, newest),) = self._rows("doctor_newest")
        return stored, newest

    def _faults_of_the_file(self) -> Iterator[Finding]:
        """Tell what is wrong with the file as a whole."""
        checked: Iterable[Row] = self._reader.execute("PRAGMA integrity_check").fetchall()
        for (said,) in checked:
            if said != "ok":
                yield _of_the_file("integrity", said, "ok")
        for kind, name in _missing_parts(self._reader, self._sql["doctor_schema"]):
            yield _of_the_file(f"{kind} {name}", None, "to be there")
        stored, newest = self._newest()
        if newest > stored:
            yield Finding(what="store version", found=stored, expected=f"at least {newest}")
        for (account,) in self._rows("doctor_strangers"):
            yield Finding(
                account=account,
                what="account",
                found=None,
                expected="an account",
                repairable=False,
            )
        for key, sender, client_id, count in self._rows("doctor_twins"):
            yield Finding(
                conversation=key,
                account=sender,
                what=f"messages {client_id}",
                found=count,
                expected=1,
                repairable=False,
            )

    def _judgements(
        self, newest: int, examined: Examined, moved: Callable[[int], None]
    ) -> Iterator[Judgement]:
        """Judge one conversation after the other."""
        messages, heads, members, hidden = (
            _Stream(self._reader.execute(self._sql[f"doctor_{name}"]))
            for name in ("messages", "heads", "members", "hidden")
        )
        unread = _Numbers(self._reader.execute(self._sql["doctor_unread"]))
        told = 0
        streams = (messages, heads, members, hidden)
        while keys := [one.key for one in streams if one.key is not None]:
            key = min(keys)
            recount = Recount(key)
            examined.messages += recount.take(messages.of(key))
            recount.hide(hidden.of(key))
            judgement = Judgement(recount, newest)
            # All of them are taken, so that the stream goes on: there is one at most.
            (*head,) = heads.of(key)
            judgement.judge_head(HeadRow(*head[0]) if head else None, self._preview(recount))
            for member in members.of(key):
                examined.memberships += 1
                judgement.judge_member(MemberRow(*member), unread.at(member[:3]))
            judgement.end()
            examined.conversations += 1
            yield judgement
            if examined.messages - told >= MOVES_EVERY:
                told = examined.messages
                moved(told)

    def _preview(self, recount: Recount) -> dict[str, Said] | None:
        """Return what the newest message to show says, as a preview has it (P1)."""
        seq = recount.preview_at(recount.last_seq)
        if not seq:
            return None
        (row,) = self._rows("doctor_previewed", key=recount.key, seq=seq)
        names = ("seq", "client_id", "sender", "time_ms", "kind", "text", "state", "recalled_by")
        preview: dict[str, Said] = dict(zip(names, row, strict=True))
        preview["text"] = "" if preview["state"] == "recalled" else preview_text(row[5])
        return without_defaults(preview)


class _Stream:
    """Rows that come in the order of their keys.

    Attributes:
        key: of the rows that come next; None at the end.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, itemgetter(0))
        self.key: str | None = None
        self._rows: Iterator[Row] = iter(())
        self._go_on()

    def of(self, key: str) -> Iterator[Any]:
        """Take the rows of a key, which is the next one or none of them; all have to be taken."""
        if key == self.key:
            yield from self._rows
            self._go_on()

    def _go_on(self) -> None:
        self.key, self._rows = next(self._groups, (None, iter(())))


class _Numbers:
    """Numbers that come in the order of what they belong to."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    def at(self, place: Row) -> int | None:
        """Take the number behind a place, if there is one; what comes before it is passed over."""
        while (row := self._next) is not None and row[:-1] < place:
            self._next = next(self._rows, None)
        return int(row[-1]) if row is not None and row[:-1] == place else None


def _write(writer: apsw.Connection, judgement: Judgement, version: int) -> None:
    """Write the rows of one conversation under one number."""
    queries = named_queries("doctor")
    with Transaction(writer):
        for query, values in judgement.rows:
            writer.execute(queries[query], {**values, "version": version})
        writer.execute(named_queries("writing")["set_version"], (version,))


def _check_ours(path: Path, connection: apsw.Connection) -> None:
    if connection.pragma("application_id") != APPLICATION_ID:
        raise StoreUnusable(f"{path} is the database of another program: name the file of a node")
    schema, newest = connection.pragma("user_version"), len(migrations())
    if schema > newest:
        raise StoreUnusable(
            f"{path} was written by a newer version of recents (schema {schema}, this one knows "
            f"{newest}): look through it with that version"
        )
    if schema < newest:
        raise StoreUnusable(
            f"{path} was written by an older version of recents (schema {schema}, this one has "
            f"{newest}): start a node on it once, which brings it forward"
        )


def _missing_parts(reader: apsw.Connection, query: str) -> list[Row]:
    """Return the tables and indexes that a file of this version has and this one has not."""
    model = apsw.Connection(":memory:")
    try:
        for script in migrations():
            model.execute(script)
        wanted: list[Row] = model.execute(query).fetchall()
    finally:
        model.close()
    there: set[Row] = set(reader.execute(query).fetchall())
    return [part for part in wanted if part not in there]


def _of_the_file(what: str, found: Said, expected: Said) -> Finding:
    return Finding(what=what, found=found, expected=expected, repairable=False)
