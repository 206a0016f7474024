"""What a user can ask, as values (rules C4, M5, R1, R3–R5, D1–D5, G2, G6, T1, T2, P2, P3).

Rules of this file:

1. A command says what the user wants, never what the result is.
2. ``id`` is made by the client; the answer quotes it.
3. ``check`` looks at the command alone; whether it is allowed is decided against the state.
"""

from __future__ import annotations

from typing import Literal, assert_never

import msgspec

from recents.core.errors import Code, Refused
from recents.core.ids import (
    TEAM_KINDS,
    Conversation,
    Kind,
    check_conversation,
    check_display_name,
    check_id,
    kind_of,
)
from recents.core.message import (
    MAX_KIND_CHARACTERS,
    MAX_MENTIONS,
    MENTION_ALL,
    check_attachment,
    check_text,
    check_token,
)

MAX_MEMBERS_PER_COMMAND = 1_000
"""Bounds one frame and one transaction; the SDK splits longer lists."""

MAX_SEQS_PER_COMMAND = 100
"""Bounds one transaction; the SDK splits longer lists."""

MuteLevel = Literal["none", "mentions"]
"""What still alerts in a muted conversation: nothing, or being mentioned (G2)."""


class Command(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """Base of all commands: ``id`` is 1–64 printable ASCII characters made by the client."""

    id: str


class Post(Command, tag="post", frozen=True):
    """Send a message; the fields are those of ``Message``.

    Attributes:
        displayed_seq: the newest message the sender had on screen; reads up to there (U6).
        epoch: with ``displayed_seq``, what ``Read.epoch`` is for a read (R3).
    """

    conversation: Conversation
    client_id: str
    kind: str = "text"
    text: str = ""
    attachment: object = None
    mentions: tuple[str, ...] = ()
    counts: bool = True
    bumps: bool = True
    previews: bool = True
    displayed_seq: int | None = None
    epoch: int | None = None


class Read(Command, tag="read", frozen=True):
    """Read a conversation up to ``upto_seq``, by default up to the newest (R1, R2).

    Attributes:
        epoch: ``read_epoch`` of the row that the reader saw: a newer mark-unread stands (R3);
            None: the reader knows of every mark there is.
    """

    conversation: Conversation
    upto_seq: int | None = None
    epoch: int | None = None


class ReadAll(Command, tag="read_all", frozen=True):
    """Read all conversations of these kinds as they were at the token ``upto`` (R5)."""

    kinds: tuple[Kind, ...] | None = None
    upto: str | None = None


class MarkUnread(Command, tag="mark_unread", frozen=True):
    """Put a dot on a row; a flag, not a number (R4)."""

    conversation: Conversation


class MarkUnreadFrom(Command, tag="mark_unread_from", frozen=True):
    """Make the messages from ``seq`` on unread again: the one way back (R3)."""

    conversation: Conversation
    seq: int


class Delete(Command, tag="delete", frozen=True):
    """Delete a row, and with ``clear_history`` everything up to there (D1–D3, D6)."""

    conversation: Conversation
    upto_seq: int | None = None
    clear_history: bool = False


class DeleteAll(Command, tag="delete_all", frozen=True):
    """Delete all rows of these kinds as they were at the token ``upto`` (D4)."""

    kinds: tuple[Kind, ...] | None = None
    upto: str | None = None
    clear_history: bool = False


class ClearHistory(Command, tag="clear_history", frozen=True):
    """Clear the history up to ``upto_seq`` for me; the row stays (D5)."""

    conversation: Conversation
    upto_seq: int | None = None


class SetDraft(Command, tag="set_draft", frozen=True):
    """Keep a text that was not sent yet, for all devices; an empty one clears it (G6)."""

    conversation: Conversation
    text: str = ""


class Mute(Command, tag="mute", frozen=True):
    """Mute a conversation; without a level, let it alert again (G2, U4)."""

    conversation: Conversation
    level: MuteLevel | None = None


class CreateTeam(Command, tag="create_team", frozen=True):
    """Create a team with its first members; the sender owns it (T1)."""

    conversation: Conversation
    name: str = ""
    members: tuple[str, ...] = ()


class AddMembers(Command, tag="add_members", frozen=True):
    """Add accounts to a team; any member may (T1)."""

    conversation: Conversation
    members: tuple[str, ...]


class RemoveMember(Command, tag="remove_member", frozen=True):
    """Remove an account from a team; only the owner may (T2)."""

    conversation: Conversation
    member: str


class LeaveTeam(Command, tag="leave_team", frozen=True):
    """Leave a team; its owner cannot (T2)."""

    conversation: Conversation


class RenameTeam(Command, tag="rename_team", frozen=True):
    """Give a team another name; only the owner may. Moves no row (O3)."""

    conversation: Conversation
    name: str


class DismissTeam(Command, tag="dismiss_team", frozen=True):
    """End a team for everybody; only the owner may (T2)."""

    conversation: Conversation


class Recall(Command, tag="recall", frozen=True):
    """Take a message back for everybody (P2).

    Attributes:
        notice: its place shows who recalled it; without, it vanishes.
    """

    conversation: Conversation
    seq: int
    notice: bool = True


class Edit(Command, tag="edit", frozen=True):
    """Give a message of one's own another text, and say who is mentioned in it (P3)."""

    conversation: Conversation
    seq: int
    text: str
    mentions: tuple[str, ...] = ()


class DeleteMessages(Command, tag="delete_messages", frozen=True):
    """Delete messages for this account alone, on all its devices (U1, P2)."""

    conversation: Conversation
    seqs: tuple[int, ...]


ReadCommand = Read | MarkUnread | MarkUnreadFrom | Delete | ClearHistory
AllCommand = ReadAll | DeleteAll
RowCommand = SetDraft | Mute
TeamCommand = CreateTeam | AddMembers | RemoveMember | LeaveTeam | RenameTeam | DismissTeam
MessageCommand = Recall | Edit | DeleteMessages
AnyCommand = Post | ReadCommand | AllCommand | RowCommand | TeamCommand | MessageCommand


def check(command: AnyCommand) -> None:
    """Accept a command whose values are within the rules.

    Raises:
        Refused: ``bad_value``, saying which value and what is allowed.
    """
    check_token(command.id, "command id")
    match command:
        case Post():
            _check_post(command)
        case Read() | Delete() | ClearHistory():
            check_conversation(command.conversation)
            _check_seq(command.upto_seq, "upto_seq")
            if isinstance(command, Read):
                _check_seq(command.epoch, "epoch")
        case MarkUnreadFrom():
            check_conversation(command.conversation)
            _check_seq(command.seq, "seq", least=1)
        case MarkUnread() | Mute():
            check_conversation(command.conversation)
        case SetDraft():
            check_conversation(command.conversation)
            check_text(command.text)
        case ReadAll() | DeleteAll():
            pass
        case CreateTeam() | AddMembers():
            _check_team(command.conversation)
            _check_members(command.members)
            if isinstance(command, CreateTeam):
                check_display_name(command.name)
        case RemoveMember():
            _check_team(command.conversation)
            check_id(command.member)
        case RenameTeam():
            _check_team(command.conversation)
            check_display_name(command.name)
        case LeaveTeam() | DismissTeam():
            _check_team(command.conversation)
        case Recall() | Edit():
            check_conversation(command.conversation)
            _check_seq(command.seq, "seq", least=1)
            if isinstance(command, Edit):
                check_text(command.text)
                _check_mentions(command.mentions)
        case DeleteMessages():
            check_conversation(command.conversation)
            _check_seqs(command.seqs)
        case _:
            assert_never(command)


def _check_post(post: Post) -> None:
    check_conversation(post.conversation)
    check_token(post.client_id, "client_id")
    check_token(post.kind, "message kind", MAX_KIND_CHARACTERS)
    check_text(post.text)
    check_attachment(post.attachment)
    _check_seq(post.displayed_seq, "displayed_seq")
    _check_seq(post.epoch, "epoch")
    _check_mentions(post.mentions)


def _check_mentions(mentions: tuple[str, ...]) -> None:
    if len(mentions) > MAX_MENTIONS:
        raise Refused(
            Code.BAD_VALUE,
            f"{len(mentions)} mentions; use at most {MAX_MENTIONS}, or {MENTION_ALL}",
        )
    for account in mentions:
        if account != MENTION_ALL:
            check_id(account)


def _check_seq(seq: int | None, what: str, least: int = 0) -> None:
    if seq is not None and not least <= seq < 2**53:
        bound = f"{least} or above" if seq < least else "below 2**53"
        raise Refused(Code.BAD_VALUE, f"{what} is {seq}; it must be {bound}")


def _check_seqs(seqs: tuple[int, ...]) -> None:
    if not 1 <= len(seqs) <= MAX_SEQS_PER_COMMAND:
        raise Refused(
            Code.BAD_VALUE,
            f"{len(seqs)} messages in one command; name 1 to {MAX_SEQS_PER_COMMAND}",
        )
    for seq in seqs:
        _check_seq(seq, "seq", least=1)


def _check_team(conversation: Conversation) -> None:
    check_conversation(conversation)
    if kind_of(conversation) not in TEAM_KINDS:
        raise Refused(
            Code.BAD_VALUE, f"{conversation!r} is not a team: write team:ID or super_team:ID"
        )


def _check_members(members: tuple[str, ...]) -> None:
    if len(members) > MAX_MEMBERS_PER_COMMAND:
        raise Refused(
            Code.BAD_VALUE,
            f"{len(members)} members in one command; name at most {MAX_MEMBERS_PER_COMMAND} and "
            "add the others with further commands",
        )
    for account in members:
        check_id(account)
