"""A message of this device's own while it is on its way (rules M2, P4)."""

from __future__ import annotations

import msgspec

from recents.core.commands import Post
from recents.core.message import Message, Progress
from recents.core.pending import Pending
from recents.wire.frames import Posted


def echo_of(account: str, pending: Pending) -> Message:
    """Return a message as it is shown before it has a place: ``seq`` and ``ordinal`` are 0."""
    status: Progress = "failed" if pending.failed else "sending"
    nowhere = Posted(seq=0, ordinal=0, time_ms=pending.at_ms)
    return _message(account, pending.command, nowhere, status)


def sent_message(account: str, pending: Pending, posted: Posted) -> Message:
    """Return a message as it stands on the node."""
    return _message(account, pending.command, posted, "sent")


def _message(account: str, post: object, posted: Posted, status: Progress) -> Message:
    assert isinstance(post, Post), "only messages have echoes"
    return Message(
        seq=posted.seq,
        ordinal=posted.ordinal,
        sender=account,
        client_id=post.client_id,
        time_ms=posted.time_ms,
        kind=post.kind,
        text=post.text,
        attachment=as_it_arrives(post.attachment),
        mentions=post.mentions,
        counts=post.counts,
        bumps=post.bumps,
        previews=post.previews,
        status=status,
    )


def as_it_arrives(attachment: object) -> object:
    """Return a copy of a JSON value as others will receive it.

    JSON knows no tuples, no bytes, and no keys but text.
    """
    return msgspec.json.decode(msgspec.json.encode(attachment))
