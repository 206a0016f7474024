"""Reading the unsent commands out of a file that cannot be used (C6).

Rules of this file:

1. The file itself is not touched: a copy of it is read, and mended where that helps.
2. Only commands of this account are taken: each row says whose it is (C5).
3. Commands are read one by one, from both ends, so that a damaged page costs those on it only.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import msgspec
from msgspec.structs import replace

from recents.client.store.queries import named_queries
from recents.client.store.sqlite_failures import DAMAGED
from recents.client.store.sqlite_opening import (
    PAGE_BYTES,
    Unfit,
    connected,
    make_schema,
    part,
    remove,
)
from recents.core.pending import Pending

WORK = ".rescue"
"""Ending of the copy that is read."""

LOOKED_UP = 2_000
"""Numbers that are tried one by one where an outbox cannot be walked through."""

_pending = msgspec.json.Decoder(Pending)

_UNREADABLE = (*DAMAGED, apsw.IOError, apsw.CantOpenError)

_VERSIONS, _COUNTER, _VALID_FOR = slice(18, 20), slice(24, 28), slice(92, 96)
"""Places in the header of a SQLite file."""


class Rescued(msgspec.Struct, frozen=True, kw_only=True):
    """What could be read.

    Attributes:
        device_id: None where it cannot be read.
        outbox: commands that were not answered yet, in order.
        lost: there may have been more.
    """

    device_id: str | None = None
    outbox: tuple[Pending, ...] = ()
    lost: bool = False


_NOTHING = Rescued(lost=True)


def rescued(path: Path, account: str, unfit: Unfit) -> Rescued:
    """Read what can be read of this account's in a file, which stays as it is.

    Raises:
        OSError: there is no room to work in; nothing was changed.
    """
    if unfit.label == "other-account":
        return Rescued()
    work = part(path, WORK)
    try:
        _copied(path, work)
        found = _read(work, account)
        if found == _NOTHING and unfit.label == "damaged":
            # Anew: SQLite throws away the log of a file that is empty.
            _copied(path, work)
            _mend(work)
            found = replace(_read(work, account), lost=True)
        if found == _NOTHING and unfit.label == "other-program":
            return Rescued()
        return replace(found, lost=found.lost or unfit.log_lost)
    finally:
        remove(work)


def _copied(path: Path, work: Path) -> None:
    remove(work)
    for ending in ("", "-wal"):
        if part(path, ending).exists():
            part(work, ending).touch(mode=0o600)
            shutil.copyfile(part(path, ending), part(work, ending))


def _read(work: Path, account: str) -> Rescued:
    """Read a file's device id and commands, as far as they can be read."""
    try:
        connection = connected(work)
    except _UNREADABLE:
        return _NOTHING
    try:
        owner, device_id = _whose(connection)
        if owner not in (account, None):
            return Rescued()
        outbox, lost = _Outbox(connection, account).read()
        return Rescued(device_id=device_id, outbox=outbox, lost=lost)
    except _UNREADABLE:
        return _NOTHING
    finally:
        connection.close()


def _whose(connection: apsw.Connection) -> tuple[str | None, str | None]:
    """Return the account and the device id; None for what cannot be read."""
    try:
        row = connection.execute(named_queries("rescue")["whose"]).fetchone()
    except _UNREADABLE:
        return None, None
    owner, device_id = row or (None, None)
    return (
        owner if isinstance(owner, str) else None,
        device_id if isinstance(device_id, str) else None,
    )


class _Outbox:
    """The commands in a table, some pages of which may be damaged."""

    def __init__(self, connection: apsw.Connection, account: str) -> None:
        self._connection = connection
        self._account = account.encode()
        self._sql = named_queries("rescue")
        self._found: dict[int, Pending] = {}
        self._lost = False

    def read(self) -> tuple[tuple[Pending, ...], bool]:
        """Return the commands that can be read, and whether there may be more."""
        low = self._walk("next_command", 0)
        if self._lost:
            high = self._walk("previous_command", 2**63 - 1, low)
            for number in range(low + 1, min(high, low + LOOKED_UP)):
                self._step("command", number)
        unsent = (self._found[number] for number in sorted(self._found))
        return tuple(one for one in unsent if one.version is None), self._lost

    def _walk(self, query: str, number: int, end: int | None = None) -> int:
        """Read on until there is nothing more, or it cannot be read; return where that is."""
        while True:
            following = self._step(query, number)
            if following is None or following in (end, number):
                return number
            number = following

    def _step(self, query: str, number: int) -> int | None:
        try:
            row = self._connection.execute(self._sql[query], {"number": number}).fetchone()
        except _UNREADABLE:
            self._lost = True
            return None
        if row is None:
            return None
        following, account, pending = row
        if not isinstance(following, int):
            self._lost = True
            return None
        try:
            if account == self._account:
                self._found[following] = _pending.decode(pending)
        except (msgspec.DecodeError, TypeError):
            self._lost = True
        return following


def _mend(work: Path) -> None:
    """Give a file the first page of a new one: in all of ours a table begins at the same page."""
    model = apsw.Connection(":memory:")
    model.pragma("page_size", PAGE_BYTES)
    with model:
        make_schema(model)
    page = bytearray(model.serialize("main")[:PAGE_BYTES])
    model.close()
    # With a log beside it; and as long as it is, not as long as the new one.
    page[_VERSIONS] = b"\x02\x02"
    page[_COUNTER], page[_VALID_FOR] = b"\0\0\0\x02", b"\0\0\0\x01"
    work.touch(mode=0o600)
    with work.open("r+b") as file:
        file.write(page)
