"""`recents demo`: what it prints can be pasted, and the list lives."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from recents.cli.demo_company import HISTORY, LABEL, PEOPLE, TALKS, TEAMS, VISITORS
from tests.cli.terminal import PATIENCE, Place, Running, clean_environment


@pytest.fixture
def scratch(tmp_path: Path) -> Place:
    return Place(tmp_path, clean_environment(TMPDIR=str(tmp_path)))


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield str(other.getsockname()[1])


def _shell(script: str, place: Place) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["sh", "-c", script],
        cwd="/",
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_its_commands_work_word_by_word(scratch: Place, taken_port: str) -> None:
    with scratch.running("demo", "--port", taken_port, "--pace", "0.3") as demo:
        lines = demo.lines_until("Ctrl-C here")
        assert lines[0] == LABEL
        assert f"Port {taken_port} is taken" in lines[1]
        pasted = [line.strip() for line in lines if line.startswith("  ")]
        logins = [line for line in pasted if line.startswith("export ")]
        assert len(logins) == 2
        mina = logins[0]
        (watch,) = {line for line in pasted if line.endswith(" watch")}
        with _shell(f"{mina}\nexec {watch}", scratch) as process:
            watching = Running(process)
            assert "unread in" in watching.line()
            for _ in range(3):
                watching.lines_until(" message: ")
            others = pasted[pasted.index(next(p for p in pasted if p.endswith(" list"))) :]
            assert len(others) == 4
            with _shell(f"{mina}\nset -e\n" + "\n".join(others), scratch) as rest:
                out, err = rest.communicate(timeout=PATIENCE)
            assert (rest.returncode, err) == (0, "")
            assert "dismissed" in out
            assert "sent to p2p:zoe" in out
            assert "1 row deleted" in out
            watching.lines_until(lambda line: bool(re.search(r"p2p:zoe \(\d+\) ", line)))
            assert watching.end(signal.SIGINT).code == 0
        done = demo.end(signal.SIGINT)
        assert (done.code, done.err) == (0, "")
        assert "the demo is over" in done.out
    assert list(scratch.folder.iterdir()) == []


def test_the_company_is_of_one_piece() -> None:
    teams = {team.conversation: team.members for team in TEAMS}
    for where, lines in (*HISTORY, *TALKS):
        for who, _ in lines:
            assert who in teams.get(where, PEOPLE), (where, who)
        assert where in teams or where[1:] in PEOPLE
    assert all(who not in VISITORS for _, lines in TALKS for who, _ in lines)
    assert "made up" in LABEL
