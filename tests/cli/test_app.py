"""The program as a whole: help, missing extras, how to be called again, its page."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from recents.cli.app import app
from recents.cli.ending import EXIT_CODES, ExitCode
from recents.cli.program import command, program
from tests.cli.terminal import PATIENCE, Place, clean_environment

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.mark.parametrize("extra", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(extra: str) -> None:
    blocked = f"import sys; sys.modules[{extra!r}] = None; from recents.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", blocked, "list"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"recents: this command needs {extra}, which is not installed: "
        'pip install "recents[cli,server]"'
    )


def test_help_and_version(tmp_path: Path) -> None:
    here = Place(tmp_path)
    shown = here.apart("--help")
    assert shown.code == 0
    for code in ExitCode:
        assert f"{int(code)} " in " ".join(shown.out.split()).partition("Exit codes:")[2]
    assert here("--version").out.startswith("recents ")
    assert here("lst").code == 2


def test_the_page_has_every_command_and_exit_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group
    for name, one in names.items():
        assert f"recents {name}" in page
        for below in getattr(one, "commands", ()):
            assert f"recents {name} {below}" in page
    for code in ExitCode:
        assert f"| {int(code)} |" in page
    assert EXIT_CODES.count(";") + 1 == len(ExitCode)


def test_it_knows_how_to_be_called_from_another_folder(tmp_path: Path) -> None:
    words = [*shlex.split(command("send", "bob", "two words")), "--help"]
    assert words[-4:-1] == ["send", "bob", "two words"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0


def test_where_it_is_found_by_name_the_name_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "recents"
    script.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == "recents"
    monkeypatch.setenv("PATH", "/nowhere")
    assert program() == str(script)


def test_without_a_script_python_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["-c"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "a python"))
    assert program() == f"'{tmp_path}/a python' -m recents.cli"
