"""A device's copy of its rows: rules C1, C2, and after-images in any order."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.membership import Draft
from recents.core.replica import (
    Difference,
    Gone,
    News,
    Replica,
    difference_between,
    same_to_the_user,
)
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


def test_c1_what_was_never_heard_of_is_new_whatever_its_version() -> None:
    assert Replica().accept([a_row(version=0)])


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
    difference = replica.accept([second], [gone(3)])
    assert difference == Difference(removed=(first,)), "nobody saw it change"


def test_c1_a_removal_overtaken_by_its_row_is_no_removal() -> None:
    row = a_row(version=3)
    assert Replica().accept([row], [gone(2)]) == Difference(added=(row,))


def test_c1_a_row_that_went_and_came_at_once_stayed() -> None:
    replica = holding(a_row(version=1))
    newer = a_row(version=3, unread=1)
    assert replica.accept([newer], [gone(2)]) == Difference(updated=(newer,))


@pytest.mark.parametrize("field", ["version", "read_epoch"])
def test_c1_which_commit_and_which_marks_nobody_sees(field: str) -> None:
    row = a_row()
    other = msgspec.structs.replace(row, **{field: 9})
    assert same_to_the_user(row, other)
    replica = holding(row)
    newer = msgspec.structs.replace(row, version=2, read_epoch=2)
    assert not replica.accept([newer])
    assert replica.rows[BOB].read_epoch == 2, "whoever reads now knows of that mark"


@pytest.mark.parametrize(
    "change",
    [
        {"activity_ms": 9},
        {"last_seq": 9},
        {"read_seq": 9},
        {"unread": 9},
        {"status": "read"},
        {"membership": "left"},
        {"name": "One"},
        {"marked_unread": True},
        {"cleared_seq": 9},
        {"draft": Draft("dear", 1)},
        {"mute": "none"},
    ],
    ids=lambda change: "".join(change),
)
def test_c1_everything_else_is_seen(change: dict[str, Any]) -> None:
    row = a_row()
    assert not same_to_the_user(row, msgspec.structs.replace(row, **change))


def test_c1_a_draft_saved_again_later_is_another_place() -> None:
    assert not same_to_the_user(a_row(draft_ms=1), a_row(draft_ms=2))


def test_d3_a_removal_says_up_to_where_messages_are_gone() -> None:
    mark = Gone(BOB, 2, cleared_seq=7)
    assert Replica().news(gone=[mark]).gone == (mark,)
    assert msgspec.json.encode(gone(2)) == b'{"conversation":"p2p:bob","version":2}'


def test_news_is_what_is_not_known_and_asking_changes_nothing() -> None:
    replica = holding(a_row(version=5, unread=1), a_row(TEAM, version=3, unread=2))
    before = dict(replica.rows), replica.totals
    older, newer, away = a_row(version=4), a_row(TEAM, version=4, mute="none"), gone(6)
    told = replica.news([older, newer], [away, gone(2, TEAM)])
    assert told == News((newer,), (away,), Totals(conversations=1))
    assert (dict(replica.rows), replica.totals) == before
    replica.take(told)
    assert (replica.rows, replica.totals) == ({TEAM: newer}, Totals(conversations=1))
    assert replica.news([a_row(version=6)]) == News((), (), replica.totals)


def test_news_has_the_newest_image_of_each_row_whatever_their_order() -> None:
    images = [a_row(version=version, unread=version) for version in (2, 4, 3)]
    told = Replica().news(images, [gone(1)])
    assert told == News((images[1],), (), totals_of([images[1]]))
    assert Replica().news(images, [gone(4)]) == told, "of equals the first stands"


def test_a_replica_begins_with_rows_that_were_kept() -> None:
    rows = [a_row(version=5, unread=1), a_row(TEAM, unread=2, mute="none")]
    replica = Replica()
    replica.restore(rows)
    assert replica.rows == {BOB: rows[0], TEAM: rows[1]}
    assert replica.totals == totals_of(rows)
    assert not replica.accept([a_row(version=4)]), "they are confirmed rows like others"
    replica.restore(rows)
    assert replica.totals == totals_of(rows)


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
