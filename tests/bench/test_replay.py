"""The replay itself: real traffic, a real node, real clients, and nothing that differs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.made_traffic import write_traffic

ROOT = Path(__file__).resolve().parents[2]
REAL_WEEK = ROOT.parent / "shared" / "data" / "gitter-fcc-week.jsonl.gz"

SCRIPT = ["bench/replay.py"]
MODULE = ["-m", "bench.replay"]


def runs() -> dict[str, tuple[Path | None, list[str]]]:
    """Name the runs: made-up traffic everywhere, real traffic as well where it is."""
    found: dict[str, tuple[Path | None, list[str]]] = {
        "made up, on disk": (None, SCRIPT),
        "made up, in memory": (None, [*MODULE, "--in-memory", "--seed", "8"]),
    }
    if REAL_WEEK.exists():
        found["real, on disk"] = (REAL_WEEK, [*SCRIPT, "--limit", "800"])
    return found


RUNS = runs()


def start(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(150)
@pytest.mark.parametrize("run", RUNS)
def test_every_list_equals_the_oracles(run: str, tmp_path: Path) -> None:
    file, arguments = RUNS[run]
    file = file or write_traffic(tmp_path / "made.jsonl", lines=800, seed=5)

    ended = start([*arguments, str(file), "--json"])

    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(ended.stdout)
    assert report["mismatches"] == 0
    if "on disk" in run:
        assert report["examined"]["messages"] == 800
        assert report["examined"].get("findings", 0) == 0, report["first_findings"]
    else:
        assert report["examined"] is None
    assert report["messages"] == report["steps"]["Post"] == 800
    for where in ("live device", "fresh device", "node's list"):
        assert report["compared"][where] == report["accounts"]
    for step in (
        "Read",
        "ReadAll",
        "Delete",
        "DeleteAll",
        "Clear",
        "Leave",
        "Reconnect",
        "GoAway",
    ):
        assert report["steps"][step] > 0


@pytest.mark.timeout(150)
def test_it_tells_people_what_it_did_and_what_was_made_up(tmp_path: Path) -> None:
    file = write_traffic(tmp_path / "made.jsonl", lines=60, seed=6)

    ended = start([*SCRIPT, str(file)])

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "bodies made up" in ended.stdout
    assert ended.stdout.endswith("\n0 mismatches\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "has no lines"),
        ('{"time_ms": 1, "channel": "c", "sender": "a"}\n{"time_ms": 2}\n', "line 2"),
        ("no JSON\n", "line 1"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "wrong.jsonl"
    file.write_text(content)

    ended = start([*SCRIPT, str(file)])

    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
