"""The door for everything but devices: health, the start page, REST under ``/v1``."""

from __future__ import annotations

import hmac
import logging

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from recents.core.errors import Code, Refused
from recents.server.doors import rest, websocket
from recents.server.doors.problems import problem, problem_for
from recents.server.node import Node
from recents.server.store.port import StoreFailed

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""A list of 1,000 members has 66 KB."""

NODE: web.AppKey[Node] = web.AppKey("node", Node)

_START_PAGE = """\
This is a Recents node.

It keeps lists of recent conversations. Programs connect with the SDK:

    import recents
    async with recents.connect("{address}", account="alice", token="...") as me:
        page = await me.inbox.list()

Accounts are made by `recents account add NAME` on the machine of the node.
"""


def application(node: Node, admin_key: str | None) -> web.Application:
    """Return the web application of a node; without an admin key REST answers 403."""
    app = web.Application(middlewares=[_errors, _admin(admin_key)], client_max_size=MAX_BODY_BYTES)
    app[NODE] = node
    app.router.add_get("/", _start_page)
    app.router.add_get("/health", _health)
    app.router.add_get("/v1/connect", _connect)
    rest.add_routes(app, node)
    return app


async def _start_page(request: web.Request) -> web.Response:
    try:
        address = str(request.url.origin())
    except ValueError:
        # The header Host is whatever somebody sent.
        address = "http://HOST:PORT"
    return web.Response(text=_START_PAGE.format(address=address))


async def _health(request: web.Request) -> web.Response:
    node = request.app[NODE]
    if not node.running:
        return web.json_response({"status": "stopping"}, status=503)
    state = {"status": "ok", "devices": node.devices, "version": node.store.version}
    return web.json_response(state)


async def _connect(request: web.Request) -> web.StreamResponse:
    return await websocket.connect(request.app[NODE], request)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refusal:
        return problem_for(refusal)
    except StoreFailed as failure:
        log.warning("! %s %s: %s", request.method, request.path, failure)
        return problem(503, Code.STORE_FAILED, "the node could not reach its store; try again")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return problem(400, Code.BAD_FRAME, f"the body is not what this call takes: {error}")
    except web.RequestPayloadError:
        return problem(400, Code.BAD_FRAME, "the body is not encoded as its headers say")
    except web.HTTPRequestEntityTooLarge:
        return problem(413, Code.TOO_LARGE, f"the body has more than {MAX_BODY_BYTES} bytes")
    except web.HTTPNotFound:
        return problem(404, Code.NOT_FOUND, f"there is nothing at {request.path}")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return problem(405, Code.BAD_VALUE, f"{request.path} takes {allowed}")


def _admin(admin_key: str | None) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/v1/") or request.path == "/v1/connect":
            return await handler(request)
        if not admin_key:
            return problem(403, Code.UNAUTHORIZED, "this node was started without an admin key")
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), admin_key.encode()):
            return problem(
                401, Code.UNAUTHORIZED, "send the header Authorization: Bearer ADMIN_KEY"
            )
        return await handler(request)

    return check
