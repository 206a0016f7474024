"""The OpenAPI page: valid, complete, with examples that are what they are examples of."""

from __future__ import annotations

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from recents.core.errors import Code
from recents.server.doors import http
from recents.server.doors.problems import status_of
from recents.server.doors.rest.openapi import page
from recents.server.doors.rest.routes import Route
from recents.server.doors.rest.table import ROUTES
from recents.server.node import Node
from recents.server.store.memory import MemoryStore
from tests.server.doors.sockets import open_place

PAGE = msgspec.json.decode(msgspec.json.encode(page(ROUTES)))
BESIDE = {
    ("GET", "/"),
    ("GET", "/health"),
    ("HEAD", "/"),
    ("HEAD", "/health"),
    ("GET", "/v1/connect"),
    ("HEAD", "/v1/connect"),
    ("GET", "/v1/openapi.json"),
}


def test_it_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(PAGE).iter_errors()) == []


def test_it_has_every_route_of_the_router_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, item in PAGE["paths"].items() for method in item}
    router = http.application(Node(MemoryStore()), None).router
    routes = {
        (route.method, route.resource.canonical)
        for route in router.routes()
        if route.resource is not None
    }
    assert routes - described == BESIDE
    assert described <= routes


def test_names_are_names_of_one_call() -> None:
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_examples_are_of_their_types(route: Route) -> None:
    assert isinstance(msgspec.convert(route.answered, route.answer), route.answer)
    if route.body is not None:
        needed = any(field.required for field in msgspec.structs.fields(route.body))
        assert route.example or not needed
        assert isinstance(msgspec.convert(route.example, route.body), route.body)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_refusal_is_described_with_its_status(route: Route) -> None:
    answers = PAGE["paths"][route.path][route.method.lower()]["responses"]
    for code in (*route.refusals, Code.UNAUTHORIZED, Code.FORBIDDEN, Code.STORE_FAILED):
        (content,) = answers[str(status_of(code))]["content"].items()
        assert content[0] == "application/problem+json"
        assert code in content[1]["schema"]["properties"]["code"]["enum"]


@pytest.mark.asyncio
async def test_it_is_served_to_everybody() -> None:
    async with open_place() as place:
        assert await place.rest("GET", "/v1/openapi.json", key=None) == (200, PAGE)
