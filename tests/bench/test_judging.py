"""A judge that cannot say no is worth nothing: everything that can be wrong is seen."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from bench.judging import Judge, Shown
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.membership import Draft
from recents.core.message import Message, Preview
from recents.core.totals import Totals
from recents.testing.oracle import (
    ExpectedDraft,
    ExpectedPin,
    ExpectedPreview,
    ExpectedRow,
    ExpectedTotals,
    Oracle,
)

PARTS = ("preview", "draft", "pin")

Spoil = Callable[[list[ExpectedRow]], list[ExpectedRow]]


class SpoiltOracle(Oracle):
    """Expects something else than what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.spoil: Spoil = lambda rows: rows

    def rows(self, account: str) -> list[ExpectedRow]:
        return self.spoil(super().rows(account))


def a_world() -> tuple[SpoiltOracle, Shown]:
    """Make an oracle that knows of three conversations of alice, and a list that shows them."""
    oracle = SpoiltOracle()
    oracle.create_team("team:t", owner="alice", members=["bob"], name="Team", at_ms=100)
    oracle.post("bob", "team:t", client_id="b1", at_ms=110, text="in the team")
    oracle.post("bob", "p2p:alice", client_id="b2", at_ms=110, text="to alice")
    oracle.post("alice", "p2p:carol", client_id="a1", at_ms=90, text="to carol")
    oracle.set_draft("alice", "team:t", "well", at_ms=105)
    rows = tuple(entry(row) for row in oracle.rows("alice"))
    return oracle, Shown(rows, Totals(unread=2, unread_conversations=2, conversations=3))


def entry(row: ExpectedRow) -> InboxEntry:
    shown = row.preview
    assert shown is not None
    return InboxEntry(
        conversation=Conversation(row.conversation),
        version=1,
        activity_ms=row.activity_ms,
        last_seq=row.last_seq,
        read_seq=row.read_seq,
        unread=row.unread,
        preview=Preview(
            seq=shown.seq,
            client_id=shown.client_id,
            sender=shown.sender,
            time_ms=shown.time_ms,
            kind=shown.kind,
            text=shown.text,
        ),
        status="sent" if row.status else None,
        name=row.name,
        draft=Draft(row.draft.text, row.draft.time_ms) if row.draft else None,
    )


def other(of: object, name: str) -> dict[str, Any]:
    """Name another value for one field."""
    value = getattr(of, name)
    return {name: value + 1 if isinstance(value, int) else f"not {value}"}


def fields_seen(spoil: Spoil) -> set[tuple[str, str]]:
    oracle, shown = a_world()
    oracle.spoil = spoil
    judge = Judge(oracle)
    judge.judge("here", "alice", shown)
    assert all(one.where == "here" and one.account == "alice" for one in judge.mismatches)
    return {(one.conversation, one.field) for one in judge.mismatches}


def test_what_is_right_is_no_mismatch() -> None:
    oracle, shown = a_world()
    judge = Judge(oracle)

    judge.judge("here", "alice", shown)

    assert judge.mismatches == []
    assert (judge.compared["here"], judge.rows) == (1, 3)


@pytest.mark.parametrize(
    "name",
    [one.name for one in fields(ExpectedRow) if one.name not in ("conversation", *PARTS)],
)
def test_each_field_of_a_row_is_judged(name: str) -> None:
    def spoil(rows: list[ExpectedRow]) -> list[ExpectedRow]:
        return [replace(rows[0], **other(rows[0], name)), *rows[1:]]

    assert (a_world()[1].rows[0].conversation, name) in fields_seen(spoil)


@pytest.mark.parametrize("name", [one.name for one in fields(ExpectedPreview)])
def test_each_field_of_a_preview_is_judged(name: str) -> None:
    def spoil(rows: list[ExpectedRow]) -> list[ExpectedRow]:
        preview = rows[0].preview
        assert preview is not None
        preview = replace(preview, **other(preview, name))
        return [replace(rows[0], preview=preview), *rows[1:]]

    assert (a_world()[1].rows[0].conversation, f"preview {name}") in fields_seen(spoil)


def test_a_missing_preview_is_seen() -> None:
    seen = fields_seen(lambda rows: [replace(rows[0], preview=None), *rows[1:]])

    assert (a_world()[1].rows[0].conversation, "preview") in seen


@pytest.mark.parametrize("name", [one.name for one in fields(ExpectedDraft)])
def test_each_field_of_a_draft_is_judged(name: str) -> None:
    def spoil(rows: list[ExpectedRow]) -> list[ExpectedRow]:
        return [
            replace(row, draft=row.draft and replace(row.draft, **other(row.draft, name)))
            for row in rows
        ]

    assert fields_seen(spoil) == {("team:t", f"draft {name}")}


def test_a_draft_too_many_and_a_draft_too_few_are_seen() -> None:
    no_drafts = fields_seen(lambda rows: [replace(row, draft=None) for row in rows])
    assert no_drafts == {("team:t", "draft")}
    drafts = fields_seen(
        lambda rows: [replace(row, draft=row.draft or ExpectedDraft("x", 1)) for row in rows]
    )
    assert drafts == {("p2p:bob", "draft"), ("p2p:carol", "draft")}


def test_a_pin_too_many_is_seen() -> None:
    def spoil(rows: list[ExpectedRow]) -> list[ExpectedRow]:
        return [replace(rows[0], pin=ExpectedPin(0, "", 1, 1)), *rows[1:]]

    assert (a_world()[1].rows[0].conversation, "pin") in fields_seen(spoil)


def test_a_row_too_many_and_a_row_too_few_are_seen() -> None:
    def spoil(rows: list[ExpectedRow]) -> list[ExpectedRow]:
        return [*rows[1:], replace(rows[0], conversation="p2p:nobody", place_ms=0)]

    assert {("p2p:nobody", "row"), (a_world()[1].rows[0].conversation, "row")} <= fields_seen(
        spoil
    )


def test_a_row_shown_twice_is_seen() -> None:
    oracle, shown = a_world()

    found = Judge(oracle).differences("here", "alice", replace(shown, rows=[*shown.rows] * 2))

    assert [one.field for one in found] == ["rows"]


def test_another_order_is_seen_by_its_first_place() -> None:
    assert fields_seen(lambda rows: [rows[1], rows[0], rows[2]]) == {("", "order, place 1")}


@pytest.mark.parametrize("name", [one.name for one in fields(ExpectedTotals)])
def test_each_sum_is_judged(name: str) -> None:
    oracle, shown = a_world()
    totals = Totals(
        unread=5,
        unread_conversations=1,
        conversations=4,
        muted_unread=1,
        marked_unread=1,
        mentions=1,
        muted_mentions=1,
    )

    found = Judge(oracle).differences("here", "alice", replace(shown, totals=totals))

    assert f"totals {name}" in {one.field for one in found}


def test_a_history_with_other_messages_is_seen() -> None:
    oracle, _ = a_world()
    right = Message(
        seq=1, ordinal=1, sender="bob", client_id="b1", time_ms=110, text="in the team"
    )
    wrong = Message(seq=1, ordinal=1, sender="bob", client_id="b1", time_ms=110, text="elsewhere")
    judge = Judge(oracle)

    judge.judge_history("alice", "team:t", [right])
    assert judge.mismatches == []
    judge.judge_history("alice", "team:t", [wrong])
    judge.judge_history("alice", "team:t", [])

    assert [one.field for one in judge.mismatches] == ["message 1, text", "seqs"]


def test_a_mismatch_says_where_whose_what_and_both_values() -> None:
    oracle, shown = a_world()
    oracle.spoil = lambda rows: [replace(rows[0], unread=7), *rows[1:]]

    found = [
        str(one)
        for one in Judge(oracle).differences("fresh device", "alice", shown)
        if one.field == "unread"
    ]

    assert found == ["fresh device: alice, p2p:bob, unread: expected 7, got 1"]
