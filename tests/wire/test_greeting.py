"""Who may say what when (docs/protocol.md, section 2)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.errors import Code, Refused
from recents.wire.frames import PROTOCOL_VERSION, DeviceFrame, Hello, MyTeams
from recents.wire.greeting import TRANSITIONS, Phase, step
from tests.wire.frames_for_tests import DEVICE_FRAMES

HELLO = Hello(protocol=PROTOCOL_VERSION, account="alice", token="secret")
QUESTION = MyTeams(id="1")


def test_the_table_has_every_case() -> None:
    assert set(TRANSITIONS) == {(phase, hello) for phase in Phase for hello in (True, False)}


def test_hello_opens() -> None:
    assert step(Phase.GREETING, HELLO) is Phase.OPEN


def test_open_it_stays_open() -> None:
    assert step(Phase.OPEN, QUESTION) is Phase.OPEN


@pytest.mark.parametrize(
    ("phase", "frame", "code"),
    [
        (Phase.GREETING, QUESTION, Code.HELLO_FIRST),
        (Phase.OPEN, HELLO, Code.ALREADY_GREETED),
        (Phase.CLOSED, HELLO, Code.CLOSING),
        (Phase.CLOSED, QUESTION, Code.CLOSING),
    ],
)
def test_everything_else_is_refused(phase: Phase, frame: DeviceFrame, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        step(phase, frame)
    assert refused.value.code is code


@pytest.mark.parametrize("protocol", [0, 2, -1, 10**300])
def test_another_version_is_refused_and_told_which_one_is_spoken(protocol: int) -> None:
    with pytest.raises(Refused) as refused:
        step(Phase.GREETING, msgspec.structs.replace(HELLO, protocol=protocol))
    assert refused.value.code is Code.PROTOCOL_VERSION
    assert refused.value.details == {"supported": PROTOCOL_VERSION}


def test_refusals_are_made_anew_each_time() -> None:
    """One that is raised twice would drag the first one's traceback along."""
    raised = []
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            step(Phase.GREETING, QUESTION)
        raised.append(refused.value)
    assert raised[0] is not raised[1]


@given(st.lists(st.sampled_from(DEVICE_FRAMES), max_size=12), st.integers())
def test_any_conversation_follows_the_table(said: list[DeviceFrame], protocol: int) -> None:
    phase = Phase.GREETING
    for frame in [*said, msgspec.structs.replace(HELLO, protocol=protocol)]:
        expected = TRANSITIONS[phase, isinstance(frame, Hello)]
        wrong_version = isinstance(frame, Hello) and frame.protocol != PROTOCOL_VERSION
        if isinstance(expected, Refused) or wrong_version:
            with pytest.raises(Refused) as refused:
                step(phase, frame)
            assert refused.value.code is getattr(expected, "code", Code.PROTOCOL_VERSION)
        else:
            phase = step(phase, frame)
            assert phase is expected
