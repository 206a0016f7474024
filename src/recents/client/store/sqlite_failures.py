"""What the driver's errors mean to a device (port rule 4): the one place that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import msgspec

from recents.client.store.port import CopyDamaged, StepFailed, StoreUnusable

DAMAGED = (
    apsw.NotADBError,
    apsw.CorruptError,
    apsw.FormatError,
    # A table or a column that is not there.
    apsw.SQLError,
    apsw.SchemaChangeError,
    msgspec.DecodeError,
    UnicodeDecodeError,
)
"""Errors that say: the file is not what was written."""

_DAMAGED_DISKS = frozenset(
    {apsw.SQLITE_IOERR_CORRUPTFS, apsw.SQLITE_IOERR_DATA, apsw.SQLITE_READONLY_DBMOVED}
)


@contextmanager
def work_failures(path: Path, what: str) -> Iterator[None]:
    """Turn the driver's errors during work into ``StepFailed`` and ``CopyDamaged``.

    Args:
        path: of the file.
        what: what could not be done, e.g. "the commit".
    """
    try:
        yield
    except DAMAGED as error:
        raise damaged(path, what) from error
    except apsw.FullError as error:
        raise StepFailed(
            f"{what} failed: the disk of {path} is full; make room, then try again"
        ) from error
    except apsw.Error as error:
        if getattr(error, "extendedresult", 0) in _DAMAGED_DISKS:
            raise damaged(path, what) from error
        raise StepFailed(f"{what} failed: {path}: {error}") from error
    except (UnicodeEncodeError, OverflowError, TypeError) as error:
        raise StepFailed(f"{what} failed: a value cannot be stored: {error}") from error


def damaged(path: Path, what: str) -> CopyDamaged:
    """Return the error that says that the file is damaged."""
    return CopyDamaged(
        f"{what} failed: {path} is damaged; it has to be begun anew", retry_after_s=None
    )


@contextmanager
def opening_failures(path: Path) -> Iterator[None]:
    """Turn the driver's and the system's errors while opening into ``StoreUnusable``."""
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise unusable(f"another program is using {path}: end it, then try again") from error
    except apsw.FullError as error:
        raise unusable(f"the disk of {path} is full: make room, then try again") from error
    except apsw.IOError as error:
        raise unusable(
            f"{path} cannot be read or written ({error}): check the disk that it is on"
        ) from error
    except (apsw.Error, OSError) as error:
        raise unusable(
            f"{path} cannot be opened for writing ({error}): check that this user may write to "
            "its folder and its files, or choose another folder"
        ) from error


def unusable(words: str) -> StoreUnusable:
    """Return the error that only somebody's deed helps with."""
    return StoreUnusable(words, retry_after_s=None)
