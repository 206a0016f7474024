"""What the SQLite store cannot use, said with what to do; locks and rights (C5)."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from recents.client.store.port import Step, StepFailed, StoreUnusable
from recents.client.store.sqlite_opening import PAGE_BYTES
from tests.client.store.files import (
    UNSENT,
    made,
    names_in,
    opened,
    overwritten,
    store_of,
)
from tests.client.store.obstacles import disk, full
from tests.client.store.steps import BOB, names, row, waiting


def refusal(path: Path) -> str:
    """Return what the application is told about a file that cannot be used."""

    async def refuse() -> str:
        store = store_of(path)
        with pytest.raises(StoreUnusable) as caught:
            await store.open()
        with pytest.raises(StepFailed, match="is not open"):
            await store.rows_after(None, 1)
        assert caught.value.retry_after_s is None
        return str(caught.value)

    return asyncio.run(refuse())


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    assert f"{path} is a folder: move it away" in refusal(path)


def test_a_place_where_there_can_be_no_folder_is_refused(path: Path) -> None:
    path.parent.write_text("a file where the folder should be")
    assert "choose another folder" in refusal(path)
    assert "this user may write" in refusal(Path("/proc/recents/alice.db"))


@contextmanager
def an_ordinary_user(folder: Path) -> Iterator[None]:
    """Be somebody without special rights, who owns a folder."""
    if os.geteuid() != 0:
        yield
        return
    for place, _, files in os.walk(folder):
        for name in (place, *(os.path.join(place, file) for file in files)):
            os.chown(name, 65534, -1)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach as well."""
    folder = Path(tempfile.mkdtemp(prefix="recents-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_may_only_be_read_is_refused(open_folder: Path, there: bool) -> None:
    path = open_folder / "copies" / "alice.db"
    path.parent.mkdir()
    if there:
        made(path)
    with an_ordinary_user(open_folder):
        path.parent.chmod(0o500)
        assert "check that this user may write" in refusal(path)
        path.parent.chmod(0o700)
        opened(path)


def test_a_folder_that_may_not_be_entered_is_refused(open_folder: Path) -> None:
    path = open_folder / "closed" / "node" / "alice.db"
    path.parent.parent.mkdir()
    with an_ordinary_user(open_folder):
        path.parent.parent.chmod(0)
        assert "check that this user may write" in refusal(path)
        path.parent.parent.chmod(0o700)


def test_a_name_that_is_too_long_is_refused(path: Path) -> None:
    assert "choose another folder" in refusal(path.parent / ("n" * 300) / "alice.db")


def test_a_file_that_may_only_be_read_is_refused(open_folder: Path) -> None:
    path = open_folder / "alice.db"
    made(path)
    with an_ordinary_user(open_folder):
        path.chmod(0o400)
        assert "let this user write to it" in refusal(path)
        path.chmod(0o600)
        assert opened(path)[0].token == "e.9"


def test_a_full_disk_is_told_and_leaves_everything_as_it_was(path: Path) -> None:
    with disk() as place:
        place.before = full
        assert "is full: make room" in refusal(path)
        place.before = lambda _what, _file: None
        opened(path)


def test_C6_a_full_disk_keeps_what_should_be_set_aside(path: Path) -> None:
    made(path)
    overwritten(path, 0, b"\xee" * PAGE_BYTES)
    with disk() as place:
        place.before = full
        assert "is full: make room" in refusal(path)
    saved, _ = opened(path)
    assert saved.set_aside is not None
    assert saved.outbox == UNSENT


def test_a_disk_that_fails_is_told_and_nothing_is_set_aside(path: Path) -> None:
    def broken(what: str, file: str) -> None:
        if what == "open" and file.endswith(".db"):
            raise apsw.IOError

    made(path)
    with disk() as place:
        place.before = broken
        assert "check the disk" in refusal(path)
    assert opened(path)[0].token == "e.9"


def test_C5_a_second_store_in_this_process_is_refused(path: Path) -> None:
    async def try_both() -> None:
        first = store_of(path)
        await first.open()
        with pytest.raises(StoreUnusable, match="another program has the copy of alice open: "):
            await store_of(path).open()
        await first.commit(Step(rows=(row(BOB),)))
        await first.close()
        second = store_of(path)
        await second.open()
        assert await names(second) == [BOB]
        await second.close()

    asyncio.run(try_both())


OPEN_AND_SAY = """
import asyncio, sys
from pathlib import Path
from recents.client.store.sqlite import SqliteDeviceStore
try:
    asyncio.run(SqliteDeviceStore(Path(sys.argv[1]), "alice", lambda: "x").open())
except Exception as error:
    print(type(error).__name__, error)
"""


def test_C5_a_second_program_is_refused(path: Path) -> None:
    async def try_it() -> None:
        store = store_of(path)
        await store.open()
        command = [sys.executable, "-c", OPEN_AND_SAY, str(path)]
        other = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        said, _ = await other.communicate()
        assert said.decode().startswith("StoreUnusable another program has the copy of alice open")
        await store.commit(Step(rows=(row(BOB),)))
        await store.close()

    asyncio.run(try_it())


def test_a_lock_that_is_rubbish_locks_nobody_out(path: Path) -> None:
    path.parent.mkdir()
    Path(f"{path}.lock").write_bytes(b"rubbish" * 1_000)
    opened(path)


# Folders and rights


def test_C5_only_this_user_may_read_files_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "alice.db"

    async def look() -> None:
        store = store_of(path)
        await store.open()
        await store.commit(Step(rows=(row(BOB),)))
        for file in path.parent.iterdir():
            if not file.name.endswith("-shm"):
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        await store.close()

    asyncio.run(look())
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names_in(path.parent) == {"alice.db", "alice.db.lock"}


def test_C5_two_accounts_in_one_folder_never_see_each_others_rows(tmp_path: Path) -> None:
    async def use() -> None:
        alice = store_of(tmp_path / "alice.db", "alice", "a")
        bob = store_of(tmp_path / "bob.db", "bob", "b")
        await alice.open()
        await bob.open()
        await alice.commit(Step(rows=(row(BOB),), token="e.1", outbox=(waiting(1),)))
        assert await names(bob) == []
        await bob.commit(Step(token="e.2"))
        await alice.close()
        await bob.close()
        assert (await alice.open()).token == "e.1"
        assert (await bob.open()).outbox == ()
        await alice.close()
        await bob.close()

    asyncio.run(use())
