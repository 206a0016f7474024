"""The door for everything but devices: health, the start page, REST under ``/v1``."""

from __future__ import annotations

import logging

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from recents.core.errors import Code, Refused
from recents.server.doors import websocket
from recents.server.doors.problems import WRONG_MEDIA_TYPE, WRONG_METHOD, problem, problem_for
from recents.server.doors.rest import calling
from recents.server.doors.rest.callers import NoAdminKey, caller_of
from recents.server.doors.rest.reading import WrongMediaType
from recents.server.node import Node
from recents.server.store.port import StoreFailed

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""A list of 1,000 members has 66 KB."""

NODE: web.AppKey[Node] = web.AppKey("node", Node)

_OPEN_TO_ALL = frozenset({"/v1/connect", calling.OPENAPI_PATH})

_START_PAGE = """\
This is a Recents node.

It keeps lists of recent conversations. Programs connect with the SDK:

    import recents
    async with recents.connect("{address}", account="alice", token="...") as me:
        page = await me.inbox.list()

Accounts are made by `recents account add NAME` on the machine of the node.
"""


def application(node: Node, admin_key: str | None) -> web.Application:
    """Return the web application of a node; without an admin key accounts have REST."""
    app = web.Application(
        middlewares=[_errors, _known(node, admin_key)], client_max_size=MAX_BODY_BYTES
    )
    app[NODE] = node
    app.router.add_get("/", _start_page)
    app.router.add_get("/health", _health)
    app.router.add_get("/v1/connect", _connect)
    calling.add_routes(app, node, admin_key)
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
        return problem(
            WRONG_METHOD,
            Code.BAD_VALUE,
            f"{request.path} takes {allowed}",
            headers={"Allow": allowed},
        )
    except NoAdminKey:
        return problem(
            403,
            Code.UNAUTHORIZED,
            "this node was started without an admin key; only an account's token opens it",
        )
    except WrongMediaType:
        said = request.headers.get("Content-Type", "")[:80]
        return problem(
            WRONG_MEDIA_TYPE,
            Code.BAD_FRAME,
            f"the body is {said!r}; send JSON with the header Content-Type: application/json",
        )
    except web.HTTPException:
        raise
    except Exception:
        log.exception("! %s %s failed by a mistake of the node", request.method, request.path)
        return problem_for(Refused(Code.NODE_MISTAKE, "a mistake of the node; its log says more"))


def _known(node: Node, admin_key: str | None) -> Middleware:
    """Keep strangers from learning which paths there are; calls that exist ask by themselves."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        nowhere = request.match_info.http_exception is not None
        if nowhere and request.path.startswith("/v1/") and request.path not in _OPEN_TO_ALL:
            await caller_of(request, node, admin_key)
        return await handler(request)

    return check
