"""How a call goes: who asks, what exactly, doing it, answering."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from recents.core.errors import Refused
from recents.server.accounts import shown_once
from recents.server.committer import closing
from recents.server.doors.problems import MEDIA_TYPE, problem_of, status_of
from recents.server.doors.rest.callers import caller_of, check_allowed
from recents.server.doors.rest.once import Once, Outcome, digest_of, key_of
from recents.server.doors.rest.openapi import page
from recents.server.doors.rest.reading import JSON, body_of, query_of
from recents.server.doors.rest.routes import Asked, Caller, Route
from recents.server.doors.rest.table import ROUTES
from recents.server.node import Node

OPENAPI_PATH = "/v1/openapi.json"


def add_routes(app: web.Application, node: Node, admin_key: str | None) -> None:
    """Add the REST calls to an application, and the page that describes them."""
    once = Once(node.store, node.now_ms)
    description = msgspec.json.encode(page(ROUTES))

    async def describe(request: web.Request) -> web.Response:
        query_of(request, None)
        return web.Response(body=description, content_type=JSON)

    app.router.add_route("GET", OPENAPI_PATH, describe)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _handler(route, node, admin_key, once))


def _handler(route: Route, node: Node, admin_key: str | None, once: Once) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await caller_of(request, node, admin_key)
        asked = await _asked(route, node, request, caller)
        if asked.key is None:
            return _json(route.status, msgspec.json.encode(await route.call(asked)))

        digest = await digest_of(request)
        # With the digest: a key that comes again long after names another call by then.
        named = replace(asked, key=f"{asked.key} {digest.hex()}")

        async def work(begun_ms: int | None) -> Outcome:
            return await _outcome(route, replace(named, begun_ms=begun_ms))

        status, body, from_before = await once.answer(caller, asked.key, digest, work)
        return _json(status, body, {"Idempotency-Replayed": "true"} if from_before else None)

    return handle


async def _asked(route: Route, node: Node, request: web.Request, caller: Caller) -> Asked:
    path = dict(request.match_info)
    check_allowed(caller, route, path.get("account"))
    if not node.running:
        raise closing()
    query = query_of(request, route.query)
    body = await body_of(request, route.body)
    key = key_of(request) if route.changes else None
    if route.opened_by == "account":
        await node.accounts.get(path["account"])
    return Asked(node=node, caller=caller, path=path, given_body=body, given_query=query, key=key)


async def _outcome(route: Route, asked: Asked) -> Outcome:
    """Return what a call is answered, and what is kept of it."""
    try:
        answer = await route.call(asked)
    except Refused as refusal:
        status = status_of(refusal.code)
        told = problem_of(status, refusal.code, refusal.args[0], refusal.details)
        body = msgspec.json.encode(told)
        return status, body, status, body
    body = msgspec.json.encode(answer)
    if not route.secret:
        return route.status, body, route.status, body
    again = shown_once(route.secret, getattr(answer, route.secret))
    status = status_of(again.code)
    kept = problem_of(status, again.code, again.args[0], again.details)
    return route.status, body, status, msgspec.json.encode(kept)


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    content_type = JSON if status < 400 else MEDIA_TYPE
    if status == 503:
        headers = {"Retry-After": "1"}
    return web.Response(status=status, body=body, content_type=content_type, headers=headers)
