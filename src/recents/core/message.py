"""A message, what may be posted, and its short form in a row (rules M1–M5, P1).

Rules of this file:

1. A message is a value; recall and edit make another one with the same ``seq``.
2. ``ordinal`` is the running number of countable messages up to and including this one.
3. Everything that comes from outside passes ``check_post`` before it is stored (M5).
"""

from __future__ import annotations

import math
import re
from typing import Literal

import msgspec

from recents.core.errors import Code, Refused
from recents.core.ids import check_encodable

MAX_TEXT_CHARACTERS = 5_000
"""M5. The longest text that the large chat services accept lies between 4,096 and 5,000."""

MAX_ATTACHMENT_BYTES = 16 * 1024
"""M5. An attachment describes a file; the file itself lives elsewhere."""

MAX_MENTIONS = 200
"""M5."""

MAX_CLIENT_ID_CHARACTERS = 64
"""Room for a UUID with a prefix."""

MAX_KIND_CHARACTERS = 32

PREVIEW_CHARACTERS = 200
"""P1."""

MENTION_ALL = "@all"
"""Stands for every member in ``mentions``; ``@`` alone cannot make it clash: see I1."""

MessageState = Literal["normal", "edited", "recalled", "gone"]
"""``gone``: nobody sees it any more; only its place is left (M1)."""

RETRACTED: frozenset[MessageState] = frozenset({"recalled", "gone"})
"""What becomes of a message once: it stays so, whatever is asked later (P2)."""

Progress = Literal["sending", "failed", "sent"]
"""How far a message of one's own has come; ``sent``: the node has it (P4)."""

_NEWLINES = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r"[!-~]+", re.ASCII)


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A committed message; which conversation it belongs to is said beside it.

    Attributes:
        seq: place in its conversation: 1, 2, 3 … (M1).
        ordinal: number of messages with ``counts`` up to this one.
        client_id: the sender's own id; unique per sender and conversation (M2).
        time_ms: the node's time, never decreasing within a conversation (M4).
        attachment: any JSON value, at most 16 KiB encoded (M5).
        mentions: account ids, or ``@all``.
        counts: may raise unread (M3).
        bumps: may move the row up (M3).
        previews: may become the row's preview (M3).
        status: ``sent``; on the device that sends it first ``sending`` or ``failed``, while it
            has no place yet and ``seq`` is 0 (P4).
    """

    seq: int
    ordinal: int
    sender: str
    client_id: str
    time_ms: int
    kind: str = "text"
    text: str = ""
    attachment: object = None
    mentions: tuple[str, ...] = ()
    counts: bool = True
    bumps: bool = True
    previews: bool = True
    state: MessageState = "normal"
    recalled_by: str | None = None
    status: Progress = "sent"


class Preview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The short form of a message that a row shows (P1).

    Attributes:
        text: at most 200 characters, newlines turned into blanks; empty when recalled.
        recalled_by: the account that recalled the message (P2).
    """

    seq: int
    client_id: str
    sender: str
    time_ms: int
    kind: str = "text"
    text: str = ""
    state: MessageState = "normal"
    recalled_by: str | None = None


def preview_text(text: str) -> str:
    """Shorten a text for a row (P1)."""
    if "\n" in text or "\r" in text:
        # Each newline becomes one character or fewer, so twice the length is always enough.
        text = _NEWLINES.sub(" ", text[: 2 * PREVIEW_CHARACTERS])
    return text[:PREVIEW_CHARACTERS]


def preview_of(message: Message) -> Preview:
    """Return the preview of a message, whatever its state."""
    return Preview(
        seq=message.seq,
        client_id=message.client_id,
        sender=message.sender,
        time_ms=message.time_ms,
        kind=message.kind,
        text="" if message.state in RETRACTED else preview_text(message.text),
        state=message.state,
        recalled_by=message.recalled_by,
    )


def recalled(message: Message, by: str) -> Message:
    """Return the message as it is after ``by`` recalled it: its content is gone (P2)."""
    return msgspec.structs.replace(
        message, text="", attachment=None, mentions=(), state="recalled", recalled_by=by
    )


def is_countable(message: Message, account: str) -> bool:
    """Tell whether a message is unread for an account that has not come so far (U1)."""
    return message.counts and message.sender != account and message.state not in RETRACTED


def named_in(message: Message) -> frozenset[str]:
    """Return who is to be told of a message by name: accounts, ``@all`` (G3).

    Nobody, where it counts for nobody.
    """
    return frozenset(message.mentions) if message.counts else frozenset()


def vanished(message: Message) -> Message:
    """Return what is left of a message that was recalled without a notice: its place (P1)."""
    return msgspec.structs.replace(message, text="", attachment=None, mentions=(), state="gone")


def edited(message: Message, text: str, mentions: tuple[str, ...] = ()) -> Message:
    """Return the message with another text, and with who is mentioned in that (P3).

    Raises:
        Refused: ``bad_value`` when it was recalled, or the text is too long.
    """
    if message.state in RETRACTED:
        raise Refused(Code.BAD_VALUE, "the message was recalled; send a new one instead")
    check_text(text)
    return msgspec.structs.replace(message, text=text, mentions=mentions, state="edited")


def check_token(text: str, what: str, limit: int = MAX_CLIENT_ID_CHARACTERS) -> str:
    """Return ``text`` if it is a short printable ASCII word.

    Raises:
        Refused: ``bad_value``.
    """
    if len(text) > limit or not _TOKEN.fullmatch(text):
        raise Refused(
            Code.BAD_VALUE,
            f"{text[:80]!r} is not a valid {what}: use 1 to {limit} printable ASCII characters "
            "without blanks",
        )
    return text


def check_text(text: str) -> str:
    """Return ``text`` if it is short enough (M5).

    Raises:
        Refused: ``bad_value``.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Refused(
            Code.BAD_VALUE,
            f"the text has {len(text)} characters; send at most {MAX_TEXT_CHARACTERS}, or an "
            "attachment",
        )
    check_encodable(text, "text")
    return text


def check_attachment(attachment: object) -> None:
    """Accept any JSON value that is small enough (M5).

    Raises:
        Refused: ``bad_value``.
    """
    if attachment is None:
        return
    try:
        size = len(msgspec.json.encode(attachment))
        _check_numbers(attachment)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(Code.BAD_VALUE, f"the attachment is not JSON: {error}") from error
    if size > MAX_ATTACHMENT_BYTES:
        raise Refused(
            Code.BAD_VALUE,
            f"the attachment has {size} bytes as JSON; send at most {MAX_ATTACHMENT_BYTES}, or a "
            "link to the file",
        )


def _check_numbers(value: object) -> None:
    # JSON has no word for these, and the encoder would quietly write null.
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"there is no number {value} in it")
    if isinstance(value, dict):
        for member in value.values():
            _check_numbers(member)
    elif isinstance(value, list | tuple | set | frozenset):
        for member in value:
            _check_numbers(member)
