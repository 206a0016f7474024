"""What the tests of the command line share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import AtNode, Place, clean_environment, serving


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtNode]:
    with serving(tmp_path_factory.mktemp("node")) as at:
        yield at


@pytest.fixture
def nowhere(tmp_path: Path) -> Place:
    """A folder without a node: port 1 answers nobody."""
    return Place(tmp_path, clean_environment(RECENTS_NODE="http://127.0.0.1:1"))
