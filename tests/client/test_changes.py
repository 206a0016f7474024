"""Batches that wait melt into one that says the same."""

from hypothesis import given
from hypothesis import strategies as st

from recents.client.changes import Backlog, ChangeBatch
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.replica import Gone, Replica
from recents.core.totals import Totals
from tests.client.fake_node import names, row


def _batch(
    *,
    added: tuple[InboxEntry, ...] = (),
    updated: tuple[InboxEntry, ...] = (),
    removed: tuple[InboxEntry, ...] = (),
    unread: int = 0,
    **fields: object,
) -> ChangeBatch:
    return ChangeBatch(
        totals=Totals(unread=unread),
        cause="command" if fields.get("cause") == "command" else "message",
        added=added,
        updated=updated,
        removed=removed,
    )


def _melted(*batches: ChangeBatch) -> ChangeBatch | None:
    backlog = Backlog()
    for batch in batches:
        backlog.put(batch)
    return backlog.take()


def test_one_batch_comes_out_as_it_went_in() -> None:
    batch = _batch(added=(row("a"),))
    assert _melted(batch) is batch


def test_nothing_waits_at_first_nor_after_taking() -> None:
    backlog = Backlog()
    assert backlog.take() is None
    backlog.put(_batch(added=(row("a"),)))
    backlog.take()
    assert backlog.take() is None


def test_the_totals_are_the_newest() -> None:
    batch = _melted(_batch(added=(row("a"),), unread=1), _batch(added=(row("b"),), unread=2))
    assert batch is not None
    assert batch.totals.unread == 2
    assert names(batch.added) == ["p2p:a", "p2p:b"]


def test_added_then_updated_is_added_as_it_is_now() -> None:
    batch = _melted(_batch(added=(row("a"),)), _batch(updated=(row("a", 2, text="new"),)))
    assert batch is not None
    assert (batch.added, batch.updated) == ((row("a", 2, text="new"),), ())


def test_added_then_removed_is_nothing() -> None:
    assert _melted(_batch(added=(row("a"),)), _batch(removed=(row("a"),))) is None


def test_updated_then_removed_is_removed() -> None:
    batch = _melted(_batch(updated=(row("a"),)), _batch(removed=(row("a"),)))
    assert batch is not None
    assert (batch.updated, names(batch.removed)) == ((), ["p2p:a"])


def test_removed_then_added_is_updated() -> None:
    batch = _melted(_batch(removed=(row("a"),)), _batch(added=(row("a", 2),)))
    assert batch is not None
    assert (batch.removed, batch.added, names(batch.updated)) == ((), (), ["p2p:a"])


def test_one_cause_stays_and_several_become_a_catch_up() -> None:
    first, second = _batch(added=(row("a"),)), _batch(added=(row("b"),))
    third = _batch(added=(row("c"),), cause="command")
    same, mixed = _melted(first, second), _melted(first, second, third)
    assert same is not None
    assert mixed is not None
    assert (same.cause, mixed.cause) == ("message", "catch_up")


_steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.booleans()), min_size=1, max_size=12
)


@given(_steps, st.integers(0, 11))
def test_case30_a_slow_consumer_ends_with_the_same_rows(
    steps: list[tuple[str, int, bool]], start: int
) -> None:
    replica, backlog = Replica(), Backlog()
    seen: dict[Conversation, InboxEntry] = {}
    for version, (name, unread, visible) in enumerate(steps, 1):
        entry = row(name, version, unread=unread)
        if visible:
            found = replica.accept([entry])
        else:
            found = replica.accept(gone=[Gone(entry.conversation, version)])
        if version <= start:
            seen = dict(replica.rows)
        elif found:
            backlog.put(_batch(added=found.added, updated=found.updated, removed=found.removed))
    batch = backlog.take()
    if batch is not None:
        assert not {entry.conversation for entry in batch.added} & set(seen)
        assert {entry.conversation for entry in batch.updated + batch.removed} <= set(seen)
        seen |= {entry.conversation: entry for entry in batch.added + batch.updated}
        for entry in batch.removed:
            del seen[entry.conversation]
    unversioned = {name: (entry.unread, entry.preview) for name, entry in seen.items()}
    assert unversioned == {
        name: (entry.unread, entry.preview) for name, entry in replica.rows.items()
    }
