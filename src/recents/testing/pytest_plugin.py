"""Fixtures for pytest: ``pytest_plugins = ["recents.testing.pytest_plugin"]`` in a conftest.

An ``async def`` test that takes ``world`` runs in virtual time, without any other plugin; give it
no mark of another one. ``@pytest.mark.world(seed=7, faults=Faults(lose=0.1))`` sets the world up.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from recents.testing.clock import run
from recents.testing.oracle import Oracle
from recents.testing.world import World


def pytest_configure(config: pytest.Config) -> None:
    """Announce the mark."""
    config.addinivalue_line(
        "markers", "world(**options): how the test's world is made; see recents.testing.World"
    )


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """A node without accounts, which runs while the test does."""
    mark = request.node.get_closest_marker("world")
    return World(**(mark.kwargs if mark else {}))


@pytest.fixture
def oracle(world: World) -> Oracle:
    """What everybody in the world must see, once it has settled."""
    return world.oracle


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test in its world."""
    made = pyfuncitem.funcargs.get("world")
    if not isinstance(made, World) or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    run(_in(made, pyfuncitem.obj, {name: pyfuncitem.funcargs[name] for name in names}))
    return True


async def _in(made: World, test: Any, arguments: dict[str, Any]) -> None:  # noqa: ANN401  # a test
    async with made:
        await test(**arguments)
