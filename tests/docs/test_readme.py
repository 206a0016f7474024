"""The README, followed word by word: its commands and its Python run as printed."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import recents
from tests.cli.terminal import PATIENCE, AtNode, Place, serving

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
DEFAULT_ADDRESS = "http://127.0.0.1:7380"
LOGIN = re.compile(r"export (RECENTS_\w+)=(\S+)")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AtNode]:
    """A node; what lies where the platform keeps programs' data lies here."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    with serving(tmp_path) as node:
        yield node


def logged_in(at: AtNode, account: str) -> Place:
    """Type in what `recents account add` printed, as the quick start says."""
    added = at.here.apart("account", "add", account)
    assert added.code == 0, added
    login = dict(LOGIN.findall(added.out))
    assert set(login) >= {"RECENTS_ACCOUNT", "RECENTS_TOKEN"}, added.out
    return at.here.with_environment(**login)


def test_quick_start_works_as_printed(at: AtNode) -> None:
    setup = [line for block in blocks("sh")[1:] for line in block.splitlines()]
    assert "recents serve" in setup
    people: dict[str, Place] = {}
    here = at.here
    for line in setup:
        words = line.split()
        if line.startswith("recents account add "):
            people[words[-1]] = logged_in(at, words[-1])
        elif line.startswith("export "):
            here = people[dict(LOGIN.findall(line))["RECENTS_ACCOUNT"]]
        elif line.startswith(("recents send ", "recents list")):
            done = here.apart(*(word.strip('"') for word in words[1:]))
            assert done.code == 0, done
    with people["bob"].running("watch", "--json") as watching:
        assert json.loads(watching.line())["totals"]["unread"] == 1
        ran = run_as_program(ten_lines().replace(DEFAULT_ADDRESS, at.address), people["alice"])
        assert ran.returncode == 0, ran.stderr
        assert "bob 0 hello" in ran.stdout
        assert json.loads(watching.line())["totals"]["unread"] == 2
    (copy,) = (at.store.parent / "home" / "recents").glob("*/*.db")
    assert copy.name == "alice.db", "a device that has its copy"


def test_ten_lines_are_ten() -> None:
    lines = [line for line in ten_lines().splitlines() if line.strip()]
    assert len(lines) <= 10


async def _tour(address: str, token: str) -> None:
    names: dict[str, object] = {}
    exec(compile(blocks("python")[1], "README.md", "exec"), names)
    tour = names["tour"]
    assert callable(tour)
    async with recents.connect(address, account="alice", token=token, data_dir=None) as me:
        await me.messages.send(recents.p2p("bob"), "hello")
        await tour(address, token)


def test_tour_runs_as_printed(at: AtNode, capsys: pytest.CaptureFixture[str]) -> None:
    token = logged_in(at, "alice").environment["RECENTS_TOKEN"]
    logged_in(at, "bob")
    asyncio.run(_tour(at.address, token))
    assert "alice who is in?" in capsys.readouterr().out


def test_the_script_runs_as_printed(at: AtNode, capsys: pytest.CaptureFixture[str]) -> None:
    token = logged_in(at, "alice").environment["RECENTS_TOKEN"]
    bob = logged_in(at, "bob")
    assert bob("send", "alice", "still awake?").code == 0
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[2], "README.md", "exec"), names)
    names["good_night"](at.address, token)
    assert capsys.readouterr().out == "0 ['']\n"


def test_pages_that_it_names_exist() -> None:
    for page in re.findall(r"\]\(((?!http|#)[^)#]+)", README):
        assert (Path(__file__).parents[2] / page).exists(), page


def ten_lines() -> str:
    return blocks("python")[0]


def run_as_program(text: str, place: Place) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", text],
        cwd=place.folder,
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
