"""The pure layers are covered, module by module, each by its own test file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(120)
def test_core_and_wire_are_covered_by_their_own_tests() -> None:
    # In another process: in this one `recents` may have been imported already.
    run = subprocess.run(
        [sys.executable, "-m", "tests.own_coverage"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
