"""Steps of an ordered list, taken one after the other."""

from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.live import Insert, ListStep, Move, Remove, Update, ViewChange, after
from recents.core.totals import Totals


def row(name: str, unread: int = 0) -> InboxEntry:
    conversation = Conversation(f"p2p:{name}")
    return InboxEntry(conversation=conversation, version=1, activity_ms=1, unread=unread)


A, B, C = row("a"), row("b"), row("c")


def test_each_step_counts_in_the_list_that_those_before_it_made() -> None:
    steps: list[ListStep] = [
        Insert(0, C),
        Move(0, 2, row("c", 1)),
        Remove(0, A),
        Update(0, row("b", 2)),
    ]
    assert after([A, B], steps) == (row("b", 2), row("c", 1))


def test_a_move_counts_its_end_where_the_row_is_taken_out() -> None:
    assert after([A, B, C], [Move(0, 1, A)]) == (B, A, C)
    assert after([A, B, C], [Move(2, 0, C)]) == (C, A, B)


def test_a_change_makes_the_new_rows_of_the_old() -> None:
    assert ViewChange(steps=(Insert(1, B),), totals=Totals()).after((A, C)) == (A, B, C)
    assert ViewChange(steps=(), totals=Totals(unread=1)).after([A]) == (A,)
