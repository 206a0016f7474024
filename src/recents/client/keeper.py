"""The one place where this device's state changes (rules C1–C6, D7, P4).

Rules of this file:

1. One step after another: first the store, then memory, then the listeners.
2. A command that the store did not keep was not given: its caller hears so, nothing is shown.
3. What the node told is shown also where the store cannot keep it now; see ``copying``.
4. Orders that wait for the store are kept in one step where they can be; see ``jobs``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from recents.client.arrivals import Change, change_of
from recents.client.changes import Cause, ChangeBatch
from recents.client.copying import Copying
from recents.client.echo import echo_of, sent_message
from recents.client.incoming import Arrival
from recents.client.jobs import Jobs, Order, Plan, Task, fail
from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox, Ticket, conversation_of, encoded_size
from recents.client.planning import Wish
from recents.client.settings import Settings
from recents.client.settling import Outcome
from recents.client.store.port import Step
from recents.core.commands import Post
from recents.core.errors import CallerMistake, RecentsError, Unavailable
from recents.core.ids import Conversation
from recents.core.pending import Pending, retried
from recents.core.replica import Difference
from recents.wire.codec import MAX_DEVICE_FRAME_BYTES
from recents.wire.frames import Posted

log = logging.getLogger(__name__)

CLOCK_SLACK_MS = 1_000
"""A drift of less is not worth a write; it places echoes, until the node's time is there."""


_LONGEST_S = 3_600.0
"""A timer is set anew after so long: the clock may have been set."""


class Keeper:
    """Takes orders and arrivals, one after another.

    Attributes:
        local: the rows as they are shown; changed here only.
        outbox: the commands on their way; changed here only.
        copying: this device's copy; written here only.
        clock_ahead_ms: how far the node's clock is ahead of this device's.
    """

    def __init__(
        self,
        account: str,
        copying: Copying,
        local: LocalList,
        outbox: Outbox,
        announcer: Announcer,
        settings: Settings,
        clock_ms: Callable[[], int],
    ) -> None:
        """Prepare; nothing happens before ``open``."""
        self.clock_ahead_ms = self._kept_clock_ahead_ms = 0
        self._account = account
        self.copying = copying
        self.local = local
        self.outbox = outbox
        self._announcer = announcer
        self._settings = settings
        self._clock_ms = clock_ms
        self._jobs = Jobs()
        self._worker: asyncio.Task[None] | None = None
        self._mute_timer: asyncio.TimerHandle | None = None
        announcer.states.add(lambda _: self._set_mute_timer())
        self._why_closed: Callable[[], RecentsError] | None = _not_open

    # From opening to closing.

    async def open(self) -> str:
        """Open the copy and return this device's id; then the first rows can be listed.

        Raises:
            StoreUnusable: the copy cannot be opened.
        """
        try:
            saved = await self.copying.open()
        except BaseException:
            await self.copying.close()
            raise
        self.clock_ahead_ms = self._kept_clock_ahead_ms = saved.clock_ahead_ms
        self._why_closed = None
        self._worker = asyncio.create_task(self._work(), name="keeper")
        self._set_mute_timer()
        return saved.device_id

    async def close(self, why: Callable[[], RecentsError]) -> None:
        """Finish the step under way, fail those that wait, let callers and the copy go."""
        self._why_closed = why
        self._set_mute_timer()
        self._jobs.wake()
        if self._worker is not None:
            await asyncio.wait([self._worker])
            await self.copying.close()
        self.outbox.let_all_go()

    async def _work(self) -> None:
        try:
            await self.copying.read_the_rest()
            await self._do_jobs()
        except Exception:
            # A mistake of ours must not leave callers waiting for ever.
            log.exception("! the client stopped by a mistake of its own")
            self._why_closed = broken
        assert self._why_closed is not None, "only a reason ends the work"
        self._jobs.fail_all(self._why_closed)

    async def _do_jobs(self) -> None:
        while self._why_closed is None:
            job = await self._jobs.next()
            if isinstance(job, Task):
                await self._do(job)
            elif job is not None:
                try:
                    await self._journal(job)
                except Exception:
                    for order in job:
                        fail(order.done, broken())
                    raise

    async def _do(self, task: Task) -> None:
        try:
            await task.do()
        except Exception as error:
            fail(task.done, error)
        else:
            if not task.done.done():
                task.done.set_result(None)

    def _put(self, job: Order | Task) -> None:
        if self._why_closed is not None:
            raise self._why_closed()
        self._jobs.put(job)

    async def _done(self, do: Callable[[], Awaitable[None]]) -> None:
        task = Task(do)
        self._put(task)
        # Who stops waiting stops nothing: a step is whole.
        await asyncio.shield(task.done)

    # What the user wants.

    async def order(self, plan: Plan, *names: Conversation, blind: bool = False) -> list[Ticket]:
        """Plan commands, keep them, and show what they do.

        Args:
            plan: tells the commands; it may tell none.
            names: the conversations that they are about; none: all.
            blind: the plan does not depend on what is shown.

        Raises:
            CallerMistake: they cannot be written as JSON.
            Unavailable: the store cannot keep them, or too many wait: nothing was given.
        """
        order = Order(plan, frozenset(names), blind)
        self._put(order)
        return await asyncio.shield(order.done)

    async def _journal(self, orders: list[Order]) -> None:
        planned: list[tuple[Order, list[Pending]]] = []
        number, at_ms = self.outbox.next_number, self.now_ms()
        for order in orders:
            try:
                wishes = await order.plan()
                self._check(wishes, number - self.outbox.next_number)
            except Exception as error:
                fail(order.done, error)
                continue
            pending = [wish.pending(number + place, at_ms) for place, wish in enumerate(wishes)]
            number += len(pending)
            planned.append((order, pending))
        given = [one for _, pending in planned for one in pending]
        if given:
            try:
                await self.copying.keep(Step(outbox=tuple(given), durable=True))
            except Exception as error:
                for order, _ in planned:
                    fail(order.done, error)
                return
            self._show("command", given, lambda: self._put_all(given))
        for order, pending in planned:
            tickets = [self.outbox.ticket(one) for one in pending]
            if not order.done.done():
                order.done.set_result(tickets)
        self._tell_sending(given)
        self.outbox.wake.set()

    def _check(self, wishes: Sequence[Wish], others: int) -> None:
        most = self._settings.outbox_commands
        if len(self.outbox) + others + len(wishes) > most:
            raise Unavailable(f"{most} commands wait to be sent; let some of them get through")
        try:
            size = encoded_size(wish.command for wish in wishes)
        except (TypeError, ValueError, RecursionError) as error:
            raise CallerMistake(f"this cannot be sent as JSON: {error}") from error
        if size > MAX_DEVICE_FRAME_BYTES:
            raise CallerMistake(f"a command has {size} bytes; at most {MAX_DEVICE_FRAME_BYTES}")

    def now_ms(self) -> int:
        """Return the node's time as this device knows it, later than the row on top (P4, O2)."""
        return max(self._clock_ms() + self.clock_ahead_ms, self.local.newest_ms + 1)

    async def retry(self, client_id: str) -> Ticket:
        """Send a failed message again, behind all other commands (P4).

        Raises:
            CallerMistake: no message of this device failed under this id.
            Unavailable: the store cannot keep this.
        """
        tickets: list[Ticket] = []

        async def again() -> None:
            old = self._failed(client_id)
            new = retried(old, self.outbox.next_number, self.now_ms())
            await self.copying.keep(Step(outbox=(new,), settled=(old.number,), durable=True))
            self._show("command", [old], lambda: self._put_all([new], instead_of=old))
            tickets.append(self.outbox.ticket(new))
            self._tell_sending([new])
            self.outbox.wake.set()

        await self._done(again)
        return tickets[0]

    async def discard(self, client_id: str) -> None:
        """Give a failed message up.

        Raises:
            CallerMistake: no message of this device failed under this id.
            Unavailable: the store cannot keep this.
        """

        async def give_up() -> None:
            old = self._failed(client_id)
            await self.copying.keep(Step(settled=(old.number,), durable=True))
            self._show("command", [old], lambda: self.outbox.discard(old.number))

        await self._done(give_up)

    def _failed(self, client_id: str) -> Pending:
        known = self.outbox.failed(client_id)
        if known is None:
            raise CallerMistake(f"no message with the client_id {client_id!r} has failed")
        return known

    def _put_all(self, given: Sequence[Pending], instead_of: Pending | None = None) -> None:
        if instead_of is not None:
            self.outbox.discard(instead_of.number)
        for one in given:
            self.outbox.put(one)

    def _tell_sending(self, given: Sequence[Pending]) -> None:
        for one in given:
            if isinstance(one.command, Post):
                echo = echo_of(self._account, one)
                self._announcer.statuses.tell(one.command.conversation, echo)

    # What the node told.

    async def take(self, arrival: Arrival | None, outcomes: Mapping[str, Outcome]) -> None:
        """Take in rows and answers that came together, as one change."""
        await self._done(lambda: self._take(arrival, outcomes))

    async def keep(self, step: Step) -> None:
        """Keep something that no row shows, such as messages that were looked up."""
        await self._done(lambda: self.copying.keep(step))

    async def _take(self, arrival: Arrival | None, outcomes: Mapping[str, Outcome]) -> None:
        change = change_of(
            self._account,
            self.local,
            self.outbox,
            self.copying.token,
            arrival,
            outcomes,
            self._clock_ms() + self.clock_ahead_ms,
        )
        names = change.names
        if arrival is not None and arrival.caught_up:
            names = names | dict.fromkeys(self.local.leave_mutes_to_the_node())
        await self.copying.keep(self._with_clock(change.step))
        before = self.local.look(names)
        change.apply(self.local, self.outbox)
        if change.step.token is not None:
            self.copying.token = change.step.token
        self._announce(change.cause, self.local.show_anew(before))
        self._tell_outcomes(change)
        self._set_mute_timer()

    def _with_clock(self, step: Step) -> Step:
        if abs(self.clock_ahead_ms - self._kept_clock_ahead_ms) < CLOCK_SLACK_MS:
            return step
        self._kept_clock_ahead_ms = self.clock_ahead_ms
        return msgspec.structs.replace(step, clock_ahead_ms=self.clock_ahead_ms)

    def _tell_outcomes(self, change: Change) -> None:
        for pending, outcome in change.outcomes:
            if isinstance(pending.command, Post) and isinstance(outcome, Posted):
                message = sent_message(self._account, pending, outcome)
                self._announcer.statuses.tell(pending.command.conversation, message)
            self.outbox.settle(pending.number, outcome)
        for pending, refused in change.refused:
            self.outbox.settle(pending.number, refused)
            now = self.outbox.get(pending.command.id)
            if now is not None and now.failed and isinstance(now.command, Post):
                self._announcer.statuses.tell(
                    now.command.conversation, echo_of(self._account, now)
                )
            self._announcer.refusals.tell(pending.command, refused)

    # Both.

    def _show(self, cause: Cause, given: Sequence[Pending], alter: Callable[[], None]) -> None:
        names: dict[Conversation, None] = {}
        for one in given:
            name = conversation_of(one.command)
            names |= dict.fromkeys(one.seqs if name is None else (name,))
        before = self.local.look(names)
        alter()
        self._announce(cause, self.local.show_anew(before))
        self._set_mute_timer()

    # Mutes that end while there is no node to say so (G2).

    def _set_mute_timer(self) -> None:
        """Look again when the next mute ends; while there is a connection the node says so."""
        if self._mute_timer is not None:
            self._mute_timer.cancel()
            self._mute_timer = None
        next_ms = self.local.next_mute_end
        if next_ms is None or self._why_closed is not None or self._announcer.state == "synced":
            return
        wait_s = max(next_ms - self._clock_ms() - self.clock_ahead_ms, 0) / 1_000
        loop = asyncio.get_running_loop()
        self._mute_timer = loop.call_later(min(wait_s, _LONGEST_S), self._put_mute_ends)

    def _put_mute_ends(self) -> None:
        self._mute_timer = None
        if self._why_closed is None:
            self._jobs.put(Task(self._end_mutes))

    async def _end_mutes(self) -> None:
        if self._announcer.state != "synced":
            names = self.local.end_mutes(self._clock_ms() + self.clock_ahead_ms)
            before = self.local.look(names)
            self._announce("timer", self.local.show_anew(before))
        self._set_mute_timer()

    def _announce(self, cause: Cause, difference: Difference) -> None:
        if difference:
            self._announcer.tell_batch(
                ChangeBatch(
                    totals=self.local.totals,
                    cause=cause,
                    synced=self.local.complete,
                    added=difference.added,
                    updated=difference.updated,
                    removed=difference.removed,
                )
            )


class Broken(Unavailable):
    """The client cannot go on; connecting anew does not help."""


def broken() -> RecentsError:
    """Return the error of a client that cannot go on."""
    return Broken("the client stopped by a mistake of its own; see the log", None)


def _not_open() -> RecentsError:
    return Unavailable("the client is not open: use `async with recents.connect(...) as me`", None)
