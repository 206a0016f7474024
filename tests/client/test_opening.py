"""Putting a client together."""

import asyncio
from typing import Any

import pytest

from recents.client.opening import connect
from recents.core.errors import CallerMistake, Unavailable


def test_connecting_opens_nothing_yet() -> None:
    me = connect("http://127.0.0.1:1", account="alice", token="t", device="laptop")
    assert (me.account, me.state) == ("alice", "offline")


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:7380", "ftp://host", "http://", "http://host:0", "http://host:x"]
)
def test_what_is_no_address_is_the_callers_mistake(address: str) -> None:
    with pytest.raises(CallerMistake, match="not the address of a node"):
        connect(address, account="alice", token="t")


def test_I1_what_is_no_account_is_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match="account id"):
        connect("http://127.0.0.1:7380", account="a b", token="t")


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("token", "", "not a valid token"),
        ("token", "\ud800", "not a valid token"),
        ("token", None, "wrong type"),
        ("device", "\ud800", "name"),
        ("device", "x" * 129, "129 characters"),
        ("data_dir", "a\0b", "not the name of a folder"),
    ],
)
def test_what_no_node_or_disk_takes_is_the_callers_mistake(
    name: str, value: object, match: str
) -> None:
    arguments: dict[str, Any] = {"account": "alice", "token": "t", name: value}
    with pytest.raises(CallerMistake, match=match):
        connect("http://127.0.0.1:7380", **arguments)


def test_every_id_is_new() -> None:
    me = connect("http://127.0.0.1:1", account="alice", token="t")
    made = {me.inbox._asking.new_id() for _ in range(100)}
    assert len(made) == 100


def test_nothing_is_asked_before_opening() -> None:
    me = connect("http://127.0.0.1:1", account="alice", token="t")
    with pytest.raises(Unavailable):
        asyncio.run(me.teams.create())
