"""The laws find mistakes: each mutant below breaks one of them within some histories."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest import mock

import pytest

from recents.client import keeper, outbox, planning, watched
from recents.client.store.port import Step
from recents.core import overlay
from recents.core.commands import AnyCommand
from recents.server import carrying_out, reading
from recents.server.settings import Settings
from recents.server.store.workspace import Workspace
from tests.laws.history import made_up, play

HISTORIES = 400
Patch = AbstractContextManager[object]


def _node_ignores_reads() -> Patch:
    return mock.patch.object(reading, "_read", return_value=False)


def _node_forgets_what_it_did() -> Patch:
    once = carrying_out.carry_out_once

    def twice(
        workspace: Workspace,
        actor: str,
        command: AnyCommand,
        at_ms: int,
        epoch: str,
        settings: Settings,
        **how: bool,
    ) -> carrying_out.Done:
        workspace._loaded.verdicts.pop((actor, command.id), None)
        return once(workspace, actor, command, at_ms, epoch, settings, once=how["once"])

    return mock.patch("recents.server.committer.carry_out_once", twice)


def _device_forgets_a_command() -> Patch:
    return mock.patch.object(outbox.Outbox, "rewind", lambda self: self.wake.set())


def _device_reads_what_it_has_not_seen() -> Patch:
    newest = planning.Planning.received
    return mock.patch.object(
        planning.Planning, "received", lambda self, name: max((newest(self, name) or 0) - 1, 0)
    )


def _overlay_forgets_reads() -> Patch:
    return mock.patch.object(overlay, "read_upto", lambda membership, *_: membership)


def _nothing_is_kept_before_it_is_shown() -> Patch:
    return mock.patch.object(keeper, "Step", return_value=Step())


def _a_view_keeps_rows_that_match_no_longer() -> Patch:
    return mock.patch.object(
        watched.Watched,
        "concerns",
        lambda self, _, image: image is not None and self._wanted.matches(image),
    )


@pytest.mark.parametrize(
    "mutant",
    [
        _node_ignores_reads,
        _node_forgets_what_it_did,
        _device_forgets_a_command,
        _device_reads_what_it_has_not_seen,
        _overlay_forgets_reads,
        _nothing_is_kept_before_it_is_shown,
        _a_view_keeps_rows_that_match_no_longer,
    ],
)
def test_a_mutant_is_found(mutant: Callable[[], Patch]) -> None:
    with mutant():
        for seed in range(HISTORIES):
            try:
                play(made_up(seed, 30), seed=seed, rough=seed % 2 == 1)
            except Exception:  # whatever it breaks
                return
    raise AssertionError(f"{mutant.__name__} keeps all laws")
