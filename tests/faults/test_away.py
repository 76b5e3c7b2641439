"""The short form of the weeks away: each side once or twice for a few hours, and one broken copy that is found."""

from tests.faults import away
from tests.faults.short import rows


def test_weeks_away_lose_double_hammer_and_hide_nothing() -> None:
    assert set(rows(*away.ROWS)) == set(away.ROWS)
