"""From frames to whole changes."""

from __future__ import annotations

from recents.client.incoming import Arrival, Incoming
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.replica import Gone
from recents.core.totals import Totals
from recents.wire.frames import CaughtUp
from tests.client.fake_node import changed, first_page, names, row, token

A, B = Conversation("p2p:a"), Conversation("p2p:b")
ALL = Totals(unread=9, unread_conversations=3, conversations=3)


def message(seq: int) -> Message:
    return Message(seq=seq, ordinal=seq, sender="bob", client_id=str(seq), time_ms=1)


def catching_up() -> Incoming:
    incoming = Incoming()
    incoming.begin()
    return incoming


def caught_up() -> Incoming:
    incoming = catching_up()
    assert incoming.take_page(CaughtUp(token=token(1)), first_start=False) is not None
    return incoming


def whole(arrival: Arrival | None) -> Arrival:
    assert arrival is not None
    return arrival


def test_the_first_page_of_a_first_start_is_a_change_by_itself() -> None:
    incoming = catching_up()
    page = first_page(row("a"), upto=None, totals=ALL)
    first = whole(incoming.take_page(page, first_start=True))
    assert (names(first.rows), first.totals, first.token) == (["p2p:a"], ALL, None)
    assert (first.caught_up, first.replaces_all, incoming.catching_up) == (False, False, True)
    assert incoming.take_page(CaughtUp(rows=(row("b"),)), first_start=True) is None, "the rest not"
    rest = whole(incoming.take_page(CaughtUp(rows=(row("c"),), token=token(1)), first_start=False))
    assert names(rest.rows) == ["p2p:a", "p2p:b", "p2p:c"], "the first page is in what is kept"
    assert (rest.caught_up, rest.token, rest.totals) == (True, token(1), None)
    assert rest.replaces_all
    assert not incoming.catching_up


def test_a_first_start_of_one_page_replaces_all() -> None:
    arrival = whole(catching_up().take_page(first_page(row("a"), totals=ALL), first_start=True))
    assert (arrival.replaces_all, arrival.caught_up, arrival.totals) == (True, True, None)


def test_case19_a_catch_up_is_one_change_at_its_end() -> None:
    incoming = catching_up()
    assert incoming.take_page(CaughtUp(rows=(row("a", 2),)), first_start=False) is None
    last = CaughtUp(gone=(Gone(B, 4),), token=token(4))
    arrival = whole(incoming.take_page(last, first_start=False))
    assert (names(arrival.rows), arrival.gone) == (["p2p:a"], (Gone(B, 4),))
    assert (arrival.cause, arrival.token, arrival.replaces_all) == ("catch_up", token(4), False)
    later = whole(incoming.take_changes(changed(), "message"))
    assert (later.rows, later.gone, later.caught_up) == ((), (), False)


def test_changes_during_a_catch_up_come_with_it_and_the_newest_wins() -> None:
    incoming = catching_up()
    news = changed(row("a", 9), row("n", 8), messages={A: (message(2),)})
    assert incoming.take_changes(news, "message") is None
    assert incoming.take_page(CaughtUp(rows=(row("a", 7),)), first_start=False) is None
    assert incoming.take_changes(changed(gone=(Gone(B, 9),)), "other_device") is None
    last = CaughtUp(rows=(row("b", 8),), token=token(9))
    arrival = whole(incoming.take_page(last, first_start=False))
    assert {image.conversation: image.version for image in arrival.rows} == {A: 9, "p2p:n": 8}
    assert arrival.gone == (Gone(B, 9),)
    assert arrival.messages == {A: (message(2),)}


def test_a_row_that_came_and_went_is_gone() -> None:
    incoming = catching_up()
    incoming.take_page(CaughtUp(rows=(row("b", 5),)), first_start=False)
    incoming.take_changes(changed(gone=(Gone(B, 6),)), "other_device")
    arrival = whole(incoming.take_page(CaughtUp(token=token(5)), first_start=False))
    assert (arrival.rows, arrival.gone) == ((), (Gone(B, 6),))


def test_D4_a_change_in_parts_is_one() -> None:
    incoming = caught_up()
    assert incoming.take_changes(changed(upto=None, gone=(Gone(A, 5),)), "command") is None
    arrival = whole(incoming.take_changes(changed(upto=token(5), gone=(Gone(B, 5),)), "command"))
    assert (len(arrival.gone), arrival.cause, arrival.token) == (2, "command", token(5))


def test_a_change_in_parts_is_a_message_if_any_part_is() -> None:
    incoming = caught_up()
    incoming.take_changes(changed(upto=None, messages={A: (message(2),)}), "message")
    arrival = whole(incoming.take_changes(changed(messages={A: (message(3),)}), "other_device"))
    assert arrival.cause == "message"
    assert arrival.messages == {A: (message(2), message(3))}
    assert whole(incoming.take_changes(changed(), "other_device")).cause == "other_device"


def test_what_broke_off_is_forgotten() -> None:
    incoming = caught_up()
    incoming.take_changes(changed(row("b", 2), upto=None, messages={B: (message(2),)}), "message")
    incoming.begin()
    incoming.take_page(first_page(row("a"), upto=None), first_start=False)
    incoming.begin()
    arrival = whole(incoming.take_page(CaughtUp(token=token(2)), first_start=False))
    assert (arrival.rows, arrival.messages, arrival.replaces_all) == ((), {}, False)
    assert arrival.cause == "catch_up"


def test_a_reset_of_several_pages_replaces_all() -> None:
    incoming = catching_up()
    assert incoming.take_page(first_page(row("a"), upto=None), first_start=False) is None
    last = CaughtUp(rows=(row("b"),), token=token(2))
    arrival = whole(incoming.take_page(last, first_start=False))
    assert (arrival.replaces_all, len(arrival.rows)) == (True, 2)
    assert not whole(incoming.take_changes(changed(), "message")).replaces_all
