"""Whether the values of a command are within the rules (rules I1, M5, G1, G5, G7).

Rules of this file:

1. Everything that comes from outside passes ``check``, on devices and on the node alike.
2. The command alone is looked at: whether it is allowed is decided against the state.
"""

from __future__ import annotations

from typing import assert_never

from recents.core.commands import (
    MAX_EXTENSION_BYTES,
    MAX_LABEL_CHARACTERS,
    MAX_MEMBERS_PER_COMMAND,
    MAX_PIN_EXT_BYTES,
    MAX_SEQS_PER_COMMAND,
    AddLabel,
    AddMembers,
    AnyCommand,
    Archive,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    DeleteMessages,
    DismissTeam,
    Edit,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    ReadAll,
    Recall,
    RemoveLabel,
    RemoveMember,
    RenameTeam,
    SetAlias,
    SetDraft,
    SetExtension,
    SetProfile,
    SetTeamAvatar,
    TeamCommand,
    Unarchive,
    Unpin,
)
from recents.core.errors import Code, Refused
from recents.core.face import check_avatar
from recents.core.ids import (
    TEAM_KINDS,
    Conversation,
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
        case SetAlias():
            check_conversation(command.conversation)
            check_display_name(command.alias)
        case ReadAll() | DeleteAll():
            pass
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
            _check_team_command(command)


def _check_team_command(command: TeamCommand) -> None:
    _check_team(command.conversation)
    match command:
        case CreateTeam() | AddMembers():
            _check_members(command.members)
            if isinstance(command, CreateTeam):
                check_display_name(command.name)
        case RemoveMember():
            check_id(command.member)
        case RenameTeam():
            check_display_name(command.name)
        case SetTeamAvatar():
            check_avatar(command.avatar)
        case LeaveTeam() | DismissTeam():
            pass
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
