"""The SQL files: all of them are what they say, and none reads a whole list to show a page."""

from __future__ import annotations

from importlib.resources import files

import apsw
import pytest

from recents.client.store.queries import migrations, named_queries

IN_USE = ("copy", "rescue")
NAMES = (*IN_USE, "doctor")


class Anything(dict[str, object]):
    """A value for whatever a query asks for."""

    def __missing__(self, _: str) -> object:
        return "[]"


@pytest.fixture
def connection() -> apsw.Connection:
    """An empty copy."""
    opened = apsw.Connection(":memory:")
    for script in migrations():
        opened.execute(script)
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
    everything = ("outbox", "remove_all_rows", "forget_messages")
    for title, query in named_queries(name).items():
        if title in everything:
            continue
        for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", Anything()):
            step = str(row[3])
            # The page that was cut out is small, and so is what a statement is given.
            small = ("SCAN json_each", "SCAN wanted", "SCAN (subquery", "SCAN CONSTANT ROW")
            assert not step.startswith("SCAN") or step.startswith(small), (title, step)
            if "SORTER" in step or "TEMP B-TREE" in step:
                assert "group_concat" in step, (title, step)
