"""Reading, deleting, clearing: one membership each (rules R1, R2, R5, R6, D1–D6)."""

from __future__ import annotations

from collections.abc import Iterator

from recents.core.commands import ClearHistory, Delete, DeleteAll, Read, ReadAll
from recents.core.entry import is_visible
from recents.core.errors import Code, Refused
from recents.core.head import Head, with_receipt
from recents.core.ids import ConversationKey, is_p2p, key_of, kind_of
from recents.core.membership import (
    Membership,
    Position,
    advance,
    head_seen,
    without_history,
    without_row,
)
from recents.server.posting import beyond_end
from recents.server.store.workspace import Wanted, Workspace
from recents.server.sync_token import version_in


def want(actor: str, command: Read | Delete | ClearHistory, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    key = key_of(actor, command.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))
    if command.upto_seq is not None:
        wanted.positions.add((actor, key, command.upto_seq))


def want_all(
    actor: str, command: ReadAll | DeleteAll, wanted: Wanted, epoch: str, newest: int
) -> None:
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


def carry_out(workspace: Workspace, actor: str, command: Read | Delete | ClearHistory) -> None:
    """Read, delete or clear one conversation; what is not there is a success (R2, D6).

    Raises:
        Refused: ``beyond_end``.
    """
    key = key_of(actor, command.conversation)
    head, membership = workspace.head(key), workspace.membership(actor, key)
    if head is None or membership is None:
        if command.upto_seq:
            raise beyond_end(command.upto_seq, 0)
        return
    newest = head_seen(head, membership).last_seq
    seq = newest if command.upto_seq is None else command.upto_seq
    if seq > newest:
        raise beyond_end(seq, newest)
    position = workspace.position(actor, key, seq)
    version = workspace.version
    match command:
        case Read():
            _read(workspace, actor, key, position)
        case Delete():
            changed = without_row(
                membership, position, version, clear_history=command.clear_history
            )
            workspace.put_membership(actor, key, changed)
        case ClearHistory():
            changed = without_history(membership, position, version)
            workspace.put_membership(actor, key, changed)


def carry_out_all(
    workspace: Workspace, actor: str, command: ReadAll | DeleteAll, upto: int | None
) -> None:
    """Read or delete every row of some kinds, as they were at a version (R5, D4)."""
    for key, head, membership in _rows_at(workspace, actor, command, upto):
        newest = head_seen(head, membership).last_seq
        seq = newest if upto is None else min(workspace.seq_at(actor, key, upto), newest)
        position = workspace.position(actor, key, seq)
        if isinstance(command, ReadAll):
            _read(workspace, actor, key, position)
        else:
            changed = without_row(
                membership, position, workspace.version, clear_history=command.clear_history
            )
            workspace.put_membership(actor, key, changed)


def _rows_at(
    workspace: Workspace, actor: str, command: ReadAll | DeleteAll, upto: int | None
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


def _read(workspace: Workspace, actor: str, key: ConversationKey, position: Position) -> None:
    head, membership = workspace.head(key), workspace.membership(actor, key)
    assert head is not None
    assert membership is not None
    workspace.put_membership(actor, key, advance(membership, position, workspace.version))
    if is_p2p(key):
        workspace.put_head(key, with_receipt(head, key, actor, position.seq, workspace.version))
