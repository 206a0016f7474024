"""What comes from the node goes in, batches come out."""

import pytest

from recents.client.local_list import LocalList
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.replica import Gone
from recents.core.totals import Totals
from recents.wire.frames import CaughtUp
from tests.client.fake_node import changed, first_page, names, row

ALL = Totals(unread=9, unread_conversations=3, conversations=3)


def _started(*rows: InboxEntry) -> LocalList:
    local = LocalList()
    local.begin()
    local.take_page(first_page(*rows, token="t.1"))
    return local


def test_first_start_shows_the_first_page_at_once_with_the_nodes_totals() -> None:
    local = LocalList()
    local.begin()
    batch = local.take_page(first_page(row("a"), token=None, totals=ALL))
    assert batch is not None
    assert (names(batch.added), batch.totals, batch.synced) == (["p2p:a"], ALL, False)
    page = local.page(50, None)
    assert (page.totals, page.complete) == (ALL, False)


def test_first_start_shows_the_rest_as_one_more_batch_with_own_totals() -> None:
    local = LocalList()
    local.begin()
    local.take_page(first_page(row("a", unread=1), token=None, totals=ALL))
    assert local.take_page(CaughtUp(rows=(row("b", unread=2),))) is None
    batch = local.take_page(CaughtUp(rows=(row("c", unread=3),), token="t.1"))
    assert batch is not None
    assert (names(batch.added), batch.synced) == (["p2p:b", "p2p:c"], True)
    assert batch.totals == Totals(unread=6, unread_conversations=3, conversations=3)
    assert local.page(50, None).complete


def test_first_start_of_one_page_is_one_batch() -> None:
    local = LocalList()
    local.begin()
    batch = local.take_page(first_page(row("a"), token="t.1", totals=ALL))
    assert batch is not None
    assert batch.synced
    assert (local.token, local.catching_up) == ("t.1", False)


def test_C1_an_empty_start_makes_no_batch() -> None:
    local = LocalList()
    local.begin()
    assert local.take_page(first_page(token="t.1")) is None
    assert local.complete


def test_case19_a_catch_up_is_one_batch_at_its_end() -> None:
    local = _started(row("a"), row("b"))
    local.begin()
    assert local.take_page(CaughtUp(rows=(row("a", 2, text="x"), row("c", 3)))) is None
    assert names(local.page(9, None).entries) == ["p2p:a", "p2p:b"]
    batch = local.take_page(CaughtUp(gone=(Gone(Conversation("p2p:b"), 4),), token="t.4"))
    assert batch is not None
    assert names(batch.added) == ["p2p:c"]
    assert names(batch.updated) == ["p2p:a"]
    assert names(batch.removed) == ["p2p:b"]
    assert (batch.cause, batch.synced, local.token) == ("catch_up", True, "t.4")


def test_C1_a_catch_up_without_news_makes_no_batch() -> None:
    local = _started(row("a"))
    local.begin()
    assert local.take_page(CaughtUp(token="t.1")) is None


def test_C1_a_repeated_row_makes_no_batch() -> None:
    local = _started(row("a"))
    first = local.take_changes(changed(row("a", 2, unread=1)), "message")
    assert first is not None
    assert local.take_changes(changed(row("a", 2, unread=1)), "message") is None


def test_C1_a_row_that_looks_the_same_makes_no_batch() -> None:
    local = _started(row("a"))
    assert local.take_changes(changed(row("a", 2)), "other_device") is None


def test_C2_rows_and_totals_change_in_the_same_batch() -> None:
    local = _started(row("a"))
    batch = local.take_changes(changed(row("a", 2, unread=4)), "message")
    assert batch is not None
    assert batch.totals == Totals(unread=4, unread_conversations=1, conversations=1)
    assert (local.totals, batch.cause) == (batch.totals, "message")


def test_changes_during_a_catch_up_are_neither_lost_nor_told_twice() -> None:
    local = _started(row("a"))
    local.begin()
    assert local.take_changes(changed(row("a", 9, text="nine"), row("n", 8)), "message") is None
    local.take_page(CaughtUp(rows=(row("a", 7, text="seven"),)))
    batch = local.take_page(CaughtUp(rows=(row("n", 8),), token="t.8"))
    assert batch is not None
    assert batch.updated == (row("a", 9, text="nine"),)
    assert names(batch.added) == ["p2p:n"]
    assert local.take_changes(changed(row("a", 9, text="nine"), token="t.9"), "message") is None


def test_a_row_that_came_and_went_during_a_catch_up_is_not_told() -> None:
    local = _started(row("a"))
    local.begin()
    local.take_page(CaughtUp(rows=(row("b", 5),)))
    local.take_changes(changed(gone=(Gone(Conversation("p2p:b"), 6),)), "other_device")
    assert local.take_page(CaughtUp(token="t.5")) is None


def test_D4_a_change_in_parts_is_one_batch() -> None:
    local = _started(row("a"), row("b"), row("c"))
    gone = [Gone(Conversation(f"p2p:{name}"), 5) for name in "abc"]
    assert local.take_changes(changed(token=None, gone=tuple(gone[:2])), "command") is None
    assert len(local.page(9, None).entries) == 3
    batch = local.take_changes(changed(token="t.5", gone=tuple(gone[2:])), "command")
    assert batch is not None
    assert (len(batch.removed), batch.cause, batch.totals) == (3, "command", Totals())


def test_a_change_in_parts_is_a_message_if_any_part_is() -> None:
    local = _started()
    local.take_changes(changed(row("a", 2), token=None), "message")
    batch = local.take_changes(changed(row("b", 2)), "other_device")
    assert batch is not None
    assert batch.cause == "message"


def test_parts_of_a_change_that_broke_off_are_forgotten() -> None:
    local = _started(row("a"))
    local.take_changes(changed(row("b", 2), token=None), "message")
    assert local.token == "t.1"
    local.begin()
    assert local.take_page(CaughtUp(token="t.1")) is None
    assert local.get(Conversation("p2p:b")) is None


def test_a_reset_swaps_the_list_in_one_batch_whatever_the_versions() -> None:
    local = _started(row("a", 70), row("b", 80), row("c", 90))
    local.begin()
    assert local.take_page(first_page(row("a", 1), row("b", 2, text="x"), token=None)) is None
    assert len(local.page(9, None).entries) == 3
    batch = local.take_page(CaughtUp(rows=(row("d", 1),), token="other.2"))
    assert batch is not None
    assert names(batch.added) == ["p2p:d"]
    assert names(batch.updated) == ["p2p:b"]
    assert names(batch.removed) == ["p2p:c"]
    later = local.take_changes(changed(row("a", 3, text="new")), "message")
    assert later is not None


def test_a_first_start_that_broke_off_is_swapped_in_by_the_next() -> None:
    local = LocalList()
    local.begin()
    local.take_page(first_page(row("a", 1), row("b", 1), token=None, totals=ALL))
    local.begin()
    assert local.take_page(first_page(row("b", 1), token=None, totals=ALL)) is None
    batch = local.take_page(CaughtUp(rows=(row("c", 2),), token="t.2"))
    assert batch is not None
    assert names(batch.added) == ["p2p:c"]
    assert names(batch.removed) == ["p2p:a"]
    assert local.totals.conversations == 2


def test_a_complete_but_empty_list_takes_a_reset_in_one_batch() -> None:
    local = _started()
    local.begin()
    assert local.take_page(first_page(row("a"), token=None)) is None
    batch = local.take_page(CaughtUp(rows=(row("b"),), token="t.2"))
    assert batch is not None
    assert len(batch.added) == 2


def test_O4_walking_all_pages_while_rows_move_gives_each_unmoved_row_once() -> None:
    local = _started(*(row(f"u{n:02}", at=100 - n) for n in range(20)))
    seen, cursor, moves = list[str](), None, 0
    while True:
        page = local.page(3, cursor)
        seen += names(page.entries)
        cursor = page.next_cursor
        if cursor is None:
            break
        moves += 1
        local.take_changes(changed(row("u19", 10 + moves, at=500 + moves)), "message")
    assert [name for name in seen if name != "p2p:u19"] == [f"p2p:u{n:02}" for n in range(19)]


def test_O4_the_last_full_page_has_no_cursor() -> None:
    local = _started(row("a"), row("b"))
    assert local.page(2, None).next_cursor is None


def test_case31_ten_thousand_equal_times_stand_in_a_stable_order() -> None:
    local = _started(*(row(f"u{n:05}", at=7) for n in range(10_000)))
    page = local.page(10_000, None)
    assert names(page.entries) == [f"p2p:u{n:05}" for n in range(10_000)]


@pytest.mark.parametrize(("limit", "cursor"), [(0, None), (50, "no cursor")])
def test_a_wrong_page_is_the_callers_mistake(limit: int, cursor: str | None) -> None:
    with pytest.raises(CallerMistake):
        _started().page(limit, cursor)


def test_message_values_are_no_part_of_the_list() -> None:
    local = _started(row("a"))
    message = Message(seq=2, ordinal=2, sender="bob", client_id="c", time_ms=1)
    assert (
        local.take_changes(changed(messages={Conversation("p2p:a"): (message,)}), "message")
        is None
    )
