"""Stores that can die, or fail, in the middle of a commit, and tell what was committed.

Rules of this file:

1. A crash comes before a commit, of which then nothing is kept, or right after it, before
   anybody hears of it.
2. What belongs to a process that was killed changes nothing any more.
3. A store outlives the program that uses it: opened again, it has what was committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import Step, StepFailed
from recents.core.ids import ConversationKey
from recents.core.message import Message
from recents.core.pending import Pending
from recents.server.store.memory import MemoryStore
from recents.server.store.port import StoreFailed
from recents.server.store.workspace import CommandId, Verdict, Wanted, Workspace
from recents.testing.clock import is_dead

Blow = Literal["before", "after", "fail"]
"""What happens to a commit: death before it, death right after it, a failure."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One command of a commit: a message, or the verdict on another command."""

    account: str
    posted: tuple[ConversationKey, Message] | None = None
    command_id: str = ""
    verdict: Verdict | None = None


class WorldNodeStore(MemoryStore):
    """The node's store.

    Args:
        epoch: names its line of versions.
        blow: says what happens to the commit that is about to be made.
        die: kills the node.
        tell: hears of each commit, in the order in which its commands were carried out.
    """

    def __init__(
        self,
        epoch: str,
        blow: Callable[[], Blow | None],
        die: Callable[[], None],
        tell: Callable[[Workspace, list[Applied]], None],
    ) -> None:
        """Begin empty."""
        super().__init__(epoch)
        self._blow = blow
        self._die = die
        self._tell = tell

    async def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        """Commit, unless something happens to it.

        Raises:
            StoreFailed: nothing was stored.
        """
        if is_dead():
            raise StoreFailed("the node was killed")
        blow = self._blow()
        if blow == "fail":
            raise StoreFailed("this commit was chosen to fail")
        if blow == "before":
            self._die()
            await _until_killed()
        applied: list[Applied] = []

        def listen_and_decide(workspace: Workspace) -> None:
            applied.clear()
            _listen(workspace, applied)
            decide(workspace)

        workspace = await super().transact(wanted, listen_and_decide)
        self._tell(workspace, applied)
        if blow == "after":
            self._die()
            await _until_killed()
        return workspace


def _listen(workspace: Workspace, applied: list[Applied]) -> None:
    """Note the order within a batch, which is kept nowhere: what was posted, what was judged."""
    append = workspace.append

    def note(key: ConversationKey, message: Message) -> None:
        append(key, message)
        applied.append(Applied(message.sender, posted=(key, message)))

    workspace.append = note  # type: ignore[method-assign]  # for this one batch
    workspace.verdicts = _Verdicts(applied)


class _Verdicts(dict[CommandId, Verdict]):
    def __init__(self, applied: list[Applied]) -> None:
        super().__init__()
        self._applied = applied

    def __setitem__(self, asked: CommandId, verdict: Verdict) -> None:
        super().__setitem__(asked, verdict)
        self._applied.append(Applied(asked[0], command_id=asked[1], verdict=verdict))


@dataclass(slots=True)
class Journal:
    """What a device's store was given to keep of its commands.

    Attributes:
        given: every command by its id, in the order in which they were given; a message that is
            sent again comes last.
        now: those in the outbox, by number.
    """

    given: dict[str, Pending] = field(default_factory=dict)
    now: dict[int, Pending] = field(default_factory=dict)

    def note(self, step: Step) -> list[Pending]:
        """Note a step that was kept; return the commands that were given with it."""
        new = [pending for pending in step.outbox if pending.number not in self.now]
        for pending in new:
            self.given.pop(pending.command.id, None)
            self.given[pending.command.id] = pending
        self.now.update((pending.number, pending) for pending in step.outbox)
        for number in step.settled:
            self.now.pop(number, None)
        return new


class WorldDeviceStore(MemoryDeviceStore):
    """A device's store.

    Attributes:
        journal: the commands that it was given.
        failures: how many steps it could not keep.

    Args:
        device_id: names the device.
        blow: says what happens to the commit that is about to be made.
        die: kills the device.
        tell: hears of new commands when they are kept.
    """

    def __init__(
        self,
        device_id: str,
        blow: Callable[[], Blow | None],
        die: Callable[[], None],
        tell: Callable[[list[Pending]], None],
    ) -> None:
        """Begin empty."""
        super().__init__(lambda: device_id)
        self.journal = Journal()
        self.failures = 0
        self._blow = blow
        self._die = die
        self._tell = tell

    async def commit(self, step: Step) -> None:
        """Keep a step, unless something happens to it.

        Raises:
            StepFailed: nothing of it was kept.
        """
        if is_dead():
            raise StepFailed("the device was killed")
        blow = self._blow()
        if blow == "fail":
            self.failures += 1
            raise StepFailed("this step was chosen to fail")
        if blow == "before":
            self._die()
            await _until_killed()
        await super().commit(step)
        new = self.journal.note(step)
        if new:
            self._tell(new)
        if blow == "after":
            self._die()
            await _until_killed()


async def _until_killed() -> None:
    await asyncio.Event().wait()
