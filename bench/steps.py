"""What people do in a replay, as values.

Rules of this file:

1. A step says who does what where; what exactly it covers is seen when it is taken.
2. `touches` says what a step needs for itself: steps that touch the same never overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from recents.core.ids import Conversation, ConversationKey, Kind, is_p2p, key_of, parties_of


@dataclass(frozen=True, slots=True)
class _InOneConversation:
    account: str
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Create(_InOneConversation):
    """The first one to speak in a channel makes the team."""

    name: str


@dataclass(frozen=True, slots=True)
class Join(_InOneConversation):
    """`by`, who is a member, adds the account, for the first time or again (T1, U5)."""

    by: str


@dataclass(frozen=True, slots=True)
class Post(_InOneConversation):
    """Send; with `displayed` the sender says what it had on screen (U6)."""

    text: str
    mentions: tuple[str, ...] = ()
    displayed: bool = False


@dataclass(frozen=True, slots=True)
class Leave(_InOneConversation):
    """Leave a team (T2)."""


@dataclass(frozen=True, slots=True)
class Read(_InOneConversation):
    """Read what this device has, or only a part of what is unread: 0 to 1 (R1)."""

    part: float | None = None


@dataclass(frozen=True, slots=True)
class Delete(_InOneConversation):
    """Delete the row (D1), with `clear` the history as well (D3)."""

    clear: bool = False


@dataclass(frozen=True, slots=True)
class Clear(_InOneConversation):
    """Clear the history (D5)."""


@dataclass(frozen=True, slots=True)
class _InMany:
    account: str
    kinds: tuple[Kind, ...] | None
    everywhere: tuple[ConversationKey, ...]
    """All that the account has by then, whatever the kinds: nothing may happen there meanwhile."""


@dataclass(frozen=True, slots=True)
class ReadAll(_InMany):
    """Read everything, or some kinds (R5)."""


@dataclass(frozen=True, slots=True)
class DeleteAll(_InMany):
    """Delete every row, or those of some kinds (D4)."""

    clear: bool = False


@dataclass(frozen=True, slots=True)
class _WithDevice:
    account: str


@dataclass(frozen=True, slots=True)
class Reconnect(_WithDevice):
    """Close the device and open another one at once."""


@dataclass(frozen=True, slots=True)
class GoAway(_WithDevice):
    """Close the device; messages are missed from here on."""


@dataclass(frozen=True, slots=True)
class ComeBack(_WithDevice):
    """Open a device again."""


InOne = Create | Join | Post | Leave | Read | Delete | Clear
InMany = ReadAll | DeleteAll
WithDevice = Reconnect | GoAway | ComeBack
Step = InOne | InMany | WithDevice


def touches(step: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a step needs for itself alone, and what it shares.

    A conversation belongs to one step at a time, so that the oracle can be told in the same
    order. A device is shared by steps in different conversations, but not while it is closed.
    A list is shared by the steps that may begin a row in it, and belongs to a command on all
    rows: which rows there are must be certain then.
    """
    match step:
        case Join():
            return (step.conversation,), (_device(step.by), _list(step.account))
        case Create():
            return (step.conversation,), (_device(step.account), _list(step.account))
        case Post() if is_p2p(step.conversation):
            key = key_of(step.account, step.conversation)
            lists = {_list(account) for account in parties_of(key)}
            return (key,), (_device(step.account), *lists)
        case Post() | Leave() | Read() | Delete() | Clear():
            return (key_of(step.account, step.conversation),), (_device(step.account),)
        case ReadAll() | DeleteAll():
            return (*step.everywhere, _list(step.account)), (_device(step.account),)
        case Reconnect() | GoAway() | ComeBack():
            return (_device(step.account),), ()
        case _:
            assert_never(step)


def _device(account: str) -> str:
    return f"device:{account}"


def _list(account: str) -> str:
    return f"list:{account}"
