"""`recents serve`, from its first line to its last."""

import json
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from recents.cli.admin_key import VARIABLE
from tests.cli.terminal import AtNode, Place, serving


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield str(other.getsockname()[1])


def test_it_says_where_it_is_and_how_to_go_on(tmp_path: Path) -> None:
    with serving(tmp_path) as at:
        printed = "\n".join(at.running.printed)
        assert at.store == tmp_path / "recents.db"
        assert at.store.is_file()
        adding = next(line for line in at.running.printed if " account add " in line)
        assert f"--node {at.address} --admin-key-file {tmp_path}/recents.db.admin-key" in adding
        assert at.running.printed[-1] == "Ctrl-C stops the node."
        assert at.here("account", "list").code == 0
        key = (tmp_path / "recents.db.admin-key").read_text().strip()
        assert len(key) == 64
        assert key not in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_gracefully(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as at:
        alice = at.login("alice")
        with alice.running("watch", "--json") as watching:
            watching.line()
            done = at.running.end(number)
            assert done.code == 0
            assert done.out.splitlines()[-1] == "stopped"
            assert done.err == ""
            # The device was told to come back, so it goes on waiting.
            assert watching.process.poll() is None


def test_what_was_answered_survives_a_stop_and_the_key_stays(tmp_path: Path) -> None:
    with serving(tmp_path) as at:
        alice = at.login("alice")
        alice("send", "alice", "a note to myself")
        at.running.end(signal.SIGTERM)
    key_file = tmp_path / "recents.db.admin-key"
    key = key_file.read_text()
    with serving(tmp_path) as again:
        assert key_file.read_text() == key
        # Each start has a port of its own here; the login is the same.
        here = Place(tmp_path, {**alice.environment, "RECENTS_NODE": again.address})
        (row,) = here.as_json("list")["rows"]
        assert row["preview"]["text"] == "a note to myself"


def test_the_key_file_is_for_its_owner_only(node: AtNode) -> None:
    key_file = node.store.with_name("recents.db.admin-key")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_key_in_the_environment_needs_no_file(tmp_path: Path) -> None:
    key = "a-key-of-the-operator"
    with serving(tmp_path, **{VARIABLE: key}) as at:
        assert at.here("account", "add", "alice").code == 0
        assert not list(tmp_path.glob("*admin-key"))
        assert key not in "\n".join(at.running.printed)


def test_a_taken_port(here: Place, taken_port: str) -> None:
    done = here.apart("serve", "--port", taken_port)
    assert done.code == 6
    assert f"port {taken_port} on 127.0.0.1 is taken" in done.sentence
    assert "--port" in done.sentence
    assert not list(here.folder.glob("*admin-key"))


def test_a_folder_that_is_not_there(here: Place) -> None:
    done = here.apart("serve", "--store", "nowhere/recents.db")
    assert done.code == 5
    assert f"there is no folder {here.folder}/nowhere" in done.sentence


def test_a_folder_in_the_place_of_the_store(here: Place) -> None:
    done = here.apart("serve", "--store", ".")
    assert done.code == 5
    assert "is a folder" in done.sentence


def test_a_file_that_is_no_store_is_left_alone(here: Place) -> None:
    notes = here.folder / "notes.txt"
    notes.write_text("milk, eggs, flour\n" * 100)
    done = here.apart("serve", "--store", "notes.txt", "--port", "0")
    assert done.code == 5
    assert "notes.txt" in done.sentence
    assert notes.read_text() == "milk, eggs, flour\n" * 100
    assert not list(here.folder.glob("*admin-key"))


def test_an_empty_key_file_is_explained(here: Place) -> None:
    (here.folder / "recents.db.admin-key").touch(0o600)
    done = here.apart("serve", "--port", "0")
    assert done.code == 4
    assert "is empty: delete it" in done.sentence


def test_a_port_that_is_none(here: Place) -> None:
    done = here.apart("serve", "--port", "70000")
    assert done.code == 2
    assert "65535" in done.err


def test_the_end_is_told_to_a_new_device_as_well(tmp_path: Path) -> None:
    with serving(tmp_path) as at:
        alice = at.login("alice")
        at.running.end()
        done = alice("list")
        assert done.code == 3
        assert f"no node answers at {at.address}: start one with `recents serve`" in done.sentence


def test_json_on_standard_output_is_all_there_is(node: AtNode) -> None:
    done = node.here("account", "list", "--json")
    assert json.loads(done.out)["accounts"] == []
    assert done.err == ""
