"""The processes of a measurement: a node with accounts, the toy, the load."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bench.load import Login, Measured, Plan
from bench.own_node import OwnNode

_ROOT = Path(__file__).resolve().parent.parent
_AT_ONCE = 64


async def make_logins(node: OwnNode, count: int, prefix: str = "user") -> list[Login]:
    """Make accounts with tokens through the node's REST face."""
    names = [f"{prefix}{number:05d}" for number in range(count)]
    logins = []
    for at in range(0, count, _AT_ONCE):
        part = names[at : at + _AT_ONCE]
        tokens = await asyncio.gather(*(node.make_account(name) for name in part))
        logins += [Login(*pair) for pair in zip(part, tokens, strict=True)]
    return logins


def plan_for(address: str, logins: Iterable[Login], seconds: float, rate: float | None) -> Plan:
    """Return a plan for the load on an address."""
    at = urlsplit(address)
    return Plan(at.hostname or "", at.port or 0, list(logins), seconds, rate=rate)


async def load(plan: Plan) -> Measured:
    """Run the load in its own process."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.load",
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await running.communicate(msgspec.json.encode(plan))
    return msgspec.json.decode(out, type=Measured)


@asynccontextmanager
async def toy(folder: Path) -> AsyncIterator[str]:
    """Run the toy on a new file; yields its address."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.toy",
        str(folder / f"toy-{uuid.uuid4().hex}.db"),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield (await running.stdout.readline()).decode().strip()
    finally:
        running.stdin.close()
        await running.wait()


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_ms(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks * 1_000 / os.sysconf("SC_CLK_TCK")
