"""Hears in which order a node carries commands out, and which it takes."""

from __future__ import annotations

from typing import NamedTuple
from unittest import mock

from recents.core.commands import AnyCommand
from recents.core.errors import Refused
from recents.server import committer
from recents.server.carrying_out import carry_out
from recents.server.store.workspace import Workspace
from recents.wire.frames import Posted


class Heard(NamedTuple):
    """A command that was carried out, or refused."""

    command_id: str
    at_ms: int
    taken: bool


class Ear:
    """Listens until closed, at the only place where commands are carried out."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []
        self._batch: list[Heard] = []
        self._workspace: Workspace | None = None
        self._first: AnyCommand | None = None
        self._patch = mock.patch.object(committer, "carry_out", self._carry_out)
        self._patch.start()

    def close(self) -> None:
        self._patch.stop()

    def take(self) -> list[Heard]:
        """Return what was heard since the last time, in order."""
        heard, self._heard, self._batch = self._heard + self._batch, [], []
        return heard

    def _carry_out(
        self, workspace: Workspace, actor: str, command: AnyCommand, at_ms: int, epoch: str
    ) -> Posted | None:
        if workspace is not self._workspace:
            # A store may have the same batch decided twice; only the second time counts then.
            if command is not self._first:
                self._heard += self._batch
            self._workspace, self._first, self._batch = workspace, command, []
        try:
            outcome = carry_out(workspace, actor, command, at_ms, epoch)
        except Refused:
            self._batch.append(Heard(command.id, at_ms, taken=False))
            raise
        self._batch.append(Heard(command.id, at_ms, taken=True))
        return outcome
