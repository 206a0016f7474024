"""The rows of a filter, and the steps that tell how they change."""

from __future__ import annotations

import time
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recents.client.watched import Watched
from recents.core.entry import InboxEntry
from recents.core.filters import MAIN_LIST, Filter
from recents.core.ids import Conversation, Kind
from recents.core.live import Insert, Move, Remove, Update
from recents.core.ordering import place_of
from recents.core.replica import same_to_the_user
from recents.core.totals import totals_of
from tests.client.fake_node import names, row

NAMES = ["p2p:a", "p2p:b", "p2p:c", "team:d", "team:e", "super_team:f"]
FILTERS = [
    MAIN_LIST,
    Filter(unread_only=True),
    Filter(kinds=(Kind.TEAM, Kind.SUPER_TEAM)),
    Filter(muted=False, unread_only=True),
]

images = st.builds(
    lambda name, version, at, unread, dot, muted: replace(
        row(name, version, at=at, unread=unread, marked_unread=dot),
        mute="none" if muted else None,
    ),
    st.sampled_from(NAMES),
    st.integers(0, 2),
    st.integers(1, 4),
    st.integers(0, 1),
    st.booleans(),
    st.booleans(),
)
batches = st.lists(st.lists(images | st.sampled_from(NAMES), max_size=6), max_size=8)


def as_images(batch: list[InboxEntry | str]) -> dict[Conversation, InboxEntry | None]:
    return {
        Conversation(one if isinstance(one, str) else one.conversation): (
            None if isinstance(one, str) else one
        )
        for one in batch
    }


@given(
    st.lists(images, max_size=6),
    batches,
    st.sampled_from(FILTERS),
    st.none() | st.integers(1, 4),
    st.integers(1, 3),
)
def test_C1_the_steps_make_the_new_list_of_the_old_and_tell_nothing_else(
    first: list[InboxEntry],
    history: list[list[InboxEntry | str]],
    wanted: Filter,
    limit: int | None,
    at_once: int,
) -> None:
    """Law: also where several batches come as one, as to a slow consumer."""
    rows = {entry.conversation: entry for entry in first}
    watched = Watched(wanted, limit)
    watched.begin(rows.values())
    shown, rest = watched.entries, iter(history)
    while some := list(islice(rest, at_once)):
        melted: dict[Conversation, InboxEntry | None] = {}
        for batch in some:
            melted |= as_images(batch)
        for name, image in melted.items():
            rows.pop(name, None)
            if image is not None:
                rows[name] = image
        before, totals = shown, watched.totals
        change = watched.change(melted)
        shown = change.after(shown)
        matching = sorted(filter(wanted.matches, rows.values()), key=place_of)
        assert shown == watched.entries
        assert names(shown) == names(matching[:limit])
        assert all(map(same_to_the_user, shown, matching))
        assert change.totals == watched.totals == totals_of(matching)
        assert bool(change.steps) == (shown != before), "no change, no step"
        if shown == before and limit is None:
            assert change.totals == totals


def test_each_sort_of_step() -> None:
    watched = Watched(MAIN_LIST, None)
    a, b = row("a", at=2), row("b", at=1)
    watched.begin([b, a])
    c, b2, a2 = row("c", at=3), row("b", 2, at=4), row("a", 2, at=2, unread=1)
    assert watched.change({c.conversation: c}).steps == (Insert(0, c),)
    assert watched.change({b.conversation: b2}).steps == (Move(2, 0, b2),)
    assert watched.change({a.conversation: a2}).steps == (Update(2, a2),)
    assert watched.change({c.conversation: None}).steps == (Remove(1, c),)
    assert watched.entries == (b2, a2)


def test_a_row_that_no_longer_matches_is_removed_and_comes_back() -> None:
    watched = Watched(Filter(unread_only=True), None)
    a = row("a", unread=1)
    watched.begin([a])
    read = row("a", 2, read_seq=1)
    change = watched.change({a.conversation: read})
    assert (change.steps, change.totals.unread) == ((Remove(0, a),), 0)
    again = row("a", 3, unread=1)
    assert watched.change({a.conversation: again}).steps == (Insert(0, again),)
    assert not watched.concerns(Conversation("p2p:b"), row("b"))
    assert not watched.concerns(Conversation("p2p:b"), None)
    assert watched.concerns(Conversation("p2p:b"), row("b", unread=1))
    assert watched.concerns(a.conversation, None)


def test_the_first_rows_stay_as_many_as_the_limit() -> None:
    watched = Watched(MAIN_LIST, 2)
    a, b, c = row("a", at=3), row("b", at=2), row("c", at=1)
    watched.begin([a, b, c])
    assert watched.entries == (a, b)
    c2 = row("c", 2, at=4)
    assert watched.change({c.conversation: c2}).steps == (Remove(1, b), Insert(0, c2))
    assert watched.change({a.conversation: None}).steps == (Remove(1, a), Insert(1, b))
    d = row("d", at=0, unread=5)
    change = watched.change({d.conversation: d})
    assert (change.steps, change.totals.unread) == ((), 5)


@pytest.mark.heavy
def test_a_changed_row_costs_about_the_same_among_many() -> None:
    """O(log n) per changed row: of 100,000 rows one costs less than three times one of 1,000."""

    def cost_s(count: int) -> float:
        watched = Watched(MAIN_LIST, None)
        watched.begin(row(f"u{number}", at=number) for number in range(count))
        best = float("inf")
        for turn in range(20):
            changed = [
                row(f"u{number * (count // 100)}", 2 + turn, at=count + turn * 100 + number)
                for number in range(100)
            ]
            began = time.perf_counter()
            watched.change({one.conversation: one for one in changed})
            best = min(best, time.perf_counter() - began)
        return best

    assert cost_s(100_000) < 3 * cost_s(1_000)
