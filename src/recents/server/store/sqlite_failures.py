"""What the driver's errors mean to the node (port rule 4): the one place that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from recents.server.store.port import StoreFailed, StoreUnusable

_DAMAGED = (apsw.NotADBError, apsw.CorruptError, apsw.FormatError)


@contextmanager
def work_failures(what: str) -> Iterator[None]:
    """Turn the driver's errors during work into ``StoreFailed``.

    Args:
        what: what could not be done, e.g. "the commit".
    """
    try:
        yield
    except _DAMAGED as error:
        raise StoreFailed(
            f"{what} failed: the file is damaged; stop the node and put a backup in its place"
        ) from error
    except apsw.FullError as error:
        raise StoreFailed(f"{what} failed: the disk is full; make room, then try again") from error
    except apsw.Error as error:
        raise StoreFailed(f"{what} failed: {error}") from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise StoreFailed(f"{what} failed: a value cannot be stored: {error}") from error


@contextmanager
def opening_failures(path: Path) -> Iterator[None]:
    """Turn the driver's and the system's errors while opening into ``StoreUnusable``."""
    try:
        yield
    except _DAMAGED as error:
        raise StoreUnusable(
            f"{path} is damaged or not a store at all: put a backup in its place, or move it away "
            "to begin with an empty store"
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreUnusable(
            f"another program is using {path}: end it, then start the node again"
        ) from error
    except apsw.FullError as error:
        raise StoreUnusable(f"the disk of {path} is full: make room, then start again") from error
    except (apsw.Error, OSError) as error:
        raise StoreUnusable(
            f"{path} cannot be opened for writing ({error}): check that its folder exists and "
            "that this user may write to both"
        ) from error
