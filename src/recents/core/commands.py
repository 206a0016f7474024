"""What a user can ask, as values (rules C4, I1, M5, R1, R3–R5, D1–D5, G, P2, P3, T1, T2).

Rules of this file:

1. A command says what the user wants, never what the result is.
2. ``id`` is made by the client; the answer quotes it.
3. ``check`` looks at the command alone; whether it is allowed is decided against the state.
"""

from __future__ import annotations

from typing import Literal, assert_never

import msgspec

from recents.core.errors import Code, Refused
from recents.core.face import check_avatar
from recents.core.ids import (
    TEAM_KINDS,
    Conversation,
    Kind,
    check_conversation,
    check_display_name,
    check_encodable,
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

MAX_PIN_EXT_BYTES = 1_024
"""Of UTF-8; ``Pin.ext`` (G1)."""

MAX_LABEL_CHARACTERS = 64
MAX_LABELS = 20
"""Of one row (G5)."""

MAX_EXTENSION_BYTES = 4_096
"""Of UTF-8 (G7)."""

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
    """Mute a conversation; without a level, let it alert again (G2, U4).

    Attributes:
        until_ms: when that ends by itself, by the node's clock; None: it does not.
    """

    conversation: Conversation
    level: MuteLevel | None = None
    until_ms: int | None = None


class EndMute(Command, tag="end_mute", frozen=True):
    """End a mute whose time is up; the node gives it to itself, no device can (G2)."""

    conversation: Conversation


class Pin(Command, tag="pin", frozen=True):
    """Pin a row, or give its pin another place or text; the smallest rank is on top (G1, O1)."""

    conversation: Conversation
    rank: int
    ext: str = ""


class Unpin(Command, tag="unpin", frozen=True):
    """Take the pin of a row away (G1)."""

    conversation: Conversation


class Archive(Command, tag="archive", frozen=True):
    """Put a row out of the list, until somebody writes after ``upto_seq`` (G4).

    Attributes:
        upto_seq: the newest message that its device had; by default the newest there is.
    """

    conversation: Conversation
    upto_seq: int | None = None


class Unarchive(Command, tag="unarchive", frozen=True):
    """Put an archived row back into the list (G4)."""

    conversation: Conversation


class AddLabel(Command, tag="add_label", frozen=True):
    """Put a label on a row, as into a folder (G5)."""

    conversation: Conversation
    label: str


class RemoveLabel(Command, tag="remove_label", frozen=True):
    """Take a label off a row (G5)."""

    conversation: Conversation
    label: str


class SetExtension(Command, tag="set_extension", frozen=True):
    """Keep a text of the application with a row; an empty one for none (G7)."""

    conversation: Conversation
    text: str = ""


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


class SetAlias(Command, tag="set_alias", frozen=True):
    """Give a row a name of one's own, for all one's devices; an empty one takes it away."""

    conversation: Conversation
    alias: str = ""


class SetTeamAvatar(Command, tag="set_team_avatar", frozen=True):
    """Give a team another avatar; only the owner may. Moves no row (O3)."""

    conversation: Conversation
    avatar: str = ""


class SetProfile(Command, tag="set_profile", frozen=True):
    """Change one's own name, avatar, or both; None leaves one as it is. Moves no row (I1, O3)."""

    name: str | None = None
    avatar: str | None = None


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
RowCommand = (
    SetDraft
    | Mute
    | Pin
    | Unpin
    | Archive
    | Unarchive
    | AddLabel
    | RemoveLabel
    | SetExtension
    | SetAlias
)
TeamCommand = (
    CreateTeam | AddMembers | RemoveMember | LeaveTeam | RenameTeam | DismissTeam | SetTeamAvatar
)
NodeCommand = EndMute
MessageCommand = Recall | Edit | DeleteMessages
AnyCommand = (
    Post | ReadCommand | AllCommand | RowCommand | TeamCommand | SetProfile | MessageCommand
)


def check(command: AnyCommand) -> None:
    """Accept a command whose values are within the rules.

    Raises:
        Refused: ``bad_value``, saying which value and what is allowed.
    """
    check_token(command.id, "command id")
    match command:
        case Post():
            _check_post(command)
        case Read() | Delete() | ClearHistory() | Archive():
            check_conversation(command.conversation)
            _check_seq(command.upto_seq, "upto_seq")
            if isinstance(command, Read):
                _check_seq(command.epoch, "epoch")
        case MarkUnreadFrom():
            check_conversation(command.conversation)
            _check_seq(command.seq, "seq", least=1)
        case MarkUnread() | Unpin() | Unarchive():
            check_conversation(command.conversation)
        case Mute():
            check_conversation(command.conversation)
            _check_seq(command.until_ms, "until_ms")
            if command.level is None and command.until_ms is not None:
                raise Refused(Code.BAD_VALUE, "until_ms goes with a level; leave it out to unmute")
        case AddLabel() | RemoveLabel():
            check_conversation(command.conversation)
            _check_label(command.label)
        case SetExtension():
            check_conversation(command.conversation)
            _check_bytes(command.text, "extension", MAX_EXTENSION_BYTES)
        case Pin():
            check_conversation(command.conversation)
            _check_rank(command.rank)
            _check_bytes(command.ext, "ext of a pin", MAX_PIN_EXT_BYTES)
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
        case SetAlias():
            check_conversation(command.conversation)
            check_display_name(command.alias)
        case SetTeamAvatar():
            _check_team(command.conversation)
            check_avatar(command.avatar)
        case SetProfile():
            check_display_name(command.name or "")
            check_avatar(command.avatar or "")
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


def _check_rank(rank: int) -> None:
    if not -(2**53) < rank < 2**53:
        raise Refused(
            Code.BAD_VALUE, f"rank is {rank}; it must be between -(2**53) and 2**53, both excluded"
        )


def _check_label(label: str) -> None:
    check_encodable(label, "label")
    if not 1 <= len(label) <= MAX_LABEL_CHARACTERS:
        raise Refused(
            Code.BAD_VALUE,
            f"a label has {len(label)} characters; use 1 to {MAX_LABEL_CHARACTERS}",
        )


def _check_bytes(text: str, what: str, most: int) -> None:
    check_encodable(text, what)
    size = len(text.encode())
    if size > most:
        raise Refused(Code.BAD_VALUE, f"the {what} has {size} bytes; the limit is {most}")


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
