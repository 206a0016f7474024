"""What an account keeps with a row, command by command (rules G, I1, D2).

Rules of this file:

1. ``organized`` is the one way in, for the node and for the overlay of a device alike.
2. A row that is deleted gets no pin and is not archived: nothing would show it, and the row comes
   back without either (D2).
3. A function that changes nothing returns the membership it was given, so the caller can tell.
"""

from __future__ import annotations

import msgspec

from recents.core.commands import (
    MAX_LABELS,
    AddLabel,
    Archive,
    Mute,
    MuteLevel,
    Pin,
    RemoveLabel,
    RowCommand,
    SetAlias,
    SetDraft,
    SetExtension,
    Unarchive,
    Unpin,
)
from recents.core.entry import is_visible
from recents.core.head import Head
from recents.core.membership import (
    Archived,
    Membership,
    Pinned,
    Position,
    head_seen,
    is_archived,
    with_draft,
)

_replace = msgspec.structs.replace


def organized(
    head: Head,
    membership: Membership,
    command: RowCommand,
    at_ms: int,
    version: int,
    position: Position | None = None,
) -> Membership:
    """Return the membership after a command of its account about the row.

    Args:
        head: the conversation's head.
        membership: the account's membership in it, before.
        command: what the account asks.
        at_ms: the node's time.
        version: number of this commit.
        position: up to where its device had the conversation; None: all of it. Archiving asks.
    """
    match command:
        case SetDraft():
            return with_draft(membership, command.text, at_ms, version)
        case Mute():
            return muted(head, membership, command.level, command.until_ms, at_ms, version)
        case Pin():
            if not is_visible(head, membership):
                return membership
            return pinned(membership, command.rank, command.ext, at_ms, version)
        case Unpin():
            return unpinned(membership, version)
        case Archive():
            if not is_visible(head, membership):
                return membership
            return archived(head, membership, position, version)
        case Unarchive():
            return unarchived(membership, version)
        case AddLabel():
            return labelled(membership, command.label, version)
        case RemoveLabel():
            return unlabelled(membership, command.label, version)
        case SetExtension():
            return with_extension(membership, command.text, version)
        case _:
            return aliased(membership, command.alias, version)


def asks_for_nothing(command: RowCommand) -> bool:
    """Tell whether a command takes something away: where nothing is, it is done already."""
    match command:
        case SetDraft() | SetExtension():
            return not command.text
        case Mute():
            return command.level is None
        case SetAlias():
            return not command.alias
        case Pin() | Archive() | AddLabel():
            return False
        case _:
            return True


def muted(
    head: Head,
    membership: Membership,
    level: MuteLevel | None,
    until_ms: int | None,
    at_ms: int,
    version: int,
) -> Membership:
    """Return the membership with another mute (G2, U4); one whose time is up is none.

    The messages that have come since the archiving matter in another way from here on, so they are
    left behind: muting moves no row between the lists (G4).
    """
    if until_ms is not None and until_ms <= at_ms:
        level = None
    if level is None:
        until_ms = None
    if (level, until_ms) == (membership.mute, membership.mute_until_ms):
        return membership
    kept = membership.archived
    if kept is not None and level != membership.mute:
        kept = _at_end(head, membership, kept.version) if is_archived(head, membership) else None
    return _replace(membership, version=version, mute=level, mute_until_ms=until_ms, archived=kept)


def mute_ended(head: Head, membership: Membership, at_ms: int, version: int) -> Membership:
    """Return the membership without its mute, if that ends by itself and its time is up (G2)."""
    until_ms = membership.mute_until_ms
    if until_ms is None or until_ms > at_ms:
        return membership
    return muted(head, membership, None, None, at_ms, version)


def pinned(membership: Membership, rank: int, ext: str, at_ms: int, version: int) -> Membership:
    """Return the membership with a pin, or with another place or text of the one it has (G1)."""
    known = membership.pin
    if known is None:
        pin = Pinned(rank, ext, at_ms, at_ms)
    elif (rank, ext) == (known.rank, known.ext):
        return membership
    else:
        pin = Pinned(rank, ext, known.pinned_ms, max(at_ms, known.updated_ms))
    return _replace(membership, version=version, pin=pin)


def unpinned(membership: Membership, version: int) -> Membership:
    """Return the membership without its pin (G1)."""
    return (
        membership if membership.pin is None else _replace(membership, version=version, pin=None)
    )


def archived(
    head: Head, membership: Membership, position: Position | None, version: int
) -> Membership:
    """Return the membership of a row that is put out of the list (G4).

    Where somebody wrote after what the device had seen, the row is back at once: nothing changes.
    """
    if is_archived(head, membership):
        return membership
    if position is not None and membership.mute is None:
        seen = head_seen(head, membership)
        if seen.ordinal - position.ordinal - position.skipped_after > 0:
            return membership
    kept = _at_end(head, membership, version)
    return _replace(membership, version=version, archived=kept)


def unarchived(membership: Membership, version: int) -> Membership:
    """Return the membership of a row that is put back into the list (G4)."""
    if membership.archived is None:
        return membership
    return _replace(membership, version=version, archived=None)


def takes_label(membership: Membership, label: str) -> bool:
    """Tell whether a row has this label, or room for it (G5)."""
    return label in membership.labels or len(membership.labels) < MAX_LABELS


def labelled(membership: Membership, label: str, version: int) -> Membership:
    """Return the membership with a label; a row that is full of them stays as it is (G5)."""
    if label in membership.labels or not takes_label(membership, label):
        return membership
    # Code points sort as the bytes of UTF-8 do.
    labels = tuple(sorted((*membership.labels, label)))
    return _replace(membership, version=version, labels=labels)


def unlabelled(membership: Membership, label: str, version: int) -> Membership:
    """Return the membership without a label (G5)."""
    if label not in membership.labels:
        return membership
    labels = tuple(other for other in membership.labels if other != label)
    return _replace(membership, version=version, labels=labels)


def with_extension(membership: Membership, text: str, version: int) -> Membership:
    """Return the membership with another text of the application (G7)."""
    if text == membership.extension:
        return membership
    return _replace(membership, version=version, extension=text)


def aliased(membership: Membership, alias: str, version: int) -> Membership:
    """Return the membership with another name of one's own for its row (I1)."""
    if alias == membership.alias:
        return membership
    return _replace(membership, version=version, alias=alias)


def _at_end(head: Head, membership: Membership, version: int) -> Archived:
    seen = head_seen(head, membership)
    return Archived(seen.last_seq, seen.ordinal, 0, version)
