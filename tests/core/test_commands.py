"""What a user can ask, looked at alone: rules C4, M5, R1, R3, R4, G2, G6, I1."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.commands import (
    AnyCommand,
    Mute,
    Post,
    Read,
    SetDraft,
)
from recents.core.ids import Conversation

BOB = Conversation("p2p:bob")
TEAM = Conversation("team:t1")
BIG = Conversation("super_team:big")
NOBODY = Conversation("p2p:")
POST = Post(id="1", conversation=BOB, client_id="c1")


def test_m3_all_switches_are_on_unless_said_otherwise() -> None:
    assert (POST.counts, POST.bumps, POST.previews) == (True, True, True)


def test_a_command_is_known_by_its_name_on_the_wire() -> None:
    names = {
        str(command.__struct_config__.tag)
        for command in AnyCommand.__args__
        if issubclass(command, msgspec.Struct)
    }
    assert names == {
        *("post", "read", "read_all", "delete", "delete_all", "clear_history"),
        *("mark_unread", "mark_unread_from", "set_draft", "mute", "pin", "unpin", "archive"),
        *("unarchive", "add_label", "remove_label", "set_extension"),
        *("create_team", "add_members", "remove_member", "leave_team", "rename_team"),
        *("dismiss_team", "set_profile", "set_alias", "set_team_avatar"),
        *("recall", "edit", "delete_messages"),
    }


def test_a_default_is_not_written_and_an_unknown_field_is_refused() -> None:
    read = Read(id="1", conversation=BOB)
    written = msgspec.json.decode(msgspec.json.encode(read))
    assert written == {"type": "read", "id": "1", "conversation": "p2p:bob"}
    with pytest.raises(msgspec.ValidationError, match="unknown field `upto`"):
        msgspec.json.decode(b'{"type":"read","id":"1","conversation":"p2p:b","upto":1}', type=Read)


@pytest.mark.parametrize("level", ["", "some", "all", "None"])
def test_g2_another_level_cannot_be_said(level: str) -> None:
    frame = msgspec.json.encode({"type": "mute", "id": "1", "conversation": BOB, "level": level})
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value"):
        msgspec.json.decode(frame, type=Mute)


def test_g2_g6_what_takes_away_says_no_more_than_where() -> None:
    for command in (SetDraft(id="1", conversation=BOB), Mute(id="1", conversation=BOB)):
        written = msgspec.json.decode(msgspec.json.encode(command))
        assert set(written) == {"type", "id", "conversation"}
