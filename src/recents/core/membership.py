"""One account's state in one conversation (rules U1, U2, U5, U6, R1, R3, R4, D, G, I1, T).

Rules of this file:

1. ``read_seq`` is the one position after which messages are unread: reading, deleting,
   clearing and joining all move it, and only forward (U1, R1); ``unread_from`` alone moves it
   back (R3).
2. ``read_ordinal`` and ``skipped_after_read`` belong to ``read_seq``: they change with it, in
   ``advance``, ``unread_from`` and ``joined``.
3. A mark-unread is remembered by the number of its commit: whoever reads says which marks it
   knew, by a number too, and an older reader leaves a newer mark alone (R3, R5).
4. A function that changes nothing returns the membership it was given, so the caller can tell.
"""

from __future__ import annotations

import msgspec

from recents.core.commands import MuteLevel
from recents.core.head import Head
from recents.core.message import Message

_replace = msgspec.structs.replace

NEVER_DELETED = -1
"""``deleted_seq`` of a row that was not deleted; 0 is a row deleted while it was empty."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """A place in a conversation, as one account counts from it.

    Attributes:
        seq: the place.
        ordinal: the ordinal at ``seq``: how many messages with ``counts`` up to there.
        skipped_after: messages with ``counts`` after ``seq`` that are this account's own or that
            it deleted for itself.
    """

    seq: int
    ordinal: int
    skipped_after: int = 0


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A text that was not sent yet, and when it was saved (G6)."""

    text: str
    time_ms: int


class Pinned(msgspec.Struct, frozen=True, gc=False):
    """What holds a row at the top of the list (G1, O1).

    Attributes:
        rank: the smallest is on top; equal ones stand by the names of their conversations.
        ext: a text of the application.
        pinned_ms: when the row was pinned, by the node's clock.
        updated_ms: when rank or ext was last changed.
    """

    rank: int
    ext: str
    pinned_ms: int
    updated_ms: int


class Archived(msgspec.Struct, frozen=True, gc=False):
    """Where a conversation ended when its row was put out of the list (G4).

    Attributes:
        seq: the newest message then.
        ordinal: the ordinal then.
        own_after: messages with ``counts`` that this account has sent since.
        version: number of the commit that archived it.
    """

    seq: int
    ordinal: int
    own_after: int
    version: int


class Membership(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How one account stands to one conversation.

    Attributes:
        version: number of the commit that last changed it.
        joined_ms: when the account joined, or the conversation began; places an empty row (O2).
        joined_seq: the newest message at that time (U5).
        joined_version: number of the commit in which it joined (D4, R5: later rows are spared).
        read_seq: everything up to here is not unread.
        read_ordinal: the ordinal at ``read_seq`` (U2).
        skipped_after_read: own or deleted-for-me countable messages after it (U2).
        cleared_seq: history up to here is gone for this account (D3, D5).
        deleted_seq: the row is hidden until a message comes after this one (D1, D2).
        parting: the head as it was when the account left or was removed (T2).
        removed: the parting was somebody else's doing.
        read_epoch: number of the commit that last moved ``read_seq`` back; 0: none did (R3).
        marked_unread: number of the commit that put the dot on the row; 0: there is none (R4).
        draft: what the account has not sent yet (G6).
        mute: what still alerts; None: everything (G2).
        alias: what the account calls the row; "": nothing of its own (I1).
        pin: holds the row at the top; a row that is not in the list has none (G1, D2).
        mute_until_ms: when the mute ends by itself; None: it does not (G2).
        labels: the labels of the row, in byte order (G5).
        extension: a text of the application; empty: none (G7).
        archived: where the row was put out of the list; it may be back since (G4).
        last_hidden: the newest message that the account deleted for itself (U2, P2).
    """

    version: int = 0
    joined_ms: int = 0
    joined_seq: int = 0
    joined_version: int = 0
    read_seq: int = 0
    read_ordinal: int = 0
    skipped_after_read: int = 0
    cleared_seq: int = 0
    deleted_seq: int = NEVER_DELETED
    parting: Head | None = None
    removed: bool = False
    read_epoch: int = 0
    marked_unread: int = 0
    draft: Draft | None = None
    mute: MuteLevel | None = None
    alias: str = ""
    pin: Pinned | None = None
    archived: Archived | None = None
    mute_until_ms: int | None = None
    labels: tuple[str, ...] = ()
    extension: str = ""
    last_hidden: int = 0


def joined(head: Head, at_ms: int, version: int, previous: Membership | None = None) -> Membership:
    """Return the membership of an account that joins, for the first time or again (U5, T1).

    A row never sinks, also where the clock went back before the account joined again (O2).
    """
    return Membership(
        version=version,
        joined_ms=max(at_ms, previous.joined_ms) if previous else at_ms,
        joined_seq=head.last_seq,
        joined_version=version,
        read_seq=head.last_seq,
        read_ordinal=head.ordinal,
        cleared_seq=previous.cleared_seq if previous else 0,
        mute=previous.mute if previous else None,
        alias=previous.alias if previous else "",
        pin=previous.pin if previous else None,
        mute_until_ms=previous.mute_until_ms if previous else None,
        labels=previous.labels if previous else (),
        extension=previous.extension if previous else "",
        last_hidden=previous.last_hidden if previous else 0,
    )


def head_seen(head: Head, membership: Membership) -> Head:
    """Return the head that this member sees: for one who has left, as it was then (T2)."""
    return membership.parting or head


def after_own_send(membership: Membership, message: Message, version: int) -> Membership:
    """Return the sender's membership after its own message: not unread, no draft (U1, G6).

    An archived row stays where it is (G4).
    """
    if not message.counts and membership.draft is None:
        return membership
    archived = membership.archived
    if archived is not None and message.counts:
        archived = _replace(archived, own_after=archived.own_after + 1)
    return _replace(
        membership,
        version=version,
        skipped_after_read=membership.skipped_after_read + message.counts,
        draft=None,
        archived=archived,
    )


def after_own_removal(
    membership: Membership, account: str, message: Message, version: int
) -> Membership:
    """Return the membership after ``account`` deleted a message for itself (U1, U2, P2).

    To be called once for each message. The row is another one even where no number changes: its
    preview may be.
    """
    unread = message.seq > membership.read_seq and message.counts and message.sender != account
    return _replace(
        membership,
        version=version,
        skipped_after_read=membership.skipped_after_read + unread,
        last_hidden=max(membership.last_hidden, message.seq),
    )


def advance(membership: Membership, position: Position, version: int) -> Membership:
    """Return the membership after reading up to a position; only forward (R1)."""
    if position.seq <= membership.read_seq:
        return membership
    return _replace(
        membership,
        version=version,
        read_seq=position.seq,
        read_ordinal=position.ordinal,
        skipped_after_read=position.skipped_after,
    )


def read_upto(
    membership: Membership, position: Position, version: int, epoch: int | None = None
) -> Membership:
    """Return the membership after its account read up to a position (R1, R3, R4).

    Args:
        membership: the membership before.
        position: where the reader stands.
        version: number of this commit.
        epoch: the newest commit whose marks the reader knew; None: it knew all.
    """
    if epoch is None or epoch >= membership.read_epoch:
        membership = advance(membership, position, version)
    if membership.marked_unread and (epoch is None or epoch >= membership.marked_unread):
        membership = _replace(membership, version=version, marked_unread=0)
    return membership


def unread_marked(membership: Membership, version: int) -> Membership:
    """Return the membership with a dot on its row (R4)."""
    return _replace(membership, version=version, marked_unread=version)


def first_readable(membership: Membership) -> int:
    """Return the position below which nothing can be unread (U1, U5)."""
    return max(membership.cleared_seq, membership.joined_seq)


def unread_from(membership: Membership, position: Position, version: int) -> Membership:
    """Return the membership with everything after a position unread again (R3).

    The position must not lie below ``first_readable``.
    """
    return _replace(
        membership,
        version=version,
        read_epoch=version,
        read_seq=position.seq,
        read_ordinal=position.ordinal,
        skipped_after_read=position.skipped_after,
    )


def with_draft(membership: Membership, text: str, at_ms: int, version: int) -> Membership:
    """Return the membership with another draft; an empty text clears it (G6, O2)."""
    known = membership.draft
    if text == (known.text if known else ""):
        return membership
    saved_ms = max(at_ms, known.time_ms) if known else at_ms
    draft = Draft(text, saved_ms) if text else None
    return _replace(membership, version=version, draft=draft)


def without_row(
    membership: Membership, position: Position, version: int, *, clear_history: bool
) -> Membership:
    """Return the membership after its row was deleted at a position (D1–D3, D6)."""
    if clear_history:
        membership = without_history(membership, position, version)
    membership = advance(membership, position, version)
    if position.seq <= membership.deleted_seq:
        return membership
    return _replace(
        membership,
        version=version,
        deleted_seq=position.seq,
        marked_unread=0,
        pin=None,
        archived=None,
    )


def without_history(membership: Membership, position: Position, version: int) -> Membership:
    """Return the membership after its history was cleared up to a position (D5)."""
    membership = advance(membership, position, version)
    if position.seq <= membership.cleared_seq:
        return membership
    return _replace(membership, version=version, cleared_seq=position.seq)


def parted(membership: Membership, head: Head, version: int, *, removed: bool) -> Membership:
    """Return the membership after leaving or being removed: it keeps what it saw (T2)."""
    if membership.parting:
        return membership
    return _replace(membership, version=version, parting=head, removed=removed)


def is_archived(head: Head, membership: Membership, mentioned: int = 0) -> bool:
    """Tell whether a row is out of the main list and its totals (G4).

    Args:
        head: the conversation's head.
        membership: the account's membership.
        mentioned: messages since the archiving that mention the account: they bring a muted row
            back, too.
    """
    seen = head_seen(head, membership)
    end = Position(seen.last_seq, seen.ordinal)
    return was_archived(membership, end) and not (membership.mute and mentioned)


def was_archived(membership: Membership, position: Position, upto: int | None = None) -> bool:
    """Tell whether a row was archived for one who had it up to a position (G4, R5, D4).

    Args:
        membership: the account's membership now.
        position: where that one stood; ``skipped_after`` counts own messages only.
        upto: the newest commit that it had heard of; None: it has heard of all.
    """
    archived = membership.archived
    if archived is None or (upto is not None and archived.version > upto):
        return False
    own = archived.own_after - position.skipped_after
    return membership.mute is not None or position.ordinal - archived.ordinal - own <= 0


def is_present(head: Head, membership: Membership | None) -> bool:
    """Tell whether a member may send: neither left nor removed, and the team goes on (T1)."""
    return membership is not None and membership.parting is None and not head.dismissed
