"""Requests made up from the OpenAPI page, against a node behind a real address.

Whatever comes, the answer is one that the page describes: its status, its type, its shape; and
never a mistake of the node. What the page forbids is refused.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from recents.server.doors.rest.openapi import page
from recents.server.doors.rest.routes import Route
from recents.server.doors.rest.table import ROUTES
from tests.server.doors.sockets import ADMIN_KEY, open_place

FEW, MANY = 4, 100
"""Requests of each kind to each call: in `make test`, and in `make test-all`."""

SCHEMA = schemathesis.openapi.from_dict(msgspec.json.decode(msgspec.json.encode(page(ROUTES))))

ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

THERE = {
    "account": ["alice", "bob"],
    "conversation": ["p2p:alice", "p2p:bob", "team:kitchen"],
    "team": ["team:kitchen", "super_team:hall"],
}
"""Most requests are about something that is there: refusals of what is not are soon known."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A node in a thread of its own, with two accounts, two teams and a message."""
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        async with open_place() as place:
            # Made-up webhooks must not be called.
            await place.node.webhooks.stop()
            await place.hire("alice", "bob")
            for team in THERE["team"]:
                body = {"team": team, "owner": "alice", "members": ["bob"]}
                assert (await place.rest("POST", "/v1/teams", body))[0] == 201
            for conversation in ("p2p:bob", "team:kitchen"):
                body = {"conversation": conversation, "text": "Lunch?"}
                assert (await place.rest("POST", "/v1/accounts/alice/messages", body))[0] == 201
            found.append(place.at.address)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def play(
    route: Route, mode: GenerationMode, many: int, address: str, on: requests.Session
) -> None:
    operation = SCHEMA[route.path][route.method]

    @settings(
        max_examples=many,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), draw=st.data())
    def ask(case: Case[Any], draw: st.DataObject) -> None:
        for name, there in THERE.items():
            if name in case.path_parameters and mode is GenerationMode.POSITIVE:
                made_up = st.just(case.path_parameters[name])
                case.path_parameters[name] = draw.draw(st.sampled_from(there) | made_up)
        case.call_and_validate(
            base_url=address,
            session=on,
            headers=ADMIN,
            checks=CHECKS,
        )

    # Whatever was deleted by a test before, there are rows again.
    for sender, conversation in [("alice", "p2p:bob"), ("bob", "p2p:alice")]:
        body = {"conversation": conversation, "text": "Lunch?"}
        on.post(f"{address}/v1/accounts/{sender}/messages", json=body, headers=ADMIN)
    ask()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_few_requests_are_answered_as_described(
    address: str, session: requests.Session, route: Route, mode: GenerationMode
) -> None:
    play(route, mode, FEW, address, session)


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_many_requests_are_answered_as_described(
    address: str, session: requests.Session, route: Route, mode: GenerationMode
) -> None:
    play(route, mode, MANY, address, session)
