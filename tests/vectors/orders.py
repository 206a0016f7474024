"""The lists of ``ordering.json``, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Place = tuple[int, str]
"""(place_ms, conversation)"""

Row = tuple[int, str] | tuple[int, str, int]
"""(activity_ms, conversation), and where there is a draft, when it was saved"""

PRINTABLE = [chr(byte) for byte in range(0x21, 0x7F) if chr(byte) not in ":|/#"]
LATEST = 9_007_199_254_740_991
"""2**53 - 1: the largest number that JavaScript has exactly."""


class Order(NamedTuple):
    """Rows in any order, and places behind which pages begin."""

    name: str
    rows: list[Row]
    after: list[Place]
    ranks: Mapping[str, int] = {}
    """Of the rows that are pinned, by conversation."""
    after_pins: Sequence[Place] = ()
    """(rank, conversation): places among the pinned rows."""


ORDERS = [
    Order("an empty list", [], [(1_000, "p2p:a")]),
    Order("one row", [(1_000, "p2p:a")], [(1_000, "p2p:a"), (1_001, "p2p:a"), (999, "p2p:a")]),
    Order(
        "the newest activity comes first",
        [(2_000, "p2p:a"), (3_000, "p2p:b"), (1_000, "p2p:c"), (2_500, "team:d")],
        [(2_500, "team:d"), (2_000, "p2p:a")],
    ),
    Order(
        "times differ by the last digit, not by their text",
        [(999, "p2p:a"), (1_000, "p2p:b"), (10_000, "p2p:c"), (9_999, "p2p:d")],
        [(9_999, "p2p:d")],
    ),
    Order(
        "at equal times the name decides",
        [(1_000, "team:a"), (1_000, "p2p:b"), (1_000, "super_team:c"), (1_000, "p2p:a")],
        [(1_000, "p2p:b"), (1_000, "super_team:c")],
    ),
    Order(
        "the whole name decides, not the id behind the kind",
        [(1_000, "team:1"), (1_000, "p2p:2"), (1_000, "super_team:0")],
        [(1_000, "p2p:2")],
    ),
    Order(
        "capitals come before small letters, digits before both",
        [(1_000, "p2p:a"), (1_000, "p2p:B"), (1_000, "p2p:b"), (1_000, "p2p:A"), (1_000, "p2p:0")],
        [(1_000, "p2p:B")],
    ),
    Order(
        "digits are characters, not numbers",
        [(1_000, "team:10"), (1_000, "team:9"), (1_000, "team:1"), (1_000, "team:09")],
        [(1_000, "team:1")],
    ),
    Order(
        "a name comes before those that it begins",
        [(1_000, "p2p:a~"), (1_000, "p2p:a"), (1_000, "p2p:a!"), (1_000, "p2p:aa")],
        [(1_000, "p2p:a")],
    ),
    Order(
        "every byte that an id may have",
        [(1_000, f"p2p:{char}") for char in reversed(PRINTABLE)],
        [(1_000, "p2p:Z"), (1_000, "p2p:~")],
    ),
    Order(
        "the longest ids differ in their last byte",
        [(1_000, "p2p:" + "x" * 62 + char) for char in "~a!Z"],
        [(1_000, "p2p:" + "x" * 62 + "Z")],
    ),
    Order(
        "the first and the last moment there is",
        [(LATEST, "p2p:a"), (0, "p2p:b"), (LATEST - 1, "p2p:c"), (1, "p2p:d"), (0, "p2p:a")],
        [(LATEST, "p2p:a"), (0, "p2p:a")],
    ),
    Order(
        "a draft saved since moves its row up, an older one does not",
        [
            (3_000, "p2p:a"),
            (1_000, "p2p:b", 4_000),
            (5_000, "p2p:c", 2_000),
            (3_000, "p2p:d", 3_000),
            (2_999, "p2p:Z", 3_000),
        ],
        [(4_000, "p2p:b"), (3_000, "p2p:a"), (1_000, "p2p:b")],
    ),
    Order(
        "a page begins behind a place, whether a row stands there or not",
        [(3_000, "p2p:a"), (2_000, "p2p:b"), (2_000, "p2p:d"), (1_000, "p2p:e")],
        [(2_500, "p2p:z"), (2_000, "p2p:c"), (2_000, "p2p:"), (500, "p2p:a"), (9_000, "p2p:a")],
    ),
    Order(
        "pinned rows come first, the least rank first, then by name",
        [
            (1_000, "p2p:a"),
            (LATEST, "p2p:b"),
            (2_000, "p2p:c"),
            (0, "p2p:d", 9_000),
            (3_000, "team:e"),
            (3_000, "p2p:f"),
        ],
        [(LATEST, "p2p:b"), (2_000, "p2p:c")],
        {"p2p:a": 7, "team:e": -LATEST, "p2p:f": LATEST, "p2p:d": 7},
        [(-LATEST, "team:e"), (7, "p2p:b"), (LATEST, "p2p:f")],
    ),
]

CURSORS: list[Place] = [
    (0, "p2p:a"),
    (1_700_000_000_000, "super_team:big"),
    (LATEST, "p2p:~"),
    (5, "team:1.2.3"),
    (1_000, "super_team:" + "x" * 63),
]

PIN_CURSORS: list[Place] = [(0, "p2p:a"), (-1_048_576, "team:t1"), (LATEST, "p2p:~")]

NO_CURSORS = [
    *("", ".", "1", "1.", ".p2p:a", "-1.p2p:a", "1,p2p:a", "1.p2p:a b", "1.p2p:a\n", " 1.p2p:a"),
    *("p.p2p:a", "P1.p2p:a", "p--1.p2p:a", "p+1.p2p:a", "p12345678901234567.p2p:a"),
    *("1.p2p:ä", "x.p2p:a", "12345678901234567.p2p:a", "1.super_team:" + "x" * 70),
]
