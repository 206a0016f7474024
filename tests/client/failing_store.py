"""A device's store that fails when a test says so, and shows what it was given."""

from __future__ import annotations

from collections.abc import Sequence

from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import FoundMessage, SetAside, Step
from recents.core.entry import InboxEntry
from recents.core.errors import Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.ordering import Place
from recents.core.phrases import Phrase


class FailingStore(MemoryDeviceStore):
    """The copy in memory, on a disk that breaks.

    Attributes:
        fails: the next steps fail with these; an empty list: all succeed.
        fails_always: every step fails with this.
        fails_reading: rows and messages cannot be read.
        fails_anew: beginning anew fails as well.
        steps: those that were kept.
    """

    def __init__(self) -> None:
        super().__init__(lambda: "d1")
        self.fails: list[Exception] = []
        self.fails_always: Unavailable | None = None
        self.fails_reading: Unavailable | None = None
        self.fails_anew: Unavailable | None = None
        self.steps: list[Step] = []

    async def commit(self, step: Step) -> None:
        if self.fails_always is not None:
            raise self.fails_always
        if self.fails:
            raise self.fails.pop(0)
        await super().commit(step)
        self.steps.append(step)

    async def begin_anew(self) -> SetAside:
        if self.fails_anew is not None:
            raise self.fails_anew
        self.fails_always = None
        return await super().begin_anew()

    async def rows_after(self, place: Place | None, limit: int) -> list[InboxEntry]:
        if self.fails_reading is not None:
            raise self.fails_reading
        return await super().rows_after(place, limit)

    async def messages(
        self, conversation: Conversation, before_seq: int, limit: int
    ) -> list[Message]:
        if self.fails_reading is not None:
            raise self.fails_reading
        return await super().messages(conversation, before_seq, limit)

    async def search(
        self, phrases: Sequence[Phrase], conversation: Conversation | None, limit: int
    ) -> list[FoundMessage]:
        if self.fails_reading is not None:
            raise self.fails_reading
        return await super().search(phrases, conversation, limit)
