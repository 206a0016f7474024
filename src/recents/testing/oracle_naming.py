"""What the oracle calls a row, and what it shows where there is no picture.

Rules of this file:

1. Nothing of `recents` is imported; the formulas are written down once more, in other words.
"""

from __future__ import annotations

from itertools import takewhile
from unicodedata import category, normalize

COLOURS = 16

_SYLLABLES = (
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Characters that are a syllable each, from and to."""


def title(alias: str, name: str | None, id: str) -> str:
    """The first of alias, name and id that says anything."""
    return next(one for one in (alias, name, id) if one)


def initials(title: str, id: str) -> str:
    """At most two characters of the title; without letters and digits, of the id."""
    for text in (title, id):
        words: list[list[str]] = [[]]
        for character in normalize("NFC", text):
            if category(character) in {"Zs", "Cc"}:
                words.append([])
            elif words[-1] or category(character).startswith(("L", "N")):
                # What stands before the first letter of a word is no part of it.
                words[-1].append(character)
        words = [word for word in words if word]
        if not words:
            continue
        beginning = list(takewhile(_is_syllable, words[0]))
        if beginning:
            return "".join(beginning[-2:])
        return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))
    return "?"


def colour(id: str) -> int:
    """FNV-1a of 32 bits over the bytes of the id, by the number of colours."""
    hash_ = 0x811C9DC5
    for byte in id.encode():
        hash_ ^= byte
        hash_ = (
            hash_ + (hash_ << 1) + (hash_ << 4) + (hash_ << 7) + (hash_ << 8) + (hash_ << 24)
        ) & 0xFFFFFFFF
    return hash_ & (COLOURS - 1)


def _is_syllable(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _SYLLABLES)
