"""Public fakes for tests: virtual time, whole worlds in one process, faults, and the oracle.

``docs/testing.md`` shows what to do with them.
"""

from recents.testing.clock import run
from recents.testing.device import Device
from recents.testing.faults import Faults
from recents.testing.oracle import Oracle
from recents.testing.world import World

__all__ = ["Device", "Faults", "Oracle", "World", "run"]
