"""Starts programs, kills them with ``kill -9`` at random moments, and starts them again.

Rules of this file:

1. A program that ends by itself is a failure.
2. Which program is killed after how long follows from the seed; what it is doing then does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PATIENCE_S = 60.0
"""For a busy machine: what is waited for comes within a second, or never."""


class Program:
    """One program, over all its runs.

    Args:
        arguments: gives those of a run, by its number.
        errors: where its standard error goes.

    Attributes:
        kills: how often it was killed.
    """

    def __init__(
        self, name: str, arguments: Callable[[int], tuple[str, ...]], errors: Path
    ) -> None:
        self.name = name
        self.kills = 0
        self._arguments = arguments
        self._errors = errors
        self._runs = 0
        self._process: Process | None = None

    async def start(self) -> None:
        """Start another run."""
        self._runs += 1
        with self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *self._arguments(self._runs),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                # A whole list comes as one line.
                limit=2**24,
            )

    async def kill(self) -> None:
        """End it, wherever it is."""
        running = self._running
        assert running.returncode is None, f"{self.name} ended by itself: {self.said()}"
        running.kill()
        assert await running.wait() == -signal.SIGKILL, f"{self.name}: {self.said()}"
        self.kills += 1

    async def ask(self, word: str) -> str:
        """Say a word, and return the line that it answers."""
        running = self._running
        assert running.stdin is not None
        running.stdin.write(f"{word}\n".encode())
        return await self.line()

    async def line(self) -> str:
        """Return the next line that it prints."""
        running = self._running
        assert running.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await running.stdout.readline()
        assert line, f"{self.name} ended by itself: {self.said()}"
        return line.decode().strip()

    async def end(self) -> None:
        """Let it end, which it must do well."""
        running, self._process = self._running, None
        assert running.stdin is not None
        running.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            assert await running.wait() == 0, f"{self.name} ended badly: {self.said()}"

    def abandon(self) -> None:
        """Leave nothing behind when a test failed."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def said(self) -> str:
        """Return what it said on its standard error, in all runs."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    @property
    def _running(self) -> Process:
        assert self._process is not None, f"{self.name} is not running"
        return self._process


async def kill_at_random(
    program: Program, chance: random.Random, *, for_s: float, mean_s: float, outage_s: float
) -> None:
    """Kill and restart a program again and again; at the end it runs.

    Args:
        program: which.
        chance: chooses the moments.
        for_s: seconds until this ends.
        mean_s: seconds that a run lasts, in the mean.
        outage_s: every third time it stays away for up to so many seconds.
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + for_s
    while (life_s := chance.expovariate(1 / mean_s)) < end_s - loop.time():
        await asyncio.sleep(life_s)
        await program.kill()
        if chance.random() < 1 / 3:
            await asyncio.sleep(chance.uniform(0, outage_s))
        await program.start()
    await asyncio.sleep(end_s - loop.time())


@contextlib.asynccontextmanager
async def all_of(*programs: Program) -> AsyncIterator[None]:
    """Start programs; none of them outlives the block."""
    try:
        for program in programs:
            await program.start()
        yield
    finally:
        for program in programs:
            program.abandon()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
