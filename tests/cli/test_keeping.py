"""`recents pin`, `unpin`, `archive`, `unarchive`, `label`, `labels`, and mutes that end."""

import pytest

from tests.cli.terminal import AtNode, Place


@pytest.fixture(scope="module")
def bob(node: AtNode) -> Place:
    alice = node.login("keep-alice")
    carol = node.login("keep-carol")
    bob = node.login("keep-bob")
    alice("send", "keep-bob", "one")
    carol("send", "keep-bob", "two")
    return bob


def listed(bob: Place, *options: str) -> list[str]:
    return [row["conversation"][9:] for row in bob.as_json("list", *options)["rows"]]


def test_g1_pin_move_and_unpin(bob: Place) -> None:
    assert listed(bob) == ["carol", "alice"]
    assert bob("pin", "keep-alice", "--ext", "red").out == (
        "p2p:keep-alice: pinned; now 2 unread in 2 of 2 conversations\n"
    )
    assert listed(bob) == ["alice", "carol"]
    assert "pinned" in bob("list").out
    bob("pin", "keep-carol", "--last")
    assert listed(bob) == ["alice", "carol"]
    bob("pin", "keep-carol", "--before", "keep-alice")
    assert listed(bob) == ["carol", "alice"]
    (row,) = bob.as_json("unpin", "keep-carol")["rows"]
    assert row["pin"] is None
    assert listed(bob) == ["alice", "carol"]
    bob("unpin", "keep-alice")
    assert bob("pin", "keep-alice", "--last", "--ext", "x").code == 2
    assert bob("pin", "team:theirs").code == 1


def test_g4_archive_and_unarchive(bob: Place) -> None:
    assert bob("archive", "keep-alice").out == (
        "p2p:keep-alice: archived; now 1 unread in 1 of 1 conversation\n"
    )
    assert listed(bob) == ["carol"]
    assert listed(bob, "--archived") == ["alice"]
    assert "archived" in bob("list", "--archived").out
    bob("unarchive", "keep-alice")
    assert listed(bob, "--archived") == []


def test_g5_labels(bob: Place) -> None:
    assert bob("labels").out == "no conversation has a label\n"
    bob("label", "keep-alice", "work")
    assert "#work" in bob("list").out
    assert bob.as_json("labels") == {"labels": [{"name": "work", "conversations": 1, "unread": 1}]}
    assert "work" in bob("labels").out
    bob("label", "keep-alice", "work", "--off")
    assert bob.as_json("labels") == {"labels": []}
    assert bob("label", "keep-alice", "x" * 65).code == 2


def test_g2_a_mute_that_ends(bob: Place) -> None:
    shown = bob("mute", "keep-alice", "--until", "2999-12-31T18:00").out
    assert "muted until 2999-12-31 18:00" in shown
    assert bob("mute", "keep-alice", "--until", "2001-01-01").out.startswith(
        "p2p:keep-alice: not muted; now"
    )
    assert bob("mute", "keep-alice", "--until", "soon").code == 2
