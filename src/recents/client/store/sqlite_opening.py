"""Opening a copy's file: its folder, its lock, its connection, its schema.

Rules of this file:

1. One program at a time: whoever has the file open holds a lock beside it (``<file>.lock``),
   which the system lets go of when the process ends, however it ends.
2. A new file is made whole under another name (``<file>.new``) and then renamed: a file under the
   right name that is empty or without a schema was damaged.
3. A file that turns out not to be ours, or damaged, is left as it was found.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import apsw

from recents.client.store.port import Saved
from recents.client.store.queries import migrations
from recents.client.store.sqlite_copy import LOG_PAGES, Copy, Transaction, owner_of
from recents.client.store.sqlite_failures import DAMAGED, unusable

APPLICATION_ID = 0x52434456
"""``RCDV`` in the header of the file; the node's files say ``RCNT``."""

PAGE_BYTES = 4_096
"""SQLite's default, said here since the rescue of a file without its first page counts on it."""

BUSY_MS = 5_000
"""How long to wait for a program that looks into the file, such as a backup or a shell."""

CACHE_KIB = 8 * 1024
"""Pages kept; with the default of 2 MiB large steps take half as long again (100,000 rows)."""

LOG_BYTES = LOG_PAGES * PAGE_BYTES
"""What is left of the log after a large step; it is used again."""

PROBED_ROWS = 50
"""Rows that are read at opening, a screen or two: damage there is found before it shows."""

PARTS = ("-wal", "-shm", "-journal", "")
"""Endings of the files that are one database, in the order in which they are moved."""

_PRAGMAS: dict[str, str | int] = {
    "synchronous": "FULL",
    "fullfsync": "ON",
    "temp_store": "MEMORY",
    "cache_size": -CACHE_KIB,
    "journal_size_limit": LOG_BYTES,
}

_LOG_BEGINS = (b"\x37\x7f\x06\x82\x00\x2d\xe2\x18", b"\x37\x7f\x06\x83\x00\x2d\xe2\x18")
_NO_LOG = b"\0" * 8


class Unfit(Exception):
    """A file that cannot be this account's copy (C6).

    Attributes:
        label: goes into the name under which it is kept.
        reason: in a sentence.
        log_lost: commits may be missing from it.
    """

    def __init__(self, label: str, reason: str, *, log_lost: bool = False) -> None:
        super().__init__(reason)
        self.label = label
        self.reason = reason
        self.log_lost = log_lost


def part(path: Path, ending: str) -> Path:
    """Return the file beside ``path`` with this ending."""
    return path.with_name(path.name + ending)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for this user only."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Bring names in a folder to the disk, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def locked(path: Path, account: str) -> apsw.Connection:
    """Take the lock beside a file; SQLite's own locks work on every system that it runs on.

    Raises:
        StoreUnusable: another program has it.
    """
    beside = part(path, ".lock")
    beside.touch(mode=0o600)
    for last_try in (False, True):
        lock = apsw.Connection(str(beside))
        try:
            # Nothing is ever written, so nothing has to be kept for taking it back.
            lock.pragma("journal_mode", "OFF")
            lock.execute("BEGIN EXCLUSIVE")
            return lock
        except apsw.BusyError as error:
            lock.close()
            raise unusable(
                f"another program has the copy of {account} open: end it, or give this one "
                f"another folder than {path.parent}"
            ) from error
        except apsw.NotADBError:
            lock.close()
            if last_try:
                raise
            # Nobody can hold a lock whose file is rubbish.
            os.truncate(beside, 0)
        except apsw.Error:
            lock.close()
            raise
    raise AssertionError("either locked or not")


def built(path: Path, account: str, saved: Saved) -> None:
    """Make a whole new file: empty, but for the device's id, its commands, what was set aside."""
    remove(path)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = connected(path)
    try:
        connection.pragma("page_size", PAGE_BYTES)
        with Transaction(connection):
            make_schema(connection)
            Copy(connection, account, 0).begin(saved.device_id, saved.outbox, saved.set_aside)
    finally:
        connection.close()


def make_schema(connection: apsw.Connection) -> None:
    """Bring the schema of an open transaction to the newest."""
    for script in migrations()[connection.pragma("user_version") :]:
        connection.execute(script)
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", len(migrations()))


def whole(path: Path, account: str) -> Saved | None:
    """Return what is in a ``<file>.new`` that was left; None where it is not whole."""
    if not path.exists():
        return None
    try:
        connection = connected(path)
    except DAMAGED:
        return None
    try:
        if connection.pragma("user_version") != len(migrations()):
            return None
        return Copy(connection, account, 0).saved()
    except DAMAGED:
        return None
    finally:
        connection.close()


def looked_into(path: Path, account: str, kept_messages: int) -> tuple[Copy, Saved]:
    """Open a file that is there, and read what a device begins with.

    Raises:
        Unfit: it has to be set aside.
    """
    _check_parts(path)
    try:
        connection = connected(path)
    except DAMAGED as error:
        raise _damaged(error) from error
    try:
        identify(connection, account)
        connection.pragma("journal_mode", "WAL")
        if connection.pragma("user_version") < len(migrations()):
            with Transaction(connection):
                make_schema(connection)
        copy = Copy(connection, account, kept_messages)
        saved = copy.saved()
        copy.rows_after(None, PROBED_ROWS)
        return copy, saved
    except DAMAGED as error:
        connection.close()
        raise _damaged(error) from error
    except BaseException:
        connection.close()
        raise


def connected(path: Path) -> apsw.Connection:
    """Open a connection that leaves the log alone when it is closed."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        # Before anything is read: that would leave a log which may only be read as well.
        _check_rights(path, connection)
        connection.set_busy_timeout(BUSY_MS)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        for name, value in _PRAGMAS.items():
            connection.pragma(name, value)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_rights(path: Path, connection: apsw.Connection) -> None:
    if connection.readonly("main"):
        raise unusable(f"{path} may only be read: let this user write to it")


def closed(connection: apsw.Connection) -> None:
    """Bring the log into the file, where that can be done, and let go of both."""
    with suppress(apsw.Error):
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        connection.close()


def remove(path: Path, endings: Iterable[str] = PARTS) -> None:
    """Remove a database that is of no use to anybody."""
    for ending in endings:
        part(path, ending).unlink(missing_ok=True)


def _damaged(error: Exception) -> Unfit:
    return Unfit("damaged", f"it is damaged: {error}")


def _check_parts(path: Path) -> None:
    """Refuse what SQLite would take for an empty file, or for a log without commits."""
    log, index = part(path, "-wal"), part(path, "-shm")
    if not path.exists():
        raise Unfit("damaged", "only its log is there, the file is gone", log_lost=True)
    if path.stat().st_size == 0:
        raise Unfit("damaged", "it is empty", log_lost=True)
    # A file that was closed has neither; one that was not has both.
    if index.exists() and not log.exists():
        raise Unfit("damaged", "it was not closed, and its log is gone", log_lost=True)
    if log.exists():
        with log.open("rb") as file:
            begins = file.read(8)
        # After a loss of power a log may be short or nought: nothing durable was in it.
        if len(begins) == 8 and begins not in (*_LOG_BEGINS, _NO_LOG):
            raise Unfit("damaged", "its log is no log", log_lost=True)


def identify(connection: apsw.Connection, account: str) -> None:
    """Make sure whose file it is.

    Raises:
        Unfit: another program's, a newer version's, another account's.
    """
    if connection.pragma("application_id") != APPLICATION_ID:
        raise Unfit("other-program", "it is the database of another program")
    schema, newest = connection.pragma("user_version"), len(migrations())
    if schema > newest:
        raise Unfit(
            "newer",
            f"it was written by a newer version of recents (schema {schema}, this one knows "
            f"{newest})",
        )
    if owner_of(connection) != account:
        raise Unfit("other-account", "it is the copy of another account")
