"""What the client needs of a way to its node.

Rules of this file:

1. Messages arrive whole, once and in order, or the connection ends. Deflated ones are inflated.
2. A failure to connect or to send is ``Unavailable``, in a sentence for the user's eyes; an end
   while receiving is None.
"""

from __future__ import annotations

from typing import Protocol

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""A node sends 500 rows in a frame, some 200 KB; the rest is room for the messages in it. What
is larger ends the connection, and the next catch-up brings the rows without them."""


class Connection(Protocol):
    """A connection to a node, greeted or not."""

    async def send(self, message: str) -> None:
        """Send a text message; waits where much is unsent.

        Raises:
            Unavailable: the connection is lost.
        """

    async def receive(self) -> str | None:
        """Return the next text message; None when the connection has ended, however.

        Raises:
            PeerMistake: the node sent something else than text, deflated or not.
        """

    async def close(self) -> None:
        """End the connection and let go of everything; again and again if need be."""


class Link(Protocol):
    """The way to one node."""

    async def open(self) -> Connection:
        """Connect.

        Raises:
            Unavailable: the node cannot be reached, saying what to do about it.
        """
