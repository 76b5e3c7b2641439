"""The short form of the weeks away: each side once or twice for a few hours, and one broken copy that is found."""

import pytest

from tests.faults import away
from tests.faults.given import Given


@pytest.mark.parametrize("name", list(away.ROWS))
def test_weeks_away_lose_double_hammer_and_hide_nothing(name: str) -> None:
    for result in away.ROWS[name](Given(short=True)):
        assert result.is_well, result
