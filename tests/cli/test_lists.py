"""`recents list`, `send`, `read`, `delete`: the way of a message, and what can go wrong."""

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

import recents
from recents.cli import commanding, lists
from tests.cli.terminal import PATIENCE, WORD, AtNode, Place, rows_of, serving


@pytest.fixture(scope="module")
def alice(node: AtNode) -> Place:
    return node.login("alice")


@pytest.fixture(scope="module")
def bob(node: AtNode) -> Place:
    return node.login("bob")


def test_from_send_to_revoke(node: AtNode, alice: Place, bob: Place) -> None:
    assert alice.apart("send", "bob", "hello").out == "sent to p2p:bob as message 1\n"
    sent = alice.as_json("send", "p2p:bob", "are you there?")
    assert sent["conversation"] == "p2p:bob"
    assert sent["message"]["seq"] == 2
    assert sent["message"]["sender"] == "alice"

    listed = bob.as_json("list")
    assert rows_of(listed) == [("p2p:alice", 2)]
    assert listed["totals"] == {
        "unread": 2,
        "unread_conversations": 1,
        "conversations": 1,
        "muted_unread": 0,
        "marked_unread": 0,
        "mentions": 0,
        "muted_mentions": 0,
    }
    assert listed["rows"][0]["preview"]["text"] == "are you there?"
    table = bob.apart("list").out
    assert "are you there?" in table
    assert "bob: 2 unread in 1 of 1 conversation" in table

    assert bob.apart("read", "alice").out == (
        "p2p:alice: 2 messages read; now all read in 1 conversation\n"
    )
    assert "nothing was unread" in bob("read", "alice").out
    assert "✓✓ read" in alice("list").out
    assert "You: are you there?" in alice("list").out

    deleted = bob.as_json("delete", "alice")
    assert rows_of(deleted) == [("p2p:alice", 0)]
    assert deleted["totals"]["conversations"] == 0
    assert bob.apart("delete", "alice").out == "there was no such row; nothing to delete\n"
    assert bob("list").out == "bob: no conversations\n"

    node.here("account", "revoke", "bob")
    assert bob("list").code == 4


def test_json_has_every_field(node: AtNode) -> None:
    carol = node.login("carol")
    carol("send", "carol", "note")
    (row,) = carol.as_json("list")["rows"]
    assert set(row) == {
        "conversation",
        "version",
        "activity_ms",
        "last_seq",
        "read_seq",
        "unread",
        "preview",
        "status",
        "membership",
        "name",
        "marked_unread",
        "read_epoch",
        "cleared_seq",
        "draft",
        "mute",
        "avatar",
        "alias",
        "pin",
        "archived",
        "mute_until_ms",
        "labels",
        "extension",
        "mentions_me",
        "mentions_all",
    }
    assert (row["unread"], row["membership"], row["name"]) == (0, "member", None)


def test_all_at_once(node: AtNode, alice: Place) -> None:
    dora, emil = node.login("dora"), node.login("emil")
    alice("send", "emil", "one")
    dora("send", "emil", "two", "--json")
    assert "; 1 more with a higher --limit" in emil("list", "--limit", "1").out
    read = emil.as_json("read", "--all", "--kinds", "p2p")
    assert rows_of(read) == [("p2p:dora", 0), ("p2p:alice", 0)]
    assert emil.as_json("read", "--all")["rows"] == []
    refused = emil("delete", "--all")
    assert refused.code == 2
    assert "--yes" in refused.sentence
    assert emil("delete", "--all", "--kinds", "team", "--yes").out.startswith("there was no such")
    assert emil("delete", "--all", "--yes", "--clear-history").out == (
        "2 rows deleted; now no conversations\n"
    )


def test_only_what_is_unread(node: AtNode, alice: Place) -> None:
    ivan = node.login("ivan")
    alice("send", "ivan", "one")
    ivan("send", "ivan", "note")
    assert rows_of(ivan.as_json("list", "--unread")) == [("p2p:alice", 1)]
    assert "note" not in ivan("list", "--unread").out
    ivan("unread", "ivan")
    assert len(ivan.as_json("list", "--unread")["rows"]) == 2
    assert "; 1 more with a higher --limit" in ivan("list", "--unread", "--limit", "1").out
    ivan("unread", "alice")
    assert ivan("read", "--all").out == (
        "1 message read and 2 dots taken away; now all read in 2 conversations\n"
    )
    assert rows_of(ivan.as_json("list", "--unread")) == []


def test_only_some_kinds_and_only_what_is_muted(node: AtNode, alice: Place) -> None:
    judy = node.login("judy")
    alice("send", "judy", "one")
    judy("send", "judy", "note")
    judy("mute", "alice")
    assert rows_of(judy.as_json("list", "--muted")) == [("p2p:alice", 1)]
    assert rows_of(judy.as_json("list", "--not-muted")) == [("p2p:judy", 0)]
    assert judy.as_json("list", "--not-muted")["totals"]["conversations"] == 1
    assert rows_of(judy.as_json("list", "--kinds", "team,super_team")) == []
    assert judy("list", "--kinds", "team").out == "judy: no conversations\n"
    assert judy("list", "--kinds", "channel").code == 2


@pytest.mark.parametrize("words", [("read", "alice"), ("delete", "alice"), ("delete", "--all")])
def test_nothing_is_said_to_have_happened_without_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """The node is killed when the list is here and before the command goes out."""
    with serving(tmp_path) as at:
        alice, bob = at.login("alice"), at.login("bob")
        alice("send", "bob", "hello")
        look = lists._concerned

        async def look_and_kill(*args: Any) -> list[recents.InboxEntry]:  # noqa: ANN401  # passed on
            rows = await look(*args)
            at.running.process.kill()
            return rows

        monkeypatch.setattr(lists, "_concerned", look_and_kill)
        monkeypatch.setattr(commanding, "PATIENCE_S", 0.2)
        done = bob(*words, *(("--yes",) if "--all" in words else ()))
    assert (done.code, done.out) == (3, "")
    assert "perhaps it was carried out, perhaps not" in done.sentence


def test_delete_all_asks_on_a_terminal(node: AtNode) -> None:
    frida = node.login("frida")
    frida("send", "frida", "note")
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [*WORD, "delete", "--all"],
            cwd=frida.folder,
            env=frida.environment,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            os.write(ours, b"n\n")
            out, err = process.communicate(timeout=PATIENCE)
        assert b"Delete 1 row, on all your devices?" in err
        assert b"nothing was deleted" in err
        assert (process.returncode, out.strip()) == (130, b"")
    finally:
        os.close(ours)
        os.close(theirs)
    assert rows_of(frida.as_json("list")) == [("p2p:frida", 0)]


def test_text_from_standard_input(node: AtNode, alice: Place) -> None:
    gina = node.login("gina")
    assert alice("send", "gina", "-", said="line one\nline two\n").code == 0
    (row,) = gina.as_json("list")["rows"]
    assert row["preview"]["text"] == "line one line two"
    empty = alice("send", "gina", "-")
    assert (empty.code, empty.sentence) == (2, "the text is empty: say something")
    assert alice("send", "gina", "-", said=b"\xff").sentence == "the text is not UTF-8"


def test_text_of_others_is_harmless(node: AtNode, alice: Place) -> None:
    hugo = node.login("hugo")
    evil = "\x1b]0;owned\x07[red]not markup[/red] \u202egpj.exe\x9b2J"
    alice("send", "hugo", evil)
    shown = hugo("list").out
    assert "␛]0;owned␇[red]not markup[/red] �gpj.exe�2J" in shown
    raw = hugo("list", "--json").out
    assert "\\u202e" in raw
    assert "\\u009b" in raw
    assert hugo.as_json("list")["rows"][0]["preview"]["text"] == evil


def test_refusals(alice: Place) -> None:
    unknown = alice("send", "nobody-here", "hello?")
    assert unknown.code == 1
    assert "there is no account 'nobody-here'" in unknown.sentence
    foreign = alice("send", "team:theirs", "hello?")
    assert foreign.code == 1
    assert "not_a_member" in foreign.sentence


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("read",), "name one conversation, or say --all"),
        (("read", "bob", "--all"), "name one conversation, or say --all"),
        (("delete", "bob", "--kinds", "p2p"), "--kinds goes with --all"),
        (("read", "--all", "--kinds", "people"), "use p2p, team, super_team"),
        (("send", "group:x", "hi"), "does not name a conversation"),
    ],
)
def test_wrong_usage(alice: Place, words: tuple[str, ...], part: str) -> None:
    done = alice(*words)
    assert done.code == 2
    assert part in done.sentence


def test_without_a_login(node: AtNode) -> None:
    done = node.here("list")
    assert done.code == 2
    assert "RECENTS_ACCOUNT and RECENTS_TOKEN" in done.sentence


def test_a_wrong_token(node: AtNode) -> None:
    done = node.login_with("alice", "wrong")("list")
    assert done.code == 4
    assert "unauthorized" in done.sentence


def test_no_node(nowhere: Place) -> None:
    here = nowhere.with_environment(RECENTS_ACCOUNT="alice", RECENTS_TOKEN="t")
    done = here("list")
    assert done.code == 3
    assert done.sentence == (
        "no node answers at http://127.0.0.1:1: start one with `recents serve`"
    )


def test_an_address_that_is_none(nowhere: Place) -> None:
    here = nowhere.with_environment(RECENTS_ACCOUNT="alice", RECENTS_TOKEN="t")
    assert here("list", "--node", "localhost").code == 2


def test_a_reader_who_goes_away(alice: Place) -> None:
    with alice.running("list") as running:
        assert running.process.stdout is not None
        running.process.stdout.close()
        assert running.process.wait(PATIENCE) == 141
        assert running.process.stderr is not None
        assert running.process.stderr.read() == ""
