"""Recalling and editing messages: one message and its head (rules P2, P3, U2, O3, T1)."""

from __future__ import annotations

from recents.core.commands import Edit, MessageCommand, Recall
from recents.core.errors import Code, Refused
from recents.core.head import Head, amend, recall_notice, retract
from recents.core.ids import Conversation, ConversationKey, key_of
from recents.core.membership import is_present
from recents.core.message import RETRACTED, Message, edited, preview_of, recalled, vanished
from recents.server.posting import beyond_end, not_a_member
from recents.server.settings import Settings
from recents.server.store.workspace import Wanted, Workspace


def want(actor: str, command: MessageCommand, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    key = key_of(actor, command.conversation)
    wanted.heads.add(key)
    wanted.memberships.add((actor, key))
    wanted.messages.add((key, command.seq))


def carry_out(
    workspace: Workspace, actor: str, command: MessageCommand, at_ms: int, settings: Settings
) -> None:
    """Recall or edit a message; what is recalled already stays as it is, and is a success.

    Raises:
        Refused: ``not_a_member``, ``team_dismissed``, ``beyond_end``, ``not_the_sender``,
            ``too_late``, ``bad_value``.
    """
    key = key_of(actor, command.conversation)
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
