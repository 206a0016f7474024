"""Looking through a device's copy: what does not add up is found, and begun anew (C6)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from recents.client.store.port import Step, StoreUnusable
from recents.client.store.sqlite_doctor import (
    CopyDoctor,
    CopyExamined,
    CopyFinding,
    begin_anew,
)
from recents.core.entry import InboxEntry
from recents.core.membership import Draft
from recents.core.totals import Totals
from tests.client.store.files import (
    ROWS,
    UNSENT,
    changed,
    contents,
    left_open,
    made,
    names_in,
    overwritten,
    store_of,
)
from tests.client.store.steps import ALICE, BOB, CAROL, DAVE, message, row

PEER = "p2p:peer-7"


def look(path: Path, account: str = ALICE, kept: int = 200) -> list[CopyFinding]:
    found: list[CopyFinding] = []
    with CopyDoctor(path, account, kept) as doctor:
        assert doctor.examine(found.append).findings == len(found)
    return found


def finding(what: str, found: str | int, expected: str | int, where: str = "") -> CopyFinding:
    return CopyFinding(what=what, found=found, expected=expected, conversation=where)


def test_a_copy_that_a_device_wrote_is_well(path: Path) -> None:
    made(path)
    before = contents(path)
    with CopyDoctor(path, ALICE) as doctor:
        examined = doctor.examine(lambda one: pytest.fail(f"{one}"))
    assert examined == CopyExamined(rows=ROWS, messages=ROWS, commands=4)
    assert contents(path) == before, "looking changes nothing"


def test_also_one_of_a_program_that_was_killed(path: Path) -> None:
    left_open(path)
    assert look(path) == []


def test_C2_totals_are_those_of_the_rows(path: Path) -> None:
    made(path)
    changed(path, """UPDATE copy SET totals = '{"unread":3,"conversations":1}'""")
    assert look(path) == [
        finding("totals unread", 3, 0),
        finding("totals conversations", 1, ROWS),
    ]


def test_before_the_first_catch_up_ended_they_are_those_of_rows_to_come(path: Path) -> None:
    made(path)
    changed(path, """UPDATE copy SET token = NULL, totals = '{"unread":3}'""")
    assert look(path) == []


def test_C2_each_row_adds_what_it_shows(path: Path) -> None:
    async def fill() -> None:
        store = store_of(path)
        await store.open()
        muted = msgspec.structs.replace(
            row(BOB), unread=2, mute="none", draft=Draft("well", 5_000), marked_unread=True
        )
        loud = msgspec.structs.replace(row(CAROL), unread=3)
        totals = Totals(
            unread=5, unread_conversations=2, conversations=2, muted_unread=2, marked_unread=1
        )
        await store.commit(Step(rows=(muted, loud), token="e.1", totals=totals))
        await store.close()

    asyncio.run(fill())
    assert look(path) == []


def test_O1_a_place_is_that_of_its_row(path: Path) -> None:
    made(path)
    changed(path, f"UPDATE inbox SET place = -999 WHERE conversation = '{PEER}'")
    assert look(path) == [finding("place", -999, -7, PEER)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            f"UPDATE inbox SET entry = '{{' WHERE conversation = '{PEER}'",
            [
                finding("row", "unreadable", "a row", PEER),
                finding("totals conversations", ROWS, ROWS - 1),
            ],
        ),
        (
            "UPDATE inbox SET entry = json_set(entry, '$.conversation', 'p2p:eve') "
            f"WHERE conversation = '{PEER}'",
            [finding("row", "p2p:eve", PEER, PEER)],
        ),
        (
            "UPDATE inbox SET entry = json_set(entry, '$.unread', -2) "
            f"WHERE conversation = '{PEER}'",
            [
                finding("unread", -2, "at least 0", PEER),
                finding("totals unread", 0, -2),
            ],
        ),
        (
            "UPDATE inbox SET entry = json_set(entry, '$.cleared_seq', 1) "
            f"WHERE conversation = '{PEER}'",
            [finding("message 1", "there", "cleared, to 1", PEER)],
        ),
        (
            f"UPDATE messages SET message = 'secret' WHERE conversation = '{PEER}'",
            [finding("message 1", "unreadable", "a message", PEER)],
        ),
        (
            f"UPDATE messages SET seq = 4 WHERE conversation = '{PEER}'",
            [finding("seq of message 4", 1, 4, PEER)],
        ),
        (
            "UPDATE outbox SET account = 'bob' WHERE number = 3",
            [finding("account of command 3", "bob", "alice")],
        ),
        (
            "UPDATE outbox SET pending = 'secret' WHERE number = 3",
            [finding("command 3", "unreadable", "a command")],
        ),
        (
            "UPDATE outbox SET number = 9 WHERE number = 3",
            [finding("number of command 9", 3, 9)],
        ),
        (
            "UPDATE copy SET account = 'bob'",
            [finding("file", "it is the copy of another account", "this account's copy")],
        ),
        ("DROP TABLE messages", [finding("file", "damaged", "readable")]),
    ],
)
def test_what_is_wrong_is_found(path: Path, statement: str, expected: list[CopyFinding]) -> None:
    made(path)
    changed(path, statement)
    found = look(path)
    assert found == expected
    assert "secret" not in repr(found)


def test_no_more_messages_are_kept_than_were_meant_to_be(path: Path) -> None:
    async def fill() -> None:
        store = store_of(path)
        await store.open()
        await store.commit(Step(messages={BOB: tuple(message(seq) for seq in range(1, 7))}))
        await store.close()

    asyncio.run(fill())
    assert look(path, kept=6) == []
    assert look(path, kept=5) == [finding("messages", 6, "at most 5", BOB)]


def test_a_file_that_is_no_database_is_found(path: Path) -> None:
    made(path)
    overwritten(path, 0, b"no database at all")
    assert [one.what for one in look(path)] == ["file"]


def test_what_is_not_there_or_in_use_is_refused(path: Path) -> None:
    with pytest.raises(StoreUnusable, match="there is no copy of alice"):
        look(path)
    assert not path.parent.exists()
    made(path)
    with CopyDoctor(path, ALICE), pytest.raises(StoreUnusable, match="has the copy of alice open"):
        look(path)


def test_C6_a_wrong_copy_is_set_aside_and_its_commands_are_rescued(path: Path) -> None:
    made(path)
    changed(path, "UPDATE inbox SET place = 1")
    before = contents(path)
    aside = begin_anew(path, ALICE, lambda: "new")
    assert (aside.path, aside.rescued, aside.lost) == (f"{path}.drifted-1", len(UNSENT), False)
    assert contents(Path(aside.path)) == before, "kept as it was"
    assert look(path) == []

    async def start() -> None:
        store = store_of(path)
        saved = await store.open()
        assert (saved.device_id, saved.outbox) == ("first", UNSENT)
        assert (saved.token, saved.set_aside) == (None, aside), "it fetches all, and says why"
        await store.close()

    asyncio.run(start())
    assert names_in(path.parent, "-1") == {"alice.db.drifted-1"}


# Beside the node.

EPOCH = "0123456789abcdef"


def beside(path: Path, *theirs: InboxEntry, at: int = 9) -> tuple[int | None, list[CopyFinding]]:
    """Compare a copy at version 9 that has bob at 5 and carol at 6."""

    async def fill() -> None:
        store = store_of(path)
        await store.open()
        rows = (row(BOB, version=5), row(CAROL, version=6))
        await store.commit(Step(rows=rows, token=f"{EPOCH}.9"))
        await store.close()

    asyncio.run(fill())
    found: list[CopyFinding] = []
    with CopyDoctor(path, ALICE) as doctor:
        return doctor.compare(f"{EPOCH}.{at}", theirs, found.append), found


def test_C3_rows_of_one_version_are_the_same(path: Path) -> None:
    bob, carol = row(BOB, version=5), row(CAROL, version=6)
    assert beside(path, bob, carol) == (2, [])
    unread = msgspec.structs.replace(bob, unread=2, draft=Draft("secret", 5))
    _, found = beside(path, unread, carol)
    assert found == [
        finding("unread", "0", "2", BOB),
        finding("draft", "another one", "the node's", BOB),
    ]


def test_a_copy_that_is_only_late_is_well(path: Path) -> None:
    newer = row(CAROL, 2_000, version=10)
    assert beside(path, row(DAVE, version=11), newer, at=12) == (2, []), "bob went meanwhile"


def test_rows_that_it_should_have_or_should_not_are_found(path: Path) -> None:
    _, found = beside(path, row(BOB, version=4), row(DAVE, version=8))
    assert found == [
        finding("version", 5, "at most 4", BOB),
        finding("row", "missing", "there", DAVE),
        finding("row", "there", "gone", CAROL),
    ]


def test_another_line_of_versions_is_not_compared(path: Path) -> None:
    beside(path)
    other = f"UPDATE copy SET token = '{EPOCH[::-1]}.9'"
    for statement in ("", other, "UPDATE copy SET token = NULL"):
        changed(path, statement)
        with CopyDoctor(path, ALICE) as doctor:
            compared = doctor.compare(f"{EPOCH}.9", (), lambda one: None)
        assert compared == (None if statement else 0)
