"""The ranks that put a pinned row where its user wants it (G1, O1)."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from recents.client.ranking import GAP, ranks_with

END = 2**53 - 1


@pytest.mark.parametrize(
    ("ranks", "place", "expected"),
    [
        ([], 0, [0]),
        ([5], 0, [5 - GAP, 5]),
        ([5], 1, [5, 5 + GAP]),
        ([5, 10], 1, [5, 7, 10]),
        ([5, 7], 1, [5, 6, 7]),
        ([-5, -2], 1, [-5, -4, -2]),
        ([5, 6], 1, [5, 5 + GAP, 5 + 2 * GAP]),
        ([5, 6, 7, 9 * GAP], 1, [5, 5 + GAP, 5 + 2 * GAP, 5 + 3 * GAP, 9 * GAP]),
        ([5, 5, 5], 1, [5, 5 + GAP, 5 + 2 * GAP, 5 + 3 * GAP]),
        ([5, 9, 9], 1, [5, 7, 9, 9]),
        ([-END, 7], 0, [0, GAP, 2 * GAP]),
        ([7, END], 2, [0, GAP, 2 * GAP]),
        ([END - 1, END], 1, [0, GAP, 2 * GAP]),
    ],
)
def test_a_place_between_others(ranks: list[int], place: int, expected: list[int]) -> None:
    assert ranks_with(ranks, place) == expected


def test_after_any_moves_the_order_is_the_one_that_was_wanted() -> None:
    chance = random.Random(1)
    names, ranks, most_at_once = list(range(12)), [GAP * at for at in range(12)], 0
    for _ in range(5_000):
        taken, place = chance.randrange(12), chance.choice([3, 3, chance.randrange(12)])
        name, _ = names.pop(taken), ranks.pop(taken)
        before = ranks[:]
        ranks = ranks_with(ranks, place)
        names.insert(place, name)
        assert all(low < high for low, high in pairwise(ranks))
        moved = sum(rank not in before for rank in ranks)
        most_at_once = max(most_at_once, moved)
    assert 1 < most_at_once <= 12
