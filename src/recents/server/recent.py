"""The newest messages of each conversation, for devices to hear of (rule C1).

Rules of this file:

1. What is kept is bounded: per conversation by number, altogether by room.
2. What was dropped is not lost: rows tell of it, and history has it.
"""

from __future__ import annotations

import msgspec

from recents.core.ids import ConversationKey
from recents.core.message import Message

ROOM_BYTES = 64 * 1024 * 1024
"""Roughly; ordinary messages take half a KB each, so more than 100,000 of them."""

FRAME_BYTES = 1024 * 1024
"""Roughly; more messages than this are not worth their way to a device that fell behind."""

_BARE_BYTES = 500

_encode = msgspec.json.Encoder().encode


class RecentMessages:
    """Keeps messages from their commit until newer ones take their place."""

    def __init__(self, per_conversation: int, room_bytes: int = ROOM_BYTES) -> None:
        """Keep at most so many of each conversation, and at most so many bytes altogether."""
        self._per_conversation = per_conversation
        self._room = room_bytes
        self._kept: dict[ConversationKey, list[Message]] = {}

    def remember(self, key: ConversationKey, messages: list[Message]) -> None:
        """Take in the next messages of a conversation."""
        known = self._kept.pop(key, [])
        together = known + messages
        first = max(len(together) - self._per_conversation, 0)
        self._room -= sum(map(size_of, messages))
        self._room += sum(map(size_of, together[:first]))
        self._kept[key] = together[first:]
        while self._room < 0 and self._kept:
            # The conversation that has been silent for longest.
            dropped = self._kept.pop(next(iter(self._kept)))
            self._room += sum(map(size_of, dropped))

    def replace(self, key: ConversationKey, message: Message) -> None:
        """Put a changed message in the place of what it was, where that is kept."""
        kept = self._kept.get(key)
        if kept and kept[0].seq <= message.seq <= kept[-1].seq:
            place = message.seq - kept[0].seq
            self._room += size_of(kept[place]) - size_of(message)
            kept[place] = message

    def newest(
        self, key: ConversationKey, first_seq: int, last_seq: int, room_bytes: int
    ) -> tuple[tuple[Message, ...], int]:
        """Return the newest messages of a range that fit, oldest first, and the room they take."""
        found: list[Message] = []
        taken = 0
        for message in reversed(self._kept.get(key, [])):
            if message.seq < first_seq:
                break
            if message.seq > last_seq:
                continue
            size = size_of(message)
            if taken + size > room_bytes:
                break
            taken += size
            found.append(message)
        return tuple(reversed(found)), taken


def size_of(message: Message) -> int:
    """Return roughly the bytes that a message takes, in memory or in a frame."""
    size = _BARE_BYTES + 4 * len(message.text) + 80 * len(message.mentions)
    return size if message.attachment is None else size + 2 * len(_encode(message.attachment))
