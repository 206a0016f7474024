"""Idempotency keys: the same key gives the same answer, and is carried out once (C4, M2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from recents.core.errors import Code
from recents.server.doors.rest.once import Once
from recents.server.doors.rest.routes import Caller
from recents.server.forgetting import ANSWERS_KEPT_MS
from recents.server.store.memory import MemoryStore
from recents.server.store.port import KeptAnswer, StoreFailed
from recents.server.store.sqlite import SqliteStore
from tests.server.doors.sockets import Place, open_place

pytestmark = pytest.mark.asyncio

A = "/v1/accounts/alice"
MESSAGE = {"conversation": "p2p:bob", "text": "Lunch?"}
K = {"Idempotency-Key": "7c9e6679-7425-40de-944b"}

Answer = tuple[int, dict[str, object]]


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Place]:
    """Alice and bob."""
    async with open_place() as place:
        await place.hire("alice", "bob")
        yield place


async def send(place: Place, headers: dict[str, str] = K, **changes: object) -> Answer:
    return await place.rest("POST", f"{A}/messages", MESSAGE | changes, headers=headers)


async def unread(place: Place) -> object:
    _, answer = await place.rest("GET", "/v1/accounts/bob/inbox")
    return answer["totals"].get("unread", 0)  # type: ignore[attr-defined]  # an object


async def test_m2_the_same_key_sends_once(place: Place) -> None:
    first = await send(place)
    assert first[0] == 201
    assert await send(place) == first
    assert await unread(place) == 1
    assert (await send(place, {"Idempotency-Key": "another"}))[1]["seq"] == 2


async def test_many_at_once_send_once(place: Place) -> None:
    answers = await asyncio.gather(*(send(place) for _ in range(20)))
    assert answers == [answers[0]] * 20
    assert await unread(place) == 1


async def test_another_body_is_refused(place: Place) -> None:
    await send(place)
    status, answer = await send(place, text="Dinner?")
    assert (status, answer["code"]) == (422, Code.KEY_REUSED)
    status, answer = await place.rest("DELETE", f"{A}/inbox", headers=K)
    assert (status, answer["code"]) == (422, Code.KEY_REUSED)
    assert await unread(place) == 1


async def test_a_refusal_is_the_same_again(place: Place) -> None:
    first = await send(place, conversation="p2p:carol")
    assert first[0] == 404
    await place.hire("carol")
    assert await send(place, conversation="p2p:carol") == first


async def test_each_caller_has_keys_of_its_own(place: Place) -> None:
    await send(place)
    key = place.secrets["alice"]
    _, answer = await place.rest("POST", f"{A}/messages", MESSAGE, key=key, headers=K)
    assert answer["seq"] == 2


async def test_a_bad_call_does_not_use_the_key_up(place: Place) -> None:
    assert (await place.rest("POST", f"{A}/messages", b"{", headers=K))[0] == 400
    assert (await send(place))[0] == 201


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
async def test_a_key_is_a_word(place: Place, key: str) -> None:
    status, answer = await send(place, {"Idempotency-Key": key})
    assert (status, answer["code"]) == (400, Code.BAD_VALUE)


async def test_a_secret_is_never_kept(place: Place) -> None:
    path = f"{A}/tokens"
    status, given = await place.rest("POST", path, {"label": "x"}, headers=K)
    assert status == 201
    status, answer = await place.rest("POST", path, {"label": "x"}, headers=K)
    assert (status, answer["code"]) == (409, Code.SHOWN_ONCE)
    assert answer["details"] == {"token_id": given["token_id"]}
    _, tokens = await place.rest("GET", path)
    assert len(tokens["tokens"]) == 2  # type: ignore[arg-type]  # that of hiring, and one


async def test_after_a_day_the_key_is_free() -> None:
    now_ms = [10**12]
    store = MemoryStore()
    async with open_place(store=store, clock_ms=lambda: now_ms[0]) as place:
        await place.hire("alice", "bob")
        await send(place)
        now_ms[0] += ANSWERS_KEPT_MS
        assert (await send(place, text="Dinner?"))[0] == 422
        now_ms[0] += 1
        assert (await send(place, text="Dinner?"))[1]["seq"] == 2


class Forgetful(SqliteStore):
    """Loses answers, as a node that is killed between the commit and the answer does."""

    async def keep_answer(self, kept: KeptAnswer) -> None:
        raise StoreFailed("killed")


CHANGES = [
    ("POST", "/v1/accounts", {"account": "carol", "name": "Carol"}),
    ("POST", f"{A}/messages", MESSAGE),
    ("POST", "/v1/system-messages", {"to": ["p2p:alice", "p2p:bob"], "text": "x"}),
    ("POST", "/v1/teams", {"team": "team:t2", "owner": "alice", "members": ["bob"]}),
    ("PUT", f"{A}/conversations/p2p:bob/draft", {"text": "x"}),
    ("DELETE", "/v1/teams/team:t1", None),
    ("POST", f"{A}/inbox/read", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=lambda value: str(value)[:30])
async def test_c4_killed_before_the_answer_it_is_carried_out_once(
    tmp_path: Path, method: str, path: str, body: object
) -> None:
    """The file is opened anew after a call of which nobody kept the answer."""
    file = tmp_path / "recents.db"
    async with open_place(store=Forgetful(file)) as place:
        await place.hire("alice", "bob")
        team = {"team": "team:t1", "owner": "alice", "members": ["bob"]}
        assert (await place.rest("POST", "/v1/teams", team))[0] == 201
        first = await place.rest(method, path, body, headers=K)
        assert first[0] < 300
        version = place.node.store.version
    async with open_place(store=SqliteStore(file)) as place:
        again = await place.rest(method, path, body, headers=K)
        assert again == first
        assert place.node.store.version == version, "nothing was changed by it"


async def test_an_account_of_somebody_else_is_not_taken_for_ones_own(place: Place) -> None:
    store = place.node.store
    assert isinstance(store, MemoryStore)
    body = {"account": "bob"}
    first = await place.rest("POST", "/v1/accounts", body, headers=K)
    assert first[0] == 409
    for name, kept in store._answers.items():
        store._answers[name] = KeptAnswer(kept.caller, kept.key, kept.digest, 2**52)
    assert await place.rest("POST", "/v1/accounts", body, headers=K) == first


async def test_no_key_is_left_behind(place: Place) -> None:
    once = Once(place.node.store, place.node.now_ms)

    async def slip(_: int | None) -> tuple[int, bytes, int, bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await once.answer(Caller(), "k", b"", slip)
    assert once.waiting == 0
