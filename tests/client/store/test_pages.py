"""Contract: rows and messages come in pages, in the order of O1, also at equal places (O4)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from recents.client.store.port import DeviceStore, Step
from recents.core.ids import Conversation, p2p, super_team, team
from recents.core.membership import Draft
from recents.core.ordering import place_of
from tests.client.store.steps import BOB, CAROL, all_rows, message, names, row, seqs

pytestmark = pytest.mark.asyncio


async def test_O1_O4_pages_over_equal_places_give_each_row_once(store: DeviceStore) -> None:
    peers = [p2p(name) for name in ("a", "B", "b", "~", "!", "%", "_", "aa", "Z", "0")]
    rows = [row(name, 1_000) for name in (*peers, team("t"), super_team("s"))]
    rows += [row(p2p(f"x{number}"), 1_000 + number % 3) for number in range(10)]
    await store.commit(Step(rows=tuple(rows)))
    for page in (1, 2, 3, 7, 22, 50):
        assert await all_rows(store, page) == sorted(rows, key=place_of)


async def test_O1_drafts_place_rows(store: DeviceStore) -> None:
    drafted = replace(row(BOB, 1_000), draft=Draft("…", 3_000))
    await store.commit(Step(rows=(drafted, row(CAROL, 2_000))))
    assert await names(store) == [BOB, CAROL]
    await store.commit(Step(rows=(row(BOB, 1_000),)))
    assert await names(store) == [CAROL, BOB]


async def test_O4_a_page_goes_on_behind_a_row_that_moved_away(store: DeviceStore) -> None:
    rows = [row(p2p(f"x{number}"), number) for number in range(10)]
    await store.commit(Step(rows=tuple(rows)))
    first = await store.rows_after(None, 4)
    await store.commit(Step(rows=(row(first[-1].conversation, 99, version=2),)))
    rest = await store.rows_after(place_of(first[-1]), 50)
    assert [entry.activity_ms for entry in rest] == [5, 4, 3, 2, 1, 0]


async def test_messages_come_in_pages_with_their_gaps(store: DeviceStore) -> None:
    await store.commit(Step(messages={BOB: tuple(message(seq) for seq in (9, 2, 7, 3, 30))}))
    assert await seqs(store, BOB) == [2, 3, 7, 9, 30]
    assert await seqs(store, BOB, limit=2) == [9, 30]
    assert await seqs(store, BOB, before_seq=9, limit=2) == [3, 7]
    assert await seqs(store, BOB, before_seq=3, limit=5) == [2]
    assert await seqs(store, BOB, before_seq=2) == []
    assert await seqs(store, Conversation("p2p:bo")) == []
