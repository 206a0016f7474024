"""One tree of errors, split first by whose fault it is.

* RecentsError
  * CallerMistake    an argument you passed cannot be right; nothing was sent
  * PeerMistake      the other side broke the protocol
  * Refused          the node says no: a stable ``code`` and plain ``details``
  * Unavailable      not now: no connection, or the node is stopping or overloaded

Rules of this file:

1. Every refusal has a ``Code``; the wire sends it, programs switch on it, it is never renamed.
2. A message says what is wrong and what to do; it never holds the text of a chat message.
3. Errors carry plain values only, so this file imports nothing of ours.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Why something was refused; stable, documented in ``docs/protocol.md``."""

    BAD_FRAME = "bad_frame"
    TOO_LARGE = "too_large"
    HELLO_FIRST = "hello_first"
    ALREADY_GREETED = "already_greeted"
    PROTOCOL_VERSION = "protocol_version"
    BAD_VALUE = "bad_value"
    UNAUTHORIZED = "unauthorized"
    REVOKED = "revoked"
    REPLACED = "replaced"
    UNKNOWN_ACCOUNT = "unknown_account"
    ACCOUNT_EXISTS = "account_exists"
    NOT_A_MEMBER = "not_a_member"
    NOT_THE_OWNER = "not_the_owner"
    OWNER_CANNOT_LEAVE = "owner_cannot_leave"
    TEAM_EXISTS = "team_exists"
    TEAM_FULL = "team_full"
    TEAM_DISMISSED = "team_dismissed"
    BEYOND_END = "beyond_end"
    NOT_FOUND = "not_found"
    OVERLOADED = "overloaded"
    STORE_FAILED = "store_failed"
    NODE_MISTAKE = "node_mistake"
    CLOSING = "closing"
    FORBIDDEN = "forbidden"
    KEY_REUSED = "key_reused"
    SHOWN_ONCE = "shown_once"
    NOT_THE_SENDER = "not_the_sender"
    TOO_LATE = "too_late"


class RecentsError(Exception):
    """Base of everything this package raises on purpose."""


class CallerMistake(RecentsError, ValueError):
    """An argument cannot be right. Nothing was sent and nothing changed."""


class PeerMistake(RecentsError):
    """The other side sent something that the protocol does not allow."""


class Refused(RecentsError):
    """The request was understood and refused; nothing changed.

    Attributes:
        code: the stable reason.
        details: plain values that a program may want, e.g. ``{"newest_seq": 7}``.
    """

    def __init__(
        self, code: Code, message: str, details: dict[str, str | int] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.args[0]} [{self.code}]"


class Unavailable(RecentsError):
    """Not now; the same call may succeed later.

    Attributes:
        retry_after_s: seconds after which trying again makes sense, or None where only
            somebody's intervention helps.
    """

    def __init__(self, message: str, retry_after_s: float | None = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
