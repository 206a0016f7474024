"""What the frames promise as shapes (docs/protocol.md, sections 2-5)."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from recents.core.commands import AnyCommand
from recents.wire import frames
from recents.wire.frames import (
    Answer,
    CaughtUp,
    Changed,
    DeviceFrame,
    Hello,
    NodeFrame,
    Query,
)
from tests.wire.frames_for_tests import DEVICE_FRAMES, NODE_FRAMES

DEVICE_TYPES = get_args(DeviceFrame)
NODE_TYPES = get_args(NodeFrame)


def _named(kind: type) -> str:
    return kind.__name__


def test_no_two_frames_have_one_type() -> None:
    tags = [kind.__struct_config__.tag for kind in (*DEVICE_TYPES, *NODE_TYPES)]
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize("kind", [*get_args(AnyCommand), *get_args(Query)], ids=_named)
def test_everything_asked_has_an_id(kind: type[msgspec.Struct]) -> None:
    assert "id" in kind.__struct_fields__


def test_only_a_greeting_has_no_id() -> None:
    assert "id" not in Hello.__struct_fields__
    assert set(DEVICE_TYPES) == {Hello, *get_args(AnyCommand), *get_args(Query)}


@pytest.mark.parametrize("kind", DEVICE_TYPES, ids=_named)
def test_a_node_refuses_unknown_fields(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.forbid_unknown_fields


@pytest.mark.parametrize("kind", NODE_TYPES, ids=_named)
def test_a_device_skips_unknown_fields(kind: type[msgspec.Struct]) -> None:
    assert not kind.__struct_config__.forbid_unknown_fields


@pytest.mark.parametrize("frame", [*DEVICE_FRAMES, *NODE_FRAMES], ids=lambda f: _named(type(f)))
def test_a_frame_is_a_value(frame: msgspec.Struct) -> None:
    assert type(frame).__struct_config__.frozen
    assert msgspec.structs.replace(frame) == frame


def test_defaults_are_left_out() -> None:
    assert msgspec.json.encode(CaughtUp(token="x.1")) == b'{"type":"caught_up","token":"x.1"}'
    assert msgspec.json.encode(Changed()) == b'{"type":"changed"}'
    assert msgspec.json.encode(Answer(id="1")) == b'{"type":"answer","id":"1"}'


def test_this_is_version_1() -> None:
    assert frames.PROTOCOL_VERSION == 1
