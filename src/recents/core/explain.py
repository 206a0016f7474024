"""Why a row shows what it shows (rules U1, U2, O2, G2, U4).

Rules of this file:

1. Whether a message counts is decided here and nowhere else message by message: the stores and
   ``entry.unread`` only subtract (U2). What the two find is told side by side.
2. Lists are bounded, numbers are exact (U3).
3. What is not known is None, never a guess.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

import msgspec

from recents.core.commands import MuteLevel
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.membership import NEVER_DELETED, Membership
from recents.core.message import RETRACTED, Message
from recents.core.totals import totals_of

LISTED = 1_000
"""Messages named in an explanation, of each sort; the numbers beside them cover all."""


class Reason(StrEnum):
    """Why a message does not count; where several would do, the first one stands (U1)."""

    BEFORE_JOINING = "before_joining"
    AFTER_PARTING = "after_parting"
    CLEARED = "cleared"
    READ = "read"
    OWN = "own"
    SILENT = "silent"
    RECALLED = "recalled"
    DELETED = "deleted"


_BY_POSITION = frozenset({Reason.BEFORE_JOINING, Reason.CLEARED, Reason.READ})
"""Nobody asks why these do not count, and there may be a million of them."""


def why_not_countable(
    message: Message, account: str, membership: Membership, hidden: frozenset[int] = frozenset()
) -> Reason | None:
    """Tell why a message does not count for an account; None: it does (U1).

    Args:
        message: which.
        account: for whom.
        membership: how that account stands to the conversation.
        hidden: seqs that the account deleted for itself.
    """
    if message.seq <= membership.joined_seq:
        return Reason.BEFORE_JOINING
    if membership.parting is not None and message.seq > membership.parting.last_seq:
        return Reason.AFTER_PARTING
    if message.seq <= membership.cleared_seq:
        return Reason.CLEARED
    if message.seq <= membership.read_seq:
        return Reason.READ
    if message.sender == account:
        return Reason.OWN
    if not message.counts:
        return Reason.SILENT
    if message.state in RETRACTED:
        return Reason.RECALLED
    return Reason.DELETED if message.seq in hidden else None


class NamedMessage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A message by its names, without what it says; ``reason``: why it does not count."""

    seq: int
    client_id: str
    sender: str
    time_ms: int
    reason: Reason | None = None


MovedBy = Literal["joining", "reading", "clearing", "deleting", "marking"]
"""What put the read position where it is; ``marking``: ``mark_unread_from`` (R3)."""


class Positions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where an account stands in a conversation.

    Attributes:
        last_seq: the newest message that it can see.
        read_seq: everything up to here is not unread.
        read_by: what put ``read_seq`` there; None: not known.
        cleared_seq: history up to here is gone (D3, D5).
        joined_seq: the newest message when the account joined (U5); None: not known here.
        deleted_seq: the row was deleted up to here (D2); None: it was not, or not known here.
    """

    last_seq: int = 0
    read_seq: int = 0
    read_by: MovedBy | None = None
    cleared_seq: int = 0
    joined_seq: int | None = None
    deleted_seq: int | None = None


class Placement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What gives a row its place (O1, O2).

    Attributes:
        place_ms: orders the rows that are not pinned, newest first.
        by: its pin, a bumping message, the draft, or joining; None: not known here.
        seq: of the message; None: another thing decides, or it lies far back.
        rank: of the pin: the least is on top (G1).
    """

    place_ms: int = 0
    by: Literal["pin", "message", "draft", "joining"] | None = None
    seq: int | None = None
    rank: int | None = None


class Share(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a row adds to the sums of the list (U4, C2)."""

    unread: int = 0
    muted_unread: int = 0
    badge: int = 0


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why a row shows what it shows.

    Attributes:
        conversation: as the account names it.
        listed: the row is in the list.
        unread: as the row shows it, by subtraction (U2).
        counted: messages that count, by going through them (U1); less than ``unread`` where not
            all of them could be gone through.
        messages: those, oldest first; of many the newest.
        more: there are older ones that count.
        reasons: how many messages after the read position do not count, by why.
        uncounted: those, oldest first; of many the newest.
        more_uncounted: there are older ones that do not count.
        complete: False where messages are missing on this device, which is offline.
        positions: where the account stands.
        place: what gives the row its place.
        mute: what still alerts; None: everything (G2).
        mute_until_ms: when that ends by itself; None: it does not.
        share: what the row adds to the sums.
    """

    conversation: Conversation
    listed: bool = False
    unread: int = 0
    counted: int = 0
    messages: tuple[NamedMessage, ...] = ()
    more: bool = False
    reasons: dict[Reason, int] = {}
    uncounted: tuple[NamedMessage, ...] = ()
    more_uncounted: bool = False
    complete: bool = True
    positions: Positions = Positions()
    place: Placement = Placement()
    mute: MuteLevel | None = None
    mute_until_ms: int | None = None
    share: Share = Share()


class Recount:
    """Goes through a conversation from its newest message back, and remembers what explains a row.

    Attributes:
        counted: messages that count so far.
        reasons: messages after the read position that do not, by why.
        bumping: the newest message that moved the row up; None: there was none yet.
    """

    def __init__(
        self, account: str, membership: Membership, hidden: frozenset[int] = frozenset()
    ) -> None:
        self.counted = 0
        self.reasons: dict[Reason, int] = {}
        self.bumping: Message | None = None
        self._account = account
        self._membership = membership
        self._hidden = hidden
        self._counting: deque[NamedMessage] = deque()
        self._uncounted: deque[NamedMessage] = deque()

    def take(self, messages: Sequence[Message]) -> None:
        """Go through messages, oldest first, all of them older than those before."""
        for message in reversed(messages):
            if message.bumps and self.bumping is None:
                self.bumping = message
            reason = why_not_countable(message, self._account, self._membership, self._hidden)
            if reason is None:
                self.counted += 1
                self._name(message, None, self._counting)
            elif reason not in _BY_POSITION:
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
                self._name(message, reason, self._uncounted)

    def _name(self, message: Message, reason: Reason | None, found: deque[NamedMessage]) -> None:
        if len(found) < LISTED:
            found.appendleft(
                NamedMessage(
                    message.seq, message.client_id, message.sender, message.time_ms, reason
                )
            )

    def explanation(
        self,
        entry: InboxEntry,
        positions: Positions,
        *,
        listed: bool = True,
        joined_ms: int | None = None,
        complete: bool = True,
    ) -> Explanation:
        """Tell why a row shows what it shows.

        Args:
            entry: the row.
            positions: see ``positions_of``.
            listed: whether the list has it.
            joined_ms: when the account joined; None: not known.
            complete: whether all messages after the read position were gone through.
        """
        return Explanation(
            conversation=entry.conversation,
            listed=listed,
            unread=entry.unread,
            counted=self.counted,
            messages=tuple(self._counting),
            more=self.counted > len(self._counting),
            reasons=self.reasons,
            uncounted=tuple(self._uncounted),
            more_uncounted=sum(self.reasons.values()) > len(self._uncounted),
            complete=complete,
            positions=positions,
            place=_placement(entry, self.bumping, joined_ms),
            mute=entry.mute,
            mute_until_ms=entry.mute_until_ms,
            share=share_of(entry) if listed else Share(),
        )


def positions_of(entry: InboxEntry, membership: Membership) -> Positions:
    """Return where the account of a row stands."""
    deleted = membership.deleted_seq
    return Positions(
        last_seq=entry.last_seq,
        read_seq=membership.read_seq,
        read_by=_moved_by(membership),
        cleared_seq=membership.cleared_seq,
        joined_seq=membership.joined_seq,
        deleted_seq=None if deleted == NEVER_DELETED else deleted,
    )


def share_of(entry: InboxEntry) -> Share:
    """Return what a row of the list adds to the sums."""
    totals = totals_of((entry,))
    return Share(unread=totals.unread, muted_unread=totals.muted_unread, badge=totals.badge)


def _moved_by(membership: Membership) -> MovedBy | None:
    """Tell what put ``read_seq`` where it is, as far as the membership remembers."""
    read_seq, marked = membership.read_seq, membership.read_epoch
    if marked and marked == membership.version:
        return "marking"
    if read_seq == membership.deleted_seq:
        return "deleting"
    if read_seq == membership.joined_seq:
        return "joining"
    if read_seq == membership.cleared_seq:
        return "clearing"
    # What came after a mark, a reading or something that left the position alone, nobody noted.
    return None if marked else "reading"


def _placement(entry: InboxEntry, bumping: Message | None, joined_ms: int | None) -> Placement:
    place_ms, activity_ms = entry.place_ms, entry.activity_ms
    if entry.pin is not None:
        return Placement(place_ms=place_ms, by="pin", rank=entry.pin.rank)
    if place_ms > activity_ms:
        return Placement(place_ms=place_ms, by="draft")
    if bumping is not None and bumping.time_ms == activity_ms:
        return Placement(place_ms=place_ms, by="message", seq=bumping.seq)
    if joined_ms is None:
        return Placement(place_ms=place_ms)
    return Placement(place_ms=place_ms, by="joining" if joined_ms == activity_ms else "message")
