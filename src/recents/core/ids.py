"""Names: accounts, conversations and their keys (rules I1–I3).

Rules of this file:

1. An id is 1–63 bytes of printable ASCII without blank ``:`` ``|`` ``/`` ``#`` (I1).
2. An account names a P2P conversation by the peer (``p2p:bob``); the node's key of it is the
   two accounts in byte order (``p2p:alice|bob``), the same from both sides (I2).
3. The key of a team is what every member calls it: ``team:t1``, ``super_team:big``.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NewType

from recents.core.errors import Code, Refused

Conversation = NewType("Conversation", str)
"""A conversation as one account names it: ``p2p:bob``, ``team:t1``, ``super_team:big``."""

ConversationKey = NewType("ConversationKey", str)
"""A conversation as the node names it: ``p2p:alice|bob``, ``team:t1``, ``super_team:big``."""

MAX_ID_BYTES = 63
"""I1. The limit of a DNS label; long enough for a UUID or a slug, short enough for an index."""

MAX_DISPLAY_NAME_CHARACTERS = 128
"""I1."""

NAMES_KEPT = 32_768
"""Names and keys worked out before, each some 200 bytes. Every message asks a dozen times for
those of its one conversation; looking them up is five times faster than cutting text again."""

_ID = re.compile(r"(?![:|/#])[!-~](?:(?![:|/#])[!-~]){0,62}", re.ASCII)
_NAMED = re.compile(r"(p2p|team|super_team):((?:(?![:|/#])[!-~]){1,63})", re.ASCII)


class Kind(StrEnum):
    """The kinds of conversations; numbers (I3) exist only on the NIM faces."""

    P2P = "p2p"
    TEAM = "team"
    SUPER_TEAM = "super_team"


TEAM_KINDS = frozenset({Kind.TEAM, Kind.SUPER_TEAM})


def check_id(text: str, what: str = "account id") -> str:
    """Return ``text`` if it is an id by I1.

    Raises:
        Refused: ``bad_value``, saying what an id looks like.
    """
    if not _ID.fullmatch(text):
        raise Refused(
            Code.BAD_VALUE,
            f"{text[:80]!r} is not a valid {what}: use 1 to {MAX_ID_BYTES} printable ASCII "
            "characters without blanks and without : | / #",
        )
    return text


def check_display_name(name: str) -> str:
    """Return ``name`` if it may be shown as a name by I1.

    Raises:
        Refused: ``bad_value`` when it is longer than 128 characters, or is not Unicode text.
    """
    check_encodable(name, "name")
    if len(name) > MAX_DISPLAY_NAME_CHARACTERS:
        raise Refused(
            Code.BAD_VALUE,
            f"the name has {len(name)} characters; use at most {MAX_DISPLAY_NAME_CHARACTERS}",
        )
    return name


def check_encodable(text: str, what: str) -> None:
    """Accept text that UTF-8 can carry; half a surrogate pair cannot be stored or sent.

    Raises:
        Refused: ``bad_value``.
    """
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused(
            Code.BAD_VALUE,
            f"character {error.start} of the {what} is half a surrogate pair; send whole ones",
        ) from error


@lru_cache(NAMES_KEPT)
def check_conversation(text: str) -> Conversation:
    """Return ``text`` if it names a conversation.

    Raises:
        Refused: ``bad_value``, saying what such a name looks like.
    """
    if not _NAMED.fullmatch(text):
        raise Refused(
            Code.BAD_VALUE,
            f"{text[:80]!r} does not name a conversation: write p2p:ACCOUNT, team:ID or "
            "super_team:ID",
        )
    return Conversation(text)


def p2p(account: str) -> Conversation:
    """Name the conversation with ``account``: ``p2p("bob")`` is ``p2p:bob``.

    Raises:
        Refused: ``bad_value`` when the account id breaks I1.
    """
    return Conversation(f"p2p:{check_id(account)}")


def team(team_id: str) -> Conversation:
    """Name a team's conversation: ``team("t1")`` is ``team:t1``.

    Raises:
        Refused: ``bad_value`` when the id breaks I1.
    """
    return Conversation(f"team:{check_id(team_id, 'team id')}")


def super_team(team_id: str) -> Conversation:
    """Name a super team's conversation: ``super_team("big")`` is ``super_team:big``.

    Raises:
        Refused: ``bad_value`` when the id breaks I1.
    """
    return Conversation(f"super_team:{check_id(team_id, 'team id')}")


def kind_of(conversation: Conversation | ConversationKey) -> Kind:
    """Tell the kind of a conversation from its name or its key."""
    return Kind(conversation.partition(":")[0])


def is_p2p(conversation: Conversation | ConversationKey) -> bool:
    """Tell whether a name or a key is that of a P2P conversation."""
    return conversation.startswith("p2p:")


@lru_cache(NAMES_KEPT)
def key_of(account: str, conversation: Conversation) -> ConversationKey:
    """Return the node's key of what ``account`` calls ``conversation`` (I2)."""
    if not is_p2p(conversation):
        return ConversationKey(conversation)
    peer = conversation[4:]
    return ConversationKey(f"p2p:{account}|{peer}" if account <= peer else f"p2p:{peer}|{account}")


@lru_cache(NAMES_KEPT)
def parties_of(key: ConversationKey) -> tuple[str, str]:
    """Return the two accounts of a P2P key, in byte order; equal for notes to oneself."""
    first, _, second = key[4:].partition("|")
    return first, second


@lru_cache(NAMES_KEPT)
def named_by(account: str, key: ConversationKey) -> Conversation:
    """Return what ``account`` calls the conversation with this key."""
    if not is_p2p(key):
        return Conversation(key)
    first, second = parties_of(key)
    return Conversation(f"p2p:{second if first == account else first}")
