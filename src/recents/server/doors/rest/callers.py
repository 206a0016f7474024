"""Who makes a call: the application server with its key, or an account with a token.

Rules of this file:

1. Whoever is neither learns nothing, not even which paths there are.
2. Secrets are compared in constant time.
"""

from __future__ import annotations

import hmac

from aiohttp import web

from recents.core.errors import Code, Refused
from recents.server.doors.rest.routes import Caller, Route
from recents.server.node import Node

_SCHEME = "Bearer "


class NoAdminKey(Exception):
    """The node was started without an admin key."""


async def caller_of(request: web.Request, node: Node, admin_key: str | None) -> Caller:
    """Return who makes a call.

    Raises:
        Refused: ``unauthorized`` or ``revoked``.
        NoAdminKey: nobody but accounts can call this node.
    """
    given = request.headers.get("Authorization", "").removeprefix(_SCHEME)
    sent = given.encode("utf-8", "surrogateescape")
    if admin_key and hmac.compare_digest(sent, admin_key.encode()):
        return Caller()
    if not given and not admin_key:
        raise NoAdminKey
    if not given:
        raise Refused(
            Code.UNAUTHORIZED,
            "send the header Authorization: Bearer KEY, with the admin key or an account's token",
        )
    try:
        token = await node.accounts.holder(given)
    except Refused as refusal:
        if admin_key or refusal.code is not Code.UNAUTHORIZED:
            raise
        raise NoAdminKey from refusal
    return Caller(token.account, token.token_id)


def check_allowed(caller: Caller, route: Route, account: str | None) -> None:
    """Accept a call that the caller may make.

    Raises:
        Refused: ``forbidden``.
    """
    if caller.account is None:
        return
    if route.opened_by == "admin":
        raise Refused(Code.FORBIDDEN, "this call needs the admin key")
    if account != caller.account:
        raise Refused(Code.FORBIDDEN, f"the token opens account {caller.account!r} only")
