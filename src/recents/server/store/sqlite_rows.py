"""Rows of the SQLite store and the values they hold; ``sql/*.sql`` names the columns in order.

Rules of this file:

1. A value that is written and read again is equal to itself.
2. JSON is kept as text, so that any SQLite tool shows it; NULL stands for "there is none".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from recents.core.entry import NO_TALLY, Tally
from recents.core.errors import Code
from recents.core.face import NO_FACES, Face, Faces
from recents.core.head import Head
from recents.core.ids import Conversation, ConversationKey, named_by
from recents.core.membership import Archived, Draft, Membership, Pinned
from recents.core.message import Message, Preview, preview_text
from recents.core.totals import Totals
from recents.server.store.port import Seen, Webhook
from recents.server.store.workspace import (
    Amended,
    CommandId,
    HiddenId,
    Mention,
    MessageId,
    Unmention,
    Verdict,
)

Row = tuple[Any, ...]

_to_json = msgspec.json.Encoder().encode
_preview_from = msgspec.json.Decoder(Preview).decode
_head_from = msgspec.json.Decoder(Head).decode
_faces_from = msgspec.json.Decoder(Faces).decode
_texts_from = msgspec.json.Decoder(tuple[str, ...]).decode
_refusal_from = msgspec.json.Decoder(tuple[Code, str, dict[str, str | int]]).decode
_value_from = msgspec.json.Decoder().decode
_events_from = msgspec.json.Decoder(tuple[str, ...]).decode

_LARGEST = 2**63 - 1

_MEMBERSHIP = slice(3, 32)
_HEAD = slice(32, 48)
_TALLY = slice(48, 53)


def fitting(number: int) -> int:
    """Return the number nearest to ``number`` that SQLite can hold; beyond it lies no row."""
    return max(-_LARGEST, min(number, _LARGEST))


def json_text(value: object) -> str:
    """Return a value as JSON text."""
    return _to_json(value).decode()


def row_of_message(key: ConversationKey, message: Message, version: int) -> Row:
    """Return what ``add_message`` takes."""
    return (
        key,
        version,
        message.seq,
        message.ordinal,
        message.sender,
        message.client_id,
        message.time_ms,
        message.kind,
        message.text,
        None if message.attachment is None else json_text(message.attachment),
        json_text(message.mentions) if message.mentions else None,
        message.counts,
        message.bumps,
        message.previews,
        message.state,
        message.recalled_by,
    )


def amendment_of(message: MessageId, amended: Amended, version: int) -> Row:
    """Return what ``amend_message`` takes."""
    now = amended.message
    return (
        now.text,
        None if now.attachment is None else json_text(now.attachment),
        json_text(now.mentions) if now.mentions else None,
        now.state,
        now.recalled_by,
        amended.change,
        version,
        *message,
    )


def row_of_hidden(hidden: HiddenId, message: Message, version: int) -> Row:
    """Return what ``add_hidden`` takes."""
    return *hidden, version, message.counts and message.sender != hidden[0]


def row_of_mention(mention: Mention) -> Row:
    """Return what ``add_mention`` takes."""
    return mention.key, mention.target, mention.seq, mention.since, mention.sender


def end_of_mention(end: Unmention) -> Row:
    """Return what ``end_mention`` takes."""
    return end.until, end.key, end.target, end.seq, end.until


def message_of(row: Sequence[Any]) -> Message:
    """Return the message in a row of ``messages`` or ``posted``."""
    return Message(
        seq=row[0],
        ordinal=row[1],
        sender=row[2],
        client_id=row[3],
        time_ms=row[4],
        kind=row[5],
        text=row[6],
        attachment=None if row[7] is None else _value_from(row[7]),
        mentions=() if row[8] is None else _texts_from(row[8]),
        counts=bool(row[9]),
        bumps=bool(row[10]),
        previews=bool(row[11]),
        state=row[12],
        recalled_by=row[13],
    )


def webhook_of(row: Sequence[Any]) -> Webhook:
    """Return the webhook in a row of ``webhooks``."""
    webhook_id, url, events, *others = row
    return Webhook(webhook_id, url, _events_from(events), *others)


def row_of_head(key: ConversationKey, head: Head) -> Row:
    """Return what ``put_head`` takes."""
    low, high = head.receipts
    return (
        key,
        head.version,
        head.last_seq,
        head.ordinal,
        head.time_ms,
        head.activity_ms,
        head.last_retraction,
        low,
        high,
        head.dismissed,
        head.name,
        head.owner,
        None if head.preview is None else json_text(head.preview),
        None if head.faces == NO_FACES else json_text(head.faces),
        head.avatar or None,
        head.changes,
        head.last_mention,
    )


def head_of(row: Sequence[Any]) -> Head:
    """Return the head in its columns, from ``version`` to ``last_mention``."""
    return Head(
        version=row[0],
        last_seq=row[1],
        ordinal=row[2],
        time_ms=row[3],
        activity_ms=row[4],
        last_retraction=row[5],
        receipts=(row[6], row[7]),
        dismissed=bool(row[8]),
        name=row[9],
        owner=row[10],
        preview=None if row[11] is None else _preview_from(row[11]),
        faces=NO_FACES if row[12] is None else _faces_from(row[12]),
        avatar=row[13] or "",
        changes=row[14],
        last_mention=row[15],
    )


def row_of_membership(account: str, key: ConversationKey, membership: Membership) -> Row:
    """Return what ``put_membership`` takes."""
    draft = membership.draft
    return (
        account,
        named_by(account, key),
        key,
        membership.version,
        membership.joined_ms,
        membership.joined_seq,
        membership.joined_version,
        membership.read_seq,
        membership.read_ordinal,
        membership.skipped_after_read,
        membership.cleared_seq,
        membership.deleted_seq,
        membership.removed,
        None if membership.parting is None else json_text(membership.parting),
        membership.read_epoch,
        membership.marked_unread,
        membership.mute,
        None if draft is None else draft.time_ms,
        None if draft is None else draft.text,
        *_row_of_pin(membership.pin),
        *_row_of_archived(membership.archived),
        membership.mute_until_ms,
        json_text(membership.labels) if membership.labels else None,
        membership.extension,
        membership.alias or None,
        membership.last_hidden,
    )


def move_of_membership(account: str, key: ConversationKey, membership: Membership) -> Row:
    """Return what ``move_membership`` takes."""
    return (
        membership.version,
        membership.read_seq,
        membership.read_ordinal,
        membership.skipped_after_read,
        membership.cleared_seq,
        membership.deleted_seq,
        membership.read_epoch,
        membership.marked_unread,
        membership.last_hidden,
        account,
        named_by(account, key),
    )


def only_moved(old: Membership | None, new: Membership) -> bool:
    """Tell whether ``move_membership`` is enough to make the old row the new one."""
    return (
        old is not None
        and old.parting is new.parting
        and old.draft is new.draft
        and old.removed == new.removed
        and (old.mute, old.mute_until_ms) == (new.mute, new.mute_until_ms)
        and old.pin is new.pin
        and old.archived is new.archived
        and old.labels is new.labels
        and old.extension is new.extension
        and old.alias == new.alias
        and (old.joined_ms, old.joined_seq, old.joined_version)
        == (new.joined_ms, new.joined_seq, new.joined_version)
    )


def membership_of(row: Sequence[Any]) -> Membership:
    """Return the membership in its columns, from ``version`` to ``last_hidden``."""
    return Membership(
        version=row[0],
        joined_ms=row[1],
        joined_seq=row[2],
        joined_version=row[3],
        read_seq=row[4],
        read_ordinal=row[5],
        skipped_after_read=row[6],
        cleared_seq=row[7],
        deleted_seq=row[8],
        removed=bool(row[9]),
        parting=None if row[10] is None else _head_from(row[10]),
        read_epoch=row[11],
        marked_unread=row[12],
        mute=row[13],
        draft=None if row[14] is None else Draft(row[15], row[14]),
        pin=None if row[16] is None else Pinned(row[16], row[19], row[17], row[18]),
        archived=None if row[20] is None else Archived(*row[20:24]),
        mute_until_ms=row[24],
        labels=() if row[25] is None else _texts_from(row[25]),
        extension=row[26],
        alias=row[27] or "",
        last_hidden=row[28],
    )


def tally_of(row: Sequence[Any]) -> Tally:
    """Return the tally in its columns, from ``retracted_after_read`` to ``older``."""
    if not any(row):
        return NO_TALLY
    return Tally(
        retracted_after_read=row[0],
        mentions_me=row[1],
        mentions_all=row[2],
        preview_hidden=bool(row[3]),
        older=None if row[4] is None else _older_in(row[4]),
    )


def _older_in(text: str) -> Preview:
    seq, sender, client_id, time_ms, kind, words, state, recalled_by = _value_from(text)
    return Preview(
        seq=seq,
        client_id=client_id,
        sender=sender,
        time_ms=time_ms,
        kind=kind,
        text=preview_text(words),
        state=state,
        recalled_by=recalled_by,
    )


def _row_of_pin(pin: Pinned | None) -> Row:
    if pin is None:
        return None, None, None, None
    return pin.rank, pin.pinned_ms, pin.updated_ms, pin.ext


def _row_of_archived(archived: Archived | None) -> Row:
    if archived is None:
        return None, None, None, None
    return archived.seq, archived.ordinal, archived.own_after, archived.version


def seen_of(row: Sequence[Any]) -> Seen:
    """Return the head and the membership in a row of the view ``inbox``."""
    return Seen(
        account=row[0],
        conversation=Conversation(row[1]),
        key=ConversationKey(row[2]),
        membership=membership_of(row[_MEMBERSHIP]),
        head=head_of(row[_HEAD]),
        tally=tally_of(row[_TALLY]),
    )


def totals_in(row: Sequence[Any]) -> Totals:
    """Return the sums in a row of ``totals``."""
    return Totals(
        unread=row[0],
        unread_conversations=row[1],
        conversations=row[2],
        muted_unread=row[3],
        marked_unread=row[4],
        mentions=row[5],
        muted_mentions=row[6],
    )


def row_of_face(account: str, face: Face, version: int) -> Row:
    """Return what ``put_face`` takes."""
    return face.name, face.avatar, version, account


def row_of_verdict(command: CommandId, verdict: Verdict) -> Row:
    """Return what ``add_verdict`` takes."""
    account, command_id = command
    refusal = None
    if verdict.code is not None:
        refusal = json_text((verdict.code, verdict.message, verdict.details))
    return verdict.at_ms, command_id, account, verdict.version, refusal


def verdict_of(row: Sequence[Any]) -> Verdict:
    """Return the verdict in three columns, from ``at_ms`` to ``refusal``."""
    at_ms, version, refusal = row
    if refusal is None:
        return Verdict(at_ms, version)
    code, message, details = _refusal_from(refusal)
    return Verdict(at_ms, version, code, message, details)
