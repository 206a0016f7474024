"""What one batch of commands works on: loaded state, and the changes made to it.

Rules of this file:

1. ``Wanted`` is asked for before the transaction, ``Loaded`` is what the store found,
   ``Workspace`` is loaded state with this batch's changes on top: later commands of a batch see
   the earlier ones.
2. Nothing here touches a store; a store may run a decision twice on two workspaces.
3. Each head and membership is written once per batch, in its last state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from recents.core.errors import Code, Refused
from recents.core.face import NO_FACE, Face
from recents.core.head import Head
from recents.core.ids import ConversationKey, is_p2p, named_by, parties_of
from recents.core.membership import Membership, Position, head_seen
from recents.core.message import Message, named_in

MembershipId = tuple[str, ConversationKey]
"""(account, key)"""

ClientKey = tuple[ConversationKey, str, str]
"""(key, sender, client_id): what makes a message unique (M2)."""

PositionKey = tuple[str, ConversationKey, int]
"""(account, key, seq)"""

MessageId = tuple[ConversationKey, int]
"""(key, seq)"""

HiddenId = tuple[str, ConversationKey, int]
"""(account, key, seq): a message that an account deletes for itself."""

CommandId = tuple[str, str]
"""(account, command id): what makes a command one (C4)."""

Cutoff = tuple[str, int]
"""(account, version): the account's conversations as they were at that version."""


class Amended(msgspec.Struct, frozen=True, gc=False):
    """A message that was recalled or edited, as it is now.

    Attributes:
        change: the number of this change in its conversation; see ``Head.changes``.
    """

    message: Message
    change: int


class Mention(msgspec.Struct, frozen=True, gc=False):
    """Somebody, or ``@all``, is mentioned in a countable message (G3).

    Attributes:
        since: the number of the edit that brought it; 0: it was so from the beginning.
    """

    key: ConversationKey
    target: str
    seq: int
    since: int
    sender: str


class Unmention(msgspec.Struct, frozen=True, gc=False):
    """A mention that ends with a recall or an edit; ``until`` is the number of that change."""

    key: ConversationKey
    target: str
    seq: int
    until: int


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of a command, kept so that it is applied once however often it is sent (C4).

    Attributes:
        at_ms: when it was decided; an old one is forgotten.
        version: see ``Answer.version`` of the wire.
        code: why it was refused; None: it was carried out.
    """

    at_ms: int
    version: int = 0
    code: Code | None = None
    message: str = ""
    details: dict[str, str | int] = {}

    def refusal(self) -> Refused | None:
        """Return why it was refused, or None."""
        return None if self.code is None else Refused(self.code, self.message, dict(self.details))


@dataclass(slots=True)
class Wanted:
    """What a batch has to look at.

    Attributes:
        heads: heads to load.
        memberships: memberships to load.
        accounts: accounts whose existence and face matter.
        client_keys: messages that may have been posted before (M2).
        commands: commands that may have been carried out or refused before (C4).
        positions: places to count from; those at the end of a conversation need no look-up.
        floors: memberships of which the position at ``first_readable`` is needed (R3).
        inboxes: accounts of which all memberships and heads are needed.
        cutoffs: needs, for each conversation of the account that got messages after that
            version, the position at it (D4, R5).
        talks: accounts of which all P2P conversations are needed, those included that only the
            other side has a row of: their heads, and the memberships of both.
        messages: messages that may be recalled or edited, and what a row shows instead (P2).
        hidden: messages that an account may have deleted for itself before.
    """

    heads: set[ConversationKey] = field(default_factory=set)
    memberships: set[MembershipId] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    client_keys: set[ClientKey] = field(default_factory=set)
    commands: set[CommandId] = field(default_factory=set)
    positions: set[PositionKey] = field(default_factory=set)
    floors: set[MembershipId] = field(default_factory=set)
    inboxes: set[str] = field(default_factory=set)
    cutoffs: set[Cutoff] = field(default_factory=set)
    talks: set[str] = field(default_factory=set)
    messages: set[MessageId] = field(default_factory=set)
    hidden: set[HiddenId] = field(default_factory=set)


@dataclass(slots=True)
class Loaded:
    """What a store found; what is not there does not exist.

    Attributes:
        olders: for each wanted message the next older one that a row may show.
    """

    heads: dict[ConversationKey, Head] = field(default_factory=dict)
    memberships: dict[MembershipId, Membership] = field(default_factory=dict)
    accounts: dict[str, Face] = field(default_factory=dict)
    posted: dict[ClientKey, Message] = field(default_factory=dict)
    verdicts: dict[CommandId, Verdict] = field(default_factory=dict)
    positions: dict[PositionKey, Position] = field(default_factory=dict)
    inboxes: dict[str, set[ConversationKey]] = field(default_factory=dict)
    cutoffs: dict[Cutoff, dict[ConversationKey, Position]] = field(default_factory=dict)
    talks: dict[str, set[ConversationKey]] = field(default_factory=dict)
    messages: dict[MessageId, Message] = field(default_factory=dict)
    olders: dict[MessageId, Message] = field(default_factory=dict)
    hidden: set[HiddenId] = field(default_factory=set)


class Workspace:
    """Loaded state with the changes of one batch.

    Attributes:
        version: number of the commit that this batch will be.
        messages: new messages, oldest first within each conversation.
        heads: changed heads.
        memberships: changed memberships.
        verdicts: what became of this batch's commands, those that are to be remembered.
        faces: changed faces of accounts.
        amended: messages that were recalled or edited, new ones included.
        mentions: mentions that begin; they are written before those that end.
        unmentions: mentions that end, in the order in which they do.
        hidden: messages that accounts deleted for themselves.
    """

    def __init__(self, version: int, loaded: Loaded) -> None:
        self.version = version
        self.messages: dict[ConversationKey, list[Message]] = {}
        self.heads: dict[ConversationKey, Head] = {}
        self.memberships: dict[MembershipId, Membership] = {}
        self.verdicts: dict[CommandId, Verdict] = {}
        self.faces: dict[str, Face] = {}
        self.amended: dict[MessageId, Amended] = {}
        self.mentions: list[Mention] = []
        self.unmentions: list[Unmention] = []
        self.hidden: dict[HiddenId, Message] = {}
        self._loaded = loaded
        self._posted: dict[ClientKey, Message] = {}

    @property
    def changed(self) -> bool:
        """Whether a row or a face changes; verdicts alone are stored without a new version."""
        return bool(self.heads or self.memberships or self.faces)

    def head(self, key: ConversationKey) -> Head | None:
        """Return a head as it is now."""
        return self.heads.get(key) or self._loaded.heads.get(key)

    def membership(self, account: str, key: ConversationKey) -> Membership | None:
        """Return a membership as it is now."""
        pair = (account, key)
        return self.memberships.get(pair) or self._loaded.memberships.get(pair)

    def account_exists(self, account: str) -> bool:
        """Tell whether an account exists; it must have been wanted."""
        return account in self._loaded.accounts

    def face(self, account: str) -> Face:
        """Return an account's face as it is now; the account must have been wanted."""
        return self.faces.get(account) or self._loaded.accounts.get(account, NO_FACE)

    def posted(self, key: ConversationKey, sender: str, client_id: str) -> Message | None:
        """Return the message that was posted with this id before, if any (M2)."""
        ids = (key, sender, client_id)
        return self._posted.get(ids) or self._loaded.posted.get(ids)

    def message(self, key: ConversationKey, seq: int) -> Message | None:
        """Return a wanted message as it is now."""
        amended = self.amended.get((key, seq))
        if amended is not None:
            return amended.message
        new = self.messages.get(key)
        if new and seq >= new[0].seq:
            return new[seq - new[0].seq] if seq <= new[-1].seq else None
        return self._loaded.messages.get((key, seq))

    def older(self, key: ConversationKey, seq: int) -> Message | None:
        """Return the newest message before a wanted one that a row may show (P1, P2)."""
        for new in reversed(self.messages.get(key, ())):
            shown = self.message(key, new.seq) if new.seq < seq and new.previews else None
            if shown is not None and shown.state != "gone":
                return shown
        found = self._loaded.olders.get((key, seq))
        while found is not None:
            amended = self.amended.get((key, found.seq))
            if amended is None or amended.message.state != "gone":
                return amended.message if amended else found
            found = self._loaded.olders.get((key, found.seq))
        return None

    def is_hidden(self, account: str, key: ConversationKey, seq: int) -> bool:
        """Tell whether an account has deleted a wanted message for itself."""
        one = (account, key, seq)
        return one in self.hidden or one in self._loaded.hidden

    def hide(self, account: str, key: ConversationKey, message: Message) -> None:
        """Delete a message for one account."""
        self.hidden[account, key, message.seq] = message

    def amend(self, key: ConversationKey, message: Message, change: int) -> None:
        """Put a message in the place of what it was before."""
        before = self.message(key, message.seq)
        assert before is not None, "what is changed was wanted"
        was, now = named_in(before), named_in(message)
        self._mention(key, message, now - was, change)
        self.unmentions += [
            Unmention(key, target, message.seq, change) for target in sorted(was - now)
        ]
        self.amended[key, message.seq] = Amended(message, change)

    def verdict(self, account: str, command_id: str) -> Verdict | None:
        """Return what became of a wanted command that was asked before, if it was (C4)."""
        asked = (account, command_id)
        return self.verdicts.get(asked) or self._loaded.verdicts.get(asked)

    def keys_of(self, account: str) -> set[ConversationKey]:
        """Return all conversations of a wanted inbox, those made in this batch included."""
        made = {key for owner, key in self.memberships if owner == account}
        return self._loaded.inboxes[account] | made

    def talks_of(self, account: str) -> set[ConversationKey]:
        """Return all P2P conversations of a wanted account, those made in this batch included."""
        made = {key for key in self.heads if is_p2p(key) and account in parties_of(key)}
        return self._loaded.talks[account] | made

    def seq_at(self, account: str, key: ConversationKey, version: int) -> int:
        """Return the newest seq that this conversation had at a wanted cutoff."""
        later = self._loaded.cutoffs[account, version].get(key)
        if later is not None:
            return later.seq
        head = self._loaded.heads.get(key)
        return head.last_seq if head else 0

    def position(self, account: str, key: ConversationKey, seq: int) -> Position:
        """Return the position of a wanted seq, or of the end where seq is at or beyond it."""
        head = self.head(key) or Head()
        membership = self.membership(account, key)
        if membership is not None:
            head = head_seen(head, membership)
        if seq >= head.last_seq:
            return Position(head.last_seq, head.ordinal)
        after = [message for message in self.messages.get(key, ()) if message.seq > seq]
        own = sum(message.counts and message.sender == account for message in after)
        own += sum(
            message.counts and message.sender != account and message.seq > seq
            for (owner, where, _), message in self.hidden.items()
            if (owner, where) == (account, key)
        )
        loaded_head = self._loaded.heads.get(key) or Head()
        if seq >= loaded_head.last_seq:
            first = after[0]
            return Position(seq, first.ordinal - first.counts, own)
        found = self._loaded.positions.get((account, key, seq))
        if found is None:
            found = self._found_by_cutoff(account, key, seq)
        return Position(seq, found.ordinal, found.skipped_after + own)

    def put_head(self, key: ConversationKey, head: Head) -> None:
        """Change a head; the very one that is there already is no change."""
        if head is not self.head(key):
            self.heads[key] = head

    def put_membership(self, account: str, key: ConversationKey, membership: Membership) -> None:
        """Change a membership; the very one that is there already is no change."""
        if membership is not self.membership(account, key):
            self.memberships[account, key] = membership

    def put_face(self, account: str, face: Face) -> None:
        """Change an account's face; the very one that is there already is no change."""
        if face is not self.face(account):
            self.faces[account] = face

    def append(self, key: ConversationKey, message: Message) -> None:
        """Add a message to the end of its conversation."""
        self.messages.setdefault(key, []).append(message)
        self._posted[key, message.sender, message.client_id] = message
        self._mention(key, message, named_in(message), 0)

    def _mention(
        self, key: ConversationKey, message: Message, targets: frozenset[str], since: int
    ) -> None:
        self.mentions += [
            Mention(key, target, message.seq, since, message.sender) for target in sorted(targets)
        ]

    def _found_by_cutoff(self, account: str, key: ConversationKey, seq: int) -> Position:
        for (owner, _), found in self._loaded.cutoffs.items():
            if owner == account and key in found and found[key].seq == seq:
                return found[key]
        raise AssertionError(f"position {seq} of {named_by(account, key)} was not wanted")
