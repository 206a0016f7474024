"""What is searched for in messages, and whether a text says it.

Rules of this file:

1. A query is words, parted by blanks; a message is found where it has all of them, in any order.
2. A word that is several tokens is a phrase: they stand side by side (``don't``, 开会). The last
   token may be the beginning of a longer one, so that it is found while it is typed.
"""

from __future__ import annotations

from collections.abc import Sequence

from recents.core.folding import tokens_of

Phrase = tuple[str, ...]
"""Tokens that stand side by side, the last one perhaps unfinished; at least one."""


def phrases_of(text: str) -> tuple[Phrase, ...]:
    """Return what a query looks for; nothing where it has no words."""
    phrases = (tuple(tokens_of(word)) for word in text.split())
    return tuple(phrase for phrase in phrases if phrase)


def says_all(text: str, phrases: Sequence[Phrase]) -> bool:
    """Tell whether a text has every phrase."""
    tokens = tokens_of(text)
    return all(_says(tokens, phrase) for phrase in phrases)


def _says(tokens: Sequence[str], phrase: Phrase) -> bool:
    *whole, last = phrase
    end = len(whole)
    return any(
        list(tokens[start : start + end]) == whole and tokens[start + end].startswith(last)
        for start in range(len(tokens) - end)
    )
