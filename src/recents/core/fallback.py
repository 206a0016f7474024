"""What stands in where a row has no name or no picture: title, initials, colour (rules I1, O3).

Rules of this file:

1. Every client shows the same: all of it is computed from the row alone, by formulas that are as
   short in JavaScript (``docs/spec/vectors/naming.json``).
2. A colour belongs to an id, not to a name: who is renamed keeps it.
"""

from __future__ import annotations

import re
import unicodedata

COLOURS = 16
"""An application has so many colours for those without a picture, numbered from 0."""

NO_INITIALS = "?"
"""Where neither title nor id has a letter or a digit."""

_WIDE = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Chinese, Japanese, Korean: one character is a syllable, and two are how people are called."""

_FNV_BASIS, _FNV_PRIME = 2_166_136_261, 16_777_619
"""FNV-1a of 32 bits."""


def title_of(alias: str, name: str | None, id: str) -> str:
    """Return what to call somebody: one's own name for it, else its name, else its id."""
    return alias or name or id


def initials_of(title: str, id: str) -> str:
    """Return one or two characters to show in place of a picture.

    Of a title that begins with Chinese, Japanese or Korean the last two characters of that
    beginning; of another one the first letter or digit of its first word and of its last; of one
    without any those of the id.
    """
    return _initials(title) or _initials(id) or NO_INITIALS


def colour_of(id: str) -> int:
    """Return which of the colours stands behind the initials: FNV-1a of the id."""
    sum_ = _FNV_BASIS
    for byte in id.encode():
        sum_ = (sum_ ^ byte) * _FNV_PRIME % 2**32
    return sum_ % COLOURS


def _initials(text: str) -> str:
    first = [at for at in map(_first_of, _words(text)) if at]
    if not first:
        return ""
    wide = _WIDE.match(first[0])
    if wide:
        return wide[0][-2:]
    ends = first if len(first) == 1 else (first[0], first[-1])
    return "".join(word[0].upper() for word in ends)


def _words(text: str) -> list[str]:
    """Part a text at blanks and control characters: Zs and Cc of Unicode."""
    parted = "".join(
        " " if unicodedata.category(one) in ("Zs", "Cc") else one
        for one in unicodedata.normalize("NFC", text)
    )
    return parted.split(" ")


def _first_of(word: str) -> str:
    """Return a word from its first letter or digit on: L and N of Unicode."""
    for at, one in enumerate(word):
        if unicodedata.category(one)[0] in "LN":
            return word[at:]
    return ""
