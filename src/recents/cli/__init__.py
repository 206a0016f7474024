"""The command line: `recents serve`, `recents list`, `recents watch` and so on."""

from __future__ import annotations

import sys

_EXTRAS = frozenset({"typer", "rich", "apsw", "uvloop"})


def main() -> None:
    """Run the command line, and say in one sentence what is missing where something is."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a name shows a question mark instead of ending the program.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    try:
        from recents.cli.app import app

        app(prog_name="recents")
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        sys.exit(
            f"recents: this command needs {package}, which is not installed: "
            'pip install "recents[cli,server]"'
        )
