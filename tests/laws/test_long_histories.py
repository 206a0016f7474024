"""The same laws over many more histories, for the heavy run; ``make laws`` plays 20,000."""

from __future__ import annotations

import subprocess
import sys

import pytest

COUNT = 3_000


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_the_laws_hold_in_thousands_of_histories() -> None:
    # A process of its own: it keeps both processors busy, and its own watch over the time.
    command = [sys.executable, "-m", "tests.laws.many", "--count", str(COUNT), "--workers", "2"]
    played = subprocess.run(command, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    assert f"{COUNT} histories, 0 failed" in played.stdout
