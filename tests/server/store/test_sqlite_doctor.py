"""Recounting a file: every drift that is planted is found, repaired, and heard of by devices."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from recents.core.commands import LeaveTeam, MarkUnread, Mute, SetDraft
from recents.core.ids import Conversation
from recents.core.replica import same_to_the_user
from recents.server.store.port import StoreUnusable
from recents.server.store.recount import Finding, Said
from recents.server.store.sqlite import SqliteStore
from recents.server.store.sqlite_doctor import Examined, FileDoctor
from tests.contracts.random_inbox import RandomInbox
from tests.server.devices import Company, a_post

P2P, TEAM = "p2p:alice|bob", "team:t1"


async def talk(company: Company) -> None:
    """Four messages between two, four in a team, after the third of which cid left."""
    alice, bob, cid = await company.online("alice", "bob", "cid")
    await alice.post("p2p:bob", "one")
    await alice.do(msgspec.structs.replace(a_post("p2p:bob", "two\nlines"), counts=False))
    await bob.read("p2p:alice", 1)
    await bob.post("p2p:alice", "three")
    await alice.post("p2p:bob", "four\r\nand 👋 " + "x" * 300)
    await alice.create_team("team:t1", "bob", "cid")
    for text in ("one", "two", "three"):
        await alice.post("team:t1", text)
    await cid.do(LeaveTeam(id="leave", conversation=Conversation("team:t1")))
    await alice.post("team:t1", "four")
    await bob.do(MarkUnread(id="mark", conversation=Conversation("team:t1")))
    await bob.do(Mute(id="mute", conversation=Conversation("team:t1"), level="mentions"))
    await bob.do(SetDraft(id="draft", conversation=Conversation("p2p:cid"), text="dear Cid"))


def at_node(path: Path, work: Callable[[Company], Awaitable[None]]) -> None:
    async def run() -> None:
        company = Company(SqliteStore(path))
        await company.node.start()
        try:
            await work(company)
        finally:
            await company.node.stop()

    asyncio.run(run())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "recents.db"
    at_node(path, talk)
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path))


def plant(path: Path, *statements: str) -> None:
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()


def look(path: Path) -> list[Finding]:
    found: list[Finding] = []
    with FileDoctor(path) as doctor:
        examined = doctor.examine(found.append)
    assert examined.findings == len(found)
    assert examined.repairable == sum(finding.repairable for finding in found)
    return found


def short(finding: Finding) -> tuple[str, str | None, str, Said, Said]:
    what = finding.what if finding.repairable else f"! {finding.what}"
    return finding.conversation, finding.account, what, finding.found, finding.expected


def test_a_file_that_a_node_wrote_has_no_drift(path: Path) -> None:
    before = path.read_bytes()
    with FileDoctor(path) as doctor:
        assert doctor.amount() == 8
        examined = doctor.examine(lambda finding: pytest.fail(f"{finding}"))
    assert examined == Examined(conversations=3, messages=8, memberships=6)
    assert path.read_bytes() == before, "looking changes nothing"


@pytest.mark.parametrize("seed", range(4))
def test_nor_has_one_with_rows_of_every_sort(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "recents.db"

    async def grow() -> None:
        store = SqliteStore(path)
        await store.open()
        await RandomInbox(store, seed).grow(60)
        await store.close()

    asyncio.run(grow())
    # These accounts were never made: that is all.
    assert {finding.what for finding in look(path)} == {"account"}


HEAD = f"UPDATE heads SET {{}} WHERE key = '{P2P}'"
BOB = "UPDATE memberships SET {} WHERE account = 'bob' AND conversation = 'p2p:alice'"
CID = "UPDATE memberships SET parting = json_set(parting, {}) WHERE account = 'cid'"

DRIFTS: dict[str, tuple[str, list[tuple[str, str | None, str, Said, Said]]]] = {
    "last_seq": (HEAD.format("last_seq = 9"), [(P2P, None, "last_seq", 9, 4)]),
    "ordinal": (
        HEAD.format("ordinal = 7"),
        [
            (P2P, None, "ordinal", 7, 3),
            (P2P, "alice", "unread", 5, 1),
            (P2P, "bob", "unread", 5, 1),
        ],
    ),
    "time": (HEAD.format("time_ms = 5"), [(P2P, None, "time_ms", 5, "TIME")]),
    "activity": (HEAD.format("activity_ms = 5"), [(P2P, None, "activity_ms", 5, "TIME")]),
    "retraction": (HEAD.format("last_retraction = 2"), [(P2P, None, "last_retraction", 2, 0)]),
    "receipts": (
        HEAD.format("low_receipt = -1, high_receipt = 5"),
        [
            (P2P, None, "low_receipt", -1, "0 to 4"),
            (P2P, None, "high_receipt", 5, "0 to 4"),
        ],
    ),
    "another preview": (
        HEAD.format("""preview = '{"seq":3,"client_id":"x","sender":"bob","time_ms":1}'"""),
        [(P2P, None, "preview", "message 3", "message 4")],
    ),
    "a preview that says something else": (
        HEAD.format("preview = json_set(preview, '$.text', 'a secret')"),
        [(P2P, None, "preview", "message 4, not as it is", "message 4")],
    ),
    "no preview": (HEAD.format("preview = NULL"), [(P2P, None, "preview", None, "message 4")]),
    "an unreadable preview": (
        HEAD.format("preview = '{'"),
        [(P2P, None, "preview", "message None", "message 4")],
    ),
    "no head": (
        f"DELETE FROM heads WHERE key = '{P2P}'",
        [(P2P, None, "head", None, "a head")],
    ),
    "read_ordinal": (
        BOB.format("read_ordinal = 3"),
        [(P2P, "bob", "read_ordinal", 3, 1), (P2P, "bob", "unread", -1, 1)],
    ),
    "skipped": (
        BOB.format("skipped_after_read = 0"),
        [(P2P, "bob", "skipped_after_read", 0, 1), (P2P, "bob", "unread", 2, 1)],
    ),
    "read beyond the end": (
        BOB.format("read_seq = 5"),
        [
            (P2P, "bob", "read_seq", 5, "0 to 4"),
            (P2P, "bob", "read_ordinal", 1, 3),
            (P2P, "bob", "skipped_after_read", 1, 0),
            (P2P, "bob", "unread", 1, 0),
        ],
    ),
    "read before what was cleared": (
        BOB.format("cleared_seq = 2"),
        [(P2P, "bob", "read_seq", 1, "2 to 4")],
    ),
    "deleted beyond the end": (
        BOB.format("deleted_seq = 5"),
        [(P2P, "bob", "deleted_seq", 5, "-1 to 4")],
    ),
    "removed without having gone": (BOB.format("removed = 1"), [(P2P, "bob", "removed", 1, 0)]),
    "marks of a later commit": (
        BOB.format("read_epoch = version + 1, marked_unread = version + 2"),
        [
            (P2P, "bob", "read_epoch", "VERSION + 1", "0 to VERSION"),
            (P2P, "bob", "marked_unread", "VERSION + 2", "0 to VERSION"),
        ],
    ),
    "a parting that ends elsewhere": (
        CID.format("'$.ordinal', 2, '$.time_ms', 4"),
        [
            (TEAM, "cid", "parting ordinal", 2, 3),
            (TEAM, "cid", "parting time_ms", 4, "TIME"),
            (TEAM, "cid", "unread", 2, 3),
        ],
    ),
    "a parting beyond the end": (
        CID.format("'$.last_seq', 5, '$.ordinal', 4, '$.time_ms', t, '$.activity_ms', t").replace(
            " t", " (SELECT time_ms FROM heads WHERE key = 'team:t1')"
        ),
        [(TEAM, "cid", "parting last_seq", 5, "0 to 4")],
    ),
}


def matches(found: Said, expected: Said) -> bool:
    """Times and numbers of commits are the node's to choose."""
    if isinstance(expected, str) and ("TIME" in expected or "VERSION" in expected):
        return found is not None
    return found == expected


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_found_repaired_and_heard_of(path: Path, drift: str) -> None:
    statement, expected = DRIFTS[drift]
    before: dict[str, object] = {}
    tokens: dict[str, str | None] = {}

    async def note(company: Company) -> None:
        for account in ("alice", "bob", "cid"):
            _, company.secrets[account] = await company.node.accounts.give_token(account)
            device = company.device(account)
            caught = await device.greet()
            tokens[account] = caught[-1].token
            before[account] = await device.rows()

    at_node(path, note)
    plant(path, statement)
    found = [short(finding) for finding in look(path)]
    assert [one[:3] for one in found] == [one[:3] for one in expected]
    for mine, wanted in zip(found, expected, strict=True):
        assert matches(mine[3], wanted[3]), mine
        assert matches(mine[4], wanted[4]), mine
    assert "secret" not in repr(found)

    with FileDoctor(path) as doctor:
        assert doctor.repair() > 0
    assert look(path) == []

    async def compare(company: Company) -> None:
        for account in ("alice", "bob", "cid"):
            _, company.secrets[account] = await company.node.accounts.give_token(account)
            device = company.device(account)
            told = await device.greet(tokens[account])
            if any(account == one[1] for one in expected):
                assert any(page.rows or page.gone for page in told), (
                    "a device that was away hears of it"
                )
            rows, old = await device.rows(), before[account]
            assert isinstance(old, dict)
            if drift not in CHANGES_ROWS:
                assert rows.keys() == old.keys()
                assert all(same_to_the_user(old[name], rows[name]) for name in rows)

    at_node(path, compare)


CHANGES_ROWS = {
    # What was right before nobody knows any more; the row is in range, and counted.
    "read beyond the end",
    "read before what was cleared",
    "deleted beyond the end",
    "receipts",
    "marks of a later commit",
    "a parting beyond the end",
}

HOPELESS: dict[str, tuple[list[str], list[tuple[str, str | None, str, Said, Said]]]] = {
    "a gap": (
        [f"UPDATE messages SET seq = 9 WHERE key = '{P2P}' AND seq = 4"],
        [(P2P, None, "! message seq", 9, 4)],
    ),
    "an ordinal": (
        [f"UPDATE messages SET ordinal = 8 WHERE key = '{P2P}' AND seq >= 3"],
        [(P2P, None, "! ordinal of message 3", 8, 2)],
    ),
    "a time": (
        [f"UPDATE messages SET time_ms = 3 WHERE key = '{P2P}' AND seq = 4"],
        [(P2P, None, "! time_ms of message 4", 3, "TIME")],
    ),
    "a commit": (
        [f"UPDATE messages SET version = 0 WHERE key = '{P2P}' AND seq = 4"],
        [(P2P, None, "! version of message 4", 0, "VERSION")],
    ),
    "a team without its head": (
        ["DELETE FROM heads WHERE key = 'team:t1'"],
        [(TEAM, None, "! head", None, "a head")],
    ),
    "a writer who is no member": (
        ["DELETE FROM memberships WHERE account = 'alice' AND key LIKE 'p2p:%'"],
        [(P2P, "alice", "! membership", None, "a membership, since it has written")],
    ),
    "a name of another conversation": (
        [
            "UPDATE memberships SET conversation = 'p2p:eve' WHERE account = 'bob' AND key = ("
            f"'{P2P}')"
        ],
        [(P2P, "bob", "! conversation", "p2p:eve", f"a name of {P2P}")],
    ),
    "a team without an owner": (
        ["UPDATE heads SET owner = NULL WHERE key = 'team:t1'"],
        [(TEAM, None, "! owner", None, "an account")],
    ),
    "an unreadable parting": (
        ["UPDATE memberships SET parting = '[]' WHERE account = 'cid' AND key = 'team:t1'"],
        [(TEAM, "cid", "! parting", "something unreadable", "a head")],
    ),
    "a level that there is not": (
        ["UPDATE memberships SET mute = 'loud' WHERE account = 'bob' AND key = 'team:t1'"],
        [(TEAM, "bob", "! mute", "loud", "none, mentions or nothing")],
    ),
    "a stranger": (
        ["DELETE FROM accounts WHERE account = 'cid'"],
        [("", "cid", "! account", None, "an account")],
    ),
    "an index": (
        ["DROP INDEX messages_by_client_id"],
        [("", None, "! index messages_by_client_id", None, "to be there")],
    ),
    "a message stored twice": (
        [
            "DROP INDEX messages_by_client_id",
            f"UPDATE messages SET client_id = 'x' WHERE key = '{P2P}' AND seq IN (1, 2)",
        ],
        [
            ("", None, "! index messages_by_client_id", None, "to be there"),
            (P2P, "alice", "! messages x", 2, 1),
        ],
    ),
}


@pytest.mark.parametrize("drift", HOPELESS)
def test_what_cannot_be_repaired_is_reported_and_left(path: Path, drift: str) -> None:
    statements, expected = HOPELESS[drift]
    plant(path, *statements)
    first = look(path)
    found = [short(finding) for finding in first]
    assert [one[:3] for one in found] == [one[:3] for one in expected]
    for mine, wanted in zip(found, expected, strict=True):
        assert matches(mine[3], wanted[3]), mine
        assert matches(mine[4], wanted[4]), mine
    with FileDoctor(path) as doctor:
        assert doctor.repair() == 0
    assert look(path) == first


def test_a_number_of_commits_that_is_behind_is_brought_forward(path: Path) -> None:
    plant(path, "UPDATE store SET version = 2")
    found = look(path)
    assert found[0].what == "store version"
    assert found[0].repairable
    with FileDoctor(path) as doctor:
        doctor.repair()
    assert look(path) == []


def test_what_is_repaired_is_one_commit_per_conversation(path: Path) -> None:
    ((before,),) = rows(path, "SELECT version FROM store")
    plant(path, "UPDATE heads SET time_ms = 1", "UPDATE memberships SET read_ordinal = 50")
    with FileDoctor(path) as doctor:
        doctor.repair()
    assert look(path) == []
    versions = {
        "p2p:alice|bob": before + 1,
        "p2p:bob|cid": before + 2,
        "team:t1": before + 3,
    }
    assert rows(path, "SELECT version FROM store") == [(before + 3,)]
    assert dict(rows(path, "SELECT key, version FROM heads")) == versions
    assert set(rows(path, "SELECT key, version FROM memberships")) == set(versions.items())


def test_messages_are_never_written(path: Path) -> None:
    before = rows(path, "SELECT * FROM messages ORDER BY id")
    plant(path, "UPDATE heads SET ordinal = 1", "DELETE FROM heads WHERE key < 'q'")
    with FileDoctor(path) as doctor:
        doctor.repair()
    assert rows(path, "SELECT * FROM messages ORDER BY id") == before


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = apsw.Connection(str(path))
    found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    connection.close()
    return found


# The file.


def test_the_copy_is_as_the_file_was_and_replaces_no_other(path: Path) -> None:
    plant(path, "UPDATE heads SET ordinal = 50")
    with FileDoctor(path) as doctor:
        first, second = doctor.back_up(), doctor.back_up()
        doctor.repair()
    assert [copy.name for copy in (first, second)] == [
        "recents.db.before-repair-1",
        "recents.db.before-repair-2",
    ]
    assert first.stat().st_mode & 0o777 == 0o600
    assert look(path) == []
    assert rows(first, "SELECT DISTINCT ordinal FROM heads") == [(50,)]


def test_while_a_node_uses_the_file_it_is_refused(path: Path) -> None:
    async def try_it(company: Company) -> None:
        with pytest.raises(StoreUnusable, match="a node is using"):
            FileDoctor(path).__enter__()

    at_node(path, try_it)
    with FileDoctor(path), pytest.raises(StoreUnusable, match="another node is using"):
        at_node(path, talk)
    assert look(path) == []


def refusal(path: Path) -> str:
    with pytest.raises(StoreUnusable) as caught:
        look(path)
    return str(caught.value)


def test_files_that_cannot_be_looked_through_are_refused(path: Path, tmp_path: Path) -> None:
    assert "there is no store" in refusal(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    assert "there is no store" in refusal(tmp_path)
    plant(path, "PRAGMA user_version = 1")
    assert "older version" in refusal(path)
    plant(path, "PRAGMA user_version = 99")
    assert "newer version" in refusal(path)
    plant(path, "PRAGMA application_id = 7")
    assert "another program" in refusal(path)
    path.write_bytes(b"no database" * 1_000)
    assert "damaged" in refusal(path)


def test_a_damaged_index_is_found(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, 'client_id, sender, key', 'client_id, key, "
        "sender') WHERE name = 'messages_by_client_id'"
    )
    connection.close()
    assert "integrity" in {finding.what for finding in look(path)}


def test_a_file_of_a_killed_node_is_looked_through_as_a_whole(path: Path, tmp_path: Path) -> None:
    """What stands in the log only is there as well."""
    killed = tmp_path / "killed" / "recents.db"
    killed.parent.mkdir()

    async def copy(company: Company) -> None:
        alice, _ = await company.online("eve", "dan")
        await alice.post("p2p:dan", "hello")
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{killed}{end}")

    at_node(path, copy)
    with FileDoctor(killed) as doctor:
        assert doctor.amount() == 9
        assert doctor.examine(lambda finding: pytest.fail(f"{finding}")).messages == 9


def test_how_far_it_is_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recents.server.store.sqlite_doctor.MOVES_EVERY", 3)
    moves: list[int] = []
    with FileDoctor(path) as doctor:
        doctor.examine(lambda finding: None, moves.append)
    assert moves == [4, 8]
