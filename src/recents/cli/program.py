"""What to type to call this program again, from any folder of another terminal."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def program() -> str:
    """Return this program as words for a shell: ``recents`` where everybody finds it by name."""
    script = _script()
    if script is None:
        return f"{shlex.quote(sys.executable)} -m recents.cli"
    found = shutil.which(script.name)
    # The script of an environment is found by name only while that environment is activated.
    in_environment = sys.prefix != sys.base_prefix and script.is_relative_to(sys.prefix)
    if found and not in_environment and Path(found).resolve() == script.resolve():
        return script.name
    return shlex.quote(str(script))


def command(*words: str) -> str:
    """Return a call of this program with these words, ready to be pasted into a shell."""
    return " ".join([program(), *map(shlex.quote, words)])


def _script() -> Path | None:
    """Find the script of this program: the one that runs, else the one beside Python."""
    running = Path(sys.argv[0]).absolute()
    if running.name == "recents" and running.is_file():
        return running
    beside = Path(sys.executable).parent / "recents"
    return beside if beside.is_file() else None
