"""The sync token: a version of one store, opaque to devices (``docs/protocol.md``, section 4)."""

from __future__ import annotations

import re

from recents.core.errors import Code, Refused

_TOKEN = re.compile(r"([0-9a-f]{16})\.([0-9]{1,15})", re.ASCII)


def token_of(epoch: str, version: int) -> str:
    """Return the token of a version: ``<epoch>.<version>``."""
    return f"{epoch}.{version}"


def version_in(token: str, epoch: str, newest: int) -> int | None:
    """Return the version that a token stands for in this store.

    Returns:
        None for the token of another store, or of a future that this one does not have: what
        the device holds is then worth nothing here.

    Raises:
        Refused: ``bad_value`` for text that no node ever made.
    """
    match = _TOKEN.fullmatch(token)
    if not match:
        raise Refused(Code.BAD_VALUE, f"{token[:80]!r} is not a sync token; leave it out instead")
    version = int(match[2])
    return version if match[1] == epoch and version <= newest else None
