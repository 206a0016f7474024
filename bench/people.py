"""The people of a replay: one real SDK client each, and the oracle told of all they do.

Rules of this file:

1. The oracle hears what the node acknowledged: its seqs and its times, not wishes.
2. What a command covers is read in the very step in which it is given: between `get` and the
   command nothing is awaited that could let a message in.
3. Before a command on all rows the device is brought up to date. Nothing else happens in these
   conversations meanwhile, so "all there is" and "all that the device has" are then the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import assert_never

import recents
from bench.judging import Judge, Shown
from bench.steps import (
    Clear,
    ComeBack,
    Create,
    Delete,
    DeleteAll,
    GoAway,
    InMany,
    Join,
    Leave,
    Post,
    Read,
    ReadAll,
    Reconnect,
    Step,
)
from recents.testing.oracle import Oracle

PATIENCE_S = 60.0
"""Seconds for one call or one connection; a machine may be busy with other things."""

HISTORY_LIMIT = 500
"""Messages asked for at once."""


class StepFailed(Exception):
    """A step was refused or not answered, so nobody can say what must be seen now."""


class People:
    """Everybody of one run.

    Attributes:
        done: how many steps of each kind were taken.
    """

    def __init__(
        self, address: str, tokens: Mapping[str, str], oracle: Oracle, judge: Judge
    ) -> None:
        """Know everybody; nobody is connected yet."""
        self.done: Counter[str] = Counter()
        self._address = address
        self._tokens = tokens
        self._oracle = oracle
        self._judge = judge
        self._clients: dict[str, recents.Client] = {}

    async def arrive(self, account: str) -> None:
        """Connect an account's device."""
        self._clients[account] = await self.log_in(account)

    async def leave(self, account: str) -> None:
        """Close an account's device."""
        await self._clients.pop(account).close()

    async def leave_all(self) -> None:
        """Close all devices."""
        await asyncio.gather(*(self.leave(account) for account in list(self._clients)))

    async def log_in(self, account: str) -> recents.Client:
        """Open a new device and wait until it has all rows.

        Raises:
            RecentsError: the node does not let it in, or does not answer.
        """
        client = recents.connect(
            self._address,
            account=account,
            token=self._tokens[account],
            data_dir=None,
            timeout_s=PATIENCE_S,
            request_timeout_s=PATIENCE_S,
        )
        synced = asyncio.Event()
        stop = client.on_state(lambda state: synced.set() if state == "synced" else None)
        await client.open()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await synced.wait()
        except TimeoutError:
            await client.close()
            raise recents.Unavailable(
                f"{account} did not get all rows within {PATIENCE_S:g} s"
            ) from None
        stop()
        return client

    async def shown(self, account: str) -> Shown:
        """Return what an account's live device shows, when it has heard of all that happened."""
        await self._catch_up(account)
        return await shown_by(self._clients[account])

    async def take(self, step: Step) -> None:
        """Take one step.

        Raises:
            StepFailed: the node refused it or did not answer.
        """
        try:
            await self._take(step)
        except recents.RecentsError as error:
            raise StepFailed(f"{step}: {error}") from error
        self.done[type(step).__name__] += 1

    async def _take(self, step: Step) -> None:
        match step:
            case Post():
                await self._post(step)
            case Create() | Join():
                await self._let_in(step)
            case Leave():
                await self._clients[step.account].teams.leave(step.conversation)
                self._oracle.leave(step.conversation, step.account)
            case Read():
                await self._read(step)
            case Delete() | Clear():
                await self._delete_or_clear(step)
            case ReadAll() | DeleteAll():
                await self._all(step)
            case Reconnect():
                await self.leave(step.account)
                await self.arrive(step.account)
            case GoAway():
                await self.leave(step.account)
            case ComeBack():
                await self.arrive(step.account)
            case _:
                assert_never(step)

    async def _post(self, step: Post) -> None:
        me = self._clients[step.account]
        row = await me.inbox.get(step.conversation) if step.displayed else None
        displayed_seq = row.last_seq if row else None
        message = await me.messages.send(
            step.conversation, step.text, mentions=step.mentions, displayed_seq=displayed_seq
        )
        self.done["displayed_seq"] += displayed_seq is not None
        seq = self._oracle.post(
            step.account,
            step.conversation,
            mentions=step.mentions,
            client_id=message.client_id,
            at_ms=message.time_ms,
            text=step.text,
            displayed_seq=displayed_seq,
        )
        if seq != message.seq:
            self._judge.complain(
                "answer", step.account, step.conversation, "seq", seq, message.seq
            )

    async def _let_in(self, step: Create | Join) -> None:
        if isinstance(step, Create):
            teams = self._clients[step.account].teams
            team_id = step.conversation.partition(":")[2]
            await teams.create(step.name, id=team_id)
        else:
            teams = self._clients[step.by].teams
            await teams.add_members(step.conversation, [step.account])
        members = {one.account: one for one in await teams.members(step.conversation)}
        at_ms = members[step.account].joined_ms
        if isinstance(step, Create):
            self._oracle.create_team(
                step.conversation, owner=step.account, name=step.name, at_ms=at_ms
            )
        else:
            self._oracle.add_members(step.conversation, [step.account], at_ms=at_ms)

    async def _read(self, step: Read) -> None:
        inbox = self._clients[step.account].inbox
        row = await inbox.get(step.conversation)
        if row is None:
            await inbox.mark_read(step.conversation)
            return
        if step.part is None:
            upto_seq = row.last_seq
            await inbox.mark_read(step.conversation)
        else:
            upto_seq = row.read_seq + int(step.part * (row.last_seq - row.read_seq))
            await inbox.mark_read(step.conversation, upto_seq)
        self._oracle.read(step.account, step.conversation, upto_seq)

    async def _delete_or_clear(self, step: Delete | Clear) -> None:
        inbox = self._clients[step.account].inbox
        row = await inbox.get(step.conversation)
        upto_seq = row.last_seq if row else None
        if isinstance(step, Clear):
            await inbox.clear_history(step.conversation)
            self._oracle.clear_history(step.account, step.conversation, upto_seq)
            return
        await inbox.delete(step.conversation, clear_history=step.clear)
        if row is not None or step.clear:
            self._oracle.delete(
                step.account, step.conversation, upto_seq, clear_history=step.clear
            )

    async def _all(self, step: InMany) -> None:
        inbox = self._clients[step.account].inbox
        before = await self.shown(step.account)
        self._judge.judge("on the way", step.account, before)
        if isinstance(step, ReadAll):
            await inbox.mark_all_read(step.kinds)
            self._oracle.read_all(step.account, step.kinds)
        else:
            await inbox.delete_all(step.kinds, clear_history=step.clear)
            upto = {str(row.conversation): row.last_seq for row in before.rows}
            self._oracle.delete_all(step.account, step.kinds, upto, clear_history=step.clear)
        after = await shown_by(self._clients[step.account])
        self._judge.judge("on the way", step.account, after)

    async def _catch_up(self, account: str) -> None:
        """Return when the device has heard of everything up to now.

        An answer comes after the changes before it, so any question will do.
        """
        await self._clients[account].teams.mine()


async def shown_by(client: recents.Client, limit: int = 20) -> Shown:
    """Return what a device shows, page by page."""
    page = await client.inbox.list(limit)
    rows = list(page.entries)
    while page.next_cursor is not None:
        page = await client.inbox.list(limit, page.next_cursor)
        rows += page.entries
    return Shown(rows, page.totals)


async def history_of(client: recents.Client, conversation: str) -> list[recents.Message]:
    """Return all messages that a device finds in a conversation, oldest first."""
    page = await client.messages.history(conversation, limit=HISTORY_LIMIT)
    messages = list(page.messages)
    while page.more and page.messages:
        before_seq = page.messages[0].seq
        page = await client.messages.history(conversation, before_seq, limit=HISTORY_LIMIT)
        messages = [*page.messages, *messages]
    return messages
