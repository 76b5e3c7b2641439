"""A site on a small store, and browsers that are logged in to it: pages are fetched and their own forms are sent."""

from collections.abc import Iterator

import pytest

from tests.house import House
from tests.web.browser import Site


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    """The web interface of `house`."""
    site = Site(house)
    yield site
    site.close()
