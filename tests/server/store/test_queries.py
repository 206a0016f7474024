"""The SQL files: what the loader makes of them, and that all of them are what they say."""

from __future__ import annotations

from importlib.resources import files

import apsw
import pytest

from recents.server.store.queries import migrations, named_queries

SERVING = ("rows", "reading", "writing")
NAMES = (*SERVING, "doctor")


def test_a_query_is_found_by_its_name_without_its_description() -> None:
    assert named_queries("writing")["set_version"] == "UPDATE store SET version = ?;"


@pytest.mark.parametrize("name", NAMES)
def test_every_query_has_a_description(name: str) -> None:
    text = (files("recents.server.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    lines = text.splitlines()
    for title in named_queries(name):
        described = lines[lines.index(f"-- {title} --") + 1]
        assert described.startswith("-- ")
        assert len(described) > 10


def test_no_name_is_used_twice() -> None:
    assert len({title for name in NAMES for title in named_queries(name)}) == sum(
        len(named_queries(name)) for name in NAMES
    )


def test_every_query_fits_the_schema() -> None:
    connection = apsw.Connection(":memory:")
    for script in migrations():
        connection.execute(script)
    connection.execute(named_queries("rows")["create_inbox"])
    for name in NAMES:
        for title, query in named_queries(name).items():
            if title != "create_inbox":
                connection.execute(f"EXPLAIN {query}", _anything(query))


def test_no_query_of_an_account_reads_the_whole_store() -> None:
    connection = apsw.Connection(":memory:")
    for script in migrations():
        connection.execute(script)
    connection.execute(named_queries("rows")["create_inbox"])
    small = ("store", "pair", "wanted", "chosen", "CONSTANT ROW")
    for name in SERVING:
        for title, query in named_queries(name).items():
            if title == "create_inbox":
                continue
            for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", _anything(query)):
                step = str(row[3])
                if step.startswith("SCAN"):
                    assert step.removeprefix("SCAN ").startswith(small), (title, step)


def _anything(query: str) -> dict[str, object] | tuple[object, ...]:
    class Anything(dict[str, object]):
        def __missing__(self, _: str) -> object:
            return "[]"

    return (0,) * query.count("?") if "?" in query else Anything()
