"""A message of one's own on its way."""

import pytest

from recents.client.echo import echo_of, sent_message
from recents.core.commands import MarkUnread, Post
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.core.pending import Pending, Refusal, failed
from recents.wire.frames import Posted

BOB = Conversation("p2p:bob")
POST = Post(
    id="p",
    conversation=BOB,
    client_id="c",
    kind="file",
    text="look",
    attachment={"size": (3, 4), 5: None},
    mentions=("bob",),
    counts=False,
    bumps=False,
    previews=False,
)
PENDING = Pending(number=1, command=POST, at_ms=77)


def test_P4_an_echo_has_no_place_yet() -> None:
    echo = echo_of("alice", PENDING)
    assert (echo.seq, echo.ordinal, echo.time_ms, echo.status) == (0, 0, 77, "sending")
    assert (echo.sender, echo.client_id, echo.kind, echo.text) == ("alice", "c", "file", "look")
    assert (echo.mentions, echo.counts, echo.bumps, echo.previews) == (("bob",), *[False] * 3)
    assert echo_of("alice", failed(PENDING, Refusal(Code.NOT_A_MEMBER, "no"))).status == "failed"


def test_M2_a_sent_message_stands_where_the_node_says() -> None:
    sent = sent_message("alice", PENDING, Posted(seq=3, ordinal=2, time_ms=99))
    assert (sent.seq, sent.ordinal, sent.time_ms, sent.status) == (3, 2, 99, "sent")


def test_an_attachment_looks_as_it_arrives() -> None:
    assert echo_of("alice", PENDING).attachment == {"size": [3, 4], "5": None}


def test_other_commands_have_no_echo() -> None:
    mark = Pending(number=1, command=MarkUnread(id="m", conversation=BOB), at_ms=1)
    with pytest.raises(AssertionError):
        echo_of("alice", mark)
