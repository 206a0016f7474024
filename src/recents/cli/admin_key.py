"""The admin key: made once beside the store, read by `recents account`, never printed."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from recents.cli.ending import Ended, ExitCode, say

VARIABLE = "RECENTS_ADMIN_KEY"

_KEY_BYTES = 32
"""256 bits: nobody guesses it."""


def key_file_of(store: Path) -> Path:
    """Return where the admin key of a store lies."""
    return store.with_name(f"{store.name}.admin-key")


def from_environment() -> str | None:
    """Return the key in the environment, or None.

    Raises:
        Ended: it holds characters that cannot be sent.
    """
    key = os.environ.get(VARIABLE, "").strip()
    return _checked(key, VARIABLE) if key else None


def read(file: Path) -> str:
    """Return the key in a file; warns where others can read it.

    Raises:
        Ended: the file cannot be read, or holds no key.
        FileNotFoundError: there is none.
    """
    try:
        key = file.read_text(encoding="utf-8").strip()
        mode = file.stat().st_mode
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Ended(
            f"the admin key in {file} cannot be read: {reason}", ExitCode.UNAUTHORIZED
        ) from error
    if not key:
        raise Ended(
            f"{file} is empty: delete it, and the next `recents serve` makes a new key",
            ExitCode.UNAUTHORIZED,
        )
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        say(f"others can read the admin key in {file}: chmod 600 it")
    return _checked(key, str(file))


def make(file: Path) -> str:
    """Make a new key in a new file that only its owner can read.

    Raises:
        FileExistsError: there is such a file.
        OSError: it cannot be written.
    """
    key = secrets.token_hex(_KEY_BYTES)
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(opened, "w", encoding="ascii") as writing:
        writing.write(f"{key}\n")
        writing.flush()
        os.fsync(opened)
    return key


def _checked(key: str, source: str) -> str:
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Ended(
            f"the admin key in {source} must be printable ASCII without blanks",
            ExitCode.UNAUTHORIZED,
        )
    return key
