"""Rows with another preview where theirs is of a kind that is not wanted (rule P5).

Rules of this file:

1. The preview is the newest message of another kind; the row stays, and stays where it is.
2. Connected, the node is asked, once for each version of a row; offline the messages that this
   device has seen decide. Where none is found the row has no preview.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace

from recents.client.history import Histories
from recents.core.entry import InboxEntry, Status
from recents.core.errors import Refused
from recents.core.ids import Conversation
from recents.core.message import Message, Preview, preview_of

PAGES = (20, 200, 200, 200, 200)
"""Messages asked for, page after page, before the search is given up."""

Kinds = frozenset[str]


class OtherPreviews:
    """Finds previews for one account, and remembers them while their rows stay as they are."""

    def __init__(self, account: str, histories: Histories) -> None:
        """Look in ``histories``."""
        self._account = account
        self._histories = histories
        self._known: dict[tuple[Conversation, Kinds], tuple[InboxEntry, Message | None]] = {}

    async def shown(self, rows: Iterable[InboxEntry], kinds: Kinds) -> tuple[InboxEntry, ...]:
        """Return rows without previews of some kinds."""
        return tuple(await asyncio.gather(*(self._shown(row, kinds) for row in rows)))

    async def _shown(self, row: InboxEntry, kinds: Kinds) -> InboxEntry:
        if row.preview is None or row.preview.kind not in kinds:
            return row
        known = self._known.get((row.conversation, kinds))
        if known is not None and known[0] == row:
            return self._with(row, known[1])
        message, complete = await self._newest(row.conversation, kinds)
        if complete:
            self._known[row.conversation, kinds] = row, message
        return self._with(row, message)

    async def _newest(self, name: Conversation, kinds: Kinds) -> tuple[Message | None, bool]:
        """Return the newest message to show, and whether that is for sure."""
        before: int | None = None
        for limit in PAGES:
            try:
                page = await self._histories.page(name, before, limit)
            except Refused:
                # A team that the node has not heard of yet: there are no others.
                return None, False
            for message in reversed(page.messages):
                if message.previews and message.kind not in kinds:
                    return message, page.complete and message.seq > 0
            if not page.more:
                return None, page.complete
            before = page.messages[0].seq
        return None, True

    def _with(self, row: InboxEntry, message: Message | None) -> InboxEntry:
        preview: Preview | None = None if message is None else preview_of(message)
        return replace(row, preview=preview, status=self._status(row, message))

    def _status(self, row: InboxEntry, message: Message | None) -> Status | None:
        if message is None or message.sender != self._account:
            return None
        if message.status != "sent":
            return message.status
        # Who has read a newer message has read this one.
        return "read" if row.status == "read" else "sent"
