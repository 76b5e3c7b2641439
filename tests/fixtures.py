"""Fixtures for every folder of tests that works on a whole store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A small store of its own."""
    house = House(tmp_path)
    yield house
    house.tracker.close()
