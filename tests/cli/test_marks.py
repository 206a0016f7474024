"""`recents unread`, `draft`, `mute`, `unmute`."""

import pytest

from tests.cli.terminal import AtNode, Place


@pytest.fixture(scope="module")
def alice(node: AtNode) -> Place:
    return node.login("alice")


@pytest.fixture(scope="module")
def bob(node: AtNode, alice: Place) -> Place:
    bob = node.login("bob")
    for text in ("one", "two", "three"):
        alice("send", "bob", text)
    return bob


def test_r4_unread_puts_a_dot(bob: Place) -> None:
    bob("read", "alice")
    assert bob("unread", "alice").out == (
        "p2p:alice: marked unread; now no message unread in 1 conversation, 1 marked unread\n"
    )
    (row,) = bob.as_json("list")["rows"]
    assert (row["unread"], row["marked_unread"]) == (0, True)
    assert "•" in bob("list").out
    assert bob("read", "alice").out == (
        "p2p:alice: 1 dot taken away; now all read in 1 conversation\n"
    )
    assert bob("unread", "nobody").out == "there is no such row; nothing to mark\n"


def test_r3_unread_from_a_message_on(bob: Place) -> None:
    bob("read", "alice")
    assert bob("unread", "alice", "--from", "2").out == (
        "p2p:alice: unread from message 2 on; now 2 unread in 1 of 1 conversation\n"
    )
    answer = bob.as_json("unread", "alice", "--from", "3")
    assert [row["unread"] for row in answer["rows"]] == [1]
    assert answer["totals"]["unread"] == 1
    beyond = bob("unread", "alice", "--from", "4")
    assert beyond.code == 1
    assert "beyond_end" in beyond.sentence
    assert bob("unread", "alice", "--from", "0").code == 2


def test_g6_a_draft_is_kept_shown_and_taken_away(node: AtNode, alice: Place) -> None:
    node.login("carl")
    assert alice("draft", "carl").out == "p2p:carl: there is no draft\n"
    assert alice("draft", "carl", "-", said="dear \x1b[2J Carl,\n").out == (
        "p2p:carl: the draft is kept\n"
    )
    assert alice("draft", "carl").out == "dear ␛[2J Carl,\n"
    assert "Draft: dear ␛[2J Carl," in alice("list").out
    (row,) = alice.as_json("draft", "carl")["rows"]
    assert row["draft"]["text"] == "dear \x1b[2J Carl,"
    assert alice("draft", "carl", "--clear").out == "p2p:carl: there is no draft\n"
    alice("draft", "carl", "dear Carl")
    alice("send", "carl", "hello")
    assert alice("draft", "carl").out == "p2p:carl: there is no draft\n"
    assert alice("draft", "carl", "text", "--clear").code == 2
    assert alice("draft", "team:theirs", "text").code == 1


def test_g2_mute_and_unmute(bob: Place) -> None:
    bob("unread", "alice", "--from", "1")
    assert bob("mute", "alice").out == (
        "p2p:alice: muted; now 3 unread (3 of them muted) in 1 of 1 conversation\n"
    )
    assert "muted" in bob("list").out
    (row,) = bob.as_json("mute", "alice", "--mentions")["rows"]
    assert row["mute"] == "mentions"
    assert "mentions only" in bob("list").out
    assert bob("unmute", "alice").out == (
        "p2p:alice: not muted; now 3 unread in 1 of 1 conversation\n"
    )
    assert bob("mute", "team:theirs").code == 1
