"""How a call goes: who asks, what exactly, doing it, answering."""

from __future__ import annotations

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from recents.server.committer import closing
from recents.server.doors.rest.callers import caller_of, check_allowed
from recents.server.doors.rest.openapi import page
from recents.server.doors.rest.reading import JSON, body_of, query_of
from recents.server.doors.rest.routes import Asked, Caller, Route
from recents.server.doors.rest.table import ROUTES
from recents.server.node import Node

OPENAPI_PATH = "/v1/openapi.json"


def add_routes(app: web.Application, node: Node, admin_key: str | None) -> None:
    """Add the REST calls to an application, and the page that describes them."""
    description = msgspec.json.encode(page(ROUTES))

    async def describe(request: web.Request) -> web.Response:
        query_of(request, None)
        return web.Response(body=description, content_type=JSON)

    app.router.add_route("GET", OPENAPI_PATH, describe)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _handler(route, node, admin_key))


def _handler(route: Route, node: Node, admin_key: str | None) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await caller_of(request, node, admin_key)
        asked = await _asked(route, node, request, caller)
        answer = await route.call(asked)
        return web.Response(
            status=route.status, body=msgspec.json.encode(answer), content_type=JSON
        )

    return handle


async def _asked(route: Route, node: Node, request: web.Request, caller: Caller) -> Asked:
    path = dict(request.match_info)
    check_allowed(caller, route, path.get("account"))
    if not node.running:
        raise closing()
    query = query_of(request, route.query)
    body = await body_of(request, route.body)
    if route.opened_by == "account":
        await node.accounts.get(path["account"])
    return Asked(node=node, caller=caller, path=path, given_body=body, given_query=query)
