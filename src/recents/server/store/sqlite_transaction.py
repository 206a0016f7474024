"""A transaction of the SQLite store: whole or not at all (port rule 1)."""

from __future__ import annotations

from contextlib import suppress

import apsw


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
