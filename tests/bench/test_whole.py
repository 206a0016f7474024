"""The long runs: a whole week of traffic, and every measurement once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.made_traffic import write_traffic
from tests.bench.test_replay import REAL_WEEK, ROOT

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]


def start(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_whole_week_has_no_mismatch(tmp_path: Path) -> None:
    file = REAL_WEEK if REAL_WEEK.exists() else write_traffic(tmp_path / "w", lines=7_000, seed=3)

    report = json.loads(start("bench/replay.py", str(file), "--json"))

    assert report["mismatches"] == 0
    assert report["messages"] >= 7_000


def test_every_measurement_can_be_taken() -> None:
    table = start("-m", "bench", "--quick")

    for what in (
        "durable send → other device",
        "the bare toy beside it",
        "send → acknowledged at 2,000/s, p99",
        "first 50 rows with totals, 10,000 conversations, p99",
        "all rows to a fresh device, 1,000 conversations",
        "reconnect, nothing of 5,000 changed",
        "reconnect, 10 of 5,000 changed",
        "memory per idle device",
        "recount of 50,000 messages",
    ):
        assert what in table
