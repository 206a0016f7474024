"""A row of the list: a head seen through a membership (rules U2, G, P1, P4, R4, R6, D2, O2, T2).

Rules of this file:

1. A row is a pure function of head, membership and tally; it is computed, never stored as truth.
2. ``unread`` equals a recount of the countable messages at all times (U2).
3. The version of a row is the newer of the two versions it was made from.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from recents.core.commands import MuteLevel
from recents.core.face import NO_FACE, Face
from recents.core.fallback import colour_of, initials_of, title_of
from recents.core.head import Head, face_of, receipt_of
from recents.core.ids import Conversation, Kind, is_p2p, key_of, kind_of
from recents.core.membership import Draft, Membership, Pinned, head_seen, is_archived
from recents.core.message import Preview

Status = Literal["sending", "failed", "sent", "read"]
"""How far a message of one's own has come (P4); the first two on the device that sent it only."""

MembershipState = Literal["member", "left", "removed", "dismissed"]


class InboxEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One row of an account's list of recent conversations.

    Attributes:
        conversation: as this account names it: ``p2p:bob``, ``team:t1``.
        version: number of the commit that last changed this row.
        activity_ms: the newest bumping message, or the joining, drafts left aside (O2).
        last_seq: the newest message this account can see.
        read_seq: everything up to here has been read.
        unread: exact number of unread messages, without a cap (U2, U3).
        preview: the newest message to show, or None (P1).
        status: of the previewed message if it is this account's own, else None (P4).
        membership: whether this account is still in the team (T2).
        name: the team's name, or the peer's; None for a peer who has none.
        marked_unread: somebody put a dot on the row (R4).
        read_epoch: the newest mark-unread; whoever reads says it knew this one (R3).
        cleared_seq: messages up to here are gone for this account (D3, D5).
        draft: a text that was not sent yet (G6).
        mute: what still alerts, ``none`` or ``mentions``; None: everything (G2).
        avatar: stands for the team's or the peer's picture; "" where there is none.
        alias: this account's own name for the row; "" where it has none (I1).
        pin: what holds the row at the top; None: nothing does (G1).
        mute_until_ms: when the mute ends by itself, by the node's clock; None: it does not (G2).
        labels: the labels of the row, in byte order (G5).
        extension: a text of the application, the same on all devices; empty: none (G7).
        archived: the row is not in the main list, nor in its totals (G4).
        mentions_me: how many of the unread messages mention this account by name (G3).
        mentions_all: how many of the others mention ``@all``.
    """

    conversation: Conversation
    version: int
    activity_ms: int
    last_seq: int = 0
    read_seq: int = 0
    unread: int = 0
    preview: Preview | None = None
    status: Status | None = None
    membership: MembershipState = "member"
    name: str | None = None
    marked_unread: bool = False
    read_epoch: int = 0
    cleared_seq: int = 0
    draft: Draft | None = None
    mute: MuteLevel | None = None
    avatar: str = ""
    alias: str = ""
    pin: Pinned | None = None
    archived: bool = False
    mute_until_ms: int | None = None
    labels: tuple[str, ...] = ()
    extension: str = ""
    mentions_me: int = 0
    mentions_all: int = 0

    @property
    def place_ms(self) -> int:
        """Orders rows without a pin, newest first (O1, O2): activity, or a draft saved since."""
        return max(self.activity_ms, self.draft.time_ms) if self.draft else self.activity_ms

    @property
    def pinned(self) -> bool:
        """Whether the row is held at the top of the list (G1)."""
        return self.pin is not None

    @property
    def kind(self) -> Kind:
        """The kind of the conversation."""
        return kind_of(self.conversation)

    @property
    def id(self) -> str:
        """The peer's account id, or the team's id."""
        return self.conversation.partition(":")[2]

    @property
    def title(self) -> str:
        """What to call the row: one's own name for it, else its name, else its id."""
        return title_of(self.alias, self.name, self.id)

    @property
    def initials(self) -> str:
        """One or two characters to show where there is no avatar."""
        return initials_of(self.title, self.id)

    @property
    def colour(self) -> int:
        """Which of 16 colours stands behind the initials, from 0; a renaming leaves it."""
        return colour_of(self.id)

    @property
    def time_ms(self) -> int:
        """Time of the previewed message; of the row's last activity where it has none."""
        return self.preview.time_ms if self.preview else self.activity_ms


class Tally(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What of a row only the messages tell; a store counts it where ``needs_tally`` says so.

    Attributes:
        retracted_after_read: recalled messages with ``counts`` after ``read_seq`` that are
            neither the account's own nor deleted by it for itself (U2).
        preview_hidden: the account deleted the head's preview for itself (P2).
        older: what to show where it did: the next older visible message's preview.
        mentions_me: unread messages that mention the account by name (G3).
        mentions_all: other unread messages that mention ``@all``.
    """

    retracted_after_read: int = 0
    preview_hidden: bool = False
    older: Preview | None = None
    mentions_me: int = 0
    mentions_all: int = 0


NO_TALLY = Tally()
"""Of nearly all rows: what is unread is neither recalled nor mentions anybody."""


def unread(head: Head, membership: Membership, tally: Tally = NO_TALLY) -> int:
    """Count the countable messages (U1, U2)."""
    return (
        head_seen(head, membership).ordinal
        - membership.read_ordinal
        - membership.skipped_after_read
        - tally.retracted_after_read
    )


def needs_tally(head: Head, membership: Membership) -> bool:
    """Tell whether the messages may have something to say about this row."""
    seen = head_seen(head, membership)
    if membership.last_hidden and seen.preview and membership.last_hidden >= seen.preview.seq:
        return True
    return max(seen.last_retraction, seen.last_mention) > membership.read_seq


def is_visible(head: Head, membership: Membership) -> bool:
    """Tell whether the list has this row: not deleted, or a message came since (D1, D2)."""
    return head_seen(head, membership).last_seq > membership.deleted_seq


def row_version(head: Head, membership: Membership) -> int:
    """Return the number of the commit that last changed the row."""
    return max(head_seen(head, membership).version, membership.version)


def status_of(
    head: Head, preview: Preview | None, account: str, conversation: Conversation
) -> Status | None:
    """Tell how far the previewed message has come, if it is the account's own (P4, R6)."""
    if preview is None or preview.sender != account:
        return None
    if not is_p2p(conversation) or conversation[4:] == account:
        return "sent"
    peer_read = receipt_of(head, key_of(account, conversation), conversation[4:])
    return "read" if peer_read >= preview.seq else "sent"


def membership_state(head: Head, membership: Membership) -> MembershipState:
    """Tell whether the account is still in the team (T2)."""
    if membership.parting:
        return "removed" if membership.removed else "left"
    return "dismissed" if head.dismissed else "member"


def face_seen(head: Head, account: str, conversation: Conversation) -> Face:
    """Return the face of the account at the other end of a P2P conversation."""
    if not is_p2p(conversation):
        return NO_FACE
    return face_of(head, key_of(account, conversation), conversation[4:])


def entry_of(
    account: str,
    conversation: Conversation,
    head: Head,
    membership: Membership,
    tally: Tally = NO_TALLY,
) -> InboxEntry:
    """See a head through a membership.

    Args:
        account: whose row it is.
        conversation: as that account names it.
        head: the conversation's head.
        membership: the account's membership in it.
        tally: what only the messages tell.
    """
    seen = head_seen(head, membership)
    preview = tally.older if tally.preview_hidden else seen.preview
    if preview is not None and preview.seq <= membership.cleared_seq:
        preview = None
    face = face_seen(seen, account, conversation)
    return InboxEntry(
        conversation=conversation,
        version=row_version(head, membership),
        activity_ms=max(seen.activity_ms, membership.joined_ms),
        last_seq=seen.last_seq,
        read_seq=membership.read_seq,
        unread=unread(head, membership, tally),
        preview=preview,
        status=status_of(seen, preview, account, conversation),
        membership=membership_state(head, membership),
        name=seen.name if seen.name is not None else face.name or None,
        marked_unread=membership.marked_unread > 0,
        read_epoch=max(membership.read_epoch, membership.marked_unread),
        cleared_seq=membership.cleared_seq,
        draft=membership.draft,
        mute=membership.mute,
        avatar=seen.avatar or face.avatar,
        alias=membership.alias,
        pin=membership.pin,
        archived=is_archived(head, membership),
        mute_until_ms=membership.mute_until_ms,
        labels=membership.labels,
        extension=membership.extension,
        mentions_me=tally.mentions_me,
        mentions_all=tally.mentions_all,
    )
