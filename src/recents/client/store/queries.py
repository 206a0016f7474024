"""The SQL of a device's store, which lives in ``sql/*.sql``: named queries and migrations."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_HEADER = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def named_queries(name: str) -> dict[str, str]:
    """Return the queries of ``sql/<name>.sql``, each under the name in its ``-- name --``."""
    text = (_folder() / f"{name}.sql").read_text(encoding="utf-8")
    _, *parts = _HEADER.split(text)
    return {
        title: _without_description(body)
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


@cache
def migrations() -> tuple[str, ...]:
    """Return the scripts that bring a file from each schema to the next, oldest first."""
    folder = _folder() / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple((folder / name).read_text(encoding="utf-8") for name in names)


def _folder() -> Traversable:
    return files("recents.client.store") / "sql"


def _without_description(body: str) -> str:
    lines = body.strip().splitlines()
    while lines and lines[0].startswith("--"):
        del lines[0]
    return "\n".join(lines)
