"""The newest messages of each conversation, bounded (rule C1)."""

from __future__ import annotations

import msgspec

from recents.core.ids import ConversationKey
from recents.core.message import Message
from recents.server import recent


def test_recent_messages_are_bounded_by_number_and_by_room() -> None:
    kept = recent.RecentMessages(per_conversation=3, room_bytes=20_000)
    one, two = ConversationKey("team:t1"), ConversationKey("team:t2")
    message = _message(1)
    for seq in range(1, 6):
        kept.remember(one, [_message(seq)])
    found, room = kept.newest(one, 1, 5, 100_000)
    assert [m.seq for m in found] == [3, 4, 5]
    assert room == 3 * recent.size_of(message)
    assert [m.seq for m in kept.newest(one, 4, 4, 100_000)[0]] == [4]
    assert [m.seq for m in kept.newest(one, 1, 5, 2 * recent.size_of(message))[0]] == [4, 5]
    kept.remember(two, [msgspec.structs.replace(_message(1), text="x" * 4_700)])
    assert kept.newest(one, 1, 5, 100_000) == ((), 0), "the silent one is dropped"
    assert kept.newest(two, 1, 5, 100_000)[0]
    kept.remember(two, [msgspec.structs.replace(_message(2), attachment="x" * 30_000)])
    assert kept.newest(two, 1, 5, 100_000) == ((), 0)
    kept.remember(one, [_message(6)])
    assert kept.newest(one, 1, 9, 100_000)[0], "dropping gave all the room back"


def _message(seq: int) -> Message:
    return Message(seq=seq, ordinal=seq, sender="a", client_id=f"c{seq}", time_ms=1)


def test_none_can_be_kept() -> None:
    kept = recent.RecentMessages(per_conversation=0)
    kept.remember(ConversationKey("team:t1"), [_message(1)])
    assert kept.newest(ConversationKey("team:t1"), 1, 1, 100_000) == ((), 0)
