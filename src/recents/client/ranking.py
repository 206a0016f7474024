"""The ranks that put a pinned row where its user wants it (rules G1, O1).

Rules of this file:

1. One row that moves is one command, wherever there is room between its neighbours.
2. Where there is none, the rows below it are pushed down, no more of them than must be.
"""

from __future__ import annotations

from collections.abc import Sequence

GAP = 2**20
"""Between two ranks at first: twenty rows find room between two, each beside the one before."""

_MOST = 2**53 - 1


def ranks_with(ranks: Sequence[int], place: int) -> list[int]:
    """Return the ranks of pinned rows when one more stands at a place.

    Args:
        ranks: those of the others, in order.
        place: how many of them stand above it.
    """
    above, below = ranks[:place], ranks[place:]
    if not above:
        rank = below[0] - GAP if below else 0
    elif not below or below[0] - above[-1] < 2:
        rank = above[-1] + GAP
    else:
        rank = (above[-1] + below[0]) // 2
    ranked = [*above, rank]
    for at, known in enumerate(below):
        if known > ranked[-1]:
            ranked += below[at:]
            break
        ranked.append(ranked[-1] + GAP)
    if ranked[0] < -_MOST or ranked[-1] > _MOST:
        return [number * GAP for number in range(len(ranked))]
    return ranked
