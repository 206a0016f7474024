"""A node in a process of its own, to be killed: ``python -m tests.processes.node_program``.

Prints a line when it listens, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from recents.server.doors.listening import Listening
from recents.server.node import Node
from tests.processes.record import RecordingStore


async def serve(folder: Path, port: int, run: str, admin_key: str) -> None:
    """Serve, writing down what is committed."""
    store = RecordingStore(folder / "node.db", folder / "record.jsonl", run)
    with store.recording():
        async with Listening(Node(store), port=port, admin_key=admin_key) as at:
            print(at.address, flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]))
