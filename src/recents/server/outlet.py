"""What waits to be told to one connected device (rules C1, D4, R5).

Rules of this file:

1. Unsent changes are names of conversations, so a device costs the same however slow it is.
2. A change that does not fit one frame is sent in several; only the last has the token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from recents.core.ids import Conversation, ConversationKey, named_by
from recents.core.membership import head_seen
from recents.core.message import Message
from recents.server.catching_up import rows_and_gone
from recents.server.images import Sight
from recents.server.peer import Peer
from recents.server.recent import FRAME_BYTES, RecentMessages
from recents.server.settings import Settings
from recents.server.store.workspace import MembershipId
from recents.wire.codec import deflated, encode
from recents.wire.frames import Changed
from recents.wire.sync_token import token_of

Dirty = dict[ConversationKey, int]
"""Conversation → first message that the device has not been sent; 0: only the row changed."""

Amended = dict[ConversationKey, list[Message]]
"""Messages that became others, as an account sees them."""

Recall = Callable[[str, int], Awaitable[Amended | None]]
"""(account, version) → what became of messages since; None: that cannot be read now."""

See = Callable[[set[MembershipId]], Awaitable[Sight | None]]

_RETRY_S = 0.2

_IN_A_THREAD_BYTES = 64 * 1024
"""From here on deflating takes a millisecond or more, in which the loop can serve others; handing
it to a thread costs 65 µs."""


class Outlet:
    """One connected device, as the deliveries see it.

    Attributes:
        dirty: conversations whose rows must be sent again.
        answers: encoded answers that must be sent after them.
        teams: teams of which commits or the store told: whether the account is in them.
        amended_since: messages that this device may have were changed after this version; None:
            none were.
        busy: somebody is writing to this device at length.
        closed: the device is gone; nothing is written any more.
    """

    __slots__ = (
        "_deflate_bytes",
        "_taken",
        "_unsent_bytes",
        "account",
        "amended_since",
        "answers",
        "busy",
        "closed",
        "dirty",
        "peer",
        "teams",
    )

    def __init__(self, account: str, peer: Peer, deflate_bytes: int | None = None) -> None:
        """Make the outlet of a device that has greeted.

        Args:
            account: whose device it is.
            peer: the way to it.
            deflate_bytes: messages from this size on are deflated; None: the device takes none.
        """
        self.account = account
        self.peer = peer
        self.dirty: Dirty = {}
        self.answers: list[bytes] = []
        self.teams: dict[ConversationKey, bool] = {}
        self.amended_since: int | None = None
        self.busy = False
        self.closed = False
        self._deflate_bytes = deflate_bytes
        self._unsent_bytes = 0
        self._taken = asyncio.Event()

    @property
    def has_news(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self.dirty or self.answers)

    def mark(self, key: ConversationKey, first_seq: int) -> None:
        """Note that a row changed, and from which message on."""
        known = self.dirty.get(key)
        self.dirty[key] = min(known, first_seq) if known and first_seq else known or first_seq

    def mark_amended(self, since: int) -> None:
        """Note that messages were changed after a version."""
        if self.amended_since is None or since < self.amended_since:
            self.amended_since = since

    def say(self, answer: bytes) -> None:
        """Note an answer to send after the changes that go with it."""
        self.answers.append(answer)
        self._unsent_bytes += len(answer)

    async def room(self, most_bytes: int) -> None:
        """Return when at most so many bytes of answers wait, or the device is gone."""
        while self._unsent_bytes > most_bytes and not self.closed:
            self._taken.clear()
            await self._taken.wait()

    def close(self) -> None:
        """Forget what waits: the device is gone."""
        self.closed = True
        self.take()

    def take(self) -> tuple[Dirty, list[bytes]]:
        """Take everything that waits."""
        taken = self.dirty, self.answers
        self.dirty, self.answers = {}, []
        self._unsent_bytes = 0
        self._taken.set()
        return taken

    def put_back(self, dirty: Dirty, answers: list[bytes]) -> None:
        """Undo a ``take`` that could not be sent."""
        newer, self.dirty = self.dirty, dirty
        for key, first_seq in newer.items():
            self.mark(key, first_seq)
        self.answers = answers + self.answers
        self._unsent_bytes += sum(map(len, answers))

    async def send(self, message: bytes) -> None:
        """Send a message now, deflated where it is large and the device takes that."""
        size = len(message)
        if self._deflate_bytes is None or size < self._deflate_bytes:
            await self.peer.send(message)
            return
        if size < _IN_A_THREAD_BYTES:
            data = deflated(message)
        else:
            data = await asyncio.to_thread(deflated, message)
        if not self.closed:
            await self.peer.send(data, deflated=True)

    async def write(
        self,
        dirty: Dirty,
        answers: list[bytes],
        sight: Sight,
        recent: RecentMessages,
        epoch: str,
    ) -> None:
        """Send changes that fit one frame, and answers, as one message."""
        if self.closed:
            return
        frames = answers
        if dirty:
            token = token_of(epoch, sight.version)
            frames = [encode(self._changed(dirty, sight, recent, token, {})), *answers]
        if frames:
            await self.send(b"\n".join(frames) if len(frames) > 1 else frames[0])

    async def write_at_length(
        self,
        settings: Settings,
        see: See,
        recent: RecentMessages,
        epoch: str,
        recall: Recall,
    ) -> None:
        """Send everything to a device that is slow, or a change too large for one frame."""
        await self.peer.drained(settings.backlog_bytes)
        # Taken anew for each try: the token covers what was marked when it was made, no more.
        while True:
            dirty, answers = self.take()
            since, self.amended_since = self.amended_since, None
            sight = await see({(self.account, key) for key in dirty})
            amended = {} if since is None else await recall(self.account, since)
            if sight is not None and amended is not None:
                break
            self.put_back(dirty, answers)
            if since is not None:
                self.mark_amended(since)
            await asyncio.sleep(_RETRY_S)
            if self.closed:
                return
        token = token_of(epoch, sight.version)
        keys = list(dirty)
        size = settings.rows_per_frame
        for at in range(0, len(keys), size):
            part = {key: dirty[key] for key in keys[at : at + size]}
            last = at + size >= len(keys)
            told = {key: some for key, some in amended.items() if key in part}
            frame = encode(self._changed(part, sight, recent, token if last else None, told))
            await self._send(frame, settings)
        if answers:
            await self._send(b"\n".join(answers), settings)

    async def _send(self, message: bytes, settings: Settings) -> None:
        await self.peer.drained(settings.backlog_bytes)
        if not self.closed:
            await self.send(message)

    def _changed(
        self,
        dirty: Dirty,
        sight: Sight,
        recent: RecentMessages,
        token: str | None,
        amended: Amended,
    ) -> Changed:
        for account, key in sight.later:
            if account == self.account and key in dirty:
                self.mark(key, dirty[key])
        found = sight.found
        seen = [found[self.account, key] for key in dirty if (self.account, key) in found]
        rows, gone = rows_and_gone(seen)
        messages: dict[Conversation, tuple[Message, ...]] = {}
        room = FRAME_BYTES
        for one in seen:
            if dirty[one.key]:
                first_seq = max(dirty[one.key], one.membership.cleared_seq + 1)
                last_seq = head_seen(one.head, one.membership).last_seq
                newest, taken = recent.newest(one.key, first_seq, last_seq, room)
                room -= taken
                if newest:
                    messages[named_by(self.account, one.key)] = newest
        return Changed(
            token=token,
            rows=tuple(rows),
            gone=tuple(gone),
            messages=messages,
            amended={named_by(self.account, key): tuple(some) for key, some in amended.items()},
        )
