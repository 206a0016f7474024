"""The same laws over many more and longer histories, for the heavy run."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.laws.test_node_histories import OnMemory, OnSqlite

_LONG = settings(
    max_examples=250,
    stateful_step_count=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class LongOnMemory(OnMemory):
    """Long histories on the store that forgets."""


class LongOnSqlite(OnSqlite):
    """Long histories on the embedded store."""


TestLongOnMemory = LongOnMemory.TestCase
TestLongOnMemory.settings = _LONG
TestLongOnMemory = pytest.mark.heavy(pytest.mark.timeout(900)(TestLongOnMemory))

TestLongOnSqlite = LongOnSqlite.TestCase
TestLongOnSqlite.settings = settings(_LONG, max_examples=100)
TestLongOnSqlite = pytest.mark.heavy(pytest.mark.timeout(900)(TestLongOnSqlite))
