"""Which part of the node carries out which command."""

from __future__ import annotations

from recents.core.commands import AnyCommand, ClearHistory, Delete, DeleteAll, Post, Read, ReadAll
from recents.server import posting, reading, rosters
from recents.server.store.workspace import Wanted, Workspace
from recents.wire.frames import Posted


def want(actor: str, command: AnyCommand, wanted: Wanted, epoch: str, newest: int) -> None:
    """Ask for what ``carry_out`` will look at.

    Raises:
        Refused: the command cannot be carried out whatever the state is.
    """
    match command:
        case Post():
            posting.want(actor, command, wanted)
        case Read() | Delete() | ClearHistory():
            reading.want(actor, command, wanted)
        case ReadAll() | DeleteAll():
            reading.want_all(actor, command, wanted, epoch, newest)
        case _:
            rosters.want(actor, command, wanted)


def carry_out(
    workspace: Workspace, actor: str, command: AnyCommand, at_ms: int, epoch: str
) -> Posted | None:
    """Carry out one command on a workspace; refused, it leaves the workspace as it was.

    Raises:
        Refused: with the reason.
    """
    match command:
        case Post():
            return posting.carry_out(workspace, actor, command, at_ms)
        case Read() | Delete() | ClearHistory():
            reading.carry_out(workspace, actor, command)
        case ReadAll() | DeleteAll():
            upto = command.upto
            version = (
                None if upto is None else reading.upto_version(upto, epoch, workspace.version)
            )
            reading.carry_out_all(workspace, actor, command, version)
        case _:
            rosters.carry_out(workspace, actor, command, at_ms)
    return None
