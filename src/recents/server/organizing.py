"""Drafts, mutes, pins and the like: what an account keeps with a row (rules G, I1, O2, U4)."""

from __future__ import annotations

from recents.core.commands import MAX_LABELS, AddLabel, Archive, EndMute, RowCommand, SetDraft
from recents.core.errors import Code, Refused
from recents.core.head import Head
from recents.core.ids import ConversationKey, is_p2p, key_of
from recents.core.marks import asks_for_nothing, mute_ended, organized, takes_label
from recents.core.membership import Membership, Position, head_seen, joined
from recents.server.accounts import unknown_account
from recents.server.posting import beyond_end, faces_of, not_a_member
from recents.server.store.workspace import Wanted, Workspace


def want(actor: str, command: RowCommand, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    key = key_of(actor, command.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))
    if is_p2p(key):
        wanted.accounts.update((actor, command.conversation[4:]))
    if isinstance(command, Archive) and command.upto_seq is not None:
        wanted.positions.add((actor, key, command.upto_seq))


def carry_out(workspace: Workspace, actor: str, command: RowCommand, at_ms: int) -> None:
    """Change what an account keeps with a row.

    A draft begins a conversation for its author alone; taking away what is not there succeeds and
    creates nothing.

    Raises:
        Refused: ``not_a_member``, ``unknown_account``, ``beyond_end``; ``bad_value`` for a label
            too many.
    """
    key = key_of(actor, command.conversation)
    membership = workspace.membership(actor, key)
    if membership is None:
        if asks_for_nothing(command):
            return
        if not isinstance(command, SetDraft):
            raise not_a_member(command.conversation)
        membership = _begin(workspace, key, command, at_ms)
    head = workspace.head(key)
    assert head is not None, "a membership has its head"
    if isinstance(command, AddLabel) and not takes_label(membership, command.label):
        raise Refused(
            Code.BAD_VALUE, f"{command.conversation} has {MAX_LABELS} labels; take one off first"
        )
    position: Position | None = None
    if isinstance(command, Archive) and command.upto_seq is not None:
        newest = head_seen(head, membership).last_seq
        if command.upto_seq > newest:
            raise beyond_end(command.upto_seq, newest)
        position = workspace.position(actor, key, command.upto_seq)
    changed = organized(head, membership, command, at_ms, workspace.version, position)
    workspace.put_membership(actor, key, changed)


def want_end(actor: str, command: EndMute, wanted: Wanted) -> None:
    """Ask for what ``end_mute`` looks at."""
    key = key_of(actor, command.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))


def end_mute(workspace: Workspace, actor: str, command: EndMute, at_ms: int) -> None:
    """End a mute, unless it was given another end since (G2)."""
    key = key_of(actor, command.conversation)
    head, membership = workspace.head(key), workspace.membership(actor, key)
    if head is not None and membership is not None:
        ended = mute_ended(head, membership, at_ms, workspace.version)
        workspace.put_membership(actor, key, ended)


def _begin(
    workspace: Workspace, key: ConversationKey, command: SetDraft, at_ms: int
) -> Membership:
    if not is_p2p(key):
        raise not_a_member(command.conversation)
    peer = command.conversation[4:]
    if not workspace.account_exists(peer):
        raise unknown_account(peer)
    head = workspace.head(key)
    if head is None:
        head = Head(version=workspace.version, faces=faces_of(workspace, key))
        workspace.put_head(key, head)
    return joined(head, at_ms, workspace.version)
