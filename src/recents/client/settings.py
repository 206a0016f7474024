"""What an application can set about its client, with units, defaults and reasons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and patience of a client.

    Attributes:
        open_timeout_s: seconds within which the first page must be there when a client opens.
            Long enough for a node that is just starting.
        request_timeout_s: seconds that one call waits for its answer, across reconnects.
        greeting_timeout_s: seconds to reach the node and be welcomed, in one attempt.
        first_delay_s: seconds before the first reconnect, in the mean; doubles each time.
        longest_delay_s: seconds between two attempts at most.
        unanswered_requests: questions that may wait for an answer at the same time; one more is
            ``Unavailable`` at once, so that memory stays bounded while no node answers.
        outbox_commands: commands that may be on their way; one more is ``Unavailable`` at once.
            A person gives some hundred on a long flight.
        closing_s: seconds that closing waits for commands to get through while there is a
            connection; what does not is sent when the client is opened the next time.
        requests_in_flight: requests on the wire at the same time; a node reads no further.
    """

    open_timeout_s: float = 10.0
    request_timeout_s: float = 30.0
    greeting_timeout_s: float = 10.0
    first_delay_s: float = 0.2
    longest_delay_s: float = 30.0
    unanswered_requests: int = 10_000
    outbox_commands: int = 10_000
    closing_s: float = 5.0
    requests_in_flight: int = 256
