"""Webhooks over sockets: told once taken, in order, signed, over failures and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from recents.core.errors import Code
from recents.server import webhooks
from recents.server.forgetting import DAY_MS
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store, StoreFailed, Webhook
from recents.server.store.sqlite import SqliteStore
from recents.webhooks import verify
from tests.server.doors.sockets import PATIENCE_S, Place, open_place

pytestmark = pytest.mark.asyncio

W = "/v1/webhooks"


class Receiver:
    """Takes deliveries, or answers what it is told to."""

    def __init__(self) -> None:
        self.secret = ""
        self.url = ""
        self.answers: Callable[[str], int] = lambda _: 204
        self.taken: list[tuple[str, str, str]] = []
        self.refused = 0
        self._news = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert request.content_type == "application/json"
        event = verify(self.secret, request.headers, body)
        data = event["data"]
        assert isinstance(data, dict)
        text = data["message"]["text"]
        status = self.answers(text)
        if 200 <= status < 300:
            self.taken.append((request.headers["webhook-id"], data["conversation"], text))
        else:
            self.refused += 1
        self._news.set()
        return web.Response(status=status)

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self._news.clear()
                await self._news.wait()

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.taken]


@pytest_asyncio.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(webhooks, "FIRST_WAIT_S", 0.01)
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver


async def founded(place: Place, receiver: Receiver) -> str:
    """Make alice, bob and a webhook; return its id."""
    await place.hire("alice", "bob")
    status, made = await place.rest("POST", W, {"url": receiver.url})
    assert status == 201
    receiver.secret = str(made["secret"])
    return str(made["webhook_id"])


async def send(place: Place, text: str, to: str = "p2p:bob") -> None:
    body = {"conversation": to, "text": text}
    assert (await place.rest("POST", "/v1/accounts/alice/messages", body))[0] == 201


async def state(place: Place) -> dict[str, object]:
    _, answer = await place.rest("GET", W)
    (one,) = msgspec.convert(answer["webhooks"], list[dict[str, object]])
    return one


async def noted(place: Place, what: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (await state(place))[what]:  # noqa: ASYNC110 - the node tells nobody
            await asyncio.sleep(0.01)


async def test_each_message_is_told_signed(receiver: Receiver) -> None:
    async with open_place() as place:
        await place.hire("carol")
        await founded(place, receiver)
        await send(place, "Lunch?")
        await receiver.until(lambda: receiver.taken)
    ((webhook_id, conversation, text),) = receiver.taken
    assert (conversation, text) == ("p2p:bob", "Lunch?")
    assert webhook_id == f"msg_{place.node.store._epoch}_1"  # type: ignore[attr-defined]  # memory


async def test_what_was_sent_before_is_not_told(receiver: Receiver) -> None:
    async with open_place() as place:
        await place.hire("carol")
        body = {"conversation": "p2p:carol", "text": "before"}
        await place.rest("POST", "/v1/accounts/carol/messages", body)
        await founded(place, receiver)
        await send(place, "after")
        await receiver.until(lambda: receiver.taken)
    assert receiver.texts == ["after"]


async def test_of_a_conversation_messages_come_in_order_over_failures(receiver: Receiver) -> None:
    tries: dict[str, int] = {}

    def every_third(text: str) -> int:
        tries[text] = tries.get(text, 0) + 1
        return 503 if tries[text] < 1 + int(text[1:]) % 3 else 200

    receiver.answers = every_third
    async with open_place() as place:
        await founded(place, receiver)
        team = {"team": "team:t", "owner": "alice", "members": []}
        await place.rest("POST", "/v1/teams", team)
        for number in range(30):
            await send(place, f"p{number}")
            await send(place, f"t{number}", "team:t")
        await receiver.until(lambda: len(receiver.taken) == 60)
    for letter in "pt":
        texts = [text for text in receiver.texts if text[0] == letter]
        assert texts == [f"{letter}{number}" for number in range(30)]


async def test_nothing_is_lost_over_restarts(receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "recents.db"
    async with open_place(store=SqliteStore(file)) as place:
        await founded(place, receiver)
        await send(place, "one")
        await receiver.until(lambda: receiver.taken)
        receiver.answers = lambda _: 500
        await send(place, "two")
        await receiver.until(lambda: receiver.refused)
    receiver.answers = lambda _: 200
    async with open_place(store=SqliteStore(file)):
        await receiver.until(lambda: len(receiver.taken) == 2)
    assert receiver.texts == ["one", "two"]


class Killed(SqliteStore):
    """Ends before a position is noted, as a node that is killed does."""

    async def note_webhook(self, webhook: Webhook) -> bool:
        raise StoreFailed("killed")


async def test_after_a_kill_it_is_told_again_with_the_same_id(
    receiver: Receiver, tmp_path: Path
) -> None:
    file = tmp_path / "recents.db"
    async with open_place(store=Killed(file)) as place:
        await founded(place, receiver)
        await send(place, "one")
        await receiver.until(lambda: receiver.taken)
    async with open_place(store=SqliteStore(file)):
        await receiver.until(lambda: len(receiver.taken) >= 2)
    assert set(receiver.taken) == {receiver.taken[0]}


async def test_a_failing_receiver_is_left_alone_after_days_until_resumed(
    receiver: Receiver,
) -> None:
    now_ms = [10**12]
    receiver.answers = lambda _: 500
    async with open_place(clock_ms=lambda: now_ms[0]) as place:
        webhook_id = await founded(place, receiver)
        await send(place, "one")
        await receiver.until(lambda: receiver.refused >= 2)
        seen = await state(place)
        assert (seen["failing_since_ms"], seen["disabled_ms"]) == (10**12, None)
        assert seen["failure"] == "the receiver answered 500"
        now_ms[0] += 5 * DAY_MS
        await noted(place, "disabled_ms")
        refused = receiver.refused
        await send(place, "two")
        receiver.answers = lambda _: 200
        assert receiver.refused == refused
        status, answer = await place.rest("POST", f"{W}/{webhook_id}/resume")
        assert (status, answer["disabled_ms"]) == (200, None)
        await receiver.until(lambda: len(receiver.taken) == 2)
    assert receiver.texts == ["one", "two"], "what came meanwhile is told"


async def test_who_is_gone_is_left_alone_at_once(receiver: Receiver) -> None:
    receiver.answers = lambda _: 410
    async with open_place() as place:
        await founded(place, receiver)
        await send(place, "one")
        await noted(place, "disabled_ms")
    assert receiver.refused == 1


async def test_a_removed_webhook_hears_nothing(receiver: Receiver) -> None:
    async with open_place() as place:
        webhook_id = await founded(place, receiver)
        assert (await place.rest("DELETE", f"{W}/{webhook_id}"))[0] == 200
        await send(place, "one")
        _, answer = await place.rest("GET", W)
        assert answer == {"webhooks": []}
        for method, path in [("DELETE", f"{W}/{webhook_id}"), ("POST", f"{W}/x/resume")]:
            status, answer = await place.rest(method, path)
            assert (status, answer["code"]) == (404, Code.NOT_FOUND)
    assert receiver.taken == []


async def test_a_receiver_that_does_not_answer_or_redirects_has_failed(
    receiver: Receiver,
) -> None:
    receiver.answers = lambda _: 302
    async with open_place() as place:
        await founded(place, receiver)
        await send(place, "one")
        await receiver.until(lambda: receiver.refused)
    store: Store = MemoryStore()
    async with open_place(store=store) as place:
        await place.hire("alice", "bob")
        await place.rest("POST", W, {"url": "http://127.0.0.1:1/nobody"})
        await send(place, "one")
        await noted(place, "failure")
        assert "not reached" in str((await state(place))["failure"])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "[::ffff:7f00:1]"]
)
async def test_only_public_addresses_where_that_is_set(receiver: Receiver, host: str) -> None:
    async with open_place(Settings(webhooks_public_only=True)) as place:
        await place.hire("alice", "bob")
        port = receiver.url.rpartition(":")[2]
        await place.rest("POST", W, {"url": f"http://{host}:{port}"})
        await send(place, "one")
        await noted(place, "failure")
        assert "public address" in str((await state(place))["failure"])
    assert (receiver.taken, receiver.refused) == ([], 0)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://h/",
        "http://",
        "http://u:p@h/",
        "http://h/#x",
        "http://h:99999/",
        "http://[/",
        "http://h/" + "x" * 2_000,
        "http://h/ x",
        "http://h/\n",
        "file:///etc/passwd",
    ],
)
async def test_a_url_is_one_that_can_be_called(url: str) -> None:
    async with open_place() as place:
        status, answer = await place.rest("POST", W, {"url": url})
        assert (status, answer["code"]) == (400, Code.BAD_VALUE)


async def test_there_are_few_webhooks_and_known_events(receiver: Receiver) -> None:
    async with open_place() as place:
        for events in ([], ["x"]):
            body = {"url": receiver.url, "events": events}
            assert (await place.rest("POST", W, body))[1]["code"] == Code.BAD_VALUE
        for _ in range(webhooks.MAX_WEBHOOKS):
            assert (await place.rest("POST", W, {"url": receiver.url}))[0] == 201
        assert (await place.rest("POST", W, {"url": receiver.url}))[0] == 400


async def test_a_secret_is_shown_once(receiver: Receiver) -> None:
    key = {"Idempotency-Key": "k"}
    async with open_place() as place:
        status, made = await place.rest("POST", W, {"url": receiver.url}, headers=key)
        assert status == 201
        status, answer = await place.rest("POST", W, {"url": receiver.url}, headers=key)
        assert (status, answer["code"]) == (409, Code.SHOWN_ONCE)
        assert answer["details"] == {"webhook_id": made["webhook_id"]}
        assert "secret" not in await state(place)
