"""The golden vectors: the core agrees with all of them, and they are what ``make`` makes."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest

from recents.core.entry import InboxEntry
from recents.core.errors import Refused
from recents.core.ordering import cursor_after, place_after, place_of
from tests.core.making import a_row
from tests.laws.comparing import as_expected, as_expected_totals
from tests.laws.core_in_dictionaries import CoreInDictionaries
from tests.vectors import make

Vector = dict[str, Any]

COUNTING: Vector = json.loads((make.FOLDER / "counting.json").read_text(encoding="utf-8"))
ORDERING: Vector = json.loads((make.FOLDER / "ordering.json").read_text(encoding="utf-8"))
NAMING: Vector = json.loads((make.FOLDER / "naming.json").read_text(encoding="utf-8"))
RULES = {
    *("I1", "I2", "M2", "M3", "M4", "U1", "U2", "U3", "U4", "U5", "U6"),
    *("R1", "R2", "R3", "R4", "R5", "R6", "G1", "G2", "G3", "G4", "G5", "G6", "G7"),
    *("P1", "P2", "P3", "P4", "O1", "O2", "O3", "D1", "D2", "D3", "D4", "D5", "D6", "T1", "T2"),
}


def name_of(vector: Vector) -> str:
    name: str = vector["name"]
    return name


@pytest.mark.parametrize("name", ["counting", "ordering", "naming"])
def test_the_files_are_what_the_oracle_says(name: str) -> None:
    made = make.text_of(getattr(make, name)())
    found = (make.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert found == made, "run: python -m tests.vectors.make"


@pytest.mark.parametrize("vector", COUNTING["vectors"], ids=name_of)
def test_the_core_counts_like_the_vectors(vector: Vector) -> None:
    core = CoreInDictionaries()
    for step in vector["steps"]:
        arguments = {name: value for name, value in step.items() if name not in ("do", "then")}
        getattr(core, step["do"])(**arguments)
        for account, seen in step.get("then", {}).items():
            shown = [as_expected(row) for row in core.rows(account)]
            assert json.loads(json.dumps(shown)) == seen["rows"]
            assert as_expected_totals(core.totals(account)) == seen["totals"]
            counted = {row.conversation: row.unread for row in core.rows(account)}
            assert counted == {name: len(seqs) for name, seqs in seen["countable"].items()}


def test_the_vectors_show_every_rule_of_counting() -> None:
    assert {rule for vector in COUNTING["vectors"] for rule in vector["rules"]} == RULES
    assert all(vector["steps"][-1].get("then") for vector in COUNTING["vectors"])
    names = [name_of(vector) for vector in COUNTING["vectors"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("vector", ORDERING["vectors"], ids=name_of)
def test_the_core_orders_like_the_vectors(vector: Vector) -> None:
    rows = [
        a_row(
            row["conversation"],
            activity_ms=row["activity_ms"],
            draft_ms=row.get("draft_ms"),
            rank=row.get("rank"),
        )
        for row in vector["rows"]
    ]
    random.Random(1).shuffle(rows)
    rows.sort(key=place_of)
    assert [row.conversation for row in rows] == vector["order"]
    for page in vector["pages"]:
        after = _there(page["after"])
        behind = [row.conversation for row in rows if place_of(row) > place_of(after)]
        assert behind == page["order"]


def _there(place: Vector) -> InboxEntry:
    name, ms, rank = place["conversation"], place.get("place_ms", 0), place.get("rank")
    return a_row(name, activity_ms=ms, rank=rank)


@pytest.mark.parametrize("vector", NAMING["vectors"], ids=lambda vector: ascii(vector["title"]))
def test_the_core_names_like_the_vectors(vector: Vector) -> None:
    alias, name = vector["alias"], vector["name"]
    row = msgspec.structs.replace(a_row(f"p2p:{vector['id']}"), alias=alias, name=name)
    assert row.title == vector["title"]
    assert row.initials == vector["initials"]
    assert row.colour == vector["colour"]


def test_the_core_writes_and_reads_cursors_like_the_vectors() -> None:
    for vector in ORDERING["cursors"]:
        row = _there(vector["after"])
        assert cursor_after(row) == vector["cursor"]
        assert place_after(vector["cursor"]) == place_of(row)
    for text in ORDERING["no_cursors"]:
        with pytest.raises(Refused, match="is not a cursor"):
            place_after(text)
