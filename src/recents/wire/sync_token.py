"""The sync token: a version of one store (``docs/protocol.md``, section 4).

Rules of this file:

1. A token is ``<epoch>.<version>``; what the epoch says is the node's business alone.
2. Of two tokens of one epoch the one with the larger version knows more.
"""

from __future__ import annotations

import re

from recents.core.errors import Code, Refused

_TOKEN = re.compile(r"([0-9a-f]{16})\.([0-9]{1,15})", re.ASCII)


def token_of(epoch: str, version: int) -> str:
    """Return the token of a version."""
    return f"{epoch}.{version}"


def parts_of(token: str) -> tuple[str, int]:
    """Return the epoch and the version of a token.

    Raises:
        Refused: ``bad_value`` for text that no node ever made.
    """
    match = _TOKEN.fullmatch(token)
    if not match:
        raise Refused(Code.BAD_VALUE, f"{token[:80]!r} is not a sync token; leave it out instead")
    return match[1], int(match[2])


def version_in(token: str, epoch: str, newest: int) -> int | None:
    """Return the version that a token stands for in this store.

    Returns:
        None for the token of another store, or of a future that this one does not have: what
        the device holds is then worth nothing here.

    Raises:
        Refused: ``bad_value`` for text that no node ever made.
    """
    of_epoch, version = parts_of(token)
    return version if of_epoch == epoch and version <= newest else None
