"""Which part of the node carries out which command, and that each is applied once (rule C4).

Rules of this file:

1. A command that was asked before gets the answer from then and changes nothing.
2. A message is known by its ``client_id`` (M2), every other command by its verdict, which is
   stored in the commit that carried it out. A refused message leaves none: nothing was applied.
"""

from __future__ import annotations

import msgspec

from recents.core.commands import (
    AddLabel,
    AnyCommand,
    Archive,
    ClearHistory,
    Delete,
    DeleteAll,
    DeleteMessages,
    Edit,
    EndMute,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    NodeCommand,
    Pin,
    Post,
    Read,
    ReadAll,
    Recall,
    RemoveLabel,
    SetAlias,
    SetDraft,
    SetExtension,
    SetProfile,
    Unarchive,
    Unpin,
)
from recents.core.entry import row_version
from recents.core.errors import Refused
from recents.core.ids import key_of
from recents.server import changing, organizing, posting, profiles, reading, rosters
from recents.server.settings import Settings
from recents.server.store.workspace import Verdict, Wanted, Workspace
from recents.wire.frames import Posted


class Done(msgspec.Struct, frozen=True, gc=False):
    """A command was carried out.

    Attributes:
        version: the row that it is about has this version now, or a later one; 0: no row.
        posted: of a message: where it stands.
    """

    version: int = 0
    posted: Posted | None = None


def want(
    actor: str,
    command: AnyCommand | NodeCommand,
    wanted: Wanted,
    epoch: str,
    newest: int,
    *,
    once: bool,
) -> None:
    """Ask for what ``carry_out_once`` will look at.

    Raises:
        Refused: the command cannot be carried out whatever the state is.
    """
    if once and not isinstance(command, Post):
        wanted.commands.add((actor, command.id))
    match command:
        case Post():
            posting.want(actor, command, wanted)
        case Read() | Delete() | ClearHistory() | MarkUnread() | MarkUnreadFrom():
            reading.want(actor, command, wanted)
        case ReadAll() | DeleteAll():
            reading.want_all(actor, command, wanted, epoch, newest)
        case SetDraft() | Mute() | Pin() | Unpin() | Archive() | Unarchive():
            organizing.want(actor, command, wanted)
        case AddLabel() | RemoveLabel() | SetExtension() | SetAlias():
            organizing.want(actor, command, wanted)
        case EndMute():
            organizing.want_end(actor, command, wanted)
        case SetProfile():
            profiles.want(actor, wanted)
        case Recall() | Edit() | DeleteMessages():
            changing.want(actor, command, wanted)
        case _:
            rosters.want(actor, command, wanted)


def carry_out_once(
    workspace: Workspace,
    actor: str,
    command: AnyCommand | NodeCommand,
    at_ms: int,
    epoch: str,
    settings: Settings,
    *,
    once: bool,
    objection: Refused | None = None,
) -> Done:
    """Carry out one command on a workspace; refused, it leaves the rows as they were.

    Args:
        workspace: what the batch works on.
        actor: who asks.
        command: what is asked.
        at_ms: the time of the batch.
        epoch: of the store.
        settings: limits of the node.
        once: it is applied once, however often it is sent (C4).
        objection: why it cannot be carried out; what was asked before is answered all the same.

    Raises:
        Refused: with the reason.
    """
    if isinstance(command, Post):
        _object(objection)
        posted = posting.carry_out(workspace, actor, command, at_ms)
        return Done(_version_after(workspace, actor, command), posted)
    if not once:
        return _carry_out(workspace, actor, command, at_ms, epoch, settings, objection)
    known = workspace.verdict(actor, command.id)
    if known is not None:
        refusal = known.refusal()
        if refusal is not None:
            raise refusal
        return Done(known.version)
    try:
        done = _carry_out(workspace, actor, command, at_ms, epoch, settings, objection)
    except Refused as refusal:
        workspace.verdicts[actor, command.id] = Verdict(
            at_ms, code=refusal.code, message=refusal.args[0], details=refusal.details
        )
        raise
    workspace.verdicts[actor, command.id] = Verdict(at_ms, done.version)
    return done


def _carry_out(
    workspace: Workspace,
    actor: str,
    command: AnyCommand | NodeCommand,
    at_ms: int,
    epoch: str,
    settings: Settings,
    objection: Refused | None,
) -> Done:
    _object(objection)
    match command:
        case Post():
            raise AssertionError("messages are known by their client_id")
        case Read() | Delete() | ClearHistory() | MarkUnread() | MarkUnreadFrom():
            reading.carry_out(workspace, actor, command)
        case ReadAll() | DeleteAll():
            upto = command.upto
            version = (
                None if upto is None else reading.upto_version(upto, epoch, workspace.version)
            )
            changed = reading.carry_out_all(workspace, actor, command, version)
            return Done(workspace.version if changed else 0)
        case SetDraft() | Mute() | Pin() | Unpin() | Archive() | Unarchive():
            organizing.carry_out(workspace, actor, command, at_ms)
        case AddLabel() | RemoveLabel() | SetExtension() | SetAlias():
            organizing.carry_out(workspace, actor, command, at_ms)
        case EndMute():
            organizing.end_mute(workspace, actor, command, at_ms)
        case SetProfile():
            changed = profiles.carry_out(workspace, actor, command)
            return Done(workspace.version if changed else 0)
        case Recall() | Edit() | DeleteMessages():
            changing.carry_out(workspace, actor, command, at_ms, settings)
        case _:
            rosters.carry_out(workspace, actor, command, at_ms)
    return Done(_version_after(workspace, actor, command))


def _object(objection: Refused | None) -> None:
    if objection is not None:
        raise Refused(objection.code, objection.args[0], objection.details)


def _version_after(workspace: Workspace, actor: str, command: AnyCommand | NodeCommand) -> int:
    """Return the version of the row that a command is about, as it stands after it.

    Not of the commit: a command that changes nothing belongs to none that a device would hear of.
    """
    if isinstance(command, ReadAll | DeleteAll | SetProfile):
        return 0
    key = key_of(actor, command.conversation)
    head, membership = workspace.head(key), workspace.membership(actor, key)
    if head is None or membership is None:
        return 0
    return row_version(head, membership)
