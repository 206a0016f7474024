"""Random deeds in a conversation, what a device knows of them, and what its user sees."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from hypothesis import strategies as st

from recents.core.commands import (
    AnyCommand,
    Archive,
    ClearHistory,
    Delete,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    SetAlias,
    SetDraft,
    Unarchive,
    Unpin,
)
from recents.core.entry import InboxEntry
from tests.core.talk import BOB, Talk

replace = msgspec.structs.replace


def post(text: str, **fields: object) -> Post:
    made = Post(id="r", conversation=BOB, client_id=text, text=text)
    return replace(made, **fields)


Deed = tuple[str, int, bool]
"""What, a place between 0 and 9 of the conversation, and something to decide."""

deeds = st.tuples(
    st.sampled_from(
        [
            *("post", "post", "read", "mark", "mark_from", "delete", "clear", "draft", "mute"),
            *("pin", "unpin", "archive", "archive", "unarchive", "alias"),
        ]
    ),
    st.integers(0, 9),
    st.booleans(),
)


def command_of(deed: Deed, newest: int, epoch: int | None, number: int) -> AnyCommand:
    what, place, flag = deed
    seq = newest * place // 9
    made: dict[str, Callable[[], AnyCommand]] = {
        "post": lambda: post(
            f"c{number}",
            counts=flag or place > 3,
            previews=place != 5,
            bumps=place != 6,
            displayed_seq=seq if flag else None,
            epoch=epoch,
        ),
        "read": lambda: Read(id="r", conversation=BOB, upto_seq=seq, epoch=epoch),
        "mark": lambda: MarkUnread(id="r", conversation=BOB),
        "mark_from": lambda: MarkUnreadFrom(id="r", conversation=BOB, seq=max(seq, 1)),
        "delete": lambda: Delete(id="r", conversation=BOB, upto_seq=newest, clear_history=flag),
        "clear": lambda: ClearHistory(id="r", conversation=BOB, upto_seq=newest),
        "draft": lambda: SetDraft(id="r", conversation=BOB, text="d" * (place % 3)),
        "mute": lambda: Mute(id="r", conversation=BOB, level="none" if flag else None),
        "pin": lambda: Pin(id="r", conversation=BOB, rank=place, ext="e" * flag),
        "unpin": lambda: Unpin(id="r", conversation=BOB),
        "archive": lambda: Archive(id="r", conversation=BOB, upto_seq=newest),
        "unarchive": lambda: Unarchive(id="r", conversation=BOB),
        "alias": lambda: SetAlias(id="r", conversation=BOB, alias="b" * (place % 3)),
    }
    return made[what]()


def left_of(command: AnyCommand, talk: Talk) -> int | None:
    match command:
        case Read():
            return talk.left_after(command.upto_seq or 0)
        case MarkUnreadFrom():
            return talk.left_after(max(command.seq - 1, talk.ann.cleared_seq))
        case Post() if command.displayed_seq is not None:
            return talk.left_after(command.displayed_seq)
        case _:
            return None


def user_sees(seen: InboxEntry | None) -> InboxEntry | None:
    """Leave out what only the node can know: numbers of commits and of messages on their way."""
    if seen is None:
        return None
    shown_preview = seen.preview and replace(seen.preview, seq=0)
    return replace(
        seen, version=0, read_epoch=0, last_seq=0, cleared_seq=0, read_seq=0, preview=shown_preview
    )
