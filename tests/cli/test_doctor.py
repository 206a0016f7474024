"""`recents doctor` on the file of a node."""

from __future__ import annotations

import json
from pathlib import Path

import apsw
import pytest

import recents
from tests.cli.terminal import PATIENCE, Place, clean_environment, serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with serving(tmp_path) as node:
        alice = node.login("alice")
        node.login("bob")
        for text in ("one", "two"):
            alice("send", "bob", text)
    return tmp_path


def plant(store: Path, statement: str) -> None:
    connection = apsw.Connection(str(store))
    connection.execute(statement)
    connection.close()


def test_a_store_is_looked_through_and_repaired(folder: Path) -> None:
    here, store = Place(folder), folder / "recents.db"
    done = here("doctor")
    assert (done.code, done.out) == (
        0,
        "no drift in 1 conversation, 2 messages, 2 memberships\n",
    )
    plant(store, "UPDATE memberships SET read_ordinal = 1 WHERE account = 'bob'")
    done = here("doctor", "--store", "recents.db")
    assert done.code == 1
    assert done.out.splitlines() == [
        "p2p:alice|bob for bob: read_ordinal is 1, should be 0",
        "p2p:alice|bob for bob: unread is 1, should be 2",
        "2 findings in 1 conversation, 2 messages, 2 memberships: 2 can be repaired (--repair)",
    ]
    assert not list(folder.glob("*.before-repair-*")), "looking copies nothing"

    done = here("doctor", "--repair")
    assert done.code == 0
    assert done.out.endswith("no drift in 1 conversation, 2 messages, 2 memberships\n")
    copy = folder / "recents.db.before-repair-1"
    assert f"the file as it was is kept as {copy}" in done.err
    assert "1 row repaired" in done.err
    assert here("doctor", "--repair").code == 0
    assert list(folder.glob("*.before-repair-*")) == [copy], "what is well is not copied"


def test_a_device_sees_what_is_right_after_a_repair(folder: Path) -> None:
    plant(folder / "recents.db", "UPDATE heads SET ordinal = 7")
    assert Place(folder)("doctor", "--repair").code == 0
    with serving(folder) as node:
        token = node.here.as_json("account", "token", "bob")["token"]
        bob = node.login_with("bob", token)
        assert bob.as_json("list")["totals"]["unread"] == 2
        assert bob.as_json("explain", "alice")["counted"] == 2


def test_what_cannot_be_repaired_stays_found(folder: Path) -> None:
    plant(folder / "recents.db", "UPDATE messages SET seq = 4 WHERE seq = 2")
    here = Place(folder)
    done = here("doctor", "--repair")
    assert done.code == 1
    assert done.out.splitlines() == [
        "p2p:alice|bob: message seq is 4, should be 2; cannot be repaired",
        "1 finding in 1 conversation, 2 messages, 2 memberships: "
        "1 cannot be repaired, put a backup in place",
    ]
    found, examined = (json.loads(line) for line in here("doctor", "--json").out.splitlines())
    assert found == {
        "finding": {
            "what": "message seq",
            "found": 4,
            "expected": 2,
            "conversation": "p2p:alice|bob",
            "account": None,
            "repairable": False,
        }
    }
    assert examined["examined"] == {
        "conversations": 1,
        "messages": 2,
        "memberships": 2,
        "findings": 1,
        "repairable": 0,
    }


def test_a_store_in_use_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path):
        done = Place(tmp_path)("doctor", "--repair")
        assert done.code == 5
        assert "stop it" in done.sentence


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    here = Place(tmp_path, clean_environment())
    assert here("doctor").code == 5
    assert here("doctor", "--stores").code == 2
    assert list(tmp_path.iterdir()) == []


def test_c6_a_devices_copy_is_looked_through_and_begun_anew(tmp_path: Path) -> None:
    with serving(tmp_path) as node:
        alice = node.login("alice")
        node.login("bob")
        alice("send", "bob", "hello")
        token, devices = alice.environment["RECENTS_TOKEN"], tmp_path / "devices"
        with recents.connect_blocking(
            node.address, account="alice", token=token, data_dir=devices
        ) as me:
            me.synced(timeout_s=PATIENCE)
        words = ("doctor", "--data-dir", str(devices))
        done = alice(*words)
        assert done.out == "no drift in 1 row, 0 messages, 0 commands\n"
        assert "1 row compared with those of the node" in done.err
        (file,) = devices.glob("*/alice.db")
        plant(file, "UPDATE inbox SET entry = json_set(entry, '$.status', 'read')")
        done = alice(*words)
        assert done.code == 1
        assert "p2p:bob: status is read, should be sent" in done.out
        assert alice(*words, "--token", "").code == 0, "no node is asked"
        plant(file, "UPDATE inbox SET place = -1")
        done = alice(*words)
        assert done.code == 1
        assert done.out.startswith("p2p:bob: place is -1, should be -")
        assert done.out.endswith("\n1 finding in 1 row, 0 messages, 0 commands\n")
        found, _ = (json.loads(line) for line in alice(*words, "--json").out.splitlines())
        assert found["finding"]["conversation"] == "p2p:bob"
        done = alice(*words, "--repair")
        assert done.code == 0
        assert f"set aside as {file}.drifted-1, 0 unsent commands rescued" in done.err
        with recents.connect_blocking(
            node.address, account="alice", token=token, data_dir=devices
        ) as me:
            assert [row.conversation for row in me.inbox.list().entries] == ["p2p:bob"]
            assert me.set_aside[0].path == f"{file}.drifted-1"
        assert alice(*words).code == 0


def test_what_is_no_copy_is_refused(tmp_path: Path) -> None:
    here = Place(tmp_path)
    words = ("doctor", "--data-dir", str(tmp_path))
    assert here(*words).code == 2, "whose?"
    assert here(*words, "--account", "alice", "--store", "x").code == 2
    assert here(*words, "--account", "alice", "--node", "nowhere").code == 2
    done = here(*words, "--account", "alice")
    assert done.code == 5
    assert "there is no copy of alice" in done.sentence
    assert list(tmp_path.iterdir()) == []
