"""A device's copy of its rows: rules C1, C2, and after-images in any order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.replica import Difference, Gone, Replica, difference_between
from recents.core.totals import NOTHING, Totals, totals_of
from tests.core.making import BOB, a_row

TEAM = Conversation("team:t1")


def gone(version: int, conversation: Conversation = BOB) -> Gone:
    return Gone(conversation, version)


def holding(*rows: InboxEntry) -> Replica:
    replica = Replica()
    replica.accept(rows)
    return replica


def test_c1_a_new_row_is_added_with_its_totals() -> None:
    replica, row = Replica(), a_row(unread=2)
    assert replica.accept([row]) == Difference(added=(row,))
    assert replica.rows == {BOB: row}
    assert replica.totals == Totals(unread=2, unread_conversations=1, conversations=1)


def test_c1_a_row_that_looks_different_is_updated() -> None:
    replica, newer = holding(a_row()), a_row(version=2, unread=3)
    assert replica.accept([newer]) == Difference(updated=(newer,))
    assert replica.totals.unread == 3


def test_c1_a_row_that_looks_the_same_is_no_change_but_its_version_is_kept() -> None:
    replica = holding(a_row(version=1))
    assert not replica.accept([a_row(version=3)])
    assert replica.rows[BOB].version == 3
    assert not replica.accept([a_row(version=2, unread=9)]), "older than what is known"


def test_c1_the_same_twice_is_no_second_change() -> None:
    replica, row = Replica(), a_row()
    assert replica.accept([row])
    assert not replica.accept([row])
    assert replica.accept(gone=[gone(2)])
    assert not replica.accept(gone=[gone(2)])


def test_c1_a_row_that_went_is_removed_as_it_was() -> None:
    row = a_row(unread=2)
    replica = holding(row, a_row(TEAM, unread=1))
    assert replica.accept(gone=[gone(2)]) == Difference(removed=(row,))
    assert list(replica.rows) == [TEAM]
    assert replica.totals == Totals(unread=1, unread_conversations=1, conversations=1)


def test_what_never_was_there_can_be_gone() -> None:
    replica = Replica()
    assert not replica.accept(gone=[gone(2)])
    assert (replica.rows, replica.totals) == ({}, NOTHING)


def test_an_older_image_never_replaces_a_newer_one() -> None:
    replica = holding(a_row(version=5, unread=1))
    assert not replica.accept([a_row(version=4, unread=9)])
    assert not replica.accept([a_row(version=5, unread=9)])
    assert not replica.accept(gone=[gone(4)])
    assert not replica.accept(gone=[gone(5)])
    assert replica.rows[BOB].unread == 1


def test_an_older_row_does_not_come_back_after_its_removal() -> None:
    replica = holding(a_row(version=1))
    replica.accept(gone=[gone(5)])
    assert not replica.accept([a_row(version=4)])
    assert not replica.accept([a_row(version=5)])
    back = a_row(version=6)
    assert replica.accept([back]) == Difference(added=(back,))
    assert replica.accept(gone=[gone(7)]).removed == (back,), "the row is what is known now"


def test_after_settling_removals_are_forgotten() -> None:
    replica = Replica()
    replica.accept(gone=[gone(5)])
    replica.settle()
    row = a_row(version=1)
    assert replica.accept([row]).added == (row,)


def test_c1_a_row_that_came_and_went_at_once_was_never_there() -> None:
    assert not Replica().accept([a_row(version=1)], [gone(2)])


def test_c1_a_row_that_changed_and_went_at_once_was_removed() -> None:
    first, second = a_row(version=1), a_row(version=2, unread=1)
    replica = holding(first)
    assert replica.accept([second], [gone(3)]) == Difference(removed=(second,))


def test_c1_a_removal_overtaken_by_its_row_is_no_removal() -> None:
    row = a_row(version=3)
    assert Replica().accept([row], [gone(2)]) == Difference(added=(row,))


def test_a_difference_is_true_when_something_changed() -> None:
    row = a_row()
    assert not Difference()
    for difference in (
        Difference(added=(row,)),
        Difference(updated=(row,)),
        Difference(removed=(row,)),
    ):
        assert difference


def test_c3_another_stores_rows_are_compared_by_what_they_show() -> None:
    same, other = a_row(version=7), a_row(TEAM, unread=1)
    old = {BOB: same, TEAM: other}
    assert not difference_between(old, {BOB: a_row(version=1), TEAM: other})
    assert difference_between(old, {BOB: same}) == Difference(removed=(other,))
    assert difference_between({BOB: same}, old) == Difference(added=(other,))
    changed = a_row(TEAM, unread=2)
    assert difference_between(old, {**old, TEAM: changed}) == Difference(updated=(changed,))


IMAGES = st.lists(
    st.tuples(st.sampled_from([BOB, TEAM]), st.integers(0, 2), st.booleans()),
    max_size=8,
).map(
    lambda images: [
        gone(version, name) if away else a_row(name, version=version, unread=unread)
        for version, (name, unread, away) in enumerate(images, start=1)
    ]
)


@given(IMAGES, st.randoms(use_true_random=False), st.lists(st.integers(0, 7), max_size=4))
def test_repeats_and_reordering_cannot_hurt(
    images: list[InboxEntry | Gone], chance: random.Random, again: list[int]
) -> None:
    in_order, mixed = Replica(), Replica()
    for image in images:
        take(in_order, image)
    several = images + [images[place] for place in again if place < len(images)]
    chance.shuffle(several)
    for image in several:
        take(mixed, image)
    assert mixed.rows == in_order.rows
    assert mixed.totals == in_order.totals == totals_of(in_order.rows.values())


@given(IMAGES)
def test_zulips_law_the_rows_before_and_the_differences_give_the_rows_after(
    images: list[InboxEntry | Gone],
) -> None:
    replica = Replica()
    shown: dict[str, InboxEntry] = {}
    for image in images:
        difference = take(replica, image)
        for row in (*difference.added, *difference.updated):
            assert (row.conversation in shown) == (row in difference.updated)
            shown[row.conversation] = row
        for row in difference.removed:
            assert shown.pop(row.conversation).unread == row.unread
        assert {name: row.unread for name, row in shown.items()} == {
            name: row.unread for name, row in replica.rows.items()
        }


def take(replica: Replica, image: InboxEntry | Gone) -> Difference:
    if isinstance(image, Gone):
        return replica.accept(gone=[image])
    return replica.accept([image])
