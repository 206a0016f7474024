"""Group commit: the commands of many connections in one transaction (rules D7, M1).

Rules of this file:

1. Commands are carried out in the order in which they came.
2. A command is answered after its commit is durable, never before (D7).
3. A refused command changes nothing and holds up nothing; a failed commit fails its whole batch,
   and what the same devices asked after it: nothing overtakes what is asked again (C4).
4. One callback per batch, not a future per command: that is what makes small commands cheap.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from recents.core.commands import AnyCommand, NodeCommand
from recents.core.errors import Code, Refused
from recents.server.carrying_out import Done, carry_out_once, want
from recents.server.settings import Settings
from recents.server.store.port import Store, StoreFailed
from recents.server.store.workspace import Wanted, Workspace

log = logging.getLogger(__name__)

Outcome = Done | Refused
"""What became of a command."""


@dataclass(slots=True)
class Work:
    """A command on its way to a commit.

    Attributes:
        actor: the account that asked.
        answer: called once, after the commit, in the order of the commands.
        source: who sends commands in an order that matters; None: nobody.
        once: the command may be sent again after a lost answer, and is applied once (C4).
        objection: why it cannot be carried out, unless it was asked before.
    """

    actor: str
    command: AnyCommand | NodeCommand
    answer: Callable[[Work, Outcome], None]
    source: object = None
    once: bool = True
    objection: Refused | None = None


class Committer:
    """Carries commands out, many per commit."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock_ms: Callable[[], int],
        committed: Callable[[Workspace], None],
    ) -> None:
        """Prepare; ``committed`` hears of every commit before its commands are answered."""
        self._store = store
        self._settings = settings
        self._clock_ms = clock_ms
        self._committed = committed
        self._queue: deque[Work] = deque()
        self._wake = asyncio.Event()
        self._stopping = False

    def submit(self, work: Work) -> None:
        """Queue a command.

        Raises:
            Refused: ``overloaded`` or ``closing``; the command will not be carried out.
        """
        if self._stopping:
            raise closing()
        if len(self._queue) >= self._settings.queued_commands:
            raise Refused(Code.OVERLOADED, "the node has too much to do; try again in a second")
        self._queue.append(work)
        self._wake.set()

    def stop(self) -> None:
        """Refuse what waits and what comes; a commit that is under way is still answered."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Commit batch after batch until stopped."""
        while not self._stopping:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            count = min(len(self._queue), self._settings.batch_commands)
            await self._commit([self._queue.popleft() for _ in range(count)])
        while self._queue:
            work = self._queue.popleft()
            work.answer(work, closing())

    async def _commit(self, batch: list[Work]) -> None:
        outcomes = None
        while outcomes is None:
            outcomes = await self._outcomes(batch)
        for work, outcome in zip(batch, outcomes, strict=True):
            try:
                work.answer(work, outcome)
            except Exception:
                # One device that cannot be answered must not end all committing.
                log.exception("! an answer to %s failed by a mistake of the node", work.actor)

    async def _outcomes(self, batch: list[Work]) -> list[Outcome] | None:
        """Commit a batch; None: without the command that tripped a mistake it may go."""
        outcomes: list[Outcome] = [Done()] * len(batch)
        epoch, at_ms = self._store.epoch, self._clock_ms()
        tripped = False

        def decide(workspace: Workspace) -> None:
            nonlocal tripped
            for place, work in enumerate(batch):
                try:
                    outcomes[place] = carry_out_once(
                        workspace,
                        work.actor,
                        work.command,
                        at_ms,
                        epoch,
                        self._settings,
                        once=work.once,
                        objection=work.objection,
                    )
                except Refused as refusal:
                    outcomes[place] = refusal
                except Exception:
                    # Asked again it would fail again, and everything behind it with it.
                    work.objection, tripped = _mistake(), True
                    raise

        try:
            workspace = await self._store.transact(self._look_ahead(batch), decide)
        except StoreFailed as failure:
            log.warning("! commit of %d commands failed: %s", len(batch), failure)
        except Exception:
            # A mistake of ours in one command must not end all committing.
            log.exception("! commit of %d commands failed by a mistake of the node", len(batch))
            if tripped:
                return None
        else:
            if workspace.changed:
                self._committed(workspace)
            return outcomes
        self._join_those_behind(batch)
        return [_not_stored()] * len(batch)

    def _look_ahead(self, batch: list[Work]) -> Wanted:
        """Return what a batch has to look at; what is impossible is noted as an objection."""
        wanted = Wanted()
        epoch, newest = self._store.epoch, self._store.version
        for work in batch:
            try:
                want(work.actor, work.command, wanted, epoch, newest, once=work.once)
            except Refused as refusal:
                work.objection = refusal
            except Exception:
                log.exception("! looking ahead failed by a mistake of the node")
                work.objection = _mistake()
        return wanted

    def _join_those_behind(self, failed: list[Work]) -> None:
        """Move what the same sources asked after a failed batch into it (rule 3)."""
        sources = {id(work.source) for work in failed if work.source is not None}
        behind = [work for work in self._queue if id(work.source) in sources]
        if behind:
            failed += behind
            self._queue = deque(work for work in self._queue if id(work.source) not in sources)


def _not_stored() -> Refused:
    return Refused(Code.STORE_FAILED, "the node could not store this; nothing changed, try again")


def _mistake() -> Refused:
    return Refused(
        Code.NODE_MISTAKE, "a mistake of the node keeps it from doing this; its log says more"
    )


def closing() -> Refused:
    """Return the refusal of a node that is stopping."""
    return Refused(Code.CLOSING, "the node is stopping; nothing changed, try again shortly")
