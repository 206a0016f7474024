"""`recents history`, `recall`, `edit`."""

import pytest

from tests.cli.terminal import AtNode, Place


@pytest.fixture
def alice(node: AtNode) -> Place:
    alice = node.login("anna")
    node.login("ben")
    for text in ("one", "two", "three"):
        alice("send", "ben", text)
    return alice


def test_p2_p3_messages_are_shown_recalled_and_edited(alice: Place) -> None:
    assert alice("recall", "ben", "1").out == "p2p:ben: message 1 is recalled\n"
    assert alice("edit", "ben", "2", "zwei").out == "p2p:ben: message 2 is edited\n"
    shown = alice("history", "ben").out.splitlines()
    assert [line.split("  ")[0] for line in shown] == ["1", "2", "3"]
    assert shown[0].endswith("anna: (recalled by anna)")
    assert shown[1].endswith("anna: zwei (edited)")
    gone = alice.as_json("recall", "ben", "3", "--silent")
    assert gone == {"conversation": "p2p:ben", "message": None}
    found = alice.as_json("history", "ben", "--limit", "1")
    assert [one["seq"] for one in found["messages"]] == [2]
    assert found["more"]
    assert alice("history", "ben", "--limit", "1").out.startswith("there are older ones: --before")
    refused = alice("edit", "ben", "1", "again")
    assert refused.code == 1
    assert "was recalled" in refused.sentence
    assert alice("recall", "ben", "9").code == 1
    assert alice("recall", "ben", "0").code == 2
