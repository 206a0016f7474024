"""Reading, deleting, clearing: one membership each (rules R1–R6, D1–D6, G4)."""

from __future__ import annotations

from collections.abc import Iterator

from recents.core.commands import (
    AllCommand,
    ClearHistory,
    Delete,
    MarkUnread,
    MarkUnreadFrom,
    Read,
    ReadAll,
    ReadCommand,
)
from recents.core.entry import is_visible
from recents.core.errors import Code, Refused
from recents.core.head import Head, with_receipt
from recents.core.ids import ConversationKey, is_p2p, key_of, kind_of
from recents.core.membership import (
    Membership,
    Position,
    first_readable,
    head_seen,
    read_upto,
    unread_from,
    unread_marked,
    was_archived,
    without_history,
    without_row,
)
from recents.server.posting import beyond_end
from recents.server.store.workspace import Wanted, Workspace
from recents.wire.sync_token import version_in


def want(actor: str, command: ReadCommand, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    key = key_of(actor, command.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))
    match command:
        case MarkUnread():
            pass
        case MarkUnreadFrom():
            wanted.positions.add((actor, key, command.seq - 1))
            wanted.floors.add((actor, key))
        case _ if command.upto_seq is not None:
            wanted.positions.add((actor, key, command.upto_seq))
        case _:
            pass


def want_all(actor: str, command: AllCommand, wanted: Wanted, epoch: str, newest: int) -> None:
    """Ask for what ``carry_out_all`` looks at.

    Raises:
        Refused: ``bad_value`` for the token of another store.
    """
    wanted.inboxes.add(actor)
    if command.upto is not None:
        wanted.cutoffs.add((actor, upto_version(command.upto, epoch, newest)))


def upto_version(token: str, epoch: str, newest: int) -> int:
    """Return the version up to which a command for all rows goes.

    Raises:
        Refused: ``bad_value`` for the token of another store.
    """
    version = version_in(token, epoch, newest)
    if version is None:
        raise Refused(
            Code.BAD_VALUE, f"the token {token} is not from this store; catch up and ask again"
        )
    return version


def carry_out(workspace: Workspace, actor: str, command: ReadCommand) -> None:
    """Read, mark, delete or clear one conversation; what is not there is a success (R2, D6).

    Raises:
        Refused: ``beyond_end``.
    """
    key = key_of(actor, command.conversation)
    head, membership = workspace.head(key), workspace.membership(actor, key)
    asked = _asked_seq(command)
    if head is None or membership is None:
        if asked:
            raise beyond_end(asked, 0)
        return
    newest = head_seen(head, membership).last_seq
    seq = newest if asked is None else asked
    if seq > newest:
        raise beyond_end(seq, newest)
    version = workspace.version
    changed = membership
    match command:
        case Read():
            _read(workspace, actor, key, workspace.position(actor, key, seq), command.epoch)
            return
        case MarkUnread():
            if is_visible(head, membership):
                changed = unread_marked(membership, version)
        case MarkUnreadFrom():
            before = max(seq - 1, first_readable(membership))
            position = workspace.position(actor, key, before)
            changed = unread_from(membership, position, version)
        case Delete():
            position = workspace.position(actor, key, seq)
            changed = without_row(
                membership, position, version, clear_history=command.clear_history
            )
        case ClearHistory():
            position = workspace.position(actor, key, seq)
            changed = without_history(membership, position, version)
    workspace.put_membership(actor, key, changed)


def _asked_seq(command: ReadCommand) -> int | None:
    match command:
        case MarkUnread():
            return None
        case MarkUnreadFrom():
            return command.seq
        case _:
            return command.upto_seq


def carry_out_all(workspace: Workspace, actor: str, command: AllCommand, upto: int | None) -> bool:
    """Read or delete every row of some kinds in the main list, as it was at a version (R5, D4).

    Archived rows are left alone (G4): nobody who looks at the list sees them.

    Returns:
        Whether this changed anything.
    """
    changed_any = False
    for key, head, membership in _rows_at(workspace, actor, command, upto):
        newest = head_seen(head, membership).last_seq
        seq = newest if upto is None else min(workspace.seq_at(actor, key, upto), newest)
        position = workspace.position(actor, key, seq)
        if was_archived(membership, position, upto):
            continue
        if isinstance(command, ReadAll):
            changed_any |= _read(workspace, actor, key, position, upto)
        else:
            changed = without_row(
                membership, position, workspace.version, clear_history=command.clear_history
            )
            workspace.put_membership(actor, key, changed)
            changed_any |= changed is not membership
    return changed_any


def _rows_at(
    workspace: Workspace, actor: str, command: AllCommand, upto: int | None
) -> Iterator[tuple[ConversationKey, Head, Membership]]:
    for key in workspace.keys_of(actor):
        if command.kinds is not None and kind_of(key) not in command.kinds:
            continue
        head, membership = workspace.head(key), workspace.membership(actor, key)
        assert head is not None, "a wanted inbox is loaded whole"
        assert membership is not None
        known = upto is None or membership.joined_version <= upto
        # Of a row that is not in the list nobody says anything: no receipt, no cleared history.
        if known and is_visible(head, membership):
            yield key, head, membership


def _read(
    workspace: Workspace,
    actor: str,
    key: ConversationKey,
    position: Position,
    epoch: int | None,
) -> bool:
    """Read up to a position and tell the peer; return whether this changed anything."""
    head, membership = workspace.head(key), workspace.membership(actor, key)
    assert head is not None
    assert membership is not None
    version = workspace.version
    changed = read_upto(membership, position, version, epoch)
    workspace.put_membership(actor, key, changed)
    if not is_p2p(key):
        return changed is not membership
    told = with_receipt(head, key, actor, position.seq, version)
    workspace.put_head(key, told)
    return changed is not membership or told is not head
