"""What an account keeps with a row, command by command (rules G1, G2, G6, D2).

Rules of this file:

1. ``organized`` is the one way in, for the node and for the overlay of a device alike.
2. A row that is not in the list gets no pin: nothing would show it, and the row comes back without
   one (D2).
3. A function that changes nothing returns the membership it was given, so the caller can tell.
"""

from __future__ import annotations

import msgspec

from recents.core.commands import Mute, Pin, RowCommand, SetDraft, Unpin
from recents.core.entry import is_visible
from recents.core.head import Head
from recents.core.membership import Membership, Pinned, muted, with_draft

_replace = msgspec.structs.replace


def organized(
    head: Head, membership: Membership, command: RowCommand, at_ms: int, version: int
) -> Membership:
    """Return the membership after a command of its account about the row.

    Args:
        head: the conversation's head.
        membership: the account's membership in it, before.
        command: what the account asks.
        at_ms: the node's time.
        version: number of this commit.
    """
    match command:
        case SetDraft():
            return with_draft(membership, command.text, at_ms, version)
        case Mute():
            return muted(membership, command.level, version)
        case Pin():
            if not is_visible(head, membership):
                return membership
            return pinned(membership, command.rank, command.ext, at_ms, version)
        case Unpin():
            return unpinned(membership, version)


def asks_for_nothing(command: RowCommand) -> bool:
    """Tell whether a command takes something away: where nothing is, it is done already."""
    match command:
        case SetDraft():
            return not command.text
        case Mute():
            return command.level is None
        case Pin():
            return False
        case Unpin():
            return True


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
