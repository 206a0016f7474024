"""Searching the rows of the list by names, drafts and previews.

Rules of this file:

1. A row is folded once for each change of it that a search finds; who never searches pays nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import attrgetter

from recents.client.changes import ChangeBatch
from recents.client.listeners import Announcer
from recents.client.local_list import LocalList
from recents.client.sounds import sounds_of
from recents.core.entry import InboxEntry
from recents.core.errors import RecentsError
from recents.core.finding import Findable, best, findable, sounding
from recents.core.folding import folded
from recents.core.ids import Conversation

_AT_ONCE = 200
"""Rows folded without a pause, in about 2 ms: the application's loop goes on."""


class RowSearch:
    """Finds rows of a list, which is to be all here."""

    def __init__(self, local: LocalList, announcer: Announcer) -> None:
        """Search ``local``; ``announcer`` tells what changes in it."""
        self._local = local
        self._announcer = announcer
        self._found: dict[Conversation, Findable] = {}
        self._in_order: list[Findable] | None = None
        self._changed: dict[Conversation, None] = {}
        self._following = False
        self._by_sound = False

    async def rows(self, text: str, limit: int) -> tuple[InboxEntry, ...]:
        """Return the rows that are found, the best ones first."""
        words = folded(text).split()
        if not words:
            return ()
        await self._refresh(any(word.isascii() and word.isalpha() for word in words))
        if self._in_order is None:
            self._in_order = sorted(self._found.values(), key=attrgetter("place"))
        return tuple(best(self._in_order, words, limit))

    def put(self, batch: ChangeBatch) -> None:
        """Hear of rows that changed."""
        for rows in (batch.added, batch.updated, batch.removed):
            self._changed |= dict.fromkeys(row.conversation for row in rows)

    def end(self, why: Callable[[], RecentsError] | None = None) -> None:
        """Hear that there are no more."""

    async def _refresh(self, by_sound: bool) -> None:
        """Fold what has changed, a little at a time; from the first such query on with sounds."""
        if not self._following:
            self._following = True
            self._announcer.follow(self)
            self._changed = {row.conversation: None for row in self._local}
        if by_sound and not self._by_sound:
            self._by_sound = True
            self._changed |= dict.fromkeys(self._found)
        done = 0
        while self._changed:
            self._fold(self._changed.popitem()[0])
            done += 1
            if done % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _fold(self, name: Conversation) -> None:
        self._in_order = None
        row = self._local.get(name)
        if row is None:
            self._found.pop(name, None)
            return
        self._found[name] = findable(row)
        if self._by_sound:
            sounding(self._found[name], sounds_of)
