"""What rows and answers that came together change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from recents.client.arrivals import Change, change_of
from recents.client.incoming import Arrival
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox
from recents.client.settling import Answered, Outcome
from recents.client.store.port import Step
from recents.core.commands import AnyCommand, Delete, DeleteAll, Post, Read
from recents.core.entry import InboxEntry
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.pending import Pending
from recents.core.replica import Difference, Gone
from recents.core.totals import Totals
from recents.wire.frames import Posted
from tests.client.fake_node import OTHER_EPOCH, names, row, token

pytestmark = pytest.mark.asyncio

BOB, CAROL = Conversation("p2p:bob"), Conversation("p2p:carol")


class Desk:
    def __init__(self, *rows: InboxEntry, token: str | None = token(1)) -> None:
        self.outbox = Outbox(asyncio.Event())
        self.local = LocalList("alice", self.outbox)
        self.local.restore(rows)
        self.local.complete = token is not None
        self.token = token

    def give(self, command: AnyCommand, **known: object) -> None:
        made = Pending(number=self.outbox.next_number, command=command, at_ms=9_000)
        pending = msgspec.structs.replace(made, **known)
        before = self.local.look(pending.seqs or {command.conversation: None})  # type: ignore[union-attr]
        self.outbox.put(pending)
        self.local.show_anew(before)

    def change(
        self, arrival: Arrival | None, outcomes: Mapping[str, Outcome] | None = None
    ) -> Change:
        return change_of("alice", self.local, self.outbox, self.token, arrival, outcomes or {})

    def take(
        self, arrival: Arrival | None, outcomes: Mapping[str, Outcome] | None = None
    ) -> tuple[Change, Difference]:
        change = self.change(arrival, outcomes)
        before = self.local.look(change.names)
        change.apply(self.local, self.outbox)
        self.token = change.step.token or self.token
        return change, self.local.show_anew(before)


def came(*rows: InboxEntry, upto: str | None = token(9), **fields: object) -> Arrival:
    return msgspec.structs.replace(Arrival(cause="message", rows=rows, token=upto), **fields)


def read(number: int = 1) -> Read:
    return Read(id=f"r{number}", conversation=BOB, upto_seq=1)


async def test_nothing_is_changed_before_it_is_applied() -> None:
    desk = Desk(row("bob", unread=1))
    desk.give(read(), seen_seq=1)
    change = desk.change(came(row("bob", 5, read_seq=1)), {"r1": Answered(5)})
    assert change.step.rows == (row("bob", 5, read_seq=1),)
    assert (change.step.settled, change.step.token) == ((1,), token(9))
    assert (len(desk.outbox), desk.local.confirmed(BOB)) == (1, row("bob", unread=1))


async def test_C2_C3_a_row_and_the_answer_to_it_are_one_change() -> None:
    desk = Desk(row("bob", unread=1))
    desk.give(read(), seen_seq=1)
    _, difference = desk.take(came(row("bob", 5, read_seq=1)), {"r1": Answered(5)})
    assert (len(desk.outbox), difference) == (0, Difference())


async def test_an_answer_alone_is_a_change_too() -> None:
    desk = Desk(row("bob", unread=1))
    desk.give(read(), seen_seq=1)
    change, difference = desk.take(None, {"r1": Answered(5)})
    assert change.step == Step(
        outbox=(Pending(number=1, command=read(), at_ms=9_000, seen_seq=1, version=5),)
    )
    assert (change.cause, difference, list(change.names)) == ("command", Difference(), [BOB])
    change, difference = desk.take(came(row("bob", 5, read_seq=1)))
    assert (change.step.settled, difference) == ((1,), Difference())


async def test_an_answer_that_the_token_covers_settles_at_once() -> None:
    desk = Desk(row("bob"), token=token(5))
    desk.give(Delete(id="d", conversation=CAROL), seen_seq=1)
    change, _ = desk.take(None, {"d": Answered(5)})
    assert (change.step, change.outcomes[0][1]) == (Step(settled=(1,)), None)


async def test_C3_a_command_leaves_when_the_row_that_comes_or_is_here_has_it() -> None:
    desk = Desk(row("bob", 6))
    desk.give(read(), seen_seq=1, version=7)
    elsewhere, _ = desk.take(came(row("carol", 9)))
    assert elsewhere.step.settled == ()
    older, _ = desk.take(came(row("bob", 6)))
    assert older.step.settled == ()
    there, _ = desk.take(came(row("bob", 7)))
    assert there.step.settled == (1,)


async def test_a_row_that_is_gone_is_covered_by_the_token_that_came_with_it() -> None:
    desk = Desk(row("bob"), token=token(1))
    desk.give(Delete(id="d", conversation=BOB, upto_seq=1), version=5)
    change, difference = desk.take(came(gone=(Gone(BOB, 5),), upto=token(5)))
    assert (change.step.settled, difference) == ((1,), Difference())
    assert change.step.gone == (Gone(BOB, 5),)


async def test_an_older_image_of_a_row_that_is_here_changes_nothing() -> None:
    desk = Desk(row("bob", 7))
    change, difference = desk.take(came(row("bob", 3, text="old"), gone=(Gone(BOB, 6),)))
    assert (change.step.rows, change.step.gone, difference) == ((), (), Difference())


async def test_the_totals_that_are_kept_are_those_of_the_confirmed_rows() -> None:
    desk = Desk(row("bob", unread=2))
    desk.give(read(), seen_seq=1)
    change, difference = desk.take(came(row("carol", 3, unread=3)))
    assert change.step.totals == Totals(unread=5, unread_conversations=2, conversations=2)
    assert change.cause == "message"
    assert desk.local.totals.unread == 3
    assert names(difference.added) == [CAROL]


async def test_messages_are_kept_with_their_rows_and_settle_those_on_their_way() -> None:
    desk = Desk(row("bob"))
    desk.give(Post(id="p", conversation=BOB, client_id="c"))
    said = Message(seq=2, ordinal=2, sender="alice", client_id="c", time_ms=5)
    change, _ = desk.take(came(row("bob", 5, last_seq=2), messages={BOB: (said,)}))
    assert change.step.messages == {BOB: (said,)}
    ((pending, posted),) = change.outcomes
    assert (pending.number, posted) == (1, Posted(seq=2, ordinal=2, time_ms=5))


async def test_the_first_page_of_a_first_start_is_shown_and_not_kept() -> None:
    desk = Desk(token=None)
    whole = Totals(unread=9)
    change, difference = desk.take(came(row("bob"), upto=None, totals=whole))
    assert change.step == Step()
    assert (names(difference.added), desk.local.totals, desk.local.complete) == (
        [BOB],
        whole,
        False,
    )
    desk.take(came(row("bob"), row("carol"), replaces_all=True))
    assert (desk.local.complete, desk.local.totals.conversations) == (True, 2)


async def test_a_reset_replaces_all_whatever_the_versions() -> None:
    desk = Desk(row("bob", 70), row("carol", 80), token=token(80))
    change, difference = desk.take(
        came(row("dan", 2), row("bob", 1, text="x"), upto=token(2), replaces_all=True)
    )
    assert change.step.replaces_all
    assert change.step.totals == Totals(conversations=2)
    assert (names(difference.added), names(difference.updated)) == (["p2p:dan"], [BOB])
    assert names(difference.removed) == [CAROL]
    assert list(change.names)[:2] == ["p2p:dan", BOB], "as they came"


@pytest.mark.parametrize("after", [token(2), token(2, OTHER_EPOCH)])
async def test_D3_a_reset_forgets_the_messages(after: str) -> None:
    change, _ = Desk(token=token(80)).take(came(upto=after, replaces_all=True))
    assert change.step.forgets_messages


async def test_on_another_line_answered_commands_go_and_the_others_stay() -> None:
    desk = Desk(row("bob", 70, unread=1), token=token(80))
    desk.give(read(1), seen_seq=1, version=90)
    desk.give(read(2), seen_seq=1)
    change, _ = desk.take(came(row("bob", 2), upto=token(2, OTHER_EPOCH), replaces_all=True))
    assert change.step.settled == (1,)
    assert [pending.number for pending in desk.outbox] == [2]


async def test_C4_a_refused_command_is_taken_back_from_all_its_rows() -> None:
    desk = Desk(row("bob"), row("carol"))
    desk.give(DeleteAll(id="d"), seqs={BOB: 1, CAROL: 1})
    assert len(desk.local) == 0
    no = Refused(Code.BAD_VALUE, "no")
    change, difference = desk.take(None, {"d": no})
    assert {image.conversation for image in difference.added} == {BOB, CAROL}
    assert [why for _, why in change.refused] == [no]
    assert change.step == Step(settled=(1,))


async def test_P4_an_answer_frees_the_wire_for_another_command() -> None:
    desk = Desk(row("bob"))
    for number in (1, 2):
        desk.give(read(number), seen_seq=1)
    assert len(desk.outbox.take(1)) == 1
    assert desk.outbox.take(1) == []
    desk.take(None, {"r1": Answered(99)})
    assert len(desk.outbox.take(1)) == 1


async def test_where_a_message_stands_is_noted_until_its_row_comes() -> None:
    desk = Desk(row("bob"))
    desk.give(Post(id="p", conversation=BOB, client_id="c"))
    posted = Posted(seq=2, ordinal=2, time_ms=5)
    desk.take(None, {"p": Answered(5, posted)})
    shown = desk.local.get(BOB)
    assert shown is not None
    assert shown.status == "sent"
    change, _ = desk.take(came(row("bob", 5, last_seq=2)))
    assert change.outcomes[0][1] == posted
