"""Refusals as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from recents.core.errors import Code, Refused

_STATUS = {
    Code.TOO_LARGE: 413,
    Code.UNAUTHORIZED: 401,
    Code.REVOKED: 401,
    Code.REPLACED: 409,
    Code.UNKNOWN_ACCOUNT: 404,
    Code.NOT_FOUND: 404,
    Code.NOT_A_MEMBER: 404,
    Code.NOT_THE_OWNER: 403,
    Code.ACCOUNT_EXISTS: 409,
    Code.TEAM_EXISTS: 409,
    Code.TEAM_FULL: 409,
    Code.TEAM_DISMISSED: 409,
    Code.OWNER_CANNOT_LEAVE: 409,
    Code.OVERLOADED: 503,
    Code.STORE_FAILED: 503,
    Code.NODE_MISTAKE: 500,
    Code.CLOSING: 503,
    Code.FORBIDDEN: 403,
    Code.KEY_REUSED: 422,
    Code.SHOWN_ONCE: 409,
    Code.NOT_THE_SENDER: 403,
    Code.TOO_LATE: 409,
}

MEDIA_TYPE = "application/problem+json"

WRONG_METHOD = 405
WRONG_MEDIA_TYPE = 415


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a call was not carried out.

    Attributes:
        type: names the kind of problem: ``urn:recents:`` and the code.
        title: what the code means, in a few words; the same for each problem of a kind.
        status: that of the answer.
        detail: what is wrong and what to do, for people.
        code: for programs; never renamed.
        details: plain values that a program may want.
    """

    type: str
    title: str
    status: int
    detail: str
    code: Code
    details: dict[str, str | int] = {}


def status_of(code: Code) -> int:
    """Return the status of a refusal; what is not listed is a mistake in the request."""
    return _STATUS.get(code, 400)


def problem_of(
    status: int, code: Code, detail: str, details: dict[str, str | int] | None = None
) -> Problem:
    """Return the body of an error answer."""
    return Problem(
        type=f"urn:recents:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        details=details or {},
    )


def problem(
    status: int,
    code: Code,
    detail: str,
    details: dict[str, str | int] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Return an error answer."""
    headers = dict(headers or {})
    if status == 503:
        headers["Retry-After"] = "1"
    elif status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=status,
        body=msgspec.json.encode(problem_of(status, code, detail, details)),
        content_type=MEDIA_TYPE,
        headers=headers,
    )


def problem_for(refusal: Refused) -> web.Response:
    """Return the error answer for a refusal."""
    return problem(status_of(refusal.code), refusal.code, refusal.args[0], refusal.details)
