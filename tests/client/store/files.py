"""Files of a copy, and what may have happened to them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw

from recents.client.store.port import Saved, Step
from recents.client.store.sqlite import SqliteDeviceStore
from recents.core.ids import p2p
from recents.core.totals import Totals
from tests.client.store.steps import ALICE, message, names, row, waiting, writing

ROWS = 400
"""Enough for inner pages; the top of the list is on a few pages of many."""


def store_of(path: Path, account: str = ALICE, device_id: str = "new") -> SqliteDeviceStore:
    return SqliteDeviceStore(path, account, lambda: device_id)


async def filled(store: SqliteDeviceStore) -> None:
    """Fill a copy with rows, and an outbox in which 3 of 4 commands were not answered."""
    rows = tuple(row(p2p(f"peer-{number}"), number) for number in range(ROWS))
    await store.commit(Step(rows=rows, token="e.9", totals=Totals(conversations=ROWS)))
    await store.commit(
        Step(messages={row.conversation: (message(1, f'"{row.conversation}"'),) for row in rows})
    )
    commands = (waiting(1), waiting(2, version=5), writing(3), waiting(4))
    await store.commit(Step(outbox=commands, durable=True))


UNSENT = (waiting(1), writing(3), waiting(4))


def made(path: Path, account: str = ALICE) -> None:
    """Make a file that was closed."""

    async def make() -> None:
        store = store_of(path, account, "first")
        await store.open()
        await filled(store)
        await store.close()

    asyncio.run(make())


def left_open(path: Path) -> None:
    """Make a file whose program was killed: with a log, and almost nothing in the file itself."""

    async def make() -> None:
        elsewhere = path.parent.parent / "killed" / path.name
        store = store_of(elsewhere, device_id="first")
        await store.open()
        await filled(store)
        shutil.copytree(elsewhere.parent, path.parent)
        await store.close()

    asyncio.run(make())


def opened(path: Path, account: str = ALICE) -> tuple[Saved, list[str]]:
    """Open a file; return what a device begins with, and its rows. It must work afterwards."""

    async def use() -> tuple[Saved, list[str]]:
        store = store_of(path, account)
        saved = await store.open()
        shown = await names(store)
        await store.commit(Step(token="e.10", durable=True))
        assert (await store.open()).token == "e.10"
        await store.close()
        assert (await store.open()).set_aside is None, "the application was told twice"
        await store.close()
        return saved, shown

    return asyncio.run(use())


def changed(path: Path, sql: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(sql)
    connection.close()


def overwritten(path: Path, place: int, octets: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(octets)


def pages_of(path: Path, table: str) -> list[int]:
    """Return the numbers of the pages of a table, counted from 0."""
    connection = apsw.Connection(str(path))
    found = connection.execute(
        "SELECT pageno - 1 FROM dbstat WHERE name = ? ORDER BY pageno", (table,)
    )
    pages = [int(page) for (page,) in found]
    connection.close()
    return pages


def contents(path: Path) -> bytes:
    return path.read_bytes()


def names_in(folder: Path, ending: str = "") -> set[str]:
    return {file.name for file in folder.iterdir() if file.name.endswith(ending)}


Damage = Callable[[Path], None]
