"""Where the copy of an account lies: a folder for each node, a file for each account in it.

Rules of this file:

1. Two accounts, or two nodes, never have the same file, also where the file system takes ``A``
   and ``a`` for the same (C5, I1). So capitals are written as numbers.
2. A name can be read back: what is not plain is percent-encoded, as in addresses.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from recents.core.errors import CallerMistake

MAX_NAME_BYTES = 190
"""An account's longest name; 255 bytes fit on every file system, and endings are added to it."""

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.DOTALL)
"""Devices to Windows, whatever ending follows them."""


def file_of(data_dir: Path, address: str, account: str) -> Path:
    """Return where an account's copy lies: ``<data_dir>/<node>/<account>.db``.

    Args:
        data_dir: the application's folder for it.
        address: of the node: ``http://HOST:PORT`` or ``https://HOST``.
        account: whose copy it is.

    Raises:
        CallerMistake: this is not the address of a node.
    """
    return data_dir / _file_name(_node(address)) / f"{_file_name(account)}.db"


def _node(address: str) -> str:
    mistake = CallerMistake(
        f"{address!r} is not the address of a node: write http://HOST:PORT or https://HOST"
    )
    try:
        url = urlsplit(address)
        port = url.port or _PORTS[url.scheme]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise mistake from None
    if not url.hostname:
        raise mistake
    return f"{url.hostname}-{port}{url.path.rstrip('/')}"


def _file_name(text: str) -> str:
    octets = text.encode()
    hard = {0} if text.startswith(".") or _RESERVED.fullmatch(text) else set()
    name = "".join(
        chr(octet) if octet in _PLAIN and place not in hard else f"%{octet:02x}"
        for place, octet in enumerate(octets)
    )
    if len(name) <= MAX_NAME_BYTES:
        return name
    # Only a host with a name beyond all custom comes here; it is told apart by a digest.
    return f"{name[:120]}%{hashlib.sha256(octets).hexdigest()}"
