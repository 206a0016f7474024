"""Calls in the name of an account: who may, what they do, what a wrong one is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from recents.core.errors import Code
from recents.server.doors.rest.routes import Route
from recents.server.doors.rest.table import ROUTES
from recents.wire.frames import Devices
from tests.server.doors.sockets import ADMIN_KEY, Place, open_place

pytestmark = pytest.mark.asyncio

A = "/v1/accounts/alice"
B = "/v1/accounts/bob"
TO_ALICE = f"{B}/conversations/p2p:alice"


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Place]:
    """Alice and bob, who know each other."""
    async with open_place() as place:
        await place.hire("alice", "bob")
        await send(place)
        yield place


async def send(place: Place, text: str = "Lunch?", **more: object) -> dict[str, object]:
    body = {"conversation": "p2p:bob", "text": text, **more}
    status, answer = await place.rest("POST", f"{A}/messages", body)
    assert status == 201, answer
    return answer


async def row(place: Place) -> dict[str, object]:
    status, answer = await place.rest("GET", TO_ALICE)
    assert status == 200
    return answer


# Who may call


async def test_a_token_opens_its_own_account(place: Place) -> None:
    key = place.secrets["bob"]
    assert (await place.rest("GET", f"{B}/inbox", key=key))[0] == 200
    assert (await place.rest("POST", f"{TO_ALICE}/read", {}, key=key))[0] == 200
    assert (await row(place)).get("unread", 0) == 0


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_a_token_opens_no_other_account(place: Place, route: Route) -> None:
    path = route.path.replace("{account}", "alice").replace("{conversation}", "p2p:bob")
    path = path.replace("{team}", "team:t1").replace("{", "").replace("}", "")
    body = b"{" if route.body else None
    status, answer = await place.rest(route.method, path, body, key=place.secrets["bob"])
    assert (status, answer["code"]) == (403, Code.FORBIDDEN), "also before the body is read"


async def test_a_token_is_told_of_paths_that_are_not_there(place: Place) -> None:
    status, answer = await place.rest("GET", "/v1/nothing", key=place.secrets["bob"])
    assert (status, answer["code"]) == (404, Code.NOT_FOUND)


async def test_a_revoked_token_opens_nothing(place: Place) -> None:
    await place.node.revoke("bob")
    status, answer = await place.rest("GET", f"{B}/inbox", key=place.secrets["bob"])
    assert (status, answer["code"]) == (401, Code.REVOKED)


async def test_without_an_admin_key_a_node_serves_accounts() -> None:
    async with open_place(admin_key=None) as place:
        await place.hire("bob")
        key = place.secrets["bob"]
        assert (await place.rest("GET", f"{B}/inbox", key=key))[0] == 200
        assert (await place.rest("GET", "/v1/accounts", key=key))[0] == 403


# Messages


async def test_m2_a_message_with_a_client_id_is_sent_once(place: Place) -> None:
    first = await send(place, client_id="m-1")
    assert await send(place, client_id="m-1") == first
    assert (await row(place))["unread"] == 2
    assert await send(place) != await send(place), "without one, each is another message"


async def test_a_message_arrives_on_a_device(place: Place) -> None:
    phone = await place.online("bob")
    await send(place, "now")
    changed = await phone.receive()
    assert changed is not None
    assert b"now" in msgspec.json.encode(changed)


async def test_d3_history_is_what_the_account_sees(place: Place) -> None:
    await send(place, "second")
    await place.rest("POST", f"{TO_ALICE}/clear", {"upto_seq": 1})
    _, answer = await place.rest("GET", f"{TO_ALICE}/messages")
    assert [one["text"] for one in answer["messages"]] == ["second"]  # type: ignore[attr-defined]  # a list
    _, answer = await place.rest("GET", f"{A}/conversations/p2p:bob/messages?limit=1&before_seq=2")
    assert [one["text"] for one in answer["messages"]] == ["Lunch?"]  # type: ignore[attr-defined]  # a list


async def test_a_system_message_goes_to_all(place: Place) -> None:
    body = {"to": ["p2p:alice", "p2p:bob"], "text": "closed"}
    status, answer = await place.rest("POST", "/v1/system-messages", body)
    assert (status, len(answer["sent"])) == (201, 2)  # type: ignore[arg-type]  # a list
    _, system = await place.rest("GET", f"{B}/conversations/p2p:system")
    assert (system["unread"], system["preview"]["kind"]) == (1, "system")  # type: ignore[index]  # an object


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (["p2p:alice", "p2p:nobody"], Code.UNKNOWN_ACCOUNT),
        (["p2p:alice", "team:none"], Code.NOT_A_MEMBER),
        (["p2p:alice", "alice"], Code.BAD_VALUE),
        ([], Code.BAD_VALUE),
        (["p2p:alice"] * 1_001, Code.BAD_VALUE),
    ],
)
async def test_a_system_message_goes_to_nobody_where_one_cannot_get_it(
    place: Place, to: list[str], code: Code
) -> None:
    _, answer = await place.rest("POST", "/v1/system-messages", {"to": to, "text": "closed"})
    assert answer["code"] == code
    status, _ = await place.rest("GET", f"{A}/conversations/p2p:system")
    assert status == 404


async def test_a_system_message_reaches_a_team_that_the_system_account_is_in(place: Place) -> None:
    body = {"to": ["p2p:bob"], "text": "hello"}
    assert (await place.rest("POST", "/v1/system-messages", body))[0] == 201
    team = {"team": "team:t1", "owner": "alice", "members": ["bob", "system"]}
    assert (await place.rest("POST", "/v1/teams", team))[0] == 201
    body = {"to": ["team:t1", "p2p:alice"], "text": "hello"}
    assert (await place.rest("POST", "/v1/system-messages", body))[0] == 201
    _, found = await place.rest("GET", f"{B}/conversations/team:t1")
    assert found["unread"] == 1


# Rows


async def test_r1_r4_g2_g6_d1_commands_change_the_row(place: Place) -> None:
    assert (await row(place))["unread"] == 1
    _, answer = await place.rest("POST", f"{TO_ALICE}/read")
    assert answer == {"version": (await row(place))["version"]}
    await place.rest("POST", f"{TO_ALICE}/unread")
    assert (await row(place))["marked_unread"]
    await place.rest("POST", f"{TO_ALICE}/unread-from", {"seq": 1})
    assert (await row(place))["unread"] == 1
    await place.rest("PUT", f"{TO_ALICE}/draft", {"text": "well"})
    assert (await row(place))["draft"]["text"] == "well"  # type: ignore[index]  # an object
    await place.rest("PUT", f"{TO_ALICE}/mute", {"level": "mentions"})
    assert (await row(place))["mute"] == "mentions"
    await place.rest("PUT", f"{TO_ALICE}/mute", {})
    assert "mute" not in await row(place)
    await place.rest("DELETE", f"{TO_ALICE}?upto_seq=1")
    status, answer = await place.rest("GET", TO_ALICE)
    assert (status, answer["code"]) == (404, Code.NOT_FOUND)


async def test_r5_d4_all_rows_at_once(place: Place) -> None:
    await place.rest("POST", f"{B}/inbox/read", {"kinds": ["team"]})
    assert (await row(place))["unread"] == 1
    await place.rest("POST", f"{B}/inbox/read")
    assert "unread" not in await row(place)
    await place.rest("DELETE", f"{B}/inbox?kinds=team&kinds=super_team")
    assert await row(place)
    await place.rest("DELETE", f"{B}/inbox?clear_history=true")
    _, answer = await place.rest("GET", f"{B}/inbox")
    assert answer["rows"] == []
    _, answer = await place.rest("GET", f"{TO_ALICE}/messages")
    assert answer["messages"] == []


async def test_rows_come_in_pages_with_the_totals_of_all(place: Place) -> None:
    await place.hire("carol")
    body = {"conversation": "p2p:bob", "text": "hi"}
    await place.rest("POST", "/v1/accounts/carol/messages", body)
    _, first = await place.rest("GET", f"{B}/inbox?limit=1")
    _, second = await place.rest("GET", f"{B}/inbox?limit=1&cursor={first['next_cursor']}")
    rows = [*first["rows"], *second["rows"]]  # type: ignore[misc]  # lists
    assert {one["conversation"] for one in rows} == {"p2p:alice", "p2p:carol"}
    assert (
        first["totals"]
        == second["totals"]
        == {
            "unread": 2,
            "unread_conversations": 2,
            "conversations": 2,
        }
    )


async def test_a_device_is_listed_and_ended(place: Place) -> None:
    phone = await place.online("bob", device_id="d-1", device="phone")
    _, answer = await place.rest("GET", f"{B}/devices", key=place.secrets["bob"])
    (device,) = msgspec.convert(answer, Devices).devices
    assert (device.device_id, device.connected) == ("d-1", True)
    status, answer = await place.rest("DELETE", f"{B}/devices/d-1", key=place.secrets["bob"])
    assert (status, answer) == (200, {"token_shared": True}), "the token is that of the caller"
    assert (await phone.bye()).code == Code.REVOKED
    status, answer = await place.rest("DELETE", f"{B}/devices/d-1")
    assert (status, answer) == (200, {}), "with the admin key the token goes, too"


# Wrong calls

WRONG = {
    "unknown parameter": ("GET", f"{B}/inbox?lim=1", None, 400, Code.BAD_VALUE),
    "parameter of none": ("GET", f"{B}/devices?x=1", None, 400, Code.BAD_VALUE),
    "parameter twice": ("GET", f"{B}/inbox?limit=1&limit=2", None, 400, Code.BAD_VALUE),
    "unknown kind": ("DELETE", f"{B}/inbox?kinds=room", None, 400, Code.BAD_VALUE),
    "half true": ("DELETE", f"{B}/inbox?clear_history=1", None, 400, Code.BAD_VALUE),
    "negative seq": ("DELETE", f"{TO_ALICE}?upto_seq=-1", None, 400, Code.BAD_VALUE),
    "beyond the end": ("POST", f"{TO_ALICE}/read", {"upto_seq": 9}, 400, Code.BEYOND_END),
    "a body for none": ("DELETE", TO_ALICE, {}, 400, Code.BAD_FRAME),
    "unknown level": ("PUT", f"{TO_ALICE}/mute", {"level": "all"}, 400, Code.BAD_FRAME),
    "long draft": ("PUT", f"{TO_ALICE}/draft", {"text": "x" * 5_001}, 400, Code.BAD_VALUE),
    "no conversation": ("POST", f"{B}/conversations/alice/read", {}, 400, Code.BAD_VALUE),
    "foreign token": ("POST", f"{B}/inbox/read", {"upto": "f00.1"}, 400, Code.BAD_VALUE),
    "to nobody": (
        "POST",
        f"{A}/messages",
        {"conversation": "p2p:nobody"},
        404,
        Code.UNKNOWN_ACCOUNT,
    ),
    "from nobody": (
        "POST",
        "/v1/accounts/nobody/messages",
        {"conversation": "p2p:bob"},
        404,
        Code.UNKNOWN_ACCOUNT,
    ),
    "a deep attachment": (
        "POST",
        f"{A}/messages",
        b'{"conversation":"p2p:bob","attachment":' + b"[" * 99 + b"]" * 99 + b"}",
        400,
        Code.BAD_VALUE,
    ),
    "not in the team": (
        "PUT",
        f"{B}/conversations/team:x/mute",
        {"level": "none"},
        404,
        Code.NOT_A_MEMBER,
    ),
}


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG.values(), ids=WRONG)
async def test_a_wrong_call_gets_a_problem(
    place: Place, method: str, path: str, body: object, status: int, code: str
) -> None:
    version = place.node.store.version
    got, answer = await place.rest(method, path, body)
    assert (got, answer["code"]) == (status, code)
    assert answer["type"] == f"urn:recents:{answer['code']}"
    assert set(answer) == {"type", "title", "status", "detail", "code", "details"}
    assert place.node.store.version == version


async def test_a_problem_says_what_it_is(place: Place) -> None:
    for method, path, headers, status, expected in [
        ("PATCH", f"{B}/inbox", {}, 405, {"Allow": "DELETE, GET"}),
        ("GET", f"{B}/inbox", {"Authorization": "Bearer x"}, 401, {"WWW-Authenticate": "Bearer"}),
        ("POST", f"{A}/messages", {"Content-Type": "text/plain"}, 415, {}),
    ]:
        sent = {"Authorization": f"Bearer {ADMIN_KEY}", **headers}
        async with place.http.request(
            method, f"{place.at.address}{path}", headers=sent, data=b"{}"
        ) as answer:
            assert answer.status == status
            assert answer.content_type == "application/problem+json"
            assert expected.items() <= dict(answer.headers).items()
            assert (await answer.json(content_type=None))["status"] == status


async def test_a_node_that_is_stopping_says_so(place: Place) -> None:
    await place.node.stop()
    status, answer = await place.rest("GET", f"{B}/inbox")
    assert (status, answer["code"]) in [(503, Code.CLOSING), (503, Code.STORE_FAILED)]


async def test_a_mistake_of_the_node_is_a_problem(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def slip(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(place.node.questions, "answer", slip)
    status, answer = await place.rest("GET", f"{B}/inbox")
    assert (status, answer["code"]) == (500, Code.NODE_MISTAKE)
    assert "failed by a mistake of the node" in caplog.text
