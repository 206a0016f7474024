"""The OpenAPI 3.1 page of the REST face, made from the routes and their types.

Rules of this file:

1. Nothing about a call is written here: what all calls share is, the rest is in its route.
2. Every answer that a call may give is on the page, refusals with their codes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from inspect import cleandoc

import msgspec

from recents.core.errors import Code
from recents.server.doors.problems import (
    MEDIA_TYPE,
    WRONG_MEDIA_TYPE,
    Problem,
    problem_of,
    status_of,
)
from recents.server.doors.rest.once import HEADER, MAX_KEY_CHARACTERS
from recents.server.doors.rest.routes import Route
from recents.server.doors.rest.shapes import BOUNDS, CONVERSATION, ID, TEAM

VERSION = "1"

ALWAYS = (
    Code.BAD_VALUE,
    Code.UNAUTHORIZED,
    Code.REVOKED,
    Code.FORBIDDEN,
    Code.NODE_MISTAKE,
    Code.OVERLOADED,
    Code.STORE_FAILED,
    Code.CLOSING,
)
"""What any call may be refused for."""

_REF = "#/components/schemas/{name}"
_IN_PATH = re.compile(r"{(\w+)}")
_PATH_SCHEMAS: dict[str, dict[str, object]] = {
    "account": ID,
    "conversation": CONVERSATION,
    "team": TEAM,
    "device_id": BOUNDS["device_id"],
}
_ABOUT = """\
Accounts, teams and messages for application servers, and the list of recent conversations of each
account. The guide is docs/rest.md, the meaning of rows and commands docs/protocol.md."""


def page(routes: Iterable[Route]) -> dict[str, object]:
    """Return the page for some routes, as JSON values."""
    routes = tuple(routes)
    schemas = _schemas(routes)
    paths: dict[str, dict[str, object]] = defaultdict(dict)
    for route in routes:
        paths[route.path][route.method.lower()] = _operation(route, schemas)
    queries = {route.query.__name__ for route in routes if route.query is not None}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Recents", "version": VERSION, "description": _ABOUT},
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": dict(paths),
        "components": {
            "schemas": {name: one for name, one in schemas.items() if name not in queries},
            "securitySchemes": {
                "admin": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The admin key of the node; opens every call.",
                },
                "account": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the account in the path.",
                },
            },
        },
    }


def _schemas(routes: Iterable[Route]) -> dict[str, dict[str, object]]:
    given = {kind for route in routes for kind in (route.body, route.query) if kind is not None}
    kinds = {Problem, *given, *(route.answer for route in routes)}
    _, schemas = msgspec.json.schema_components(
        sorted(kinds, key=lambda kind: kind.__name__), ref_template=_REF, schema_hook=_any_json
    )
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = cleandoc(str(schema["description"]))
    for kind in given:
        properties: dict[str, dict[str, object]] = schemas[kind.__name__]["properties"]
        for name, field in properties.items():
            field.update(BOUNDS.get(name, {}))
    return schemas


def _any_json(kind: type) -> dict[str, object]:
    if kind is object:
        return {"description": "any JSON value"}
    raise NotImplementedError


def _operation(route: Route, schemas: dict[str, dict[str, object]]) -> dict[str, object]:
    operation: dict[str, object] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "security": [{"admin": []}]
        if route.opened_by == "admin"
        else [{"admin": []}, {"account": []}],
        "parameters": [*_in_path(route), *_in_query(route, schemas), *_in_headers(route)],
        "responses": _responses(route),
    }
    if route.body is not None:
        content: dict[str, object] = {"schema": _ref(route.body)}
        if route.example:
            content["example"] = route.example
        operation["requestBody"] = {
            "required": any(one.required for one in msgspec.structs.fields(route.body)),
            "content": {"application/json": content},
        }
    return operation


def _in_path(route: Route) -> Iterable[dict[str, object]]:
    for name in _IN_PATH.findall(route.path):
        schema = {"type": "string", **_PATH_SCHEMAS.get(name, {"minLength": 1})}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(route: Route, schemas: dict[str, dict[str, object]]) -> Iterable[dict[str, object]]:
    if route.query is None:
        return
    properties = schemas[route.query.__name__]["properties"]
    assert isinstance(properties, dict)
    for name, schema in properties.items():
        yield {"name": name, "in": "query", "required": False, "schema": _not_null(schema)}


def _in_headers(route: Route) -> Iterable[dict[str, object]]:
    if route.changes:
        yield {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "The same key gives the same answer for a day.",
            "schema": {"type": "string", "pattern": "^[!-~]+$", "maxLength": MAX_KEY_CHARACTERS},
        }


def _not_null(schema: dict[str, object]) -> dict[str, object]:
    """Return the schema of a value that is left out where it would be null."""
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    for one in schema.get("anyOf", ()):  # type: ignore[attr-defined]  # a list of schemas
        if one != {"type": "null"}:
            kept = {**one, **kept}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    return kept


def _responses(route: Route) -> dict[str, object]:
    responses: dict[str, object] = {
        str(route.status): {
            "description": HTTPStatus(route.status).phrase,
            "content": {
                "application/json": {"schema": _ref(route.answer), "example": route.answered}
            },
        }
    }
    codes: dict[int, dict[Code, None]] = defaultdict(dict)
    for code in _codes(route):
        codes[status_of(code)][code] = None
    if route.body is not None:
        codes[WRONG_MEDIA_TYPE][Code.BAD_FRAME] = None
    for status in sorted(codes):
        responses[str(status)] = _refused(status, tuple(codes[status]))
    return responses


def _codes(route: Route) -> Iterable[Code]:
    yield from ALWAYS
    yield Code.BAD_FRAME
    yield Code.TOO_LARGE
    yield from route.refusals
    if route.changes:
        yield Code.KEY_REUSED
    if "{account}" in route.path:
        yield Code.UNKNOWN_ACCOUNT


def _refused(status: int, codes: tuple[Code, ...]) -> dict[str, object]:
    example = problem_of(status, codes[0], "What is wrong and what to do.")
    return {
        "description": HTTPStatus(status).phrase,
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "allOf": [_ref(Problem)],
                    "properties": {"code": {"enum": codes}, "status": {"const": status}},
                },
                "example": msgspec.to_builtins(example),
            }
        },
    }


def _ref(kind: type) -> dict[str, object]:
    return {"$ref": _REF.format(name=kind.__name__)}
