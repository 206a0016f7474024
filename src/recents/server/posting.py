"""Posting: one head, one message, the sender's membership (rules M1–M4, U6, R3, T1, T2)."""

from __future__ import annotations

from recents.core.commands import Post
from recents.core.errors import Code, Refused
from recents.core.face import Faces
from recents.core.head import Head, absorb, next_message, with_receipt
from recents.core.ids import ConversationKey, is_p2p, key_of, parties_of
from recents.core.membership import Membership, after_own_send, is_present, joined, read_upto
from recents.server.accounts import unknown_account
from recents.server.store.workspace import Wanted, Workspace
from recents.wire.frames import Posted


def want(actor: str, post: Post, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    key = key_of(actor, post.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))
    wanted.client_keys.add((key, actor, post.client_id))
    if is_p2p(key):
        peer = post.conversation[4:]
        wanted.memberships.add((peer, key))
        wanted.accounts.update((actor, peer))
    if post.displayed_seq is not None:
        wanted.positions.add((actor, key, post.displayed_seq))


def carry_out(workspace: Workspace, actor: str, post: Post, at_ms: int) -> Posted:
    """Add a message to its conversation.

    Raises:
        Refused: ``unknown_account``, ``not_a_member``, ``team_dismissed``, ``beyond_end``.
    """
    key = key_of(actor, post.conversation)
    known = workspace.posted(key, actor, post.client_id)
    if known is not None:
        return Posted(seq=known.seq, ordinal=known.ordinal, time_ms=known.time_ms)
    head, membership = _place_of_sender(workspace, actor, key, post)
    version = workspace.version
    if post.displayed_seq is not None:
        if post.displayed_seq > head.last_seq:
            raise beyond_end(post.displayed_seq, head.last_seq)
        position = workspace.position(actor, key, post.displayed_seq)
        membership = read_upto(membership, position, version, post.epoch)
        if is_p2p(key):
            head = with_receipt(head, key, actor, post.displayed_seq, version)
    message = next_message(head, post, actor, at_ms)
    if is_p2p(key) and head.last_seq == 0:
        membership = _begin_p2p(workspace, actor, key, membership, message.time_ms)
    workspace.append(key, message)
    workspace.put_head(key, absorb(head, message, version))
    workspace.put_membership(actor, key, after_own_send(membership, message, version))
    return Posted(seq=message.seq, ordinal=message.ordinal, time_ms=message.time_ms)


def beyond_end(seq: int, newest_seq: int) -> Refused:
    """Return the refusal of a position that does not exist (R1)."""
    return Refused(
        Code.BEYOND_END,
        f"seq {seq} is beyond the newest message {newest_seq} of the conversation",
        {"newest_seq": newest_seq},
    )


def not_a_member(conversation: str) -> Refused:
    """Return the refusal that does not tell an outsider whether a team exists (T1)."""
    return Refused(
        Code.NOT_A_MEMBER, f"{conversation} does not exist, or you are not a member of it"
    )


def _place_of_sender(
    workspace: Workspace, actor: str, key: ConversationKey, post: Post
) -> tuple[Head, Membership]:
    head = workspace.head(key)
    membership = workspace.membership(actor, key)
    if head is not None and membership is not None:
        if is_present(head, membership):
            return head, membership
        if head.dismissed and not membership.parting:
            raise Refused(
                Code.TEAM_DISMISSED, f"{post.conversation} was dismissed; it takes no messages"
            )
        raise not_a_member(post.conversation)
    if not is_p2p(key):
        raise not_a_member(post.conversation)
    peer = post.conversation[4:]
    if not workspace.account_exists(peer):
        raise unknown_account(peer)
    return head or Head(faces=faces_of(workspace, key)), joined(Head(), 0, workspace.version)


def faces_of(workspace: Workspace, key: ConversationKey) -> Faces:
    """Return the faces with which a P2P conversation begins; its accounts were wanted."""
    first, second = parties_of(key)
    return workspace.face(first), workspace.face(second)


def _begin_p2p(
    workspace: Workspace, actor: str, key: ConversationKey, own: Membership, at_ms: int
) -> Membership:
    """Give both accounts their membership, unless a draft began it; return the sender's."""
    anew = joined(Head(), at_ms, workspace.version)
    begun = workspace.membership(actor, key) is not None
    for account in parties_of(key):
        if workspace.membership(account, key) is None:
            workspace.put_membership(account, key, anew)
    return own if begun else anew
