"""The shapes of the REST face that the wire and the core do not have: bodies, queries, answers.

Rules of this file:

1. What a schema says beyond the type, such as a pattern, is for the reader: the rules of the core
   check the values, so that a refusal is the same on every face.
2. The body of a command is made from the command: there is no second shape of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import get_type_hints

import msgspec

from recents.core.commands import (
    MAX_EXTENSION_BYTES,
    MAX_MEMBERS_PER_COMMAND,
    MAX_PIN_EXT_BYTES,
    AnyCommand,
)
from recents.core.face import MAX_AVATAR_BYTES
from recents.core.ids import MAX_DISPLAY_NAME_CHARACTERS, MAX_ID_BYTES, Conversation
from recents.core.message import (
    MAX_CLIENT_ID_CHARACTERS,
    MAX_KIND_CHARACTERS,
    MAX_MENTIONS,
    MAX_TEXT_CHARACTERS,
)
from recents.server.accounts import MAX_LABEL_CHARACTERS
from recents.server.store.port import Account

_ID_CHARACTER = '[!-"$-.0-9;-{}~]'

ID: dict[str, object] = {
    "pattern": f"^{_ID_CHARACTER}+$",
    "minLength": 1,
    "maxLength": MAX_ID_BYTES,
}
CONVERSATION: dict[str, object] = {
    "pattern": f"^(p2p|team|super_team):{_ID_CHARACTER}{{1,{MAX_ID_BYTES}}}$"
}
TEAM: dict[str, object] = {"pattern": f"^(team|super_team):{_ID_CHARACTER}{{1,{MAX_ID_BYTES}}}$"}
_WORD: dict[str, object] = {"pattern": "^[!-~]+$", "minLength": 1}

BOUNDS: dict[str, dict[str, object]] = {
    "account": ID,
    "owner": ID,
    "conversation": CONVERSATION,
    "team": TEAM,
    "name": {"maxLength": MAX_DISPLAY_NAME_CHARACTERS},
    "avatar": {"maxLength": MAX_AVATAR_BYTES},
    "label": {"maxLength": MAX_LABEL_CHARACTERS},
    "members": {"items": {"type": "string", **ID}, "maxItems": MAX_MEMBERS_PER_COMMAND},
    "text": {"maxLength": MAX_TEXT_CHARACTERS},
    "kind": {**_WORD, "maxLength": MAX_KIND_CHARACTERS},
    "client_id": {"pattern": "^[!-~]*$", "maxLength": MAX_CLIENT_ID_CHARACTERS},
    "device_id": {**_WORD, "maxLength": MAX_CLIENT_ID_CHARACTERS},
    "mentions": {"maxItems": MAX_MENTIONS},
    "rank": {"exclusiveMinimum": -(2**53), "exclusiveMaximum": 2**53},
    "ext": {"maxLength": MAX_PIN_EXT_BYTES},
    "extension": {"maxLength": MAX_EXTENSION_BYTES},
    "alias": {"maxLength": MAX_DISPLAY_NAME_CHARACTERS},
    "until_ms": {"minimum": 0, "exclusiveMaximum": 2**53},
    "upto_seq": {"minimum": 0, "exclusiveMaximum": 2**53},
    "displayed_seq": {"minimum": 0, "exclusiveMaximum": 2**53},
    "epoch": {"minimum": 0, "exclusiveMaximum": 2**53},
    "before_seq": {"minimum": 0, "exclusiveMaximum": 2**53},
    "seq": {"minimum": 1, "exclusiveMaximum": 2**53},
    "limit": {"minimum": 1, "maximum": 1_000},
}
"""What the rules say of a value, by the name that it has everywhere."""


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of bodies and queries; an unknown field is a mistake that the caller hears of."""


class NewAccount(Given, frozen=True):
    """An account to make; its id is taken for ever."""

    account: str
    name: str = ""
    avatar: str = ""


class NewFace(Given, frozen=True):
    """What contacts see; what is not there stays as it is."""

    name: str | None = None
    avatar: str | None = None


class NewToken(Given, frozen=True):
    """A token to make; the label is for people."""

    label: str = ""


class NewTeam(Given, frozen=True):
    """A team to make; its id is taken for ever."""

    team: Conversation
    owner: str
    name: str = ""
    members: tuple[str, ...] = ()


class NewMembers(Given, frozen=True):
    """Accounts to add to a team."""

    members: tuple[str, ...]


class Page(Given, frozen=True):
    """Which page of a list: ``after`` is the last one of the page before."""

    limit: int = 100
    after: str = ""


class RowPage(Given, frozen=True):
    """Which page of rows, archived ones or the others (G4).

    ``cursor`` is ``next_cursor`` of the page before.
    """

    limit: int = 100
    cursor: str | None = None
    archived: bool = False


class MessagePage(Given, frozen=True):
    """Which messages: the newest before ``before_seq``, or the newest of all."""

    limit: int = 100
    before_seq: int | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Base of answers."""


class Accounts(Told, frozen=True):
    """A page of accounts; ``more``: ask again after the last one."""

    accounts: tuple[Account, ...]
    more: bool


class GivenToken(Told, frozen=True):
    """A token that was made. The secret, ``token``, is shown this once."""

    token_id: str
    token: str


class KnownToken(Told, frozen=True):
    """A token without its secret."""

    token_id: str
    label: str
    created_ms: int
    revoked_ms: int | None


class Tokens(Told, frozen=True):
    """The tokens of an account, oldest first."""

    tokens: tuple[KnownToken, ...]


class RevokedTokens(Told, frozen=True):
    """How many tokens were good until now."""

    revoked: int


class WholeTeam(Told, frozen=True):
    """A team with the number of its members."""

    team: Conversation
    name: str
    owner: str
    dismissed: bool
    members: int
    avatar: str = ""


class TeamMember(Told, frozen=True):
    """A member of a team."""

    account: str
    joined_ms: int
    owner: bool


class MemberPage(Told, frozen=True):
    """A page of members in byte order; ``more``: ask again after the last one."""

    members: tuple[TeamMember, ...]
    more: bool


class Carried(Told, frozen=True):
    """A command was carried out.

    Attributes:
        version: of the row that it is about, as the row stands after it; of a command about all
            rows, number of the commit. 0: there is no such row, or nothing changed.
    """

    version: int


def given_for(
    command: type[AnyCommand], *elsewhere: str, optional: Collection[str] = ()
) -> type[Given]:
    """Make the type of what is given for a command.

    Args:
        command: which one; its fields are those of the type, but for ``id``.
        elsewhere: fields that are given elsewhere, such as in the path.
        optional: texts that may be left out here.
    """
    hints = get_type_hints(command)
    defaults = dict.fromkeys(optional, "")
    fields: list[tuple[str, type] | tuple[str, type, object]] = []
    for one in msgspec.structs.fields(command):
        if one.name in {"id", *elsewhere}:
            continue
        if one.required and one.name not in defaults:
            fields.append((one.name, hints[one.name]))
        else:
            fields.append((one.name, hints[one.name], defaults.get(one.name, one.default)))
    made = msgspec.defstruct(
        f"{command.__name__}Given",
        fields,
        bases=(Given,),
        namespace={"__doc__": command.__doc__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    assert issubclass(made, Given)
    return made
