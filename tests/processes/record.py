"""What a node did, commit by commit, though it is killed again and again.

Rules of this file:

1. A batch is written down before its commit, and its number once more behind it. A batch without
   its second line was committed if the store has its version and no later batch has it too.
2. Of a batch that is decided twice the second time counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import msgspec

from recents.core.commands import AnyCommand, Post
from recents.core.errors import Refused
from recents.server import committer
from recents.server.carrying_out import Done, carry_out_once
from recents.server.settings import Settings
from recents.server.store.sqlite import SqliteStore
from recents.server.store.workspace import Wanted, Workspace
from tests.processes.lines import Lines, lines_in


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A command that reached the node.

    Attributes:
        actor: the account that asked.
        command: what was asked.
        taken: whether it was not refused.
        again: it was asked before, and changes nothing.
        seq: of a message: its place.
    """

    actor: str
    command: AnyCommand
    taken: bool
    again: bool
    seq: int = 0


class Decided(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A batch that is about to be committed.

    Attributes:
        batch: names it; no other one has this name.
        version: the number that its commit will have.
        at_ms: the node's time.
        changed: whether it changes rows, or only remembers what became of its commands.
        heard: its commands, in order.
    """

    batch: str
    version: int
    at_ms: int
    changed: bool
    heard: tuple[Heard, ...]


class Committed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The batch is durable."""

    batch: str


class RecordingStore(SqliteStore):
    """Writes down what is decided; to be opened with ``recording``."""

    def __init__(self, path: Path, record: Path, run: str) -> None:
        super().__init__(path)
        self._record = Lines(record)
        self._run = run
        self._batches = 0
        self._heard: list[Heard] = []
        self._at_ms = 0

    def recording(self) -> mock._patch[object]:
        """Listen, within a ``with``, at the only place where commands are carried out."""
        return mock.patch.object(committer, "carry_out_once", self._carry_out_once)

    async def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        self._batches += 1
        batch = f"{self._run}.{self._batches}"

        def decide_and_note(workspace: Workspace) -> None:
            self._heard = []
            decide(workspace)
            self._record.write(
                Decided(
                    batch=batch,
                    version=workspace.version,
                    at_ms=self._at_ms,
                    changed=workspace.changed,
                    heard=tuple(self._heard),
                )
            )

        workspace = await super().transact(wanted, decide_and_note)
        self._record.write(Committed(batch=batch))
        return workspace

    def _carry_out_once(
        self,
        workspace: Workspace,
        actor: str,
        command: AnyCommand,
        at_ms: int,
        epoch: str,
        settings: Settings,
        *,
        once: bool,
        objection: Refused | None = None,
    ) -> Done:
        self._at_ms = at_ms
        # A repeated message the oracle knows by itself.
        again = not isinstance(command, Post) and (
            workspace.verdict(actor, command.id) is not None
        )
        done: Done | None = None
        try:
            done = carry_out_once(
                workspace, actor, command, at_ms, epoch, settings, once=once, objection=objection
            )
            return done
        finally:
            posted = done.posted if done else None
            self._heard.append(
                Heard(
                    actor=actor,
                    command=command,
                    taken=done is not None,
                    again=again,
                    seq=posted.seq if posted else 0,
                )
            )


def committed_in(record: Path, newest: int) -> list[Decided]:
    """Return the batches that were committed, in order (rule 1).

    Args:
        record: what ``RecordingStore`` wrote.
        newest: the number of the store's newest commit.
    """
    batches: dict[str, Decided] = {}
    done: set[str] = set()
    last: dict[int, str] = {}
    for line in lines_in(record, Decided | Committed):  # type: ignore[arg-type]
        if isinstance(line, Committed):
            done.add(line.batch)
            continue
        batches[line.batch] = line
        if line.changed:
            last[line.version] = line.batch
    sure = {batch for batch in done if batches[batch].changed}
    for version in range(1, newest + 1):
        assert version in last, f"nobody wrote down what commit {version} was"
    for batch in sure:
        assert last[batches[batch].version] == batch, "two commits have the same number"
    kept = done | {batch for version, batch in last.items() if version <= newest}
    return [batches[batch] for batch in batches if batch in kept]
