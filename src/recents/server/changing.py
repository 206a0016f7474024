"""Recalling, editing and deleting messages (rules P2, P3, U1, U2, O3, T1)."""

from __future__ import annotations

from recents.core.commands import DeleteMessages, Edit, MessageCommand, Recall
from recents.core.errors import Code, Refused
from recents.core.head import Head, amend, recall_notice, retract
from recents.core.ids import Conversation, ConversationKey, key_of
from recents.core.membership import after_own_removal, head_seen, is_present
from recents.core.message import RETRACTED, Message, edited, preview_of, recalled, vanished
from recents.server.posting import beyond_end, not_a_member
from recents.server.settings import Settings
from recents.server.store.workspace import Wanted, Workspace


def want(actor: str, command: MessageCommand, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    key = key_of(actor, command.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))
    seqs = command.seqs if isinstance(command, DeleteMessages) else (command.seq,)
    wanted.messages |= {(key, seq) for seq in seqs}
    if isinstance(command, DeleteMessages):
        wanted.hidden |= {(actor, key, seq) for seq in seqs}


def carry_out(
    workspace: Workspace, actor: str, command: MessageCommand, at_ms: int, settings: Settings
) -> None:
    """Recall, edit or delete messages; what is recalled already stays as it is, and is a success.

    Raises:
        Refused: ``not_a_member``, ``team_dismissed``, ``beyond_end``, ``not_the_sender``,
            ``too_late``, ``bad_value``.
    """
    key = key_of(actor, command.conversation)
    if isinstance(command, DeleteMessages):
        _delete(workspace, actor, key, command)
        return
    head = _head_of_member(workspace, actor, key, command.conversation)
    message = workspace.message(key, command.seq)
    if message is None:
        raise beyond_end(command.seq, head.last_seq)
    if isinstance(command, Edit):
        _check_sender(actor, message, "edit it")
        _check_time(message, at_ms, settings.edit_ms, "edited")
        changed = edited(message, command.text, command.mentions)
        head = amend(head, changed, workspace.version)
    else:
        if actor != head.owner:
            _check_sender(actor, message, "recall it, or the owner of its team")
        if message.state in RETRACTED:
            return
        if actor != head.owner:
            _check_time(message, at_ms, settings.recall_ms, "recalled")
        changed, head = _recall(workspace, actor, key, head, message, command)
    workspace.amend(key, changed, head.changes)
    workspace.put_head(key, head)


def _recall(
    workspace: Workspace,
    actor: str,
    key: ConversationKey,
    head: Head,
    message: Message,
    command: Recall,
) -> tuple[Message, Head]:
    version = workspace.version
    if command.notice:
        notice = recall_notice(message, actor)
        return recalled(message, actor), retract(head, message, version, fallback=notice)
    older = workspace.older(key, message.seq)
    shown = None if older is None else preview_of(older)
    return vanished(message), retract(head, message, version, fallback=shown)


def _delete(
    workspace: Workspace, actor: str, key: ConversationKey, command: DeleteMessages
) -> None:
    head, membership = workspace.head(key), workspace.membership(actor, key)
    newest = head_seen(head, membership).last_seq if head and membership else 0
    if max(command.seqs) > newest:
        raise beyond_end(max(command.seqs), newest)
    assert membership is not None, "who has no row sees no message"
    for seq in sorted(set(command.seqs)):
        message = workspace.message(key, seq)
        assert message is not None, "what lies below the end was wanted, and is there"
        if not workspace.is_hidden(actor, key, seq):
            workspace.hide(actor, key, message)
            membership = after_own_removal(membership, actor, message, workspace.version)
    workspace.put_membership(actor, key, membership)


def _head_of_member(
    workspace: Workspace, actor: str, key: ConversationKey, conversation: Conversation
) -> Head:
    head, membership = workspace.head(key), workspace.membership(actor, key)
    if head is None or membership is None or membership.parting is not None:
        raise not_a_member(conversation)
    if not is_present(head, membership):
        raise Refused(
            Code.TEAM_DISMISSED, f"{conversation} was dismissed; its messages stay as they are"
        )
    return head


def _check_sender(actor: str, message: Message, deed: str) -> None:
    if message.sender != actor:
        raise Refused(Code.NOT_THE_SENDER, f"only the sender of a message can {deed}")


def _check_time(message: Message, at_ms: int, within_ms: int | None, what: str) -> None:
    if within_ms is not None and at_ms - message.time_ms > within_ms:
        raise Refused(
            Code.TOO_LATE,
            f"a message can be {what} within {within_ms // 1_000} s",
            {"within_ms": within_ms},
        )
