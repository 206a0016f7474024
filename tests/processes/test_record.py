"""What was written down by somebody who was killed says what was committed, and no more."""

from pathlib import Path

import pytest

from recents.core.commands import Read
from recents.core.ids import Conversation
from tests.processes.lines import Lines, lines_in
from tests.processes.record import Committed, Decided, Heard, committed_in


def batch(name: str, version: int, *, changed: bool = True) -> Decided:
    read = Read(id=f"read-{name}", conversation=Conversation("p2p:bob"))
    heard = Heard(actor="alice", command=read, taken=True, again=False)
    return Decided(batch=name, version=version, at_ms=1, changed=changed, heard=(heard,))


def committed(path: Path, newest: int, *lines: Decided | Committed) -> list[str]:
    written = Lines(path)
    for line in lines:
        written.write(line)
    written.close()
    return [one.batch for one in committed_in(path, newest)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


def test_a_line_that_was_cut_off_spoils_no_other(path: Path) -> None:
    path.write_bytes(b'{"type":"Committed","batch":"a"}\n{"type":"Comm')
    written = Lines(path)
    written.write(Committed(batch="b"))
    written.close()
    assert lines_in(path, Committed) == [Committed(batch="a"), Committed(batch="b")]


def test_a_batch_without_its_second_line_counts_if_the_store_has_its_version(path: Path) -> None:
    lines = batch("a", 1), Committed(batch="a"), batch("b", 2)
    assert committed(path, 2, *lines) == ["a", "b"]


def test_a_batch_that_never_came_into_the_store_does_not_count(path: Path) -> None:
    lines = batch("a", 1), Committed(batch="a"), batch("b", 2)
    assert committed(path, 1, *lines) == ["a"]


def test_of_two_batches_with_one_version_the_later_one_counts(path: Path) -> None:
    lines = batch("a", 1), batch("b", 1), Committed(batch="b")
    assert committed(path, 1, *lines) == ["b"]


def test_two_commits_with_one_version_are_a_mistake_of_the_node(path: Path) -> None:
    lines = batch("a", 1), Committed(batch="a"), batch("b", 1), Committed(batch="b")
    with pytest.raises(AssertionError, match="the same number"):
        committed(path, 1, *lines)


def test_a_batch_that_changed_nothing_takes_no_version(path: Path) -> None:
    idle = batch("a", 1, changed=False)
    lines = idle, Committed(batch="a"), batch("b", 1), Committed(batch="b")
    assert committed(path, 1, *lines) == ["a", "b"]
