"""Where a client stands towards its node."""

from __future__ import annotations

from typing import Literal

State = Literal["offline", "connecting", "syncing", "synced"]
"""``offline``: no connection, waiting or at an end; ``connecting``: reaching for the node;
``syncing``: connected, the list is not yet as the node has it; ``synced``: it is, and stays so."""
