"""What a user can ask, as values (rules C4, I1, M5, R1, R3–R5, D1–D5, G, P2, P3, T1, T2).

Rules of this file:

1. A command says what the user wants, never what the result is.
2. ``id`` is made by the client; the answer quotes it.
3. ``checking.check`` looks at the command alone; whether it is allowed is decided against the
   state.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from recents.core.ids import (
    Conversation,
    Kind,
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
