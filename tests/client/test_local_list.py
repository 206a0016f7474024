"""The list as it is shown: confirmed rows with commands on top."""

from __future__ import annotations

import asyncio

import pytest

from recents.client.local_list import LocalList
from recents.client.outbox import Outbox
from recents.core.commands import AnyCommand, Delete, MarkUnread, Mute, Post, Read
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake
from recents.core.filters import Filter
from recents.core.ids import Conversation
from recents.core.pending import Pending
from recents.core.replica import Difference, Replica
from recents.core.totals import Totals
from tests.client.fake_node import names, row

A = Conversation("p2p:a")


def empty() -> tuple[LocalList, Outbox]:
    outbox = Outbox(asyncio.Event())
    return LocalList("alice", outbox), outbox


def with_rows(*rows: InboxEntry) -> tuple[LocalList, Outbox]:
    local, outbox = empty()
    local.restore(rows)
    local.complete = True
    return local, outbox


def accept(local: LocalList, *rows: InboxEntry) -> Difference:
    before = local.look([image.conversation for image in rows])
    local.accept(local.news(rows, ()))
    return local.show_anew(before)


def give(
    local: LocalList, outbox: Outbox, *commands: AnyCommand, at_ms: int = 9_000
) -> Difference:
    before = local.look([A])
    for command in commands:
        pending = Pending(number=outbox.next_number, command=command, at_ms=at_ms, seen_seq=1)
        outbox.put(pending)
    return local.show_anew(before)


def take_back(local: LocalList, outbox: Outbox, number: int) -> Difference:
    before = local.look([A])
    outbox.discard(number)
    return local.show_anew(before)


def read() -> Read:
    return Read(id="r", conversation=A, upto_seq=1)


def test_C1_a_row_that_looks_the_same_is_no_difference() -> None:
    local, _ = with_rows(row("a"))
    assert not accept(local, row("a", 2))
    confirmed = local.confirmed(A)
    assert confirmed is not None
    assert confirmed.version == 2
    assert not accept(local, row("a", 1, text="older"))


def test_C2_rows_and_totals_change_together() -> None:
    local, _ = with_rows(row("a"))
    difference = accept(local, row("a", 2, unread=4), row("b", 3, unread=1))
    assert (names(difference.added), names(difference.updated)) == (["p2p:b"], ["p2p:a"])
    assert local.totals == Totals(unread=5, unread_conversations=2, conversations=2)


def test_while_rows_are_to_come_the_totals_are_those_of_all() -> None:
    local, _ = with_rows(row("a", unread=1))
    local.whole = Totals(unread=7)
    assert local.totals == Totals(unread=7)
    local.whole = None
    assert local.totals.unread == 1


def test_C3_a_command_is_on_top_until_it_is_taken_out() -> None:
    local, outbox = with_rows(row("a", unread=1))
    difference = give(local, outbox, read())
    assert names(difference.updated) == ["p2p:a"]
    assert (local.totals.unread, local.confirmed_totals.unread) == (0, 1)
    assert [image.unread for image in local] == [0]
    assert names(take_back(local, outbox, 1).updated) == ["p2p:a"]
    assert local.totals.unread == 1


def test_C3_a_command_and_its_row_change_in_one_step() -> None:
    local, outbox = with_rows(row("a", unread=1))
    give(local, outbox, read())
    before = local.look([A])
    local.accept(local.news([row("a", 2, read_seq=1)], ()))
    outbox.discard(1)
    assert not local.show_anew(before), "it looked like that before"
    assert (local.totals.unread, local.confirmed_totals.unread) == (0, 0)


def test_D1_P4_rows_come_and_go_with_commands() -> None:
    local, outbox = with_rows(row("a"), row("b", at=2_000))
    assert names(local.page(9, None).entries) == ["p2p:b", "p2p:a"]
    post = Post(id="p", conversation=A, client_id="c", text="mine")
    assert names(give(local, outbox, post).updated) == ["p2p:a"]
    assert (names(local.page(9, None).entries), local.newest_ms) == (["p2p:a", "p2p:b"], 9_000)
    assert names(give(local, outbox, Delete(id="d", conversation=A, upto_seq=1)).removed) == [
        "p2p:a"
    ]
    assert (len(local), local.get(A), names(local)) == (1, None, ["p2p:b"])
    assert local.totals.conversations == 1
    assert names(take_back(local, outbox, 2).added) == ["p2p:a"]
    assert names(take_back(local, outbox, 1).updated) == ["p2p:a"]
    assert names(local.page(9, None).entries) == ["p2p:b", "p2p:a"]


def test_a_reset_compares_by_what_is_shown() -> None:
    local, outbox = with_rows(row("a", 70, unread=1), row("b", 80), row("c", 90))
    give(local, outbox, read())
    replica = Replica()
    replica.restore([row("a", 1, read_seq=1), row("b", 2, text="x"), row("d", 3)])
    before = local.look([Conversation(f"p2p:{name}") for name in "abcd"])
    local.replace(replica)
    outbox.discard(1)
    difference = local.show_anew(before)
    assert names(difference.added) == ["p2p:d"]
    assert names(difference.updated) == ["p2p:b"]
    assert names(difference.removed) == ["p2p:c"]
    assert local.totals == local.confirmed_totals


def test_R4_only_unread_rows_are_those_with_messages_or_a_dot() -> None:
    local, outbox = with_rows(row("a"), row("b", unread=1), row("c"))
    give(local, outbox, MarkUnread(id="m", conversation=A))
    page = local.page(1, None, Filter(unread_only=True))
    assert names(page.entries) == ["p2p:a"]
    rest = local.page(1, page.next_cursor, Filter(unread_only=True))
    assert names(rest.entries) == ["p2p:b"]


def test_C2_totals_of_a_page_are_those_of_its_filter() -> None:
    local, outbox = with_rows(row("a", unread=2), row("b", unread=1), row("c"))
    give(local, outbox, Mute(id="m", conversation=A, level="none"))
    page = local.page(1, None, Filter(muted=False))
    assert page.totals == Totals(unread=1, unread_conversations=1, conversations=2)
    assert local.totals_under(Filter(muted=True)) == Totals(
        unread=2, unread_conversations=1, conversations=1, muted_unread=2
    )
    assert local.totals_under(Filter()) == local.totals


def test_O4_walking_all_pages_while_rows_move_gives_each_unmoved_row_once() -> None:
    local, _ = with_rows(*(row(f"u{n:02}", at=100 - n) for n in range(20)))
    seen, cursor, moves = list[str](), None, 0
    while True:
        page = local.page(3, cursor)
        seen += names(page.entries)
        cursor = page.next_cursor
        if cursor is None:
            break
        moves += 1
        accept(local, row("u19", 10 + moves, at=500 + moves))
    assert [name for name in seen if name != "p2p:u19"] == [f"p2p:u{n:02}" for n in range(19)]


def test_O4_the_last_full_page_has_no_cursor() -> None:
    local, _ = with_rows(row("a"), row("b"))
    page = local.page(2, None)
    assert (page.next_cursor, page.complete) == (None, True)


def test_case31_ten_thousand_equal_times_stand_in_a_stable_order() -> None:
    local, _ = with_rows(*(row(f"u{n:05}", at=7) for n in range(10_000)))
    page = local.page(10_000, None)
    assert names(page.entries) == [f"p2p:u{n:05}" for n in range(10_000)]


@pytest.mark.parametrize(("limit", "cursor"), [(0, None), (50, "no cursor")])
def test_a_wrong_page_is_the_callers_mistake(limit: int, cursor: str | None) -> None:
    local, _ = with_rows(row("a"))
    with pytest.raises(CallerMistake):
        local.page(limit, cursor)


def test_a_wrong_limit_is_one_on_an_empty_list_too() -> None:
    local, _ = empty()
    with pytest.raises(CallerMistake):
        local.page(0, None)
