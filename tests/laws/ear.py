"""Hears in which order a node carries commands out, and which it takes.

Rules of this file:

1. What was asked before is not heard again: it changes nothing (C4, M2).
2. Which marks a reader knew stands in a command as the number of a commit (R3); here it is turned
   into what the oracle is told: how many of the account's marks were made up to that commit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from unittest import mock

from recents.core.commands import AnyCommand, MarkUnread, MarkUnreadFrom, Post, Read, ReadAll
from recents.core.errors import Refused
from recents.core.ids import key_of
from recents.server import committer
from recents.server.carrying_out import Done, carry_out_once
from recents.server.store.workspace import Workspace
from recents.wire.sync_token import parts_of


@dataclass(frozen=True)
class Heard:
    """A command that was carried out, or refused.

    Attributes:
        actor: who asked.
        command: what was asked.
        version: number of the commit.
        at_ms: the node's time.
        taken: whether it was not refused.
        marked: whether it marked something as unread.
        mark_known: of a reading: how many marks of its conversation the reader knew; None: all.
        marks_known: of a reading of all rows: the same by conversation; None: all.
    """

    actor: str
    command: AnyCommand
    version: int
    at_ms: int
    taken: bool
    marked: bool = False
    mark_known: int | None = None
    marks_known: dict[str, int] | None = None


class Ear:
    """Listens until closed, at the only place where commands are carried out."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []
        self._batch: list[Heard] = []
        self._workspace: Workspace | None = None
        self._first: AnyCommand | None = None
        self._marks: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._patch = mock.patch.object(committer, "carry_out_once", self._carry_out_once)
        self._patch.start()

    def close(self) -> None:
        self._patch.stop()

    def take(self) -> list[Heard]:
        """Return what was heard since the last time, in order."""
        heard, self._heard, self._batch = self._heard + self._batch, [], []
        return [self._in_words(one) for one in heard]

    def _in_words(self, heard: Heard) -> Heard:
        """Count the marks that a reader knew; called in the order of the commands."""
        command = heard.command
        mark_known, marks_known = None, None
        match command:
            case MarkUnread() | MarkUnreadFrom() if heard.marked:
                self._marks[heard.actor, command.conversation].append(heard.version)
            case Read() | Post() if command.epoch is not None:
                made = self._marks[heard.actor, command.conversation]
                mark_known = _count(made, command.epoch)
            case ReadAll() if command.upto is not None:
                _, version = parts_of(command.upto)
                marks_known = {
                    name: _count(made, version)
                    for (actor, name), made in self._marks.items()
                    if actor == heard.actor
                }
            case _:
                pass
        return Heard(
            heard.actor,
            command,
            heard.version,
            heard.at_ms,
            heard.taken,
            heard.marked,
            mark_known,
            marks_known,
        )

    def _carry_out_once(
        self,
        workspace: Workspace,
        actor: str,
        command: AnyCommand,
        at_ms: int,
        epoch: str,
        *,
        once: bool,
        objection: Refused | None = None,
    ) -> Done:
        if workspace is not self._workspace:
            # A store may have the same batch decided twice; only the second time counts then.
            if command is not self._first:
                self._heard += self._batch
            self._workspace, self._first, self._batch = workspace, command, []
        again = _was_asked_before(workspace, actor, command, once=once)
        taken = False
        try:
            done = carry_out_once(
                workspace, actor, command, at_ms, epoch, once=once, objection=objection
            )
            taken = True
            return done
        finally:
            if not again:
                marked = taken and _has_marked(workspace, actor, command)
                self._batch.append(Heard(actor, command, workspace.version, at_ms, taken, marked))


def _was_asked_before(
    workspace: Workspace, actor: str, command: AnyCommand, *, once: bool
) -> bool:
    if isinstance(command, Post):
        key = key_of(actor, command.conversation)
        return workspace.posted(key, actor, command.client_id) is not None
    return once and workspace.verdict(actor, command.id) is not None


def _has_marked(workspace: Workspace, actor: str, command: AnyCommand) -> bool:
    if not isinstance(command, MarkUnread | MarkUnreadFrom):
        return False
    membership = workspace.membership(actor, key_of(actor, command.conversation))
    if membership is None:
        return False
    mark = membership.marked_unread if isinstance(command, MarkUnread) else membership.read_epoch
    return mark == workspace.version


def _count(versions: list[int], epoch: int) -> int:
    return len([version for version in versions if version <= epoch])
