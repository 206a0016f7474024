"""What the tests of the node share: a running node, by default on a store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from tests.server.devices import Company

Founder = Callable[..., Awaitable[Company]]


@pytest_asyncio.fixture
async def found() -> AsyncIterator[Founder]:
    """Start companies on a store of choice, with settings of choice; all are stopped."""
    companies: list[Company] = []

    async def start(settings: Settings | None = None, store: Store | None = None) -> Company:
        company = Company(store or MemoryStore(), settings)
        await company.node.start()
        companies.append(company)
        return company

    yield start
    for company in companies:
        await company.node.stop()


@pytest_asyncio.fixture
async def company(found: Founder) -> Company:
    """Return a running node with nobody in it."""
    return await found()
