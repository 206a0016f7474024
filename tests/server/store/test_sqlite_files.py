"""Files that the SQLite store refuses, each with what to do about it, and leaves as they are."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from recents.core.ids import p2p
from recents.server.store.port import StoreFailed, StoreUnusable
from recents.server.store.queries import migrations
from recents.server.store.sqlite import SqliteStore
from tests.contracts.batches import history, posted


def made(path: Path) -> None:
    """Make a store with 500 messages."""

    async def make() -> None:
        store = SqliteStore(path)
        await store.open()
        await posted(store, "alice", p2p("bob"), *(f"m{number}" for number in range(500)))
        await store.close()

    asyncio.run(make())


def refusal(path: Path) -> str:
    """Return what the node is told about a file that cannot be opened."""

    async def refuse() -> str:
        store = SqliteStore(path)
        with pytest.raises(StoreUnusable) as caught:
            await store.open()
        with pytest.raises(StoreFailed, match="is not open"):
            await store.page("alice", 10)
        return str(caught.value)

    said = asyncio.run(refuse())
    assert str(path) in said
    return said


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder: name a file in it" in refusal(tmp_path)
    assert not list(tmp_path.parent.glob(f"{tmp_path.name}.lock"))


def test_a_file_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "check that its folder exists" in refusal(tmp_path / "none" / "recents.db")


def test_a_place_where_nobody_may_write_is_refused() -> None:
    assert "this user may write" in refusal(Path("/proc/recents.db"))


@pytest.mark.parametrize(
    "content", [b"not a database" * 500, b"short", b"SQLite format 3\0" + b"\xff" * 9_000]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "put a backup in its place" in refusal(path)
    assert path.read_bytes() == content


def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.touch()
    made(path)
    assert path.stat().st_size > 4_096


def test_a_file_that_was_cut_off_is_refused(path: Path) -> None:
    made(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("page", range(1, 12))
def test_damage_anywhere_is_told_as_damage(path: Path, page: int) -> None:
    made(path)
    with path.open("r+b") as file:
        file.seek(4096 * page)
        file.write(b"\xee" * 4096)

    async def use() -> None:
        store = SqliteStore(path)
        await store.open()
        try:
            await history(store, "p2p:alice|bob")
            await store.page("alice", 10)
            await posted(store, "alice", p2p("bob"), "m7", "next")
        finally:
            await store.close()

    told: list[str] = []
    try:
        asyncio.run(use())
    except (StoreFailed, StoreUnusable) as error:
        told.append(str(error))
    # The page of a table that was not needed does no harm.
    assert all("is damaged" in words for words in told)


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (value); PRAGMA user_version = 1")
    other.close()
    content = path.read_bytes()
    assert "another program" in refusal(path)
    assert path.read_bytes() == content


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    made(path)
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    content = path.read_bytes()
    known = len(migrations())
    assert f"newer version of recents (schema 99, this one knows {known})" in refusal(path)
    assert path.read_bytes() == content


def test_a_migration_that_fails_leaves_nothing_of_itself(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = ("CREATE TABLE one (value)", "CREATE TABLE two (value); SELECT nonsense")
    monkeypatch.setattr("recents.server.store.sqlite_opening.migrations", lambda: scripts)
    refusal(path)
    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == 1
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("one",)]
    connection.close()


def test_a_second_node_in_this_process_is_refused(path: Path) -> None:
    link = path.parent / "link.db"
    link.symlink_to(path)

    async def try_both() -> None:
        store = SqliteStore(path)
        await store.open()
        for name in (path, link):
            with pytest.raises(StoreUnusable, match="another node is using"):
                await SqliteStore(name).open()
        await posted(store, "alice", p2p("bob"), "m1")
        await store.close()
        second = SqliteStore(link)
        await second.open()
        assert second.version == 1
        await second.close()

    asyncio.run(try_both())


OPEN_AND_SAY = """
import asyncio, sys
from pathlib import Path
from recents.server.store.sqlite import SqliteStore
try:
    asyncio.run(SqliteStore(Path(sys.argv[1])).open())
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_second_node_in_another_process_is_refused(path: Path) -> None:
    async def try_it() -> None:
        store = SqliteStore(path)
        await store.open()
        command = [sys.executable, "-c", OPEN_AND_SAY, str(path)]
        other = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        said, _ = await other.communicate()
        assert said.decode().startswith("StoreUnusable another node is using")
        await posted(store, "alice", p2p("bob"), "m1")
        await store.close()

    asyncio.run(try_it())
