"""Contract: which kept messages are found, and that the index goes with them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace

from recents.client.store.port import DeviceStore, Step, StepFailed
from recents.client.store.queries import migrations
from recents.client.store.sqlite import INDEXED_BEHIND, SqliteDeviceStore
from recents.client.store.sqlite_opening import APPLICATION_ID
from recents.client.store.sqlite_words import AT_ONCE, Words
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.phrases import phrases_of
from recents.core.replica import Gone
from tests.client.store.conftest import KEPT_MESSAGES, Device
from tests.client.store.steps import ALICE, BOB, CAROL, message, row

pytestmark = pytest.mark.asyncio


async def found(
    store: DeviceStore, query: str, conversation: Conversation | None = None, limit: int = 50
) -> list[tuple[str, int]]:
    hits = await store.search(phrases_of(query), conversation, limit)
    return [(hit.conversation.removeprefix("p2p:"), hit.message.seq) for hit in hits]


async def keep(store: DeviceStore, name: Conversation, *messages: Message) -> None:
    await store.commit(Step(messages={name: messages}))


async def test_newest_first_over_all_conversations(store: DeviceStore) -> None:
    await keep(store, BOB, message(1, "one lunch"), message(5, "Lunch?"))
    await keep(store, CAROL, message(2, "lunch, LUNCH"), message(3, "dinner"))
    assert await found(store, "lunch") == [("bob", 5), ("carol", 2), ("bob", 1)]
    assert await found(store, "lunch", limit=2) == [("bob", 5), ("carol", 2)]
    assert await found(store, "lunch", BOB) == [("bob", 5), ("bob", 1)]
    assert await found(store, "lunch", CAROL, limit=1) == [("carol", 2)]
    assert await found(store, "lunch", Conversation("p2p:dave")) == []


async def test_what_is_found_is_the_message_itself(store: DeviceStore) -> None:
    kept = replace(message(1, 'say "hi" \\ 你好'), attachment={"a": ["你"]})
    await keep(store, BOB, kept)
    (hit,) = await store.search(phrases_of("你好"), None, 9)
    assert (hit.conversation, hit.message) == (BOB, kept)


@pytest.mark.parametrize("query", ["今", "天", "今天", "天开", "开会 今", "会!", "iph", "手机"])
async def test_chinese_words_of_one_and_two_characters(store: DeviceStore, query: str) -> None:
    await keep(store, BOB, message(1, "今天开会"), message(2, "买iPhone手机"), message(3, "明日"))
    assert len(await found(store, query)) == 1


@pytest.mark.parametrize(
    "query",
    ["and", "or not", "near", '"x"', "a*", "text:a", "-a", "^a", "(a)", "x + y", "{a b}:c"],
)
async def test_words_that_mean_something_to_the_index_are_words(
    store: DeviceStore, query: str
) -> None:
    await keep(store, BOB, message(1, f"see {query} here"), message(2, "nothing"))
    assert await found(store, query) == [("bob", 1)]


async def test_messages_that_are_forgotten_are_not_found(store: DeviceStore) -> None:
    many = [message(seq, "hi") for seq in range(1, KEPT_MESSAGES + 3)]
    await keep(store, BOB, *many)
    assert len(await found(store, "hi")) == KEPT_MESSAGES
    await keep(store, CAROL, message(1, "hi"), message(2, "hi"))
    await store.commit(Step(rows=(row(BOB, cleared_seq=4),), gone=(Gone(CAROL, 1, 1),)))
    assert await found(store, "hi") == [("bob", 7), ("bob", 6), ("bob", 5), ("carol", 2)]
    await store.commit(Step(forgets_messages=True, messages={BOB: (message(9, "hi"),)}))
    assert await found(store, "hi") == [("bob", 9)]


async def test_a_message_that_changes_is_found_by_what_it_says_now(store: DeviceStore) -> None:
    await keep(store, BOB, message(1, "before"))
    await keep(store, BOB, message(1, "before"))
    await keep(store, BOB, message(1, "after"))
    assert await found(store, "before") == []
    assert await found(store, "after") == [("bob", 1)]
    await keep(store, BOB, message(1, ""))
    assert await found(store, "after") == []


async def test_the_index_survives_a_kill(device: Device) -> None:
    await keep(device.store, BOB, message(1, "hello"))
    await device.restart(kill=True)
    assert await found(device.store, "hello") == [("bob", 1)]
    await device.store.begin_anew()
    assert await found(device.store, "hello") == []


async def test_a_closed_store_cannot_be_searched(device: Device) -> None:
    await device.store.close()
    with pytest.raises(StepFailed):
        await device.store.search(phrases_of("x"), None, 9)


async def test_a_file_is_indexed_while_nobody_waits(path: Path) -> None:
    """All but the last ones; a search brings those in step as well."""
    store = SqliteDeviceStore(path, ALICE, lambda: "d", kept_messages=10_000)
    await store.open()
    many = 2 * INDEXED_BEHIND + 7
    await keep(store, BOB, *(message(seq, f"word{seq}") for seq in range(1, many + 1)))
    while (left := waiting_in(path)) > INDEXED_BEHIND:  # noqa: ASYNC110  # only the file knows
        await asyncio.sleep(0.01)
    assert left > INDEXED_BEHIND - AT_ONCE
    assert await found(store, f"word{many}") == [("bob", many)]
    assert waiting_in(path) == 0
    await store.close()


def waiting_in(path: Path) -> int:
    reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.set_busy_timeout(5_000)
    (count,) = reader.execute("SELECT count(*) FROM unsearched").fetchone() or (0,)
    reader.close()
    assert isinstance(count, int)
    return count


async def test_indexing_that_fails_hurts_no_step(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise apsw.FullError("the disk is full")

    store = SqliteDeviceStore(path, ALICE, lambda: "d", kept_messages=10_000)
    await store.open()
    with monkeypatch.context() as patch:
        patch.setattr(Words, "catch_up", fail)
        await keep(store, BOB, *(message(seq, "hi") for seq in range(1, INDEXED_BEHIND + 2)))
        with pytest.raises(StepFailed):
            await store.search(phrases_of("hi"), None, 9)
    assert "not indexed for now" in caplog.text
    assert len(await found(store, "hi", limit=9)) == 9
    await store.close()


async def test_messages_kept_by_an_older_version_are_found(path: Path) -> None:
    store = SqliteDeviceStore(path, ALICE, lambda: "d")
    await store.open()
    await store.commit(
        Step(
            messages={BOB: (message(1, "今天 Café"), message(2, "")), CAROL: (message(1, "cafe"),)}
        )
    )
    await store.close()
    older = path.with_name("older.db")
    with_the_first_schema(path, older)
    shutil.move(older, path)
    await store.open()
    assert await found(store, "cafe") == [("bob", 1), ("carol", 1)]
    assert await found(store, "天") == [("bob", 1)]
    await keep(store, BOB, message(3, "cafe"))
    assert await found(store, "cafe", BOB) == [("bob", 3), ("bob", 1)]
    await store.close()


def with_the_first_schema(source: Path, path: Path) -> None:
    """Copy what the first schema had into a file that has no more."""
    old = apsw.Connection(str(path))
    old.execute(migrations()[0])
    old.execute("ATTACH ? AS source", (str(source),))
    for table in ("copy", "outbox", "inbox", "messages"):
        old.execute(f"INSERT INTO main.{table} SELECT * FROM source.{table}")
    old.execute("DETACH source")
    old.pragma("application_id", APPLICATION_ID)
    old.pragma("user_version", 1)
    old.close()
