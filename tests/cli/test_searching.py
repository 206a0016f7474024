"""`recents search`: rows and messages."""

import pytest

from tests.cli.terminal import AtNode, Place, rows_of


@pytest.fixture(scope="module")
def alice(node: AtNode) -> Place:
    return node.login("alice")


@pytest.fixture(scope="module")
def bob(node: AtNode, alice: Place) -> Place:
    bob, carol = node.login("bob"), node.login("carol")
    for text in ("Lunch at noon?", "今天下午开会", "never mind"):
        alice("send", "bob", text)
    carol("send", "bob", "lunch\nis on me")
    return bob


def test_rows_are_found_by_name_and_newest_message(bob: Place) -> None:
    assert rows_of(bob.as_json("search", "ALI")) == [("p2p:alice", 3)]
    assert rows_of(bob.as_json("search", "lunch")) == [("p2p:carol", 1)]
    assert "never mind" in bob.apart("search", "never").out
    assert bob("search", "dinner").out == "nothing found\n"
    assert bob("search", "l", "--limit", "1").out.count("p2p:") == 1


def test_messages_are_found_newest_first(bob: Place) -> None:
    found = bob.as_json("search", "--messages", "lun")["messages"]
    assert [(one["conversation"], one["message"]["seq"]) for one in found] == [
        ("p2p:carol", 1),
        ("p2p:alice", 1),
    ]
    assert found[0]["message"]["text"] == "lunch\nis on me"
    table = bob.apart("search", "--messages", "开会").out
    assert "今天下午开会" in table
    assert "p2p:alice" in table
    assert "lunch is on me" in bob("search", "--messages", "lunch").out
    only = bob.as_json("search", "--messages", "lunch", "--in", "alice")["messages"]
    assert [one["conversation"] for one in only] == ["p2p:alice"]
    assert bob("search", "--messages", "dinner").out == "nothing found\n"


def test_what_cannot_be_right(bob: Place) -> None:
    refused = bob("search", "x", "--in", "alice")
    assert (refused.code, refused.sentence) == (2, "--in goes with --messages")
    assert bob("search", "").code == 2
