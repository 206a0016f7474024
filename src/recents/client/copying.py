"""This device's copy: read when the client opens, written step by step (rules C3, C5, C6, D7).

Rules of this file:

1. The rows that are looked at first are read first; the others follow at once.
2. A step that cannot be kept now is kept with the next one, except where its caller must know.
3. A copy that turns out damaged is set aside, and written anew from memory: the outbox is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox
from recents.client.store.port import (
    CopyDamaged,
    DeviceStore,
    FoundMessage,
    Saved,
    SetAside,
    Step,
    StepFailed,
    StoreUnusable,
)
from recents.client.unsaved import melted
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.ordering import Place, place_of
from recents.core.phrases import Phrase

log = logging.getLogger(__name__)

FIRST_ROWS = 200
"""Rows read before the list can be shown, in about 1 ms."""

MORE_ROWS = 2_000
"""Rows read at a time behind the first ones, in about 10 ms."""

_NOTHING = Step()


class Copying:
    """Reads and writes the copy of one account on this device.

    Attributes:
        token: everything up to here is in the confirmed rows; None before the first catch-up.
        set_aside: what was found unusable and put out of the way.
    """

    def __init__(
        self, store: DeviceStore, local: LocalList, outbox: Outbox, announcer: Announcer
    ) -> None:
        """Prepare; nothing is read before ``open``."""
        self.token: str | None = None
        self.set_aside: list[SetAside] = []
        self._all_read = asyncio.Event()
        self._all_read.set()
        self._store = store
        self._local = local
        self._outbox = outbox
        self._announcer = announcer
        self._unsaved = _NOTHING
        self._last_place: Place | None = None

    async def open(self) -> Saved:
        """Open the store and read what is shown first.

        Raises:
            StoreUnusable: it cannot be opened.
        """
        saved = await self._store.open()
        if saved.set_aside is not None:
            self._tell(saved.set_aside)
        self.token = saved.token
        for pending in saved.outbox:
            self._outbox.put(pending)
        if saved.token is not None:
            self._all_read.clear()
            self._local.complete = True
            self._local.whole = saved.totals
            await self._read(FIRST_ROWS)
        if len(self._outbox):
            # What the outbox does to rows can be shown when the rows are here.
            await self.read_the_rest()
            names = self._outbox.conversations()
            for pending in self._outbox:
                names |= pending.seqs.keys()
            self._local.show_anew(self._local.look(names))
        return saved

    async def read_the_rest(self) -> None:
        """Read the rows behind the first ones."""
        while not self._all_read.is_set():
            await self._read(MORE_ROWS)

    async def wait_for_the_rest(self) -> None:
        """Return when all rows of the copy are in memory."""
        await self._all_read.wait()

    async def close(self) -> None:
        """Write what is unsaved, if that is possible now, and let go of the store."""
        if self._unsaved != _NOTHING:
            await self.keep(_NOTHING)
        await self._store.close()

    async def keep(self, step: Step) -> None:
        """Keep a step.

        Raises:
            StepFailed, StoreUnusable: a durable step was not kept.
        """
        if step == _NOTHING and self._unsaved == _NOTHING:
            return
        whole = melted(self._unsaved, step)
        try:
            try:
                await self._store.commit(whole)
            except CopyDamaged as damage:
                log.warning("! %s", damage)
                await self._begin_anew(whole)
        except (StepFailed, StoreUnusable) as failure:
            if step.durable:
                raise
            if self._unsaved == _NOTHING:
                log.warning("! this device's copy is not up to date: %s", failure)
            self._unsaved = whole
        else:
            self._unsaved = _NOTHING

    async def messages(
        self, conversation: Conversation, before_seq: int, limit: int
    ) -> list[Message]:
        """Return kept messages, or none where they cannot be read now."""
        try:
            return await self._store.messages(conversation, before_seq, limit)
        except StepFailed as failure:
            log.warning("! the messages of this device's copy cannot be read: %s", failure)
            return []

    async def search(
        self, phrases: Sequence[Phrase], conversation: Conversation | None, limit: int
    ) -> list[FoundMessage]:
        """Return kept messages that have every phrase, or none where they cannot be read now."""
        try:
            return await self._store.search(phrases, conversation, limit)
        except StepFailed as failure:
            log.warning("! the messages of this device's copy cannot be searched: %s", failure)
            return []

    async def _read(self, limit: int) -> None:
        try:
            rows = await self._store.rows_after(self._last_place, limit)
        except StepFailed as failure:
            log.warning("! this device's copy cannot be read, the node is asked: %s", failure)
            self.token = None
            self._all_read.set()
            self._local.complete, self._local.whole = False, None
            return
        self._local.restore(rows)
        if rows:
            self._last_place = place_of(rows[-1])
        if len(rows) < limit:
            self._all_read.set()
            self._local.whole = None

    async def _begin_anew(self, step: Step) -> None:
        self._tell(await self._store.begin_anew())
        rows = self._local.confirmed_rows
        everything = Step(
            rows=tuple(rows.values()),
            replaces_all=True,
            token=self.token,
            totals=self._local.confirmed_totals,
            outbox=tuple(self._outbox),
        )
        await self._store.commit(melted(everything, step))

    def _tell(self, aside: SetAside) -> None:
        log.warning("! this device's copy was set aside as %s: %s", aside.path, aside.reason)
        self.set_aside.append(aside)
        self._announcer.set_asides.tell(aside)
