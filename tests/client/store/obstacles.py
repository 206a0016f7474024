"""A disk that can be made slow, full or read-only, and that forgets what was not synced.

``Disk`` takes the place of the system's file access for all databases that are opened while it is
in use; what a store does with it is real.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import apsw

Write = tuple[int, bytes]


class Disk(apsw.VFS):
    """Passes everything on, after ``before`` agreed.

    Attributes:
        before: called with what is about to happen (``write``, ``sync``, ``open``) and the file;
            may wait, or raise a driver's error.
        syncs: how often a file was synced.
    """

    def __init__(self) -> None:
        self.below = apsw.vfs_names()[0]
        super().__init__("obstacles", self.below, makedefault=True)
        self.before: Callable[[str, str], None] = lambda _what, _file: None
        self.syncs = 0
        self._synced: dict[str, bytes] = {}
        self._unsynced: dict[str, list[Write | int]] = {}

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        self.before("open", _file_name(name))
        return DiskFile(self, name, flags)

    def wrote(self, file: str, change: Write | int) -> None:
        """Note bytes at a place, or a new length, that a loss of power may undo."""
        self._unsynced.setdefault(file, []).append(change)

    def synced(self, file: str) -> None:
        """Note that nothing of a file can be lost any more."""
        self.syncs += 1
        self._synced[file] = Path(file).read_bytes()
        self._unsynced.pop(file, None)

    def after_a_loss_of_power(self, source: Path, folder: Path, chance: Random | None) -> None:
        """Write into another folder what the disk has then: what was synced, some of the rest."""
        for file in {*self._synced, *self._unsynced}:
            if Path(file).parent != source or not Path(file).exists():
                continue
            content = bytearray(self._synced.get(file, b""))
            for change in self._unsynced.get(file, ()):
                if chance is None or chance.random() < 0.5:
                    continue
                if isinstance(change, int):
                    del content[change:]
                else:
                    place, octets = change
                    content.extend(b"\0" * (place - len(content)))
                    content[place : place + len(octets)] = octets
            (folder / Path(file).name).write_bytes(content)


class DiskFile(apsw.VFSFile):
    """A file on such a disk."""

    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk, self._name = disk, _file_name(name)
        super().__init__(disk.below, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.before("write", self._name)
        super().xWrite(data, offset)
        self._disk.wrote(self._name, (offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._disk.wrote(self._name, newsize)

    def xSync(self, flags: int) -> None:
        self._disk.before("sync", self._name)
        super().xSync(flags)
        self._disk.synced(self._name)


@contextmanager
def disk() -> Iterator[Disk]:
    """Have a disk with obstacles for a while."""
    made = Disk()
    try:
        yield made
    finally:
        made.before = lambda _what, _file: None
        made.unregister()


class Gate:
    """Holds up whoever comes to write, until it is opened; made in the loop that waits for it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reached = asyncio.Event()
        self._open = threading.Event()

    def wait(self, what: str, _file: str) -> None:
        """Stop here, if it is for writing."""
        if what != "open":
            self._loop.call_soon_threadsafe(self._reached.set)
            self._open.wait()

    async def reached(self) -> None:
        """Wait until somebody stands before it."""
        await self._reached.wait()

    def open(self) -> None:
        """Let everybody through."""
        self._open.set()


def full(what: str, _file: str) -> None:
    if what == "write":
        raise apsw.FullError


def _file_name(name: str | apsw.URIFilename | None) -> str:
    if isinstance(name, apsw.URIFilename):
        return name.filename()
    return name or ""
