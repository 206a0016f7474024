"""Either a frame, or a refusal; never another exception (docs/protocol.md, section 1)."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.commands import Post
from recents.core.errors import Code, PeerMistake, Refused
from recents.wire import codec
from recents.wire.frames import (
    DeviceFrame,
    Error,
    Hello,
    ListRows,
    Messages,
    MyTeams,
    NodeFrame,
    Posted,
)
from tests.wire.frames_for_tests import (
    ALMOST_FRAMES,
    BOB,
    DEVICE_FRAMES,
    MESSAGE,
    NODE_FRAMES,
    mutated_frames,
)

HELLO = b'{"type":"hello","protocol":1,"account":"a","token":"t"'

REFUSED = {
    "nothing": b"",
    "no JSON": b"hello there",
    "half a frame": b'{"type":"my_teams","id":"1"',
    "two frames in a line": b'{"type":"my_teams","id":"1"}{"type":"my_teams","id":"2"}',
    "no object": b"[1]",
    "null": b"null",
    "no type": b'{"id":"1"}',
    "type is no text": b'{"type":["list"],"id":"1"}',
    "unknown operation": b'{"type":"drop_tables","id":"1"}',
    "two types": b'{"type":"list","type":"my_teams","id":"1"}',
    "a frame of the node": b'{"type":"answer","id":"1"}',
    "no id": b'{"type":"my_teams"}',
    "unknown field": b'{"type":"my_teams","id":"1","limit":1}',
    "wrong type": b'{"type":"list","id":"1","limit":"50"}',
    "bool as int": b'{"type":"list","id":"1","limit":true}',
    "int as bool": b'{"type":"delete","id":"1","conversation":"p2p:b","clear_history":1}',
    "float as int": b'{"type":"list","id":"1","limit":1.0}',
    "null as text": b'{"type":"my_teams","id":null}',
    "unknown kind": b'{"type":"read_all","id":"1","kinds":["channel"]}',
    "bytes that are no UTF-8": HELLO + b',"device":"\xff"}',
    "a raw surrogate": HELLO + b',"device":"\xed\xa0\x80"}',
    "half a surrogate pair": HELLO + rb',"device":"\ud800"}',
    "surrogates turned round": HELLO + rb',"device":"\ude00\ud800"}',
    "a raw NUL": HELLO + b',"device":"\x00"}',
    "a byte order mark": b"\xef\xbb\xbf" + HELLO + b"}",
    "not a number": b'{"type":"list","id":"1","limit":NaN}',
    "a number of 5,000 digits": b'{"type":"list","id":"1","limit":' + b"9" * 5_000 + b"}",
    "a number beyond floats": (
        b'{"type":"post","id":"1","conversation":"p2p:b","client_id":"c","attachment":1e999}'
    ),
    "deep nesting": b'{"type":"list","id":' * 10_000,
    "deep lists": b"[" * 100_000,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_no_frame_is_refused_as_a_bad_frame(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        codec.decode_device_frame(data)
    assert refused.value.code is Code.BAD_FRAME
    assert len(refused.value.args[0]) < 300


@pytest.mark.parametrize("frame", DEVICE_FRAMES, ids=lambda frame: type(frame).__name__)
def test_every_device_frame_comes_back_as_it_was(frame: DeviceFrame) -> None:
    data = codec.encode(frame)
    assert b"\n" not in data
    assert codec.decode_device_frame(data) == frame


@pytest.mark.parametrize("frame", NODE_FRAMES, ids=lambda frame: type(frame).__name__)
def test_every_node_frame_comes_back_as_it_was(frame: NodeFrame) -> None:
    data = codec.encode(frame)
    assert b"\n" not in data
    assert codec.decode_node_frame(data) == frame


def test_of_two_equal_fields_the_last_one_counts() -> None:
    assert codec.decode_device_frame(b'{"type":"my_teams","id":"1","id":"2"}') == MyTeams(id="2")


def test_a_device_skips_fields_that_it_does_not_know() -> None:
    data = b'{"type":"answer","id":"1","colour":"red"}'
    assert codec.decode_node_frame(data) == codec.decode_node_frame(b'{"type":"answer","id":"1"}')


def test_a_frame_of_exactly_the_largest_size_is_read() -> None:
    most = codec.MAX_DEVICE_FRAME_BYTES
    bare = len(codec.encode(Hello(protocol=1, account="a", token="")))
    data = codec.encode(Hello(protocol=1, account="a", token="x" * (most - bare)))
    assert len(data) == most
    assert isinstance(codec.decode_device_frame(data), Hello)


def test_a_larger_frame_is_refused_as_too_large() -> None:
    with pytest.raises(Refused) as refused:
        codec.decode_device_frame(b" " * (codec.MAX_DEVICE_FRAME_BYTES + 1))
    assert refused.value.code is Code.TOO_LARGE


def test_m5_the_largest_legal_post_fits_a_frame() -> None:
    """Text as escaped surrogate pairs, attachment and mentions as large as they may be."""
    escaped = r"\ud83d\ude00" * 5_000
    mentions = ",".join(f'"{"m" * 63}"' for _ in range(200))
    data = (
        f'{{"type":"post","id":"{"i" * 64}","conversation":"p2p:bob","client_id":"c",'
        f'"text":"{escaped}","attachment":"{"x" * (16 * 1024 - 2)}","mentions":[{mentions}]}}'
    ).encode()
    frame = codec.decode_device_frame(data)
    assert isinstance(frame, Post)
    assert len(frame.text) == 5_000


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_an_attachment_nests_64_levels_deep_and_no_deeper(opening: str) -> None:
    """Whoever reads it has a stack; what was stored must be readable everywhere."""

    def nested(depth: int) -> bytes:
        closing = "]" if opening == "[" else "}"
        value = opening * depth + "1" + closing * depth
        post = '{"type":"post","id":"1","conversation":"p2p:b","client_id":"c","attachment":%s}'
        return (post % value).encode()

    assert isinstance(codec.decode_device_frame(nested(64)), Post)
    for depth in (65, 300, 900):
        with pytest.raises(Refused) as refused:
            codec.decode_device_frame(nested(depth))
        assert refused.value.code in {Code.BAD_VALUE, Code.BAD_FRAME}


def test_one_text_message_holds_frames_one_a_line() -> None:
    frames = [codec.encode(frame) for frame in DEVICE_FRAMES]
    assert codec.split(codec.join(frames)) == frames


def test_blank_lines_and_line_ends_of_other_systems_are_skipped() -> None:
    lines = codec.split('\r\n\n{"type":"my_teams","id":"1"}\r\n   \n')
    assert [codec.decode_device_frame(line) for line in lines] == [MyTeams(id="1")]


def test_only_newlines_part_frames() -> None:
    assert codec.split(b"a\x0bb\x85c\xe2\x80\xa8d") == [b"a\x0bb\x85c\xe2\x80\xa8d"]


# Deflating

LIMIT = 1_000


@pytest.mark.parametrize("size", [0, 1, LIMIT])
def test_a_deflated_message_comes_back_as_it_was(size: int) -> None:
    text = "é\n"[:1] * (size // 2) + "x" * (size % 2)
    assert codec.inflated(codec.deflated(text.encode()), LIMIT) == text


def test_deflated_frames_are_a_third_as_large() -> None:
    message = codec.join(map(codec.encode, NODE_FRAMES * 50)).encode()
    assert len(codec.deflated(message)) * 3 < len(message)


NOT_DEFLATED = {
    "nothing": b"",
    "text": b'{"type":"changed"}',
    "garbage": b"\xff" * 100,
    "without its header": zlib.compress(b"text")[2:],
    "gzip": gzip.compress(b"text"),
    "cut short": zlib.compress(b"text")[:-1],
    "a wrong checksum": zlib.compress(b"text")[:-4] + b"\x00\x00\x00\x00",
    "something after its end": zlib.compress(b"text") + b"\x00",
    "two in one": zlib.compress(b"text") * 2,
    "a dictionary of somebody's": b"\x78\xbb\x00\x00\x00\x01" + zlib.compress(b"text")[2:],
    "no UTF-8": zlib.compress(b"\xff\xfe"),
    "one byte too many": zlib.compress(b"x" * (LIMIT + 1)),
    "a bomb": zlib.compress(b"\x00" * 50_000_000),
}


@pytest.mark.parametrize("data", NOT_DEFLATED.values(), ids=NOT_DEFLATED)
def test_what_is_no_deflated_text_is_a_mistake_of_the_node(data: bytes) -> None:
    with pytest.raises(PeerMistake):
        codec.inflated(data, LIMIT)


def test_a_bomb_is_not_inflated_beyond_the_limit() -> None:
    bomb = zlib.compress(b"\x00" * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(PeerMistake):
            codec.inflated(bomb, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=200))
def test_any_bytes_are_inflated_or_refused(data: bytes) -> None:
    with contextlib.suppress(PeerMistake):
        codec.inflated(data, LIMIT)


def test_text_with_half_a_surrogate_pair_can_be_split() -> None:
    (line,) = codec.split("\ud800")
    with pytest.raises(Refused):
        codec.decode_device_frame(line)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"type":"nope","id":"r1"}', "r1"),
        (b'{"id" : "r1", "type":"my_teams", "more":1}', "r1"),
        (b'{"type":"list","id":"r1","limit":"many"}', "r1"),
        (b'{"type":"post","attachment":{"id":"inner"},"id":"r1","x":1}', "r1"),
        (b'{"type":"post","attachment":{"id":"inner"}}', None),
        (rb'{"text":"\"id\":\"quoted\""}', None),
        (b'{"id":7}', None),
        (b'{"id":"with blank"}', None),
        (b'{"id":""}', None),
        (b'{"id":"' + b"x" * 65 + b'"}', None),
        (rb'{"id":"\ud800"}', None),
        (b'{"id":"\xff"}', None),
        (b'{"id":"r1"', None),
        (b'{"id":"r1","deep":' + b"[" * 100_000, None),
        (b"[]", None),
        (b"", None),
    ],
)
def test_a_refusal_quotes_the_id_of_a_frame_that_has_one(data: bytes, found: str | None) -> None:
    assert codec.readable_id(data) == found


def test_a_frame_too_large_to_be_read_still_has_its_id() -> None:
    data = codec.encode(ListRows(id="r1", cursor="x" * codec.MAX_DEVICE_FRAME_BYTES))
    assert codec.readable_id(data) == "r1"


def test_results_come_back_as_they_were() -> None:
    result = Messages(messages=(MESSAGE,), more=True)
    assert codec.decode_result(codec.encode_result(result), Messages) == result
    assert codec.encode_result(None) == msgspec.Raw(b"null")


@pytest.mark.parametrize("raw", [b"null", b"{}", b'{"seq":"1"}', b"{", b'"\xff"', b"[" * 100_000])
def test_another_result_than_expected_is_a_mistake_of_the_node(raw: bytes) -> None:
    with pytest.raises(PeerMistake):
        codec.decode_result(msgspec.Raw(raw), Posted)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"type":"hello"}', b'"\xff"', b"[" * 100_000])
def test_something_else_than_a_frame_is_a_mistake_of_the_node(data: bytes) -> None:
    with pytest.raises(PeerMistake):
        codec.decode_node_frame(data)


@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode()) | mutated_frames())
def test_any_bytes_are_a_frame_or_a_refusal(data: bytes) -> None:
    _read_as_device_frame(data)
    with contextlib.suppress(PeerMistake):
        codec.decode_node_frame(data)


@given(ALMOST_FRAMES)
def test_any_object_is_a_frame_or_a_refusal(data: bytes) -> None:
    _read_as_device_frame(data)


@given(st.text() | st.binary())
def test_any_message_can_be_split(message: str | bytes) -> None:
    for line in codec.split(message):
        assert line.strip()
        assert b"\n" not in line
        _read_as_device_frame(line)


@given(st.text(), st.text(), st.integers(min_value=0, max_value=2**53))
def test_any_text_comes_back_as_it_was(text: str, attachment: str, seq: int) -> None:
    post = Post(
        id="1",
        conversation=BOB,
        client_id="c",
        text=text,
        attachment={attachment: [attachment, seq]},
        displayed_seq=seq,
    )
    assert codec.decode_device_frame(codec.encode(post)) == post


def _read_as_device_frame(data: bytes) -> None:
    """Read a frame; read again, it is the same, and what was refused can be told."""
    try:
        frame = codec.decode_device_frame(data)
    except Refused as refusal:
        codec.encode(Error(id=codec.readable_id(data), code=refusal.code, message=refusal.args[0]))
    else:
        assert codec.decode_device_frame(codec.encode(frame)) == frame
