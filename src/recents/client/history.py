"""Messages that were seen: asked of the node, kept, and read from this device offline."""

from __future__ import annotations

import msgspec

from recents.client.asking import Asking
from recents.client.copying import Copying
from recents.client.echo import echo_of
from recents.client.keeper import Keeper
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox
from recents.client.store.port import FoundMessage, Step
from recents.core.commands import Post
from recents.core.errors import Refused
from recents.core.ids import Conversation
from recents.core.message import MENTION_ALL, Message, is_countable, named_in
from recents.core.overlay import changed_here
from recents.core.phrases import phrases_of
from recents.wire import frames

_NO_UPPER_SEQ = 2**53


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some messages of a conversation.

    Attributes:
        messages: oldest first; the last ones may be this device's own on their way, ``seq`` 0.
        more: there are older ones: ask again before the first one's ``seq``, which is not 0 then.
        complete: False where this device is offline, and newer or older ones may be missing.
    """

    messages: tuple[Message, ...]
    more: bool = False
    complete: bool = True


class Histories:
    """The messages of one account on this device."""

    def __init__(
        self,
        asking: Asking,
        keeper: Keeper,
        copying: Copying,
        local: LocalList,
        outbox: Outbox,
    ) -> None:
        """Ask through ``asking``, keep through ``keeper``."""
        self._asking = asking
        self._keeper = keeper
        self._copying = copying
        self._local = local
        self._outbox = outbox

    async def page(self, name: Conversation, before_seq: int | None, limit: int) -> HistoryPage:
        """Return the newest messages before a seq; by default with those on their way."""
        try:
            page = await self._asked(name, before_seq, limit)
        except Refused:
            failed = () if before_seq is not None else self._on_their_way(name)
            if not failed:
                raise
            # The node knows nothing of them: this device alone has what it refused (P4).
            return HistoryPage(messages=failed)
        if page is None:
            page = await self._kept(name, before_seq, limit)
        page = msgspec.structs.replace(page, messages=self._as_changed(name, page.messages))
        if before_seq is not None:
            return page
        return msgspec.structs.replace(page, messages=page.messages + self._on_their_way(name))

    async def search(
        self, text: str, name: Conversation | None, limit: int
    ) -> tuple[FoundMessage, ...]:
        """Return the newest kept messages that have every word of a text, newest first."""
        phrases = phrases_of(text)
        return tuple(await self._copying.search(phrases, name, limit)) if phrases else ()

    async def mentions(self, name: Conversation) -> tuple[int, ...]:
        """Return the unread messages that mention this account or all, oldest first (G3)."""
        seqs: list[int] = []
        more = True
        while more:
            query = frames.MyMentions(
                id=self._asking.new_id(), conversation=name, after_seq=seqs[-1] if seqs else 0
            )
            found = await self._asking.query_while_online(query, frames.Mentions)
            if found is None:
                return await self._kept_mentions(name)
            seqs += found.seqs
            more = found.more
        return tuple(seqs)

    async def _kept_mentions(self, name: Conversation) -> tuple[int, ...]:
        row, account = self._local.get(name), self._asking.account
        if row is None:
            return ()
        kept = await self._copying.messages(name, row.last_seq + 1, row.last_seq)
        return tuple(
            message.seq
            for message in self._as_changed(name, tuple(kept))
            if message.seq > row.read_seq
            and is_countable(message, account)
            and not named_in(message).isdisjoint((account, MENTION_ALL))
        )

    async def _asked(
        self, name: Conversation, before_seq: int | None, limit: int
    ) -> HistoryPage | None:
        query = frames.History(
            id=self._asking.new_id(), conversation=name, before_seq=before_seq, limit=limit
        )
        found = await self._asking.query_while_online(query, frames.Messages)
        if found is None:
            return None
        if found.messages:
            await self._keep(name, found.messages)
        return HistoryPage(messages=found.messages, more=found.more)

    async def _keep(self, name: Conversation, found: tuple[Message, ...]) -> None:
        row = self._local.confirmed(name)
        cleared_seq = row.cleared_seq if row else 0
        # What was cleared while the question was under way is gone here too (D3, D5).
        messages = tuple(message for message in found if message.seq > cleared_seq)
        await self._keeper.keep(Step(messages={name: messages}))

    async def _kept(self, name: Conversation, before_seq: int | None, limit: int) -> HistoryPage:
        before = _NO_UPPER_SEQ if before_seq is None else before_seq
        found = await self._copying.messages(name, before, limit)
        whole = len(found)
        while whole > 1 and found[whole - 2].seq == found[whole - 1].seq - 1:
            whole -= 1
        unbroken = tuple(found[max(whole - 1, 0) :])
        row = self._local.confirmed(name)
        first = unbroken[0].seq if unbroken else before
        oldest = row.cleared_seq + 1 if row else 1
        more = bool(unbroken) and first > oldest
        return HistoryPage(messages=unbroken, more=more, complete=False)

    def _as_changed(
        self, name: Conversation, messages: tuple[Message, ...]
    ) -> tuple[Message, ...]:
        """Return messages as this device shows them: its own recalls and edits on top (C4)."""
        pending = self._outbox.of(name)
        account = self._asking.account
        shown = (changed_here(account, message, pending) for message in messages)
        return tuple(message for message in shown if message.state != "gone")

    def _on_their_way(self, name: Conversation) -> tuple[Message, ...]:
        return tuple(
            echo_of(self._asking.account, pending)
            for pending in self._outbox.of(name)
            if isinstance(pending.command, Post) and pending.version is None
        )
