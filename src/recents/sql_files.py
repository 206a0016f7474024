"""SQL lives in files beside the code that runs it: named queries and numbered migrations."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_HEADER = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def named_queries(package: str, name: str) -> dict[str, str]:
    """Return the queries of ``sql/<name>.sql`` in a package, each under its ``-- name --``."""
    text = (_folder(package) / f"{name}.sql").read_text(encoding="utf-8")
    _, *parts = _HEADER.split(text)
    return {
        title: _without_description(body)
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


@cache
def migrations(package: str) -> tuple[str, ...]:
    """Return the scripts that bring a file from each schema to the next, oldest first."""
    folder = _folder(package) / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple((folder / name).read_text(encoding="utf-8") for name in names)


def _folder(package: str) -> Traversable:
    return files(package) / "sql"


def _without_description(body: str) -> str:
    lines = body.strip().splitlines()
    while lines and lines[0].startswith("--"):
        del lines[0]
    return "\n".join(lines)
