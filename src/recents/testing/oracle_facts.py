"""What the oracle remembers: every message, and what each member did.

Rules of this file:

1. Facts only. Nothing here is a sum, a counter or a row; those are recounted when asked for.
2. Nothing is ever thrown away: a recalled or deleted message stays, with the fact beside it.
3. Nothing of `recents` is imported but the oracle's own files.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

P2P = "p2p"
TEAM_KINDS = ("team", "super_team")
KINDS = (P2P, *TEAM_KINDS)
MOST_LABELS = 20

ALL = "@all"
"""Stands for everybody among the mentions of a message."""
MUTE_LEVELS = ("none", "mentions")

NEVER_DELETED = -1
"""`Member.deleted_seq` of a row that nobody deleted; an empty row is deleted at 0."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as posted and with what became of it."""

    seq: int
    client_id: str
    sender: str
    time_ms: int
    kind: str
    text: str
    counts: bool
    bumps: bool
    previews: bool
    edited: bool = False
    recalled_by: str | None = None
    recall_notice: bool = False
    mentions: frozenset[str] = frozenset()

    @property
    def state(self) -> str:
        """`"normal"`, `"edited"` or `"recalled"` (P1)."""
        if self.recalled_by is not None:
            return "recalled"
        return "edited" if self.edited else "normal"

    @property
    def vanished(self) -> bool:
        """Whether it was recalled without a notice, so that nobody sees it any more (P1)."""
        return self.recalled_by is not None and not self.recall_notice


@dataclass(frozen=True, slots=True)
class Parting:
    """A photograph of a team at the moment somebody left it (T2)."""

    membership: str
    """`"left"` or `"removed"`."""
    messages: tuple[Message, ...]
    team_name: str | None
    team_avatar: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that was not sent yet, and when somebody wanted it kept (G6)."""

    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Pin:
    """Where somebody wanted a row held, and when (G1)."""

    rank: int
    ext: str
    at_ms: int


@dataclass(slots=True)
class Member:
    """What one account did in one conversation."""

    joined_ms: int
    joined_seq: int
    read_seq: int
    """How far read; reading, deleting, clearing and joining move it forward, one mark back."""
    receipt_seq: int = 0
    """How far the others are told it was read; only reading moves it (R6)."""
    cleared_seq: int = 0
    deleted_seq: int = NEVER_DELETED
    deleted_messages: set[int] = field(default_factory=set)
    """The seqs that were deleted for this account alone."""
    parting: Parting | None = None
    marks: int = 0
    """How often the account marked this conversation unread, in either way."""
    moved_back_by: int = 0
    """Which of these marks last moved `read_seq` back (R3); 0: none since it joined."""
    dotted_by: int = 0
    """Which of these marks put the dot on the row (R4); 0: there is no dot."""
    drafts: list[Draft] = field(default_factory=list)
    """All versions of the draft since there was none; the last one stands (G6)."""
    mute: str | None = None
    """What still alerts: `"none"` or `"mentions"`; None: everything (G2)."""
    alias: str = ""
    """What the account itself calls the row (I1)."""
    mute_until_ms: int | None = None
    """When the mute ends by itself; None: it does not (G2)."""
    labels: set[str] = field(default_factory=set)
    """The labels of the row (G5)."""
    extension: str = ""
    """A text of the application (G7)."""
    pins: list[Pin] = field(default_factory=list)
    """All versions of the pin since there was none; the last one stands (G1)."""
    archived_seq: int | None = None
    """The newest message when the row was archived, or when its mute changed since (G4)."""

    def read(self, seq: int, marks_known: int | None) -> None:
        """Read up to `seq`, as somebody who knew of so many marks; None: of all (R1, R3, R4).

        A mark that the reader did not know of stands: it was made after what the reader saw.
        """
        if marks_known is None or self.moved_back_by <= marks_known:
            self.read_seq = max(self.read_seq, seq)
        if marks_known is None or self.dotted_by <= marks_known:
            self.dotted_by = 0
        # Whoever wrote may know that it was on a screen, whatever its reader marked since (R6).
        self.receipt_seq = max(self.receipt_seq, seq)

    def delete(self, seq: int) -> None:
        """Hide the row up to `seq`, which is read; dot, pin and archive go with it (D1, D2)."""
        self.read_seq = max(self.read_seq, seq)
        if seq > self.deleted_seq:
            self.deleted_seq = seq
            self.dotted_by = 0
            self.pins = []
            self.archived_seq = None

    def clear(self, seq: int) -> None:
        """Take the messages up to `seq` away; they are read with it (D3, D5)."""
        self.read_seq = max(self.read_seq, seq)
        self.cleared_seq = max(self.cleared_seq, seq)

    def copy(self) -> Member:
        """Return the same, to go another way from here."""
        return replace(
            self,
            deleted_messages=self.deleted_messages.copy(),
            drafts=self.drafts.copy(),
            pins=self.pins.copy(),
            labels=self.labels.copy(),
        )


@dataclass(frozen=True, slots=True)
class Face:
    """What an account said of itself last: its name, and what stands for its picture (I1)."""

    name: str = ""
    avatar: str = ""


@dataclass(slots=True)
class Conversation:
    """All messages and all members, former ones included, of one conversation."""

    kind: str
    owner: str | None = None
    name: str | None = None
    dismissed: bool = False
    messages: list[Message] = field(default_factory=list)
    """Message `seq` stands at place `seq - 1` (M1)."""
    first_seqs: dict[tuple[str, str], int] = field(default_factory=dict)
    """The seq that was given to (sender, client_id) (M2)."""
    avatar: str = ""
    """Stands for the picture of a team."""
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def newest_seq(self) -> int:
        """The seq of the newest message, 0 while there is none."""
        return len(self.messages)

    def is_present(self, account: str) -> bool:
        """Whether `account` is a member now, neither gone nor in a dismissed team."""
        member = self.members.get(account)
        return member is not None and member.parting is None and not self.dismissed

    def join(self, account: str, at_ms: int) -> None:
        """Make `account` a member, again if it had gone: nothing of before is unread (U5).

        Its mute, its pin, its labels, its extension and its alias go on (G, I1), its marks, its
        draft and its archiving do not.
        """
        before = self.members.get(account)
        if before is None:
            self.members[account] = Member(at_ms, self.newest_seq, self.newest_seq)
        elif before.parting is not None:
            before.parting = None
            before.joined_ms = max(before.joined_ms, at_ms)
            before.joined_seq = before.read_seq = self.newest_seq
            before.deleted_seq = NEVER_DELETED
            before.moved_back_by = before.dotted_by = 0
            before.drafts = []
            before.archived_seq = None

    def part(self, account: str, membership: str) -> None:
        """Take `account` out; it goes on seeing the team as it is at this moment (T2)."""
        if self.is_present(account):
            photograph = Parting(membership, tuple(self.messages), self.name, self.avatar)
            self.members[account].parting = photograph

    def copy(self) -> Conversation:
        """Return the same, to go another way from here."""
        return replace(
            self,
            messages=self.messages.copy(),
            first_seqs=self.first_seqs.copy(),
            members={account: member.copy() for account, member in self.members.items()},
        )


def kind_of(conversation: str) -> str:
    """`"p2p"`, `"team"` or `"super_team"`: what stands before the colon.

    Raises:
        ValueError: No conversation can have this name.
    """
    kind, _, who = conversation.partition(":")
    if kind not in KINDS or not who:
        raise ValueError(f"{conversation!r} is not the name of a conversation")
    return kind
