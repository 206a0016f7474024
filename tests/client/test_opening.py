"""Putting a client together."""

import asyncio

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


def test_every_id_is_new() -> None:
    me = connect("http://127.0.0.1:1", account="alice", token="t")
    made = {me.inbox._asking.new_id() for _ in range(100)}
    assert len(made) == 100


def test_nothing_is_asked_before_opening() -> None:
    me = connect("http://127.0.0.1:1", account="alice", token="t")
    with pytest.raises(Unavailable):
        asyncio.run(me.teams.create())
