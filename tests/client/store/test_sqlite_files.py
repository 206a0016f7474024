"""What the SQLite store finds in its way is set aside, and the unsent is rescued (C5, C6)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from recents.client.store import sqlite_file
from recents.client.store.port import SetAside, Step
from recents.client.store.queries import migrations
from recents.client.store.sqlite_opening import PAGE_BYTES
from recents.core.pending import Pending
from tests.client.store.files import (
    ROWS,
    UNSENT,
    changed,
    left_open,
    made,
    names_in,
    opened,
    overwritten,
    pages_of,
    store_of,
)
from tests.client.store.steps import waiting


def set_aside(
    path: Path,
    label: str,
    *,
    reason: str,
    unsent: tuple[Pending, ...] = UNSENT,
    device_id: str = "first",
    lost: bool = False,
) -> None:
    """Open a file that has to be set aside, and look at all that is said about it."""
    content = path.read_bytes() if path.exists() else None
    saved, rows = opened(path)
    aside = saved.set_aside
    assert aside is not None
    assert aside.path == f"{path}.{label}"
    assert reason in aside.reason
    assert aside == SetAside(path=aside.path, reason=aside.reason, rescued=len(unsent), lost=lost)
    assert saved.outbox == unsent
    assert saved.device_id == device_id
    assert saved.token is None
    assert rows == []
    if content is not None:
        assert Path(aside.path).read_bytes() == content
    assert not {name for name in names_in(path.parent) if name.endswith((".new", ".rescue"))}


# Set aside


def test_C6_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 1_000)
    set_aside(path, "damaged-1", reason="damaged", unsent=(), device_id="new", lost=True)


@pytest.mark.parametrize("content", [b"", b"short", b"SQLite format 3\0" + b"\xff" * 9_000])
def test_C6_an_empty_or_half_written_file(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    set_aside(path, "damaged-1", reason="it is", unsent=(), device_id="new", lost=True)


def test_C6_a_file_that_was_cut_off_gives_its_commands(path: Path) -> None:
    made(path)
    os.truncate(path, path.stat().st_size // 2 // PAGE_BYTES * PAGE_BYTES)
    set_aside(path, "damaged-1", reason="damaged", lost=True)


def test_C6_a_damaged_header_is_mended_for_the_rescue(path: Path) -> None:
    made(path)
    overwritten(path, 0, b"\xee" * 100)
    set_aside(path, "damaged-1", reason="damaged", lost=True)


def test_C6_a_first_page_that_is_lost_is_mended_for_the_rescue(path: Path) -> None:
    made(path)
    overwritten(path, 0, b"\xee" * PAGE_BYTES)
    set_aside(path, "damaged-1", reason="damaged", lost=True)


def test_C6_a_file_that_was_emptied_is_mended_from_its_log(path: Path) -> None:
    left_open(path)
    path.write_bytes(b"")
    set_aside(path, "damaged-1", reason="it is empty", lost=True)


def test_a_damaged_page_that_the_log_has_is_no_damage(path: Path) -> None:
    left_open(path)
    overwritten(path, 0, b"\xee" * PAGE_BYTES)
    saved, rows = opened(path)
    assert saved.set_aside is None
    assert (saved.token, len(rows)) == ("e.9", ROWS)


def test_C6_a_damaged_page_that_says_whose_copy_it_is(path: Path) -> None:
    made(path)
    overwritten(path, PAGE_BYTES * pages_of(path, "copy")[0], b"\xee" * PAGE_BYTES)
    set_aside(path, "damaged-1", reason="damaged", device_id="new")


def test_C6_a_damaged_page_of_the_outbox(path: Path) -> None:
    made(path)
    overwritten(path, PAGE_BYTES * pages_of(path, "outbox")[0], b"\xee" * PAGE_BYTES)
    set_aside(path, "damaged-1", reason="damaged", unsent=(), lost=True)


def test_C6_one_damaged_page_of_a_long_outbox_costs_those_on_it_only(path: Path) -> None:
    made(path)
    many = tuple(waiting(number) for number in range(5, 400))

    async def fill() -> None:
        store = store_of(path)
        await store.open()
        await store.commit(Step(outbox=many))
        await store.close()

    asyncio.run(fill())
    pages = pages_of(path, "outbox")
    assert len(pages) > 5
    for page in (pages[2], pages[4]):
        overwritten(path, PAGE_BYTES * page, b"\xee" * PAGE_BYTES)
    saved, _ = opened(path)
    assert saved.set_aside is not None
    assert saved.set_aside.lost
    assert saved.set_aside.rescued == len(saved.outbox)
    found = [pending.number for pending in saved.outbox]
    assert found == sorted(found)
    assert 250 < len(found) < 398
    # Pages in front of, between and behind the damaged ones.
    assert {1, 3, 4, 399} <= set(found)
    gaps = [after - before for before, after in pairwise(found)]
    assert sum(gap > 5 for gap in gaps) == 2


def test_C6_a_damaged_page_of_the_first_rows(path: Path) -> None:
    made(path)
    for page in pages_of(path, "inbox_by_place"):
        overwritten(path, PAGE_BYTES * page, b"\xee" * PAGE_BYTES)
    set_aside(path, "damaged-1", reason="damaged")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE copy SET totals = '{}}'",
        'UPDATE copy SET totals = \'{"unread": "many"}\'',
        "DELETE FROM copy",
        "UPDATE inbox SET entry = 'x' WHERE place = (SELECT min(place) FROM inbox)",
        "UPDATE inbox SET entry = CAST(x'ff' AS TEXT) WHERE conversation = 'p2p:peer-399'",
        "DROP TABLE inbox",
        "DROP INDEX inbox_by_place; ALTER TABLE inbox DROP COLUMN place",
        "PRAGMA user_version = 0",
    ],
)
def test_C6_values_and_tables_of_another_sort(path: Path, sql: str) -> None:
    made(path)
    changed(path, sql)
    device_id = "new" if sql.startswith("DELETE") else "first"
    set_aside(path, "damaged-1", reason="damaged", device_id=device_id)


def test_C6_a_command_that_does_not_decode_costs_itself_only(path: Path) -> None:
    made(path)
    changed(path, "UPDATE outbox SET pending = CAST(x'7bff' AS TEXT) WHERE number = 3")
    unsent = (UNSENT[0], UNSENT[2])
    set_aside(path, "damaged-1", reason="damaged", unsent=unsent, lost=True)


def test_C6_a_log_that_is_gone(path: Path) -> None:
    left_open(path)
    Path(f"{path}-wal").unlink()
    set_aside(path, "damaged-1", reason="its log is gone", unsent=(), lost=True)


def test_C6_a_log_that_is_rubbish(path: Path) -> None:
    left_open(path)
    log = Path(f"{path}-wal")
    log.write_bytes(b"rubbish" * 1_000)
    set_aside(path, "damaged-1", reason="its log is no log", unsent=(), lost=True)
    assert Path(f"{path}.damaged-1-wal").read_bytes() == b"rubbish" * 1_000


def test_C6_a_log_whose_file_is_gone(path: Path) -> None:
    left_open(path)
    path.unlink()
    set_aside(path, "damaged-1", reason="only its log is there", lost=True)


def test_a_log_that_lost_its_end_with_the_power_is_no_damage(path: Path) -> None:
    left_open(path)
    for octets in (b"", b"\0" * 5_000):
        Path(f"{path}-wal").write_bytes(octets)
        saved, rows = opened(path)
        assert saved.set_aside is None
        assert saved.device_id == "first"
        assert rows == []


def test_C6_a_newer_schema_is_kept_and_its_commands_are_rescued(path: Path) -> None:
    made(path)
    changed(path, "PRAGMA user_version = 99; ALTER TABLE outbox ADD COLUMN more TEXT")
    set_aside(
        path,
        "newer-1",
        reason=f"a newer version of recents (schema 99, this one knows {len(migrations())})",
    )


def test_C6_commands_of_a_newer_schema_that_are_not_understood_are_told_as_lost(
    path: Path,
) -> None:
    made(path)
    changed(
        path,
        """
        PRAGMA user_version = 99;
        UPDATE outbox SET pending = json_set(pending, '$.command.type', 'teleport')
        WHERE number = 1;
    """,
    )
    set_aside(path, "newer-1", reason="newer", unsent=UNSENT[1:], lost=True)


def test_C6_a_newer_schema_without_an_outbox_keeps_the_device(path: Path) -> None:
    made(path)
    changed(path, "PRAGMA user_version = 99; DROP TABLE outbox")
    set_aside(path, "newer-1", reason="newer", unsent=(), lost=True)


def test_C6_the_database_of_another_program(path: Path) -> None:
    path.parent.mkdir()
    changed(path, "CREATE TABLE theirs (value); PRAGMA application_id = 7")
    set_aside(path, "other-program-1", reason="another program", unsent=(), device_id="new")


def test_C6_a_file_of_ours_whose_mark_was_damaged_gives_its_commands(path: Path) -> None:
    made(path)
    changed(path, "PRAGMA application_id = 7")
    set_aside(path, "other-program-1", reason="another program")


def test_C5_nothing_of_another_accounts_file_is_taken(path: Path) -> None:
    made(path, account="bob")
    set_aside(path, "other-account-1", reason="another account", unsent=(), device_id="new")


@pytest.mark.parametrize("sql", ["UPDATE copy SET totals = ''", "PRAGMA user_version = 99"])
def test_C5_also_where_it_is_damaged_or_newer(path: Path, sql: str) -> None:
    made(path, account="bob")
    changed(path, sql)
    saved, _ = opened(path)
    assert (saved.device_id, saved.outbox) == ("new", ())


def test_C5_also_where_it_cannot_say_whose_it_is(path: Path) -> None:
    made(path, account="bob")
    changed(path, "DELETE FROM copy")
    set_aside(path, "damaged-1", reason="damaged", unsent=(), device_id="new")


def test_C6_what_was_set_aside_is_said_until_the_list_is_there_again(path: Path) -> None:
    made(path)
    path.write_bytes(b"rubbish" * 1_000)

    async def look() -> None:
        store = store_of(path)
        first = (await store.open()).set_aside
        assert first is not None
        await store.commit(Step(outbox=(waiting(9),), durable=True))
        assert (await store.open()).set_aside == first
        await store.commit(Step(token="e.1"))
        assert (await store.open()).set_aside is None
        await store.close()

    asyncio.run(look())


def test_C6_nothing_that_was_set_aside_is_overwritten(path: Path) -> None:
    for number in (1, 2, 3):
        made(path) if number == 1 else None
        overwritten(path, 0, b"\xee" * PAGE_BYTES)
        saved, _ = opened(path)
        assert saved.set_aside is not None
        assert saved.set_aside.path.endswith(f".damaged-{number}")
        assert saved.outbox == UNSENT
        assert saved.device_id == "first"
    asides = {f"alice.db.damaged-{number}" for number in (1, 2, 3)}
    assert asides <= names_in(path.parent)


@pytest.mark.parametrize("kill_at", range(1, 11))
def test_C6_a_kill_while_a_file_is_set_aside_loses_no_command(
    path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    left_open(path)
    log = Path(f"{path}-wal").read_bytes()
    path.write_bytes(b"")
    steps = 0

    class Killed(BaseException):
        pass

    def before(what: Callable[..., object]) -> Callable[..., object]:
        def or_killed(*args: object, **options: object) -> object:
            nonlocal steps
            steps += 1
            if steps == kill_at:
                raise Killed
            return what(*args, **options)

        return or_killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", before(Path.rename))
        for name in ("rescued", "built", "sync_folder", "looked_into"):
            patch.setattr(sqlite_file, name, before(getattr(sqlite_file, name)))
        with pytest.raises(Killed):
            asyncio.run(store_of(path).open())
    saved, rows = opened(path)
    assert saved.set_aside is not None
    assert saved.set_aside.rescued == 3
    assert saved.outbox == UNSENT
    assert saved.device_id == "first"
    assert rows == []
    assert log in {file.read_bytes() for file in path.parent.glob("*damaged-*-wal")}


def test_a_file_that_was_half_made_is_made_anew(path: Path) -> None:
    path.parent.mkdir()
    Path(f"{path}.new").write_bytes(b"SQLite format 3\0")
    saved, _ = opened(path)
    assert saved.set_aside is None
    assert names_in(path.parent) == {"alice.db", "alice.db.lock"}


@pytest.mark.parametrize("left", [False, True])
def test_a_good_file_is_opened_as_it_is(path: Path, left: bool) -> None:
    left_open(path) if left else made(path)
    saved, rows = opened(path)
    assert (saved.device_id, saved.token, len(saved.outbox)) == ("first", "e.9", 4)
    assert len(rows) == ROWS
    assert saved.set_aside is None
