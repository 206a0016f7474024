"""The sums over the visible rows: rules U2, U3, U4, R4, C2."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recents.core.entry import InboxEntry
from recents.core.totals import NOTHING, Totals, exchanged, totals_of
from tests.core.making import a_row

MUTES = st.sampled_from([None, "none", "mentions"])
ROWS = st.builds(
    lambda unread, mute, marked: a_row(
        unread=unread,
        mute=mute,
        marked_unread=marked,
        mentions_me=unread // 2,
        mentions_all=unread % 2,
    ),
    st.integers(0, 3),
    MUTES,
    st.booleans(),
)


def test_c2_totals_are_the_sums_of_the_rows() -> None:
    rows = [a_row("p2p:a", unread=2), a_row("p2p:b"), a_row("team:t", unread=100_000)]
    assert totals_of(rows) == Totals(unread=100_002, unread_conversations=2, conversations=3)


def test_nothing_is_the_sum_of_no_rows() -> None:
    assert totals_of([]) == NOTHING == Totals(unread=0, unread_conversations=0, conversations=0)


def test_u4_a_muted_row_counts_in_every_sum_but_the_badge() -> None:
    rows = [
        a_row("p2p:a", unread=2, mute="none"),
        a_row("p2p:b", unread=3, mute="mentions"),
        a_row("p2p:c", unread=4),
        a_row("p2p:d", mute="none"),
    ]
    totals = totals_of(rows)
    assert totals == Totals(unread=9, unread_conversations=3, conversations=4, muted_unread=5)
    assert totals.badge == 4


def test_g4_archived_rows_are_in_no_sum() -> None:
    away = a_row("p2p:a", unread=2, marked_unread=True, archived=True)
    there = a_row("p2p:b", unread=3)
    totals = totals_of([away, there])
    assert totals == Totals(unread=3, unread_conversations=1, conversations=1)
    back = exchanged(totals, away, replace(away, archived=False))
    assert back == Totals(unread=5, unread_conversations=2, conversations=2, marked_unread=1)
    assert exchanged(back, replace(away, archived=False), away) == totals


def test_r4_dots_are_counted_by_rows_muted_ones_included() -> None:
    rows = [
        a_row("p2p:a", marked_unread=True),
        a_row("p2p:b", unread=7, marked_unread=True, mute="none"),
        a_row("p2p:c", unread=1),
    ]
    totals = totals_of(rows)
    assert (totals.marked_unread, totals.unread_conversations, totals.badge) == (2, 2, 1)


def test_the_badge_is_what_is_unread() -> None:
    assert Totals(unread=5, unread_conversations=1, conversations=9).badge == 5


def test_c2_a_row_that_came_changed_or_went_changes_the_sums() -> None:
    one = exchanged(NOTHING, None, a_row(unread=2))
    assert one == Totals(unread=2, unread_conversations=1, conversations=1)
    read = exchanged(one, a_row(unread=2), a_row())
    assert read == Totals(unread=0, unread_conversations=0, conversations=1)
    more = exchanged(read, a_row(), a_row(unread=7))
    assert more == Totals(unread=7, unread_conversations=1, conversations=1)
    assert exchanged(more, a_row(unread=7), None) == NOTHING
    assert exchanged(one, None, None) == one


def test_c2_a_mute_and_a_dot_change_the_sums() -> None:
    plain = totals_of([a_row(unread=2)])
    silent = exchanged(plain, a_row(unread=2), a_row(unread=2, mute="none"))
    assert silent == Totals(unread=2, unread_conversations=1, conversations=1, muted_unread=2)
    marked = exchanged(silent, a_row(unread=2, mute="none"), a_row(marked_unread=True))
    assert marked == Totals(conversations=1, marked_unread=1)


@given(st.lists(ROWS), st.none() | ROWS, st.none() | ROWS)
def test_c2_exchanging_equals_summing_again(
    rows: list[InboxEntry], old: InboxEntry | None, new: InboxEntry | None
) -> None:
    before = [*rows, old] if old else rows
    after = [*rows, new] if new else rows
    assert exchanged(totals_of(before), old, new) == totals_of(after)


def test_g3_mentions_of_muted_rows_are_in_the_badge_unless_nothing_alerts() -> None:
    rows = [
        a_row("p2p:a", unread=2, mentions_me=1, mentions_all=1),
        a_row("p2p:b", unread=5, mentions_me=3, mute="mentions"),
        a_row("p2p:c", unread=9, mentions_all=4, mute="none"),
    ]
    totals = totals_of(rows)
    assert (totals.mentions, totals.muted_mentions, totals.badge) == (9, 3, 5)
