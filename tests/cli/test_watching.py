"""`recents watch`: lines, JSON, and the live table."""

import json
import os
import pty
import signal
import subprocess
from contextlib import suppress

from tests.cli.terminal import PATIENCE, WORD, AtNode


def test_a_line_for_every_change(node: AtNode) -> None:
    anna, ben = node.login("anna"), node.login("ben")
    with anna.running("watch") as watching:
        assert watching.line() == "anna: no conversations"
        ben("send", "anna", "tea\x1b[2J?")
        line = watching.line()
        assert " message: p2p:ben (1) tea␛[2J? | 1 unread in 1 of 1 conversation" in line
        anna("delete", "ben")
        assert " other_device: p2p:ben deleted | no conversations" in watching.line()
        done = watching.end(signal.SIGINT)
        assert (done.code, done.err) == (0, "")


def test_an_object_for_every_change(node: AtNode) -> None:
    cora, dirk = node.login("cora"), node.login("dirk")
    dirk("send", "cora", "first")
    with cora.running("watch", "--json") as watching:
        begin = json.loads(watching.line())
        assert set(begin) == {"totals", "cause", "synced", "added", "updated", "removed"}
        assert [row["conversation"] for row in begin["added"]] == ["p2p:dirk"]
        dirk("send", "cora", "second")
        change = json.loads(watching.line())
        assert change["cause"] == "message"
        assert change["updated"][0]["unread"] == 2
        assert change["totals"]["unread"] == 2
        assert watching.end(signal.SIGTERM).code == 0


def test_marks_drafts_and_mutes_of_another_device(node: AtNode) -> None:
    hanna, jan = node.login("hanna"), node.login("jan")
    jan("send", "hanna", "hello")
    hanna("read", "jan")
    with hanna.running("watch") as watching:
        assert watching.line() == "hanna: all read in 1 conversation"
        hanna("unread", "jan")
        line = watching.line()
        assert " other_device: p2p:jan (•) hello | no message unread in 1 conversation" in line
        hanna("draft", "jan", "well, hello")
        assert "p2p:jan (•) Draft: well, hello |" in watching.line()
        hanna("mute", "jan")
        assert "p2p:jan (•) [muted] Draft: well, hello |" in watching.line()


def test_a_revoked_token_ends_it(node: AtNode) -> None:
    eva = node.login("eva")
    with eva.running("watch") as watching:
        watching.line()
        node.here("account", "revoke", "eva")
        done = watching.end(None)
        assert done.code == 4
        assert "revoked" in done.sentence


def test_a_live_table_on_a_terminal(node: AtNode) -> None:
    finn, greta = node.login("finn"), node.login("greta")
    ours, theirs = pty.openpty()
    environment = {**finn.environment, "TERM": "xterm", "COLUMNS": "120", "LINES": "20"}
    process = subprocess.Popen(
        [*WORD, "watch"],
        cwd=finn.folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    with process:
        shown = _until(ours, "● live")
        assert "no conversations" in shown
        greta("send", "finn", "Wörter und 茶")
        assert "greta" in _until(ours, "Wörter und 茶")
        process.send_signal(signal.SIGINT)
        rest = _until(ours, None)
        assert process.wait(PATIENCE) == 0
        # The terminal is as it was: no alternate screen, the cursor shown.
        assert "\x1b[?1049l" in rest
        assert "\x1b[?25h" in rest
    os.close(ours)


def _until(terminal: int, wanted: str | None) -> str:
    shown = b""
    with suppress(OSError):  # the other side closed
        while wanted is None or wanted not in shown.decode(errors="replace"):
            some = os.read(terminal, 65_536)
            if not some:
                break
            shown += some
    text = shown.decode(errors="replace")
    assert wanted is None or wanted in text, text
    return text
