"""Real processes and real sockets: what a person at a terminal gets."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from recents.cli.app import app

WORD = (sys.executable, "-m", "recents.cli")

# Seconds. Long, for a busy machine: nothing here waits this long when all is well.
PATIENCE = 30


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without anybody's login in it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("RECENTS_")}
    return {**kept, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200", **more}


@dataclass
class Place:
    """A folder to call the command line in, with an environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=clean_environment)

    def __call__(self, *words: str, said: str | bytes = b"") -> "Done":
        """Run a command here, in this process: what takes a second is only starting Python."""
        logins = {key: None for key in os.environ if key.startswith("RECENTS_")}
        with chdir(self.folder):
            done = CliRunner().invoke(
                app, words, input=said, env={**logins, **self.environment}, prog_name="recents"
            )
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    def apart(self, *words: str, said: str | bytes = b"") -> "Done":
        """Run a command as a process of its own."""
        done = subprocess.run(
            [*WORD, *words],
            cwd=self.folder,
            env=self.environment,
            input=said.encode() if isinstance(said, str) else said,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def as_json(self, *words: str) -> Any:  # noqa: ANN401  # any JSON value
        done = self(*words, "--json")
        assert done.code == 0, done
        return json.loads(done.out)

    def with_environment(self, **more: str) -> "Place":
        return Place(self.folder, {**self.environment, **more})

    @contextmanager
    def running(self, *words: str) -> Iterator["Running"]:
        process = subprocess.Popen(
            [*WORD, *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield Running(process)
            finally:
                if process.poll() is None:
                    process.kill()


@dataclass
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it said on stderr: one sentence, and no traceback."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("recents: "), self.err
        return lines[0].removeprefix("recents: ")


@dataclass
class Running:
    """A command that goes on."""

    process: "subprocess.Popen[str]"
    printed: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended: {self.printed} {self.end(None)}"
        self.printed.append(line.rstrip("\n"))
        return self.printed[-1]

    def lines_until(self, wanted: str | Callable[[str], bool]) -> list[str]:
        """The lines up to the first one that is wanted."""
        found: list[str] = []
        while True:
            found.append(self.line())
            if wanted in found[-1] if isinstance(wanted, str) else wanted(found[-1]):
                return found

    def end(self, number: signal.Signals | None = signal.SIGINT) -> Done:
        """Ask it to stop, and see how it ends."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return Done(self.process.returncode, out, err)


@dataclass
class AtNode:
    """A node that serves, and how to call it."""

    running: Running
    address: str
    store: Path
    here: Place

    def login(self, account: str, *words: str) -> Place:
        """Make an account and return a place that is logged in."""
        given = self.here.as_json("account", "add", account, *words)
        return self.login_with(account, given["token"])

    def login_with(self, account: str, token: str) -> Place:
        return self.here.with_environment(RECENTS_ACCOUNT=account, RECENTS_TOKEN=token)


@contextmanager
def serving(folder: Path, *words: str, **environment: str) -> Iterator[AtNode]:
    """Serve on a free port until the end."""
    place = Place(folder, clean_environment(**environment))
    with place.running("serve", "--port", "0", *words) as running:
        lines = running.lines_until("Ctrl-C")
        address = re.search(r"http://\S+", lines[0])
        assert address, lines
        store = next(line.split(maxsplit=1)[1] for line in lines if "store " in line)
        here = place.with_environment(RECENTS_NODE=address[0])
        yield AtNode(running, address[0], Path(store), here)


def rows_of(answer: dict[str, Any]) -> Sequence[Any]:
    return [(row["conversation"], row["unread"]) for row in answer["rows"]]
