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
    Code.NOT_THE_SENDER: 403,
    Code.TOO_LATE: 409,
}


def problem(
    status: int, code: Code, detail: str, details: dict[str, str | int] | None = None
) -> web.Response:
    """Return an error answer: ``{"status", "code", "detail", "details"}``."""
    body = {"status": status, "code": code, "detail": detail, "details": details or {}}
    headers = {"Retry-After": "1"} if status == 503 else None
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/problem+json",
        headers=headers,
    )


def problem_for(refusal: Refused) -> web.Response:
    """Return the error answer for a refusal; what is not listed is a mistake in the request."""
    status = _STATUS.get(refusal.code, 400)
    return problem(status, refusal.code, refusal.args[0], refusal.details)
