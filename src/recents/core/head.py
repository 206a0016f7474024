"""The head of a conversation: what all its members share (rules M, U2, O2, O3, P1–P3, R6).

Rules of this file:

1. A head changes here and nowhere else; every change returns a new head.
2. ``absorb`` is the only way in for a message: it takes the next ``seq``, nothing is skipped.
3. Nothing ever lowers ``last_seq``, ``ordinal``, ``time_ms`` or ``activity_ms`` (M1, M4, O2).
"""

from __future__ import annotations

import msgspec

from recents.core.commands import Post
from recents.core.face import NO_FACES, Face, Faces
from recents.core.ids import ConversationKey, parties_of
from recents.core.message import Message, Preview, named_in, preview_of, recalled

_replace = msgspec.structs.replace


class Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One per conversation; seen through a membership it becomes a row.

    Attributes:
        version: number of the commit that last changed it.
        last_seq: the newest message (M1); 0 when there is none.
        ordinal: number of messages with ``counts`` (U2).
        time_ms: time of the newest message (M4).
        activity_ms: time of the newest bumping message (O2); 0 when there is none.
        preview: the newest previewable message (P1).
        last_retraction: ``seq`` of the newest recalled countable message; memberships read
            beyond it need not count recalls (U2).
        receipts: P2P only: how far each of the two accounts, in byte order, has read (R6).
        name: teams only.
        owner: teams only; None tells that the head is not a team's.
        dismissed: a team that has ended: it takes no messages any more (T2).
        faces: P2P only: those of the two accounts, in byte order; each sees the other's.
        avatar: teams only: stands for its picture.
        changes: how often one of its messages was recalled or edited; each of these has its
            number, so that who has left sees what was so at the parting (T2).
        last_mention: ``seq`` of the newest message that ever mentioned anybody; memberships read
            beyond it need not count mentions (G3).
    """

    version: int = 0
    last_seq: int = 0
    ordinal: int = 0
    time_ms: int = 0
    activity_ms: int = 0
    preview: Preview | None = None
    last_retraction: int = 0
    receipts: tuple[int, int] = (0, 0)
    name: str | None = None
    owner: str | None = None
    dismissed: bool = False
    faces: Faces = NO_FACES
    avatar: str = ""
    changes: int = 0
    last_mention: int = 0


def next_message(head: Head, post: Post, sender: str, at_ms: int) -> Message:
    """Give a post its place and time in the conversation (M1, M4)."""
    return Message(
        seq=head.last_seq + 1,
        ordinal=head.ordinal + post.counts,
        sender=sender,
        client_id=post.client_id,
        time_ms=at_ms if at_ms > head.time_ms else head.time_ms,
        kind=post.kind,
        text=post.text,
        attachment=post.attachment,
        mentions=post.mentions,
        counts=post.counts,
        bumps=post.bumps,
        previews=post.previews,
    )


def absorb(head: Head, message: Message, version: int) -> Head:
    """Return the head after its next message (M1, M3, O2, P1)."""
    assert message.seq == head.last_seq + 1, "absorb takes the messages in order"
    bumped = message.bumps and message.time_ms > head.activity_ms
    return _replace(
        head,
        version=version,
        last_seq=message.seq,
        ordinal=message.ordinal,
        time_ms=message.time_ms,
        activity_ms=message.time_ms if bumped else head.activity_ms,
        preview=preview_of(message) if message.previews else head.preview,
        last_mention=message.seq if named_in(message) else head.last_mention,
    )


def retract(head: Head, message: Message, version: int, *, fallback: Preview | None) -> Head:
    """Return the head after a recall; place and time stay (U2, P2, O2).

    Args:
        head: the head before.
        message: the message as it was before the recall.
        version: number of this commit.
        fallback: what the row shows from now on if it showed this message: the recall notice
            (``preview_of(recalled(message, by))``), or after a recall without notice the preview
            of the next older visible message.
    """
    shown = head.preview is not None and head.preview.seq == message.seq
    return _replace(
        head,
        version=version,
        preview=fallback if shown else head.preview,
        last_retraction=max(head.last_retraction, message.seq if message.counts else 0),
        changes=head.changes + 1,
    )


def recall_notice(message: Message, by: str) -> Preview:
    """Return what a row shows instead of a recalled message (P2)."""
    return preview_of(recalled(message, by))


def amend(head: Head, message: Message, version: int) -> Head:
    """Return the head after an edit to ``message``, which moves no row (P3).

    Where another message is shown only the version changes: this one may still be the preview of
    a member who deleted the newer ones for itself (P2).
    """
    shown = head.preview is not None and head.preview.seq == message.seq
    return _replace(
        head,
        version=version,
        preview=preview_of(message) if shown else head.preview,
        changes=head.changes + 1,
        last_mention=max(head.last_mention, message.seq if named_in(message) else 0),
    )


def receipt_of(head: Head, key: ConversationKey, account: str) -> int:
    """Tell how far ``account`` has read this P2P conversation, as the peer may know it (R6)."""
    first, _ = parties_of(key)
    return head.receipts[0] if account == first else head.receipts[1]


def with_receipt(head: Head, key: ConversationKey, account: str, seq: int, version: int) -> Head:
    """Return the head after ``account`` has read up to ``seq``; only forward (R1, R6)."""
    if seq <= receipt_of(head, key, account):
        return head
    first, _ = parties_of(key)
    low, high = head.receipts
    return _replace(
        head, version=version, receipts=(seq, high) if account == first else (low, seq)
    )


def face_of(head: Head, key: ConversationKey, account: str) -> Face:
    """Return the face of one of the two accounts of a P2P conversation."""
    first, _ = parties_of(key)
    return head.faces[0] if account == first else head.faces[1]


def with_face(head: Head, key: ConversationKey, account: str, face: Face, version: int) -> Head:
    """Return the head after ``account`` changed its face; no row moves (O3).

    In notes to oneself both faces are the account's own (I2).
    """
    parties = parties_of(key)
    low, high = (
        face if party == account else known
        for party, known in zip(parties, head.faces, strict=True)
    )
    if (low, high) == head.faces:
        return head
    return _replace(head, version=version, faces=(low, high))


def renamed(head: Head, name: str, version: int) -> Head:
    """Return the head of a team with another name; no row moves (O3)."""
    return head if name == head.name else _replace(head, version=version, name=name)


def with_avatar(head: Head, avatar: str, version: int) -> Head:
    """Return the head of a team with another avatar; no row moves (O3)."""
    return head if avatar == head.avatar else _replace(head, version=version, avatar=avatar)


def dismissed(head: Head, version: int) -> Head:
    """Return the head of a team that has ended (T2)."""
    return head if head.dismissed else _replace(head, version=version, dismissed=True)
