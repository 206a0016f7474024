"""Who may say what when: a table (``docs/protocol.md``, section 2).

Rules of this file:

1. What a device may send depends on the phase alone; the table below is all there is to it.
2. The node learns who speaks from the greeting only, never from a later frame.
"""

from __future__ import annotations

from enum import StrEnum

from recents.core.errors import Code, Refused
from recents.wire.frames import PROTOCOL_VERSION, DeviceFrame, Hello


class Phase(StrEnum):
    """Where a connection stands, as the node sees it."""

    GREETING = "greeting"
    OPEN = "open"
    CLOSED = "closed"


_ALREADY = Refused(Code.ALREADY_GREETED, "hello was said already; open a new connection instead")
_FIRST = Refused(Code.HELLO_FIRST, "say hello before anything else")
_OVER = Refused(Code.CLOSING, "this connection is closed")

TRANSITIONS: dict[tuple[Phase, bool], Phase | Refused] = {
    # (phase, is it a hello?) → next phase, or why not
    (Phase.GREETING, True): Phase.OPEN,
    (Phase.GREETING, False): _FIRST,
    (Phase.OPEN, True): _ALREADY,
    (Phase.OPEN, False): Phase.OPEN,
    (Phase.CLOSED, True): _OVER,
    (Phase.CLOSED, False): _OVER,
}


def step(phase: Phase, frame: DeviceFrame) -> Phase:
    """Return the phase after a frame.

    Raises:
        Refused: the frame may not come in this phase, or speaks another protocol version.
    """
    outcome = TRANSITIONS[phase, isinstance(frame, Hello)]
    if isinstance(outcome, Refused):
        raise Refused(outcome.code, outcome.args[0])
    if isinstance(frame, Hello) and frame.protocol != PROTOCOL_VERSION:
        raise Refused(
            Code.PROTOCOL_VERSION,
            f"this node speaks protocol {PROTOCOL_VERSION}, the device {frame.protocol}; use a "
            "client of the same major version",
            {"supported": PROTOCOL_VERSION},
        )
    return outcome
