"""What an account must see, recounted from all the messages of a conversation.

Rules of this file:

1. Recount, never remember: each answer is found by going through the messages themselves.
2. Look only: no function here changes a fact.
3. One function per question, in the words of the rule that it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recents.testing import oracle_naming as naming
from recents.testing.oracle_facts import ALL, P2P, Face

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recents.testing.oracle_facts import Conversation, Member, Message

PREVIEW_CHARACTERS = 200
"""The longest text of a preview, in characters (P1)."""


@dataclass(frozen=True, slots=True)
class ExpectedPreview:
    """The newest visible message, in the short form that a row shows (P1)."""

    seq: int
    client_id: str
    sender: str
    kind: str
    time_ms: int
    text: str
    state: str
    recalled_by: str | None


@dataclass(frozen=True, slots=True)
class ExpectedDraft:
    """A text that was not sent yet, and since when it gives the row its place (G6, O2)."""

    text: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class ExpectedPin:
    """What holds a row at the top, when it was pinned, and when that was last changed (G1)."""

    rank: int
    ext: str
    pinned_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """One row of the list, as the account must see it."""

    conversation: str
    place_ms: int
    activity_ms: int
    last_seq: int
    read_seq: int
    unread: int
    preview: ExpectedPreview | None
    status: str | None
    membership: str
    name: str | None
    marked_unread: bool
    cleared_seq: int
    draft: ExpectedDraft | None
    mute: str | None
    pin: ExpectedPin | None
    archived: bool
    mute_until_ms: int | None
    labels: tuple[str, ...]
    extension: str
    avatar: str
    alias: str
    title: str
    mentions_me: int
    mentions_all: int


@dataclass(frozen=True, slots=True)
class ExpectedTotals:
    """The sums over the visible rows that are not archived."""

    unread: int
    unread_conversations: int
    conversations: int
    muted_unread: int
    marked_unread: int
    mentions: int
    badge: int


@dataclass(frozen=True, slots=True)
class ExpectedMessage:
    """One message of the history, with its whole text; empty once it is recalled."""

    seq: int
    client_id: str
    sender: str
    kind: str
    time_ms: int
    text: str
    state: str
    recalled_by: str | None


def messages_known_to(conversation: Conversation, account: str) -> Sequence[Message]:
    """All messages; for one who left, as they were when it left (T2)."""
    parting = conversation.members[account].parting
    return conversation.messages if parting is None else parting.messages


def countable_seqs(conversation: Conversation, account: str) -> list[int]:
    """The seqs of the messages that are unread for `account` (U1)."""
    return [message.seq for message in _countable(conversation, account)]


def mentioning_me(conversation: Conversation, account: str) -> list[int]:
    """The seqs of the unread messages that mention `account` by name (G3)."""
    return [one.seq for one in _countable(conversation, account) if account in one.mentions]


def mentioning_all(conversation: Conversation, account: str) -> list[int]:
    """The seqs of the unread messages that mention all, and not `account` by name as well (G3)."""
    return [
        one.seq
        for one in _countable(conversation, account)
        if ALL in one.mentions and account not in one.mentions
    ]


def _countable(conversation: Conversation, account: str) -> list[Message]:
    member = conversation.members[account]
    position = max(member.read_seq, member.cleared_seq, member.joined_seq)
    later = messages_known_to(conversation, account)[position:]
    return [
        message
        for message in later
        if message.counts
        and message.sender != account
        and message.recalled_by is None
        and message.seq not in member.deleted_messages
    ]


def uncounted_seqs(conversation: Conversation, account: str) -> dict[int, str]:
    """The seqs after the position that are not unread for `account`, and why (U1)."""
    member = conversation.members[account]
    position = max(member.read_seq, member.cleared_seq, member.joined_seq)
    reasons = {}
    for message in messages_known_to(conversation, account)[position:]:
        if message.seq in member.deleted_messages:
            reasons[message.seq] = "deleted"
        if message.recalled_by is not None:
            reasons[message.seq] = "recalled"
        if not message.counts:
            reasons[message.seq] = "silent"
        if message.sender == account:
            reasons[message.seq] = "own"
    return reasons


def history(conversation: Conversation, account: str) -> list[ExpectedMessage]:
    """The messages that `account` may see, oldest first, as they are now.

    Who left sees none that came later; of one that was recalled since nothing is left to show.
    """
    member = conversation.members[account]
    known = conversation.messages[: len(messages_known_to(conversation, account))]
    return [_expected_message(message) for message in known if _may_see(member, message)]


def preview(conversation: Conversation, account: str) -> ExpectedPreview | None:
    """The newest message that `account` may see and that may be a preview (P1).

    For one who left it is as it was then (T2); where that one is deleted, the next older one is
    shown as it is now (P2).
    """
    member = conversation.members[account]
    for message in reversed(messages_known_to(conversation, account)):
        if message.previews and not message.vanished:
            break
    else:
        return None
    if _may_see(member, message):
        return _expected_preview(message)
    for older in reversed(conversation.messages[: message.seq - 1]):
        if older.previews and _may_see(member, older):
            return _expected_preview(older)
    return None


def activity_ms(conversation: Conversation, account: str) -> int:
    """The newest of: joining, and the last bumping message; drafts left aside (O2).

    Times never decrease within a conversation (M4), so the last bumping message is the one
    with the highest time. It still holds the row's place when it is recalled or deleted.
    """
    joined_ms = conversation.members[account].joined_ms
    for message in reversed(messages_known_to(conversation, account)):
        if message.bumps:
            return max(joined_ms, message.time_ms)
    return joined_ms


def draft(conversation: Conversation, account: str) -> ExpectedDraft | None:
    """The draft that stands; while there is one its time never goes back (G6, O2)."""
    kept = conversation.members[account].drafts
    return ExpectedDraft(kept[-1].text, max(one.at_ms for one in kept)) if kept else None


def pin(conversation: Conversation, account: str) -> ExpectedPin | None:
    """The pin that stands: pinned once, changed since, and never back in time (G1)."""
    made = conversation.members[account].pins
    if not made:
        return None
    changed_ms = max(one.at_ms for one in made)
    return ExpectedPin(made[-1].rank, made[-1].ext, made[0].at_ms, changed_ms)


def place_ms(conversation: Conversation, account: str) -> int:
    """What places a row without a pin: its activity, or a draft that is newer (O2)."""
    standing = draft(conversation, account)
    activity = activity_ms(conversation, account)
    return activity if standing is None else max(activity, standing.time_ms)


def status(conversation: Conversation, account: str) -> str | None:
    """How far the previewed message got, if it is `account`'s own: "sent" or "read" (R6)."""
    shown = preview(conversation, account)
    if shown is None or shown.sender != account:
        return None
    if conversation.kind == P2P:
        for other, member in conversation.members.items():
            if other != account and member.receipt_seq >= shown.seq:
                return "read"
    return "sent"


def membership(conversation: Conversation, account: str) -> str:
    """`"member"`, `"left"`, `"removed"` or `"dismissed"` (T2)."""
    parting = conversation.members[account].parting
    if parting is not None:
        return parting.membership
    return "dismissed" if conversation.dismissed else "member"


def face(conversation: Conversation, account: str, peer: Face) -> tuple[str | None, str]:
    """Name and avatar: the peer's, or the team's; for one who left, as they were then (T2)."""
    if conversation.kind == P2P:
        return peer.name or None, peer.avatar
    parting = conversation.members[account].parting
    if parting is None:
        return conversation.name, conversation.avatar
    return parting.team_name, parting.team_avatar


def is_listed(conversation: Conversation, account: str) -> bool:
    """Whether the row shows: never deleted, or a message came since (D2)."""
    newest_known = len(messages_known_to(conversation, account))
    return newest_known > conversation.members[account].deleted_seq


def is_archived(conversation: Conversation, account: str, upto: int | None = None) -> bool:
    """Whether the row is out of the main list: archived, and nobody wrote since (G4).

    What somebody wrote does not matter where the row is muted, and goes on to matter when it is
    read, recalled or deleted. With `upto`: as it was for one who had the messages up to there.
    """
    member = conversation.members[account]
    if member.archived_seq is None:
        return False
    since = messages_known_to(conversation, account)[member.archived_seq : upto]
    return member.mute is not None or not any(
        message.counts and message.sender != account for message in since
    )


def row(named: str, conversation: Conversation, account: str, peer: Face) -> ExpectedRow:
    """The row of `conversation`, which `account` calls `named`; `peer` is at the other end."""
    member = conversation.members[account]
    name, avatar = face(conversation, account, peer)
    return ExpectedRow(
        conversation=named,
        place_ms=place_ms(conversation, account),
        activity_ms=activity_ms(conversation, account),
        last_seq=len(messages_known_to(conversation, account)),
        read_seq=member.read_seq,
        unread=len(countable_seqs(conversation, account)),
        preview=preview(conversation, account),
        status=status(conversation, account),
        membership=membership(conversation, account),
        name=name,
        marked_unread=member.dotted_by > 0,
        cleared_seq=member.cleared_seq,
        draft=draft(conversation, account),
        mute=member.mute,
        pin=pin(conversation, account),
        archived=is_archived(conversation, account),
        mute_until_ms=member.mute_until_ms,
        labels=tuple(sorted(member.labels)),
        extension=member.extension,
        avatar=avatar,
        alias=member.alias,
        title=naming.title(member.alias, name, named.partition(":")[2]),
        mentions_me=len(mentioning_me(conversation, account)),
        mentions_all=len(mentioning_all(conversation, account)),
    )


def place(row: ExpectedRow) -> tuple[int, int, bytes]:
    """What orders rows: pinned ones by rank, then the others, newest first, then names (O1)."""
    name = row.conversation.encode()
    return (1, -row.place_ms, name) if row.pin is None else (0, row.pin.rank, name)


def totals(listed: Sequence[ExpectedRow]) -> ExpectedTotals:
    """The sums over rows that are not archived; the badge has mentions of muted ones (G3, G4)."""
    rows = [row for row in listed if not row.archived]
    mentions = {row.conversation: row.mentions_me + row.mentions_all for row in rows}
    return ExpectedTotals(
        unread=sum(row.unread for row in rows),
        unread_conversations=len([row for row in rows if row.unread > 0]),
        conversations=len(rows),
        muted_unread=sum(row.unread for row in rows if row.mute is not None),
        marked_unread=len([row for row in rows if row.marked_unread]),
        mentions=sum(mentions.values()),
        badge=sum(row.unread for row in rows if row.mute is None)
        + sum(mentions[row.conversation] for row in rows if row.mute == "mentions"),
    )


def _may_see(member: Member, message: Message) -> bool:
    """Whether the history of `member` shows `message` (P1, D3, D5)."""
    return (
        message.seq > member.cleared_seq
        and message.seq not in member.deleted_messages
        and not message.vanished
    )


def _expected_preview(message: Message) -> ExpectedPreview:
    return ExpectedPreview(
        seq=message.seq,
        client_id=message.client_id,
        sender=message.sender,
        kind=message.kind,
        time_ms=message.time_ms,
        text=_on_one_line(_text_left(message))[:PREVIEW_CHARACTERS],
        state=message.state,
        recalled_by=message.recalled_by,
    )


def _expected_message(message: Message) -> ExpectedMessage:
    return ExpectedMessage(
        seq=message.seq,
        client_id=message.client_id,
        sender=message.sender,
        kind=message.kind,
        time_ms=message.time_ms,
        text=_text_left(message),
        state=message.state,
        recalled_by=message.recalled_by,
    )


def _text_left(message: Message) -> str:
    """The text, of which a recall leaves nothing (P2)."""
    return "" if message.recalled_by is not None else message.text


def _on_one_line(text: str) -> str:
    """`text` with each line break, however it is written, as one space (P1)."""
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
