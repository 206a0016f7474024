"""Two steps in a row become one."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from recents.client.store.memory import MemoryDeviceStore
from recents.client.store.port import Step
from recents.client.unsaved import is_empty, melted
from recents.core.commands import Delete
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.pending import Pending
from recents.core.replica import Gone
from recents.core.totals import Totals
from tests.client.fake_node import row, token

_names = st.sampled_from("abc")
_numbers = st.integers(1, 4)


def _message(seq: int) -> Message:
    return Message(seq=seq, ordinal=seq, sender="bob", client_id=f"{seq}", time_ms=seq)


def _pending(number: int, seq: int) -> Pending:
    command = Delete(id=f"d{number}", conversation=Conversation("p2p:a"), upto_seq=seq)
    return Pending(number=number, command=command, at_ms=1)


@st.composite
def _steps(draw: st.DrawFn, version: int) -> Step:
    shown = draw(st.dictionaries(_names, st.booleans()))
    # What is cleared is older than what comes later.
    cleared = draw(st.integers(0, 3)) if version == 2 else 0
    rows = (row(name, version, text=f"{version}") for name, here in shown.items() if here)
    gone = (name for name, here in shown.items() if not here)
    said = draw(st.dictionaries(_names, st.lists(_numbers, unique=True, min_size=1)))
    put = draw(st.lists(_numbers, unique=True))
    return Step(
        rows=tuple(rows),
        gone=tuple(Gone(Conversation(f"p2p:{name}"), version, cleared) for name in gone),
        replaces_all=draw(st.booleans()),
        token=draw(st.none() | st.just(token(version))),
        totals=draw(st.none() | st.just(Totals(unread=version))),
        messages={
            Conversation(f"p2p:{name}"): tuple(
                _message(seq + 4 * (version - 1)) for seq in sorted(seqs)
            )
            for name, seqs in said.items()
        },
        amended={
            Conversation(f"p2p:{name}"): tuple(
                msgspec.structs.replace(_message(seq), text=f"v{version}") for seq in sorted(seqs)
            )
            for name, seqs in draw(
                st.dictionaries(_names, st.sets(st.integers(1, 8), min_size=1))
            ).items()
        },
        forgets_messages=draw(st.booleans()),
        # A command that left does not come back: numbers are used once.
        outbox=tuple(_pending(10 * version + number, version) for number in put),
        settled=tuple(draw(st.sets(st.integers(10, 10 * version + 4)))),
        clock_ahead_ms=draw(st.none() | st.just(version)),
    )


async def _kept(*steps: Step) -> object:
    store = MemoryDeviceStore(lambda: "d1")
    await store.open()
    for step in steps:
        await store.commit(step)
    names = [Conversation(f"p2p:{name}") for name in "abc"]
    said = [await store.messages(name, 99, 99) for name in names]
    return await store.open(), await store.rows_after(None, 99), said


@settings(max_examples=300)
@given(_steps(1), _steps(2))
def test_C3_one_step_keeps_what_both_would_have_kept(earlier: Step, later: Step) -> None:
    both = _done(_kept(earlier, later))
    assert _done(_kept(melted(earlier, later))) == both


def _done(coroutine: object) -> object:
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except StopIteration as end:
        return end.value
    raise AssertionError("the store in memory never waits")


def test_one_that_must_be_durable_makes_both_durable() -> None:
    durable, other = Step(durable=True), Step()
    for one, two in itertools.product((durable, other), repeat=2):
        assert melted(one, two).durable == (one.durable or two.durable)


def test_a_step_that_changes_nothing_is_empty() -> None:
    assert is_empty(Step())
    assert is_empty(Step(durable=True))
    assert not is_empty(Step(settled=(1,)))
    assert not is_empty(Step(clock_ahead_ms=0))
