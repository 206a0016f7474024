"""`recents explain`."""

import pytest

from recents.cli.explaining import lines_of
from recents.core.explain import Explanation, Placement, Positions
from recents.core.ids import Conversation
from tests.cli.terminal import AtNode, Place


@pytest.fixture
def people(node: AtNode) -> tuple[Place, Place]:
    return node.login("eva"), node.login("fay")


def test_case_20_it_names_the_messages(people: tuple[Place, Place]) -> None:
    eva, fay = people
    eva("send", "fay", "a secret \x1b[2J")
    fay("send", "eva", "hello")
    lines = fay("explain", "eva").out.splitlines()
    assert lines[0] == "p2p:eva: 1 unread"
    assert lines[1].startswith("  message 1 of eva, ")
    assert lines[2] == "not counted: 1 your own"
    assert lines[3].startswith("  message 2 of fay, ")
    assert lines[3].endswith(", your own")
    assert lines[4] == "read up to 0 of 2, by joining"
    assert lines[5].startswith("placed at ")
    assert lines[5].endswith(", by message 2")
    assert lines[6] == "not muted: adds 1 to unread, 1 to the badge"
    assert "secret" not in "".join(lines)

    fay("mute", "eva")
    fay("delete", "eva")
    lines = fay("explain", "eva").out.splitlines()
    assert lines[0] == "p2p:eva: 0 unread; the row is not in the list"
    assert lines[1] == "read up to 2 of 2, by deleting the row; deleted at 2"
    assert lines[-1] == "muted: adds 0 to unread, 0 to the badge"
    as_json = fay.as_json("explain", "eva")
    assert (as_json["listed"], as_json["positions"]["deleted_seq"]) == (False, 2)
    assert as_json["reasons"] == {}

    assert fay("explain", "team:theirs").code == 1
    assert fay("explain", "b:c:d").code == 2


def test_what_does_not_add_up_is_said() -> None:
    told = Explanation(
        conversation=Conversation("team:t1"),
        unread=5,
        counted=3,
        more=True,
        positions=Positions(last_seq=9, read_seq=4, cleared_seq=1, joined_seq=1),
        place=Placement(by="message"),
    )
    lines = list(lines_of(told))
    assert lines[1] == "but 3 messages count: `recents doctor` finds out why"
    assert lines[2] == "  … and older ones"
    assert lines[3].endswith("; history cleared up to 1; joined after 1")
    assert lines[4].endswith(", by a message far back")


def test_G1_G2_pins_and_the_ends_of_mutes_are_said() -> None:
    told = Explanation(
        conversation=Conversation("team:t1"),
        place=Placement(by="pin", rank=-7),
        mute="none",
        mute_until_ms=1_767_225_600_000,
    )
    *_, place, share = lines_of(told)
    assert place == "pinned, at rank -7"
    assert share.startswith("muted until 20")
