"""A file of an older schema is opened with everything that is in it."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from recents.core.face import Face
from recents.core.ids import p2p, super_team, team
from recents.server.store.port import Account, KnownDevice, Token
from recents.server.store.queries import migrations
from recents.server.store.sqlite import SqliteStore
from recents.server.store.sqlite_opening import APPLICATION_ID
from tests.contracts.batches import Batch, history, posted

pytestmark = pytest.mark.asyncio

BOB, TEAM = p2p("bob"), team("t1")


async def fill(store: SqliteStore) -> None:
    """Store something of everything that a node with the first schema could; it had no recalls."""
    await store.create_account(Account("carol", "Carol \0", 1))
    for account in ("alice", "bob"):
        await store.create_account(Account(account, "", 1))
        await store.add_token(Token(f"t-{account}", account, account.encode() * 6, "", 1))
    await store.revoke_tokens("bob", 9)
    batch = Batch().post("alice", BOB, "m1", attachment={"a": 1}, mentions=("bob",))
    await (
        batch.post("bob", p2p("alice"), "m2", mentions=("@all", "alice", "alice"))
        .post("bob", p2p("alice"), "m3")
        .commit(store)
    )
    for name in (TEAM, super_team("big")):
        await Batch().create(name, "alice", "bob").post("alice", name, "m1").commit(store)
    await (
        Batch()
        .leave("alice", TEAM, removed=True)
        .delete("alice", super_team("big"), 1)
        .commit(store)
    )
    await Batch().read("bob", p2p("alice"), 1).commit(store)


async def content(store: SqliteStore) -> list[object]:
    """Return everything that the port tells."""
    names = ("alice", "bob")
    return [
        store.epoch,
        store.version,
        [sorted(await store.changed_since(name, 0), key=str) for name in names],
        [await store.page(name, 10) for name in names],
        [await history(store, key) for key in ("p2p:alice|bob", TEAM, super_team("big"))],
        [await store.teams_of(name) for name in names],
        await store.accounts("", 10),
        [await store.tokens_of(name) for name in names],
    ]


def with_schema(number: int, source: Path, path: Path) -> None:
    """Copy what a file holds into one that an older version made."""
    old = apsw.Connection(str(path))
    old.execute("PRAGMA journal_mode = WAL")
    with old:
        for script in migrations()[:number]:
            old.execute(script)
        old.pragma("application_id", APPLICATION_ID)
        old.pragma("user_version", number)
    old.execute("ATTACH ? AS newer", (str(source),))
    tables = old.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in tables:
        rows = old.execute(f"SELECT name FROM pragma_table_info('{table}', 'main')").fetchall()
        columns = ", ".join(str(column) for (column,) in rows)
        old.execute(f"DELETE FROM main.{table}")
        old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
    old.close()


async def test_a_file_of_the_first_schema_keeps_everything(path: Path, tmp_path: Path) -> None:
    newest = SqliteStore(tmp_path / "newest.db")
    await newest.open()
    await fill(newest)
    expected = await content(newest)
    await newest.close()
    with_schema(1, tmp_path / "newest.db", path)
    # Carol has a name, so a commit tells whoever talks with her: nobody.
    expected[1] = 6

    store = SqliteStore(path)
    await store.open()
    assert await content(store) == expected
    await posted(store, "alice", BOB, "m1", "m4")
    await Batch().draft("alice", BOB, "soon").mute("alice", BOB, "none").commit(store)
    await Batch().mark_unread("bob", p2p("alice")).once("bob", "c1").commit(store)
    await store.put_devices([KnownDevice("alice", "phone", "", "t-alice", 1, 1)], 9)
    expected = await content(store)
    await store.close()
    await store.open()
    assert await content(store) == expected
    assert store.version == 9
    await store.close()

    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == len(migrations())
    assert connection.pragma("integrity_check") == "ok"
    connection.close()


@pytest.mark.parametrize(("bob", "named"), [("Bob", True), ("", False)])
async def test_names_are_in_the_rows_afterwards_and_devices_hear_of_it(
    path: Path, tmp_path: Path, bob: str, named: bool
) -> None:
    newest = SqliteStore(tmp_path / "newest.db")
    await newest.open()
    for account, name in [("alice", ""), ("bob", bob), ("zoe", "")]:
        await newest.create_account(Account(account, name, 1))
    await posted(newest, "zoe", p2p("zoe"), "m1")
    await posted(newest, "alice", p2p("zoe"), "m1")
    await posted(newest, "alice", BOB, "m1")
    await Batch().create(TEAM, "alice", "bob").commit(newest)
    before = await newest.changed_since("bob", 0)
    version = newest.version
    await newest.close()
    with_schema(2, tmp_path / "newest.db", path)
    old = apsw.Connection(str(path))
    # What an older version knew nothing of.
    old.execute("UPDATE accounts SET name = ? WHERE account = 'bob'", (bob,))
    old.close()

    store = SqliteStore(path)
    await store.open()
    changed = [seen.entry() for seen in await store.changed_since("alice", version)]
    assert [(row.conversation, row.name, row.version) for row in changed] == (
        [(BOB, "Bob", version + 1)] if named else []
    )
    assert store.version == version + named
    assert len(await store.changed_since("bob", version)) == named
    if not named:
        assert await store.changed_since("bob", 0) == before
    assert (await store.account("bob")) == Account("bob", bob, 1)
    await Batch().face("alice", Face("Alice")).commit(store)
    assert {seen.entry().title for seen in await store.changed_since("bob", 0)} == {
        "Alice",
        "A team",
    }
    await store.close()


async def test_a_file_of_the_second_schema_keeps_its_drafts(path: Path, tmp_path: Path) -> None:
    newest = SqliteStore(tmp_path / "newest.db")
    await newest.open()
    await fill(newest)
    await Batch().draft("alice", BOB, "soon").mute("alice", BOB, "none").commit(newest)
    await newest.close()
    with_schema(2, tmp_path / "newest.db", path)

    store = SqliteStore(path)
    await store.open()
    rows = {seen.conversation: seen.entry() for seen in await store.changed_since("alice", 0)}
    kept = rows[BOB]
    assert (kept.draft and kept.draft.text, kept.mute) == ("soon", "none")
    await store.close()


async def test_a_migrated_file_has_the_schema_of_a_new_one(path: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    store = SqliteStore(new)
    await store.open()
    await store.close()
    with_schema(1, new, path)
    store = SqliteStore(path)
    await store.open()
    await store.close()
    schemas = []
    for file in (new, path):
        connection = apsw.Connection(str(file))
        schemas.append(connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall())
        connection.close()
    assert schemas[0] == schemas[1]
