"""The copy in memory: for devices that keep nothing, and the plain meaning of the port.

It lives as long as the object: opened again, with ``close`` or without, it is a restarted device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy

from msgspec.structs import replace
from sortedcontainers import SortedDict

from recents.client.store.port import FoundMessage, Saved, SetAside, Step, StepFailed
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.ordering import Place, place_of
from recents.core.pending import Pending
from recents.core.phrases import Phrase, says_all


class MemoryDeviceStore:
    """One account's copy, in this object.

    Args:
        new_id: makes the device id.
        kept_messages: messages kept of each conversation, the newest.
    """

    def __init__(self, new_id: Callable[[], str], *, kept_messages: int = 200) -> None:
        self._saved = Saved(device_id=new_id())
        self._kept_messages = kept_messages
        self._open = False
        self._empty()

    def _empty(self) -> None:
        self._saved = Saved(device_id=self._saved.device_id)
        self._rows: SortedDict[Place, InboxEntry] = SortedDict()
        self._places: dict[Conversation, Place] = {}
        self._messages: dict[Conversation, SortedDict[int, Message]] = {}
        self._outbox: SortedDict[int, Pending] = SortedDict()

    async def open(self) -> Saved:
        """Return what was kept."""
        self._open = True
        return replace(self._saved, outbox=tuple(deepcopy(list(self._outbox.values()))))

    async def close(self) -> None:
        """Refuse everything until it is opened again."""
        self._open = False

    async def begin_anew(self) -> SetAside:
        """Forget everything but the device's id; there is no file to set aside."""
        self._check_open()
        self._empty()
        return SetAside(path="", reason="it was kept in memory only")

    async def commit(self, step: Step) -> None:
        """Keep a step, whole."""
        self._check_open()
        self._change_rows(step)
        self._change_messages(step)
        for pending in step.outbox:
            self._outbox[pending.number] = deepcopy(pending)
        for number in step.settled:
            self._outbox.pop(number, None)
        old = self._saved
        self._saved = replace(
            old,
            token=old.token if step.token is None else step.token,
            totals=old.totals if step.totals is None else step.totals,
            clock_ahead_ms=(
                old.clock_ahead_ms if step.clock_ahead_ms is None else step.clock_ahead_ms
            ),
        )

    def _change_rows(self, step: Step) -> None:
        if step.replaces_all:
            self._rows.clear()
            self._places.clear()
        self._remove(mark.conversation for mark in step.gone)
        for row in step.rows:
            self._remove((row.conversation,))
            self._places[row.conversation] = place_of(row)
            self._rows[place_of(row)] = row

    def _remove(self, conversations: Iterable[Conversation]) -> None:
        for conversation in conversations:
            place = self._places.pop(conversation, None)
            if place is not None:
                del self._rows[place]

    def _change_messages(self, step: Step) -> None:
        if step.forgets_messages:
            self._messages.clear()
        for conversation, messages in step.messages.items():
            kept = self._messages.setdefault(conversation, SortedDict())
            kept.update((message.seq, _own(message)) for message in messages)
            while len(kept) > self._kept_messages:
                kept.popitem(0)
        for conversation, messages in step.amended.items():
            kept = self._messages.get(conversation, SortedDict())
            kept.update((one.seq, _own(one)) for one in messages if one.seq in kept)
        for images in (step.gone, step.rows):
            for image in images:
                kept = self._messages.get(image.conversation, SortedDict())
                while kept and kept.peekitem(0)[0] <= image.cleared_seq:
                    kept.popitem(0)

    async def rows_after(self, place: Place | None, limit: int) -> list[InboxEntry]:
        """Return rows in the order of O1, from the top or behind a place."""
        self._check_open()
        places = self._rows.irange(place, inclusive=(False, False))
        return [self._rows[found] for found, _ in zip(places, range(limit), strict=False)]

    async def messages(
        self, conversation: Conversation, before_seq: int, limit: int
    ) -> list[Message]:
        """Return the newest kept messages with ``seq < before_seq``, oldest first."""
        self._check_open()
        kept = self._messages.get(conversation, SortedDict())
        end = kept.bisect_left(before_seq)
        return [_own(message) for message in kept.values()[max(0, end - limit) : end]]

    async def search(
        self, phrases: Sequence[Phrase], conversation: Conversation | None, limit: int
    ) -> list[FoundMessage]:
        """Return the newest kept messages whose text has every phrase, newest first."""
        self._check_open()
        names = self._messages if conversation is None else (conversation,)
        found = [
            FoundMessage(name, message)
            for name in names
            for message in self._messages.get(name, SortedDict()).values()
            if says_all(message.text, phrases)
        ]
        found.sort(key=lambda one: (-one.message.time_ms, one.conversation, -one.message.seq))
        return [FoundMessage(one.conversation, _own(one.message)) for one in found[:limit]]

    def _check_open(self) -> None:
        if not self._open:
            raise StepFailed("the device's store is not open")


def _own(message: Message) -> Message:
    """Return a message that shares nothing that can change with another one."""
    return message if message.attachment is None else deepcopy(message)
