"""Files of lines that survive a ``kill -9``: each line is written whole, and safe when it is.

Rules of this file:

1. A line is on the disk when ``write`` returns.
2. A last line that was cut off was not written: whoever wrote it was killed in the middle.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Lines:
    """Appends values to a file, one JSON line each."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            # What was cut off must not spoil the next line.
            os.write(self._file, b"\n")

    def write(self, line: msgspec.Struct) -> None:
        """Return when the line is on the disk."""
        os.write(self._file, msgspec.json.encode(line) + b"\n")
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def lines_in(path: Path, kind: type[T]) -> list[T]:
    """Return all whole lines of a file; ``kind`` may be a union."""
    decoder = msgspec.json.Decoder(kind)
    found: list[T] = []
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            found += [decoder.decode(line)] if line else []
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Rule 2.
            continue
    return found
