"""Recalling and editing, as devices see them: rules P1–P3, U2, O2, O3, D2, T1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio

from recents.core.commands import (
    Delete,
    DeleteMessages,
    DismissTeam,
    Edit,
    LeaveTeam,
    Read,
    Recall,
)
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, new_id, rows_in

pytestmark = pytest.mark.asyncio

ALICE, BOB = Conversation("p2p:alice"), Conversation("p2p:bob")
TEAM = Conversation("team:t1")

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "recents.db"),
}


@pytest_asyncio.fixture(params=STORES)
async def company(request: pytest.FixtureRequest, found: Founder, tmp_path: Path) -> Company:
    return await found(store=STORES[request.param](tmp_path))


def recall(conversation: Conversation, seq: int, *, notice: bool = True) -> Recall:
    return Recall(id=new_id(), conversation=conversation, seq=seq, notice=notice)


def edit(conversation: Conversation, seq: int, text: str) -> Edit:
    return Edit(id=new_id(), conversation=conversation, seq=seq, text=text)


async def talked(company: Company) -> tuple[Device, Device]:
    alice, bob = await company.online("alice", "bob")
    for text in ("one", "two", "three"):
        await alice.post(BOB, text)
    await bob.changes()
    return alice, bob


async def test_p2_a_recall_leaves_a_notice_in_the_same_place(company: Company) -> None:
    alice, bob = await talked(company)
    before = (await bob.rows())[ALICE]
    await alice.do(recall(BOB, 3))
    row = rows_in(await bob.changes())[ALICE]
    assert row.preview is not None
    assert (row.preview.state, row.preview.recalled_by, row.preview.text) == (
        "recalled",
        "alice",
        "",
    )
    assert (row.unread, row.place_ms) == (before.unread - 1, before.place_ms)
    assert [one.state for one in await bob.history(ALICE)] == ["normal", "normal", "recalled"]


async def test_p1_a_recall_without_notice_leaves_the_next_older_message(company: Company) -> None:
    alice, bob = await talked(company)
    await alice.do(recall(BOB, 3, notice=False))
    row = rows_in(await bob.changes())[ALICE]
    assert row.preview is not None
    assert (row.preview.text, row.unread, row.last_seq) == ("two", 2, 3)
    assert [one.text for one in await bob.history(ALICE)] == ["one", "two"]
    await alice.do(recall(BOB, 3))
    assert await bob.changes() == [], "of two recalls the first stands"


async def test_u2_recalling_what_was_read_changes_no_count(company: Company) -> None:
    alice, bob = await talked(company)
    await bob.do(Read(id=new_id(), conversation=ALICE, upto_seq=2))
    await alice.do(recall(BOB, 1))
    assert (await bob.rows())[ALICE].unread == 1
    await alice.do(recall(BOB, 3))
    assert (await bob.rows())[ALICE].unread == 0
    assert (await alice.rows())[BOB].unread == 0


async def test_d2_a_recall_does_not_bring_a_deleted_row_back(company: Company) -> None:
    alice, bob = await talked(company)
    await bob.do(Delete(id=new_id(), conversation=ALICE))
    await alice.do(recall(BOB, 3))
    await alice.do(edit(BOB, 2, "other"))
    assert await bob.rows() == {}


async def test_p3_an_edit_changes_the_preview_of_that_message_and_moves_nothing(
    company: Company,
) -> None:
    alice, bob = await talked(company)
    before = (await bob.rows())[ALICE]
    await alice.do(edit(BOB, 3, "drei"))
    row = rows_in(await bob.changes())[ALICE]
    assert row.preview is not None
    assert (row.preview.text, row.preview.state) == ("drei", "edited")
    assert (row.unread, row.place_ms) == (before.unread, before.place_ms)
    await alice.do(edit(BOB, 1, "eins"))
    assert (await bob.rows())[ALICE].preview == row.preview
    assert [one.text for one in await bob.history(ALICE)] == ["eins", "two", "drei"]


async def test_only_the_sender_and_only_what_is_there(company: Company) -> None:
    alice, bob = await talked(company)
    assert await bob.refused(recall(ALICE, 1)) is Code.NOT_THE_SENDER
    assert await bob.refused(edit(ALICE, 1, "x")) is Code.NOT_THE_SENDER
    assert await alice.refused(recall(BOB, 4)) is Code.BEYOND_END
    assert await alice.refused(edit(BOB, 4, "x")) is Code.BEYOND_END
    assert await alice.refused(recall(Conversation("p2p:carol"), 1)) is Code.NOT_A_MEMBER
    assert await alice.refused(recall(BOB, 0)) is Code.BAD_VALUE
    await alice.do(recall(BOB, 1))
    assert await alice.refused(edit(BOB, 1, "x")) is Code.BAD_VALUE
    assert await bob.refused(recall(ALICE, 1)) is Code.NOT_THE_SENDER


async def test_a_message_can_be_recalled_for_two_minutes_and_edited_for_ever(
    company: Company,
) -> None:
    alice, bob = await talked(company)
    company.at_ms += 120_000
    assert await alice.refused(recall(BOB, 3)) is Code.TOO_LATE
    await alice.do(edit(BOB, 3, "late"))
    assert (await bob.history(ALICE))[-1].text == "late"


async def test_the_times_are_the_operators(found: Founder) -> None:
    company = await found(settings=Settings(recall_ms=None, edit_ms=1_000))
    alice, _ = await talked(company)
    company.at_ms += 10**9
    await alice.do(recall(BOB, 1))
    assert await alice.refused(edit(BOB, 2, "x")) is Code.TOO_LATE


async def test_a_teams_owner_recalls_any_message_at_any_time(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await bob.post(TEAM, "rude")
    company.at_ms += 10**9
    await alice.do(recall(TEAM, 1))
    row = rows_in(await bob.changes())[TEAM]
    assert row.preview is not None
    assert row.preview.recalled_by == "alice"
    assert (await alice.rows())[TEAM].unread == 0
    assert await alice.refused(edit(TEAM, 1, "polite")) is Code.NOT_THE_SENDER


async def test_t2_who_has_left_changes_nothing_and_sees_no_later_recall(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await alice.post(TEAM, "one")
    await bob.post(TEAM, "two")
    await bob.do(LeaveTeam(id=new_id(), conversation=TEAM))
    before = (await bob.rows())[TEAM]
    assert await bob.refused(recall(TEAM, 2)) is Code.NOT_A_MEMBER
    await alice.do(recall(TEAM, 2))
    await alice.do(recall(TEAM, 1, notice=False))
    assert (await bob.rows())[TEAM] == before
    assert [one.state for one in await bob.history(TEAM)] == ["recalled"], "nothing is left of it"
    await alice.do(DismissTeam(id=new_id(), conversation=TEAM))
    assert await alice.refused(recall(TEAM, 1)) is Code.TEAM_DISMISSED


def delete(conversation: Conversation, *seqs: int) -> DeleteMessages:
    return DeleteMessages(id=new_id(), conversation=conversation, seqs=seqs)


async def test_u1_p2_deleting_for_me_concerns_nobody_else(company: Company) -> None:
    alice, bob = await talked(company)
    (other,) = await company.online("bob")
    await alice.changes()
    await bob.do(delete(ALICE, 3, 1, 3))
    for device in (bob, other):
        (changed,) = await device.changes()
        row = changed.rows[0]
        assert row.preview is not None
        assert (row.preview.text, row.unread) == ("two", 1)
        assert [(one.seq, one.state) for one in changed.amended[ALICE]] == [
            (1, "gone"),
            (3, "gone"),
        ]
    assert await alice.changes() == []
    assert [one.text for one in await bob.history(ALICE)] == ["two"]
    assert [one.text for one in await alice.history(BOB)] == ["one", "two", "three"]
    await bob.do(delete(ALICE, 3))
    assert await bob.changes() == [], "twice is once"
    assert await bob.refused(delete(ALICE, 4)) is Code.BEYOND_END
    assert await bob.refused(delete(Conversation("p2p:carol"), 1)) is Code.BEYOND_END
    assert await bob.refused(delete(ALICE)) is Code.BAD_VALUE


async def test_c3_changed_messages_are_told_live_and_with_a_catch_up(company: Company) -> None:
    alice, bob = await talked(company)
    await bob.settle()
    token = (await company.device("bob").greet())[-1].token
    await alice.do(edit(BOB, 1, "eins"))
    await alice.do(recall(BOB, 2, notice=False))
    # It may be told as it is with the change before its own, and then again: that hurts nobody.
    told = {
        one.seq: (one.text, one.state)
        for change in await bob.changes()
        for one in change.amended.get(ALICE, ())
    }
    assert told == {1: ("eins", "edited"), 2: ("", "gone")}
    pages = await company.device("bob").greet(token)
    caught_up = [one for page in pages for one in page.amended.get(ALICE, ())]
    assert [(one.seq, one.state) for one in caught_up] == [(1, "edited"), (2, "gone")]
    (fresh,) = await company.device("bob").greet()
    assert fresh.amended == {}, "a new device has kept nothing"
