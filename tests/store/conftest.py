"""An empty store, and the parts of one run on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import Maker
from tests.store.parts import Parts


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.create()
    return layout


@pytest.fixture
def locks(layout: Layout) -> Locks:
    return Locks(layout)


@pytest.fixture
def maker(layout: Layout, locks: Locks) -> Iterator[Maker]:
    maker = Maker(layout, locks)
    yield maker
    maker.close()


@pytest.fixture
def parts(layout: Layout) -> Iterator[Parts]:
    parts = Parts(layout)
    yield parts
    parts.close()
