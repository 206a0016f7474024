"""The SQL files: all of them are what they say, and none reads a whole list to show a page."""

from __future__ import annotations

from importlib.resources import files

import apsw
import pytest

from recents.client.store.queries import named_queries
from recents.client.store.sqlite_opening import make_schema

IN_USE = ("copy", "rescue", "words")
NAMES = (*IN_USE, "doctor")


class Anything(dict[str, object]):
    """A value for whatever a query asks for."""

    def __missing__(self, _: str) -> object:
        return "[]"


@pytest.fixture
def connection() -> apsw.Connection:
    """An empty copy."""
    opened = apsw.Connection(":memory:")
    make_schema(opened)
    return opened


@pytest.mark.parametrize("name", NAMES)
def test_every_query_has_a_description(name: str) -> None:
    text = (files("recents.client.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    lines = text.splitlines()
    for title in named_queries(name):
        assert lines[lines.index(f"-- {title} --") + 1].startswith("-- ")


@pytest.mark.parametrize("name", NAMES)
def test_every_query_fits_the_schema(connection: apsw.Connection, name: str) -> None:
    for query in named_queries(name).values():
        connection.execute(f"EXPLAIN {query}", Anything())


@pytest.mark.parametrize("name", IN_USE)
def test_no_query_reads_the_whole_list(connection: apsw.Connection, name: str) -> None:
    everything = ("outbox", "remove_all_rows", "forget_messages", "forget_waiting")
    for title, query in named_queries(name).items():
        if title in everything:
            continue
        for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", Anything()):
            step = str(row[3])
            # The page that was cut out is small, and so is what a statement is given.
            small: tuple[str, ...] = (
                "SCAN json_each",
                "SCAN wanted",
                "SCAN (subquery",
                "SCAN CONSTANT ROW",
            )
            # Its first ones: there is a limit.
            small += ("SCAN unsearched", "SCAN waiting") if title == "unsearched" else ()
            # What matches, and one document, in the index of words.
            looked_up = (
                "SCAN words VIRTUAL TABLE INDEX 0:M",
                "SCAN words VIRTUAL TABLE INDEX 0:=",
            )
            fine = step.startswith((*small, *looked_up))
            assert not step.startswith("SCAN") or fine, (title, step)
            if title.startswith("search"):
                continue
            if "SORTER" in step or "TEMP B-TREE" in step:
                assert "group_concat" in step, (title, step)
