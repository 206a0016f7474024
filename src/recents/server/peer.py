"""The way to one connected device, whatever carries it."""

from __future__ import annotations

from typing import Protocol


class Peer(Protocol):
    """The sending side of a connection; a door makes one for each device."""

    async def send(self, message: bytes, *, deflated: bool = False) -> None:
        """Send a text message, or a deflated one, which is binary.

        Never waits for the device, so that a slow one holds nobody up: who has much to send calls
        ``drained`` in between. Never raises: a dead peer is noticed by the reading side.
        """

    def backlog(self) -> int:
        """Return the bytes that are not yet on the wire."""

    async def drained(self, backlog: int) -> None:
        """Return when at most this many bytes are unsent, or the connection is over."""

    async def close(self, reason: str) -> None:
        """Close the connection, giving a reason; waits a moment at most for the device."""
