"""How Chinese names sound, for those who type letters: 张伟明 is zhangweiming, and zwm."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice, product

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_PART = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]|[^\u3400-\u4dbf\u4e00-\u9fff\\s]+")

MOST_READINGS = 16
"""Of a name with characters that sound differently here and there; few names have so many."""


def sounds_of(name: str) -> list[str]:
    """Return ways to spell a name, from each of its syllables on.

    None where there is no Chinese character in it.
    """
    if not _CHINESE.search(name):
        return []
    parts = [_readings(part) for part in _PART.findall(name)]
    sounds: dict[str, None] = {}
    for reading in islice(product(*parts), MOST_READINGS):
        for start in range(len(reading)):
            rest = reading[start:]
            sounds["".join(rest)] = None
            sounds["".join(syllable[:1] for syllable in rest)] = None
    return list(sounds)


@lru_cache(8_192)
def _readings(part: str) -> tuple[str, ...]:
    """Return how a character sounds, in each of its readings; what is none stays as it is."""
    # Its dictionaries take 0.2 s and 50 MB: for those only who have Chinese names.
    from pypinyin import Style, pinyin

    return tuple(pinyin(part.lower(), style=Style.NORMAL, heteronym=True)[0])
