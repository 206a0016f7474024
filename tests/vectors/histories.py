"""The histories of ``counting.json``, written by hand; what they lead to is the oracle's to say.

1. A history is short enough to be counted on one's fingers, and its name says what it shows.
2. Every rule of the core has at least one; one history shows one thing.
"""

from __future__ import annotations

from tests.vectors.coming_and_going_histories import DELETING, TEAMS
from tests.vectors.keeping_histories import ARCHIVE, LABELS, PINS
from tests.vectors.marking_histories import DRAFTS, MARKS, MUTES
from tests.vectors.mention_histories import MENTIONS
from tests.vectors.naming_histories import ALIASES, FACES
from tests.vectors.row_histories import PLACES, PREVIEWS
from tests.vectors.unread_histories import READING, UNREAD

HISTORIES = [
    *UNREAD,
    *READING,
    *PREVIEWS,
    *PLACES,
    *DELETING,
    *TEAMS,
    *MARKS,
    *DRAFTS,
    *MUTES,
    *FACES,
    *ALIASES,
    *PINS,
    *ARCHIVE,
    *LABELS,
    *MENTIONS,
]
