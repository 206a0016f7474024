"""Frames to bytes and back (``docs/protocol.md``, section 1).

Rules of this file:

1. Either a frame, or ``Refused`` / ``PeerMistake`` with a reason; never another exception.
2. One message of the transport holds one frame or several, one a line.
3. A deflated message is the zlib stream (RFC 1950) of such a text, whole in itself: nothing is
   carried from one message to the next.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from recents.core.commands import Post
from recents.core.errors import Code, PeerMistake, Refused
from recents.wire.frames import DeviceFrame, NodeFrame

T = TypeVar("T")

MAX_DEVICE_FRAME_BYTES = 256 * 1024
"""The largest legal post: 5,000 characters as JSON escapes of up to 12 bytes, an attachment of
16 KiB, 200 mentions of 63 bytes: 90 KB; a list of 1,000 members: 66 KB. Rounded up generously."""

MAX_DEVICE_MESSAGE_BYTES = 1024 * 1024
"""Beyond this the transport does not even buffer and closes the connection (code 1009)."""

MAX_ATTACHMENT_DEPTH = 64
"""How deep an attachment nests is bounded by the stack of whoever reads it. A message that was
stored must be readable everywhere, so the bound is far below any stack's."""

DEFLATE_LEVEL = 4
"""Measured on a catch-up of 1,000 made rows, 299 KB in three pages: level 1 leaves 92 KB for 2.9
ms of a core, level 4 leaves 83 KB for 4.7 ms, level 6 leaves 78 KB for 8.2 ms: beyond 4 the
price rises faster than the gain. Inflating takes 0.9 ms."""

_MAX_REASON_CHARACTERS = 200
"""What was wrong may quote the frame, and that may be long."""


class _Identified(msgspec.Struct):
    """All that is looked for in a frame that could not be read."""

    id: str


_encoder = msgspec.json.Encoder()
_device_decoder: msgspec.json.Decoder[DeviceFrame] = msgspec.json.Decoder(DeviceFrame)
_node_decoder: msgspec.json.Decoder[NodeFrame] = msgspec.json.Decoder(NodeFrame)
_identified_decoder: msgspec.json.Decoder[_Identified] = msgspec.json.Decoder(_Identified)
_ID = re.compile(r"[!-~]{1,64}", re.ASCII)


def encode(frame: DeviceFrame | NodeFrame) -> bytes:
    """Return the JSON text of one frame, without a newline."""
    return _encoder.encode(frame)


def encode_result(result: msgspec.Struct | None) -> msgspec.Raw:
    """Return a result ready to be put into an ``Answer``."""
    return msgspec.Raw(_encoder.encode(result))


def join(frames: Iterable[bytes]) -> str:
    """Put encoded frames into one text message, one a line."""
    return b"\n".join(frames).decode()


def split(message: str | bytes) -> list[bytes]:
    """Take a text message apart into encoded frames; blank lines are skipped."""
    data = message.encode("utf-8", "surrogatepass") if isinstance(message, str) else message
    return [line for line in data.split(b"\n") if line.strip()]


def deflated(message: bytes) -> bytes:
    """Return a text message deflated, to be sent as a binary one."""
    return zlib.compress(message, DEFLATE_LEVEL)


def inflated(data: bytes, limit: int) -> str:
    """Return the text of a deflated message.

    Args:
        data: the binary message.
        limit: bytes that the text may have; no more are made of it, whatever it claims to hold.

    Raises:
        PeerMistake: it is something else, cut short, or larger.
    """
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise PeerMistake(f"a binary message is not deflated text: {error}") from error
    if len(text) > limit:
        raise PeerMistake(f"a deflated message has more than {limit} bytes")
    if not stream.eof or stream.unused_data:
        raise PeerMistake("a deflated message does not end where its text ends")
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise PeerMistake("a deflated message is not UTF-8") from error


def decode_device_frame(data: bytes) -> DeviceFrame:
    """Read a frame that a device sent.

    Raises:
        Refused: ``too_large`` or ``bad_frame``, saying where it is wrong.
    """
    if len(data) > MAX_DEVICE_FRAME_BYTES:
        raise Refused(
            Code.TOO_LARGE,
            f"the frame has {len(data)} bytes; send at most {MAX_DEVICE_FRAME_BYTES}",
        )
    try:
        frame = _device_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)[:_MAX_REASON_CHARACTERS]
        raise Refused(Code.BAD_FRAME, f"not a frame of this protocol: {reason}") from error
    if isinstance(frame, Post) and frame.attachment is not None:
        check_depth(frame.attachment)
    return frame


def decode_node_frame(data: bytes) -> NodeFrame:
    """Read a frame that a node sent.

    Raises:
        PeerMistake: it is not a frame of this protocol.
    """
    try:
        return _node_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PeerMistake(f"the node sent something else than a frame: {error}") from error


def decode_result(raw: msgspec.Raw, kind: type[T]) -> T:
    """Read the result of an answer.

    Raises:
        PeerMistake: it is not a result of this kind.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PeerMistake(f"the node sent something else than {kind.__name__}: {error}") from error


def readable_id(data: bytes) -> str | None:
    """Find the id in a frame that was refused, so that the refusal can quote it.

    It is there to find where the frame is a JSON object with a text ``id``.
    """
    try:
        found = _identified_decoder.decode(data).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if _ID.fullmatch(found) else None


def check_depth(attachment: object) -> None:
    """Accept an attachment that a receiver can read without nesting too deep.

    Raises:
        Refused: ``bad_value``.
    """
    layer = [attachment]
    for _ in range(MAX_ATTACHMENT_DEPTH + 1):
        layer = [inner for value in layer for inner in _parts_of(value)]
        if not layer:
            return
    raise Refused(
        Code.BAD_VALUE, f"the attachment nests deeper than {MAX_ATTACHMENT_DEPTH} levels"
    )


def _parts_of(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
