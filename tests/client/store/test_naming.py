"""Names of files: one for each account of each node, on every file system (C5, I1)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.client.store.naming import file_of
from recents.core.errors import CallerMistake

HERE = Path("data")
NODE = "https://chat.example"

ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=63).filter(
    lambda text: not set(text) & set(":|/#")
)


def name_of(account: str) -> str:
    return file_of(HERE, NODE, account).name


def test_a_plain_account_has_a_plain_name() -> None:
    assert file_of(HERE, "http://127.0.0.1:7700", "alice-1_b.c") == Path(
        "data/127.0.0.1-7700/alice-1_b.c.db"
    )
    assert file_of(HERE, NODE, "bob") == Path("data/chat.example-443/bob.db")


@pytest.mark.parametrize(
    ("account", "name"),
    [
        (".", "%2e.db"),
        ("..", "%2e..db"),
        ("Alice", "%41lice.db"),
        ("CON", "%43%4f%4e.db"),
        ("con", "%63on.db"),
        ("nul.txt", "%6eul.txt.db"),
        ("com7", "%63om7.db"),
        ("console", "console.db"),
        ('*?<>\\"', "%2a%3f%3c%3e%5c%22.db"),
        ("%41", "%2541.db"),
        ("a ".strip() + "~$", "a%7e%24.db"),
    ],
)
def test_I1_hard_accounts_have_safe_names(account: str, name: str) -> None:
    assert name_of(account) == name


@given(ids, ids)
def test_C5_two_accounts_never_have_the_same_file_whatever_the_case(one: str, two: str) -> None:
    assert (name_of(one).casefold() == name_of(two).casefold()) == (one == two)


@given(ids)
def test_a_name_can_be_read_back_and_leaves_room_for_endings(account: str) -> None:
    name = name_of(account)
    assert unquote(name.removesuffix(".db")) == account
    assert len(name) < 255 - len(".other-account-1000-journal")
    assert name.islower() or not name.isupper()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("http://a.example", "https://a.example"),
        ("http://a.example:1", "http://a.example:2"),
        ("http://a.example/one", "http://a.example/two"),
        ("http://[::1]:80", "http://[::2]:80"),
        (f"http://{'x' * 250}.one", f"http://{'x' * 250}.two"),
    ],
)
def test_C5_two_nodes_never_have_the_same_file(one: str, two: str) -> None:
    first, second = (file_of(HERE, address, "alice") for address in (one, two))
    assert first != second
    assert all(len(part) < 256 for file in (first, second) for part in file.parts)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("https://a.example", "https://A.Example:443/"),
        ("http://a.example", "ws://a.example:80"),
        ("https://a.example", "wss://a.example"),
    ],
)
def test_one_node_has_one_folder_however_it_is_written(one: str, two: str) -> None:
    assert file_of(HERE, one, "alice") == file_of(HERE, two, "alice")


def test_a_file_stays_in_its_folder() -> None:
    for address in ("http://..", "http://../..", "http://a/../../b"):
        file = file_of(HERE, address, "..")
        assert file.resolve().parent.parent == HERE.resolve()


@pytest.mark.parametrize("address", ["", "a.example", "ftp://a.example", "http://", "http://a:x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(CallerMistake, match="is not the address of a node"):
        file_of(HERE, address, "alice")
