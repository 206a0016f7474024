"""Opening a SQLite file: its lock, its connections, its schema.

Rules of this file:

1. One node at a time: whoever has the file open holds a lock beside it (``<file>.lock``), which
   the system lets go of when the process ends, however it ends.
2. A commit is on disk before it is acknowledged: WAL with ``synchronous=FULL``.
3. A schema is only ever brought forward, each step in a transaction; a newer one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import apsw

from recents.server.store.port import StoreUnusable
from recents.server.store.queries import migrations, named_queries
from recents.server.store.sqlite_failures import opening_failures

APPLICATION_ID = 0x52434E54
"""``RCNT`` in the header of the file, so that `file` and we can tell whose it is."""

BUSY_MS = 5_000
"""How long to wait for a program that looks into the file, such as a backup or a shell."""

CACHE_KIB = 32 * 1024
"""Pages kept per connection; SQLite's default of 2 MiB is read anew at every list of rows."""


@dataclass(slots=True)
class Connections:
    """The open connections of one store, each used by one thread at a time."""

    lock: apsw.Connection
    writer: apsw.Connection
    reader: apsw.Connection
    checkpointer: apsw.Connection


def open_connections(path: Path) -> Connections:
    """Open a file, make or migrate its schema, and keep other nodes out.

    Raises:
        StoreUnusable: with what to do about it.
    """
    path = path.resolve()
    if path.is_dir():
        raise StoreUnusable(f"{path} is a folder: name a file in it, such as {path}/recents.db")
    opened: list[apsw.Connection] = []
    try:
        with opening_failures(path):
            in_use = f"another node is using {path}: stop it, or give this one another file"
            opened.append(locked(path, in_use))
            # Messages are nobody else's business; SQLite gives its other files the same rights.
            path.touch(mode=0o600)
            opened.append(_connected(path, apsw.SQLITE_OPEN_READWRITE))
            _prepare(path, opened[1])
            opened.append(_connected(path, apsw.SQLITE_OPEN_READONLY))
            opened.append(_connected(path, apsw.SQLITE_OPEN_READWRITE))
            lock, writer, reader, checkpointer = opened
            for connection in (writer, reader):
                connection.execute(named_queries("rows")["create_inbox"])
            return Connections(lock, writer, reader, checkpointer)
    except BaseException:
        for connection in reversed(opened):
            connection.close()
        raise


def close_connections(connections: Connections) -> None:
    """Bring everything into the one file and let go of it."""
    connections.reader.close()
    connections.checkpointer.close()
    # The last connection to a file in WAL mode empties its log and removes it.
    connections.writer.close()
    connections.lock.close()


def locked(path: Path, in_use: str) -> apsw.Connection:
    """Take the lock beside a file; SQLite's own locks work on every system that it runs on.

    Raises:
        StoreUnusable: a node has it, as ``in_use`` says.
    """
    lock = apsw.Connection(f"{path}.lock")
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except apsw.BusyError as error:
        lock.close()
        raise StoreUnusable(in_use) from error
    except apsw.Error:
        lock.close()
        raise
    return lock


def _connected(path: Path, flags: int) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(BUSY_MS)
    connection.execute(f"""
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = OFF;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -{CACHE_KIB};
    """)
    return connection


def _prepare(path: Path, connection: apsw.Connection) -> None:
    """Make or migrate the schema of a file that is ours or empty."""
    ours = connection.pragma("application_id") == APPLICATION_ID
    if not ours and connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StoreUnusable(
            f"{path} is the database of another program: name another file for the node"
        )
    schema, newest = connection.pragma("user_version"), len(migrations())
    if schema > newest:
        raise StoreUnusable(
            f"{path} was written by a newer version of recents (schema {schema}, this one knows "
            f"{newest}): install that version again, or start with a backup from before"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    for number, script in enumerate(migrations()[schema:], schema + 1):
        with connection:
            connection.execute(script)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", number)
