"""The SQLite store when its file turns out to be damaged while it is in use (C6)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import apsw
import pytest
import pytest_asyncio

from recents.client.store.port import (
    CopyDamaged,
    DeviceStore,
    Step,
    StepFailed,
    StoreUnusable,
)
from recents.client.store.sqlite import SqliteDeviceStore
from recents.client.store.sqlite_opening import PAGE_BYTES
from recents.core.ids import p2p
from tests.client.store.files import (
    ROWS,
    contents,
    filled,
    names_in,
    overwritten,
    pages_of,
    store_of,
)
from tests.client.store.obstacles import disk, full
from tests.client.store.steps import (
    BOB,
    all_rows,
    message,
    names,
    row,
    waiting,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def store(path: Path) -> AsyncIterator[SqliteDeviceStore]:
    """An open, empty store."""
    made = store_of(path)
    await made.open()
    yield made
    await made.close()


def driver_of(store: SqliteDeviceStore) -> apsw.Connection:
    """Return the store's connection, to put obstacles in its way."""
    return store._file.copy.connection


async def damaged_in_use(store: SqliteDeviceStore, path: Path, table: str) -> None:
    """Fill a store, and damage a page far from the rows that are read at the opening."""
    await store.open()
    await filled(store)
    await store.close()
    octets = contents(path)
    for page in pages_of(path, table):
        content = octets[PAGE_BYTES * page : PAGE_BYTES * (page + 1)]
        if re.search(rb'p2p:peer-2\\?"', content):
            overwritten(path, PAGE_BYTES * page, b"\xee" * PAGE_BYTES)


WORK: dict[str, Callable[[DeviceStore], Awaitable[object]]] = {
    "commit": lambda store: store.commit(Step(token="e.1")),
    "rows": lambda store: store.rows_after(None, 1),
    "messages": lambda store: store.messages(BOB, 1, 1),
}


async def all_messages(store: DeviceStore) -> None:
    for number in range(ROWS):
        await store.messages(p2p(f"peer-{number}"), 9, 9)


def all_rows_again(store: DeviceStore) -> Awaitable[None]:
    return store.commit(Step(rows=tuple(row(p2p(f"peer-{n}"), n + 1) for n in range(ROWS))))


DEEP_WORK: dict[str, Callable[[DeviceStore], Awaitable[object]]] = {
    "commit": all_rows_again,
    "rows": all_rows,
    "messages": all_messages,
}


@pytest.mark.parametrize("work", DEEP_WORK)
async def test_C6_every_call_tells_of_damage_and_nothing_more_is_kept(
    path: Path, work: str
) -> None:
    store = store_of(path, device_id="first")
    await damaged_in_use(store, path, "messages" if work == "messages" else "inbox")
    assert (await store.open()).set_aside is None
    with pytest.raises(CopyDamaged, match="has to be begun anew"):
        await DEEP_WORK[work](store)
    with pytest.raises(CopyDamaged):
        await store.commit(Step(token="e.11"))
    with pytest.raises(CopyDamaged):
        await store.rows_after(None, 1)

    aside = await store.begin_anew()
    assert aside.path == f"{path}.damaged-1"
    assert aside.rescued == 0
    assert "alice.db.damaged-1" in names_in(path.parent)
    assert await names(store) == []
    await store.commit(Step(rows=(row(BOB),), outbox=(waiting(7),), token="e.12"))
    saved = await store.open()
    assert (saved.device_id, saved.token, saved.outbox) == ("first", "e.12", (waiting(7),))
    assert saved.set_aside is None
    assert await names(store) == [BOB]
    await store.close()


@pytest.mark.parametrize("table", ["inbox", "messages"])
async def test_C6_values_that_do_not_decode_are_damage(
    store: SqliteDeviceStore, table: str
) -> None:
    await store.commit(Step(rows=(row(BOB),), messages={BOB: (message(1),)}))
    column = {"inbox": "entry", "messages": "message"}[table]
    driver_of(store).execute(f"UPDATE {table} SET {column} = '{{}}'")
    with pytest.raises(CopyDamaged):
        await (store.rows_after(None, 9) if table == "inbox" else store.messages(BOB, 9, 9))


async def test_C6_begun_anew_is_tried_again_when_there_is_room(path: Path) -> None:
    with disk() as place:
        store = store_of(path, device_id="first")
        await store.open()
        driver_of(store).execute("DROP TABLE inbox")
        with pytest.raises(CopyDamaged):
            await store.rows_after(None, 1)
        place.before = full
        with pytest.raises(StoreUnusable, match="is full"):
            await store.begin_anew()
        with pytest.raises(CopyDamaged):
            await store.commit(Step(token="e.1"))
        place.before = lambda _what, _file: None
        await store.begin_anew()
        await store.commit(Step(token="e.2"))
        saved = await store.open()
        assert (saved.device_id, saved.token) == ("first", "e.2")
        await store.close()


async def test_begin_anew_of_a_closed_store_is_refused(path: Path) -> None:
    store = store_of(path)
    with pytest.raises(StepFailed, match="is not open"):
        await store.begin_anew()


@pytest.mark.parametrize("work", WORK)
async def test_every_call_turns_the_drivers_errors_into_the_ports(
    store: SqliteDeviceStore, work: str
) -> None:
    driver_of(store).close()
    with pytest.raises(StepFailed) as caught:
        await WORK[work](store)
    assert isinstance(caught.value.__cause__, apsw.Error)
