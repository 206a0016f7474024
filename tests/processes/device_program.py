"""A device in a process of its own, to be killed: ``python -m tests.processes.device_program``.

Somebody who does everything at random, several things at once, and never waits for the network.
Words on standard input: ``stop`` ends this and lets everything get through, ``list`` prints the
list as JSON, the end of the input ends the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from unittest import mock

import msgspec

import recents
from recents import Client
from recents.client import opening
from recents.client.local_list import InboxPage
from recents.client.store.port import Saved, Step
from recents.client.store.sqlite import SqliteDeviceStore
from recents.core.errors import CallerMistake, Refused, Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.pending import Pending
from tests.processes.deeds import Deed, Deeds
from tests.processes.journal import Came, Given, Giving, Journal, Kept, Outcome
from tests.processes.lines import Lines

HANDS = 4
"""Things done at once."""

LONGEST_PAUSE_S = 0.06


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the program is told when it is started."""

    address: str
    account: str
    token: str
    device: str
    folder: str
    journal: str
    seed: str
    run: int


class Program:
    """One run of the program."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._chance = random.Random(f"{orders.seed} {orders.device} {orders.run}")
        self._lines = Lines(Path(orders.journal))
        self._given = 0
        self._stopping = False

    async def run(self) -> None:
        """Open, do things until told to stop, and answer from then on."""
        self._lines.write(Came(run=self._orders.run, state="started"))
        words = await _words()
        async with self._opened() as me:
            me.on_state(self._note_state)
            deeds = Deeds(me, self._chance, f"{self._orders.device}-{self._orders.run}")
            hands = asyncio.gather(*(self._go_on(deeds) for _ in range(HANDS)))
            async for line in words:
                match line.decode().strip():
                    case "stop":
                        self._stopping = True
                        await hands
                        await self._settle(me)
                        print("stopped", flush=True)
                    case "list":
                        page = await whole_list(me)
                        print(msgspec.json.encode(page).decode(), flush=True)
                    case word:
                        raise AssertionError(f"{word!r} was never agreed upon")
            self._stopping = True
            await hands

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[Client]:
        orders = self._orders
        while True:
            me = recents.connect(
                orders.address,
                account=orders.account,
                token=orders.token,
                device=orders.device,
                data_dir=orders.folder,
                timeout_s=2.0,
            )
            try:
                await me.open()
            except Unavailable:
                # A first start, and the node was just killed.
                continue
            break
        try:
            yield me
        finally:
            await me.close()

    async def _go_on(self, deeds: Deeds) -> None:
        while not self._stopping:
            deed = deeds.next()
            self._given += 1
            run, number = self._orders.run, self._given
            self._lines.write(
                Giving(run=run, number=number, what=deed.what, where=deed.where, word=deed.word)
            )
            await self._see(number, deed)
            await asyncio.sleep(self._chance.uniform(0, LONGEST_PAUSE_S))

    async def _see(self, number: int, deed: Deed) -> None:
        outcome: Outcome = "done"
        seq = 0
        try:
            done = await deed.call()
        except Refused:
            outcome = "refused"
        except Unavailable:
            outcome = "unavailable"
        else:
            seq = done.seq if isinstance(done, Message) else 0
        self._lines.write(Given(run=self._orders.run, number=number, outcome=outcome, seq=seq))

    def _note_state(self, state: str) -> None:
        if state == "synced":
            self._lines.write(Came(run=self._orders.run, state="synced"))

    async def _settle(self, me: Client) -> None:
        """Let everything get through, and give up what was refused."""
        await me.synced()
        await me.flush()
        for name in sorted(Journal(Path(self._orders.journal)).places()):
            for message in await _on_their_way(me, name):
                with contextlib.suppress(CallerMistake):
                    await me.messages.discard(message.client_id)
        await me.flush()


async def _on_their_way(me: Client, name: Conversation) -> list[Message]:
    try:
        page = await me.messages.history(name, limit=1)
    except Refused:
        return []
    return [message for message in page.messages if message.status == "failed"]


async def whole_list(me: Client) -> InboxPage:
    """Return all rows, archived ones too, with the totals of the main list (G4)."""
    page = await me.inbox.list(limit=1_000_000, archived=None)
    return msgspec.structs.replace(page, totals=await me.inbox.totals())


async def _words() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def main(orders: Orders) -> None:
    """Run with a copy that writes down what it kept."""
    journal = Lines(Path(orders.journal))
    known: set[str] = set()

    def note(outbox: Iterable[Pending]) -> None:
        waiting = (one.command for one in outbox if one.waiting)
        new = [command for command in waiting if command.id not in known]
        if new:
            known.update(command.id for command in new)
            journal.write(Kept(commands=tuple(new)))

    class JournalingStore(SqliteDeviceStore):
        async def open(self) -> Saved:
            saved = await super().open()
            # The run before may have been killed between its last commit and the line about it.
            note(saved.outbox)
            return saved

        async def commit(self, step: Step) -> None:
            await super().commit(step)
            note(step.outbox)

    logging.basicConfig(level=logging.WARNING)
    with mock.patch.object(opening, "SqliteDeviceStore", JournalingStore):
        asyncio.run(Program(orders).run())


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Orders))
