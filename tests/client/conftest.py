"""What the SDK's tests share."""

import pytest

from tests.client.fake_node import FakeNode


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()
