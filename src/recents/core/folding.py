"""Text as it is compared in a search: without case, accents and widths.

Rules of this file:

1. What is searched for and what is searched in are folded alike; folded text folds to itself.
2. Scripts without blanks between their words are taken apart into characters, so that a word of
   one or two of them is found wherever it stands.
"""

from __future__ import annotations

import re
from unicodedata import category, normalize

_ALONE = (
    "\u3040-\u30ff\u31f0-\u31ff"  # Japanese syllables
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
    "\uac00-\ud7a3"  # Korean syllables
    "\u2190-\u2bff\U0001f000-\U0001faff"  # signs and emoji
)
_TOKEN = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")


class _WithoutMarks(dict[int, int | None]):
    """For ``str.translate``: accents go; found out once for each character."""

    def __missing__(self, char: int) -> int | None:
        kept = self[char] = None if category(chr(char)) == "Mn" else char
        return kept


_WITHOUT_MARKS = _WithoutMarks()


def folded(text: str) -> str:
    """Return a text without case, accents and widths."""
    if text.isascii():
        return text.lower()
    # Folding the case may make characters that fall apart anew.
    apart = normalize("NFKD", normalize("NFKD", text).casefold())
    # Put together again, for Korean: its syllables fall apart as well.
    return normalize("NFC", apart.translate(_WITHOUT_MARKS))


def tokens_of(text: str) -> list[str]:
    """Return the words of a text, folded, in order."""
    return _TOKEN.findall(folded(text))
