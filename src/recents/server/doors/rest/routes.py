"""What a call of the REST face is, as a value, and what somebody asks with it.

Rules of this file:

1. A route says everything about a call: the router and the OpenAPI page know nothing besides.
2. ``call`` gets values that have been checked against the types of the route, and returns one of
   the type ``answer``.
3. A call in the name of an account may be made with the admin key, or with that account's token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import msgspec

from recents.core.commands import AnyCommand
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.carrying_out import Done
from recents.server.node import Node

T = TypeVar("T")

OpenedBy = Literal["admin", "account"]
"""``account``: a token of the account in the path opens it, and so does the admin key."""


class Caller(msgspec.Struct, frozen=True):
    """Who makes a call.

    Attributes:
        account: whose token it is; None: the application server, with the admin key.
        token_id: which token.
    """

    account: str | None = None
    token_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call.

    Attributes:
        node: which node is asked.
        caller: who asks.
        path: the values in the path.
        given_body: the body, of the type that the route names.
        given_query: the query, of the type that the route names.
        key: the idempotency key; None where there is none.
        begun_ms: when a call with this key was begun before and not answered; None: it was not.
    """

    node: Node
    caller: Caller
    path: Mapping[str, str]
    given_body: object = None
    given_query: object = None
    key: str | None = None
    begun_ms: int | None = None

    @property
    def account(self) -> str:
        """The account in the path."""
        return self.path["account"]

    @property
    def conversation(self) -> Conversation:
        """The conversation in the path, as the account names it; not checked yet."""
        return Conversation(self.path["conversation"])

    def body(self, kind: type[T]) -> T:
        """Return the body."""
        assert isinstance(self.given_body, kind)
        return self.given_body

    def query(self, kind: type[T]) -> T:
        """Return the query."""
        assert isinstance(self.given_query, kind)
        return self.given_query

    def new_id(self, part: str = "") -> str:
        """Make an id; one that belongs to the idempotency key where there is one.

        So a call that comes again, even to another process, makes the same thing, not a second.
        """
        if self.key is None:
            return self.node.new_command_id()
        named = "\0".join((self.caller.account or "", self.key, part))
        return f"k-{hashlib.sha256(named.encode()).hexdigest()[:40]}"

    async def command(self, actor: str, command: AnyCommand) -> Done:
        """Carry out a command; once, where it belongs to an idempotency key (C4).

        Raises:
            Refused: with the reason.
        """
        return await self.node.command(actor, command, once=self.key is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A call that can be made.

    Attributes:
        name: what to call it in programs, ``send_message``.
        method: of HTTP.
        path: with ``{account}`` and the like in it.
        tag: the group that it stands in.
        summary: one sentence.
        call: does it.
        answer: type of the answer.
        status: of the answer.
        body: type of the body; None: there is none.
        query: type of the query; None: there is none.
        refusals: why it may be refused, besides what any call may be refused for.
        opened_by: who may call it.
        secret: the answer holds a secret, of what the field with this name names; "": it does not.
        example: of the body, as JSON values.
        answered: an example of the answer, as JSON values.
    """

    name: str
    method: str
    path: str
    tag: str
    summary: str
    call: Callable[[Asked], Awaitable[object]]
    answer: type[msgspec.Struct]
    status: int = 200
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    refusals: tuple[Code, ...] = ()
    opened_by: OpenedBy = "admin"
    secret: str = ""
    example: Mapping[str, object] = field(default_factory=dict)
    answered: Mapping[str, object] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"
