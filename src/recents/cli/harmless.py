"""Text from others, made harmless for a terminal.

Rules of this file:

1. No character reaches a terminal that moves its cursor, changes its state or its direction.
2. Nothing is dropped: whoever tries sees that somebody tried.
3. JSON for programs keeps every character, those above as escapes.
"""

from __future__ import annotations

import re

_DANGEROUS = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters; ESC begins every escape sequence, 9b is one
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks and overrides of direction
    "\u2028\u2029"  # line ends in disguise
    "\u200b\u2060\ufeff"  # invisible: two names that look the same
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # invisible annotations and tags
    "\ud800-\udfff"  # halves of characters, which no terminal can be sent
    "]"
)

_REPLACEMENT = "�"
_DELETE = 0x7F
_CONTROL_PICTURES = 0x2400
_PICTURE_OF_DELETE = "␡"
_PICTURE_OF_NEWLINE = "␤"


def _symbol(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return _PICTURE_OF_DELETE
    return _PICTURE_OF_NEWLINE if code in {0x2028, 0x2029} else _REPLACEMENT


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def harmless(text: str) -> str:
    """Return ``text`` with symbols in the place of what could take over a terminal."""
    return _DANGEROUS.sub(_symbol, text)


def harmless_json(json: str) -> str:
    """Return the same JSON value with escapes in the place of those characters."""
    return _DANGEROUS.sub(_escape, json)
