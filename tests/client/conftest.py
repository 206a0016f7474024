"""What the SDK's tests share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from recents.server.store.memory import MemoryStore
from tests.cases.world import World
from tests.client.fake_node import FakeNode


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A real node, for what a script cannot say."""
    here = World(MemoryStore())
    await here.node.start()
    yield here
    await here.close()
