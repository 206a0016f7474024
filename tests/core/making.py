"""Short ways to make the values that the rules are about."""

from __future__ import annotations

from recents.core.commands import MuteLevel, Post
from recents.core.entry import InboxEntry
from recents.core.head import Head, absorb, next_message
from recents.core.ids import Conversation
from recents.core.membership import Draft, Pinned
from recents.core.message import Message

BOB = Conversation("p2p:bob")


def a_post(
    text: str = "hi",
    *,
    client_id: str = "c1",
    counts: bool = True,
    bumps: bool = True,
    previews: bool = True,
    mentions: tuple[str, ...] = (),
) -> Post:
    """A post to ``p2p:bob``."""
    return Post(
        id="r1",
        conversation=BOB,
        client_id=client_id,
        text=text,
        counts=counts,
        bumps=bumps,
        previews=previews,
        mentions=mentions,
    )


def a_message(
    seq: int = 1,
    sender: str = "ann",
    text: str = "hi",
    *,
    ordinal: int | None = None,
    time_ms: int = 1_000,
    counts: bool = True,
) -> Message:
    """A message; all before it counted, unless ``ordinal`` says otherwise."""
    return Message(
        seq=seq,
        ordinal=seq if ordinal is None else ordinal,
        sender=sender,
        client_id=f"c{seq}",
        time_ms=time_ms,
        text=text,
        counts=counts,
    )


def a_row(
    conversation: str = BOB,
    *,
    version: int = 1,
    activity_ms: int = 1_000,
    unread: int = 0,
    draft_ms: int | None = None,
    mute: MuteLevel | None = None,
    marked_unread: bool = False,
    rank: int | None = None,
    archived: bool = False,
    mentions_me: int = 0,
    mentions_all: int = 0,
) -> InboxEntry:
    """A row of the list; with ``draft_ms`` it has a draft from then."""
    return InboxEntry(
        conversation=Conversation(conversation),
        version=version,
        activity_ms=activity_ms,
        unread=unread,
        draft=None if draft_ms is None else Draft("draft", draft_ms),
        mute=mute,
        marked_unread=marked_unread,
        pin=None if rank is None else Pinned(rank, "", 1, 1),
        archived=archived,
        mentions_me=mentions_me,
        mentions_all=mentions_all,
    )


def head_after(*posts: Post, sender: str = "ann", first_ms: int = 1_000) -> Head:
    """The head after these posts, one a millisecond; commits are numbered from 1."""
    head = Head()
    for number, post in enumerate(posts):
        message = next_message(head, post, sender, first_ms + number)
        head = absorb(head, message, version=number + 1)
    return head
