"""The rows in order, however they move."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recents.client.view import View
from recents.core.entry import InboxEntry
from recents.core.membership import Pinned
from recents.core.ordering import place_of
from tests.client.fake_node import names, row

_ranks = st.sampled_from([None, None, 0, 0, -1])
_moves = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 4), _ranks), max_size=8),
    max_size=8,
)


def pinned(entry: InboxEntry, rank: int | None) -> InboxEntry:
    return replace(entry, pin=None if rank is None else Pinned(rank, "", 1, 1))


@given(_moves)
def test_O1_after_any_moves_the_order_is_that_of_sorting_afresh(
    moves: list[list[tuple[str, int, int | None]]],
) -> None:
    view, rows = View(), dict[str, InboxEntry]()
    for step in moves:
        changed = {name: pinned(row(name, at=at), rank) for name, at, rank in step}
        gone = [rows.pop(name) for name in list(rows)[:1]]
        view.discard(gone)
        view.put(list(changed.values()))
        rows |= changed
        ordered = sorted(rows.values(), key=place_of)
        assert list(view.names_after(None)) == names(ordered)
        others = [entry for entry in ordered if not entry.pinned]
        assert list(view.names_pinned()) == names(ordered[: len(ordered) - len(others)])
        assert view.newest_ms == max((entry.place_ms for entry in others), default=0)


def test_a_row_that_did_not_move_keeps_its_one_place() -> None:
    view = View()
    view.put([row("a"), row("b")])
    view.put([row("a", 2, text="other")])
    assert len(view) == 2
    assert list(view.names_after(None)) == ["p2p:a", "p2p:b"]


def test_O4_a_page_begins_after_a_place_even_if_its_row_is_gone() -> None:
    view = View()
    rows = [row("a", at=3), row("b", at=2), row("c", at=1)]
    view.put(rows)
    view.discard(rows[:1])
    assert list(view.names_after(place_of(rows[0]))) == ["p2p:b", "p2p:c"]
    assert list(view.names_after(place_of(rows[1]))) == ["p2p:c"]


def test_discarding_what_is_not_there_changes_nothing() -> None:
    view = View()
    view.put([row("a")])
    view.discard([row("b")])
    assert len(view) == 1
