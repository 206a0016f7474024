"""`recents profile`, `alias`."""

import pytest

from tests.cli.terminal import AtNode, Place


@pytest.fixture(scope="module")
def alice(node: AtNode) -> Place:
    return node.login("alice")


@pytest.fixture(scope="module")
def bob(node: AtNode, alice: Place) -> Place:
    bob = node.login("bob")
    alice("send", "bob", "hi")
    return bob


def test_i1_a_profile_is_changed_and_seen_by_contacts(alice: Place, bob: Place) -> None:
    assert alice("profile").out == "alice has no name\n"
    changed = alice("profile", "--name", "Alice \x1b[2J", "--avatar", "https://example.org/a.png")
    assert changed.out == "alice is called Alice ␛[2J; https://example.org/a.png\n"
    assert bob("profile", "alice").out == changed.out
    assert "Alice ␛[2J" in bob("list").out
    assert alice("profile", "--name", "Alice", "--avatar", "").out == "alice is called Alice\n"
    (found,) = bob.as_json("profile", "alice")["profiles"]
    assert (found["account"], found["name"]) == ("alice", "Alice")


def test_strangers_are_not_told(node: AtNode, bob: Place) -> None:
    node.login("zoe", "--name", "Zoe")
    said = "zoe shares no conversation with you, or does not exist\n"
    assert bob("profile", "zoe").out == said
    assert bob.as_json("profile", "zoe") == {"profiles": []}


def test_i1_an_alias_is_given_shown_and_taken_away(alice: Place, bob: Place) -> None:
    assert alice("alias", "bob").out == "p2p:bob: bob\n"
    assert alice("alias", "bob", "Bobby").out == "p2p:bob: Bobby\n"
    assert "Bobby" in alice("list").out
    (row,) = alice.as_json("alias", "bob")["rows"]
    assert row["alias"] == "Bobby"
    assert alice("alias", "bob", "--clear").out == "p2p:bob: bob\n"
    assert alice("alias", "nobody").out == "there is no such row\n"
    assert alice("alias", "nobody", "x").code == 1


@pytest.mark.parametrize(
    "words", [("profile", "bob", "--name", "x"), ("alias", "bob", "x", "--clear")]
)
def test_what_cannot_be_meant(alice: Place, words: tuple[str, ...]) -> None:
    assert alice(*words).code == 2
