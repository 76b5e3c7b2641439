"""How old a thing is when the clock cannot be believed."""

import pytest

from eventum.store import age

HOUR, DAY, YEAR = 3600.0, 86400.0, 366 * 86400.0
BEGIN = 1_790_000_000.0


def hourly(count: int, begin: float = BEGIN) -> list[float]:
    return [begin + HOUR * at for at in range(count)]


def test_what_came_before_a_day_of_looks_is_a_day_old() -> None:
    assert age.before(hourly(24), DAY) is None
    assert age.before(hourly(25), DAY) == BEGIN
    assert age.before(hourly(30), DAY) == BEGIN + 5 * HOUR


@pytest.mark.parametrize("jump", [DAY, YEAR, -HOUR, -YEAR])
def test_a_jump_is_at_most_a_short_pause(jump: float) -> None:
    assert age.before([*hourly(10), *hourly(10, BEGIN + jump)], DAY) is None


def test_what_came_after_the_clock_was_right_again_is_young() -> None:
    looks = [*hourly(30, BEGIN + YEAR), *hourly(2)]
    assert age.before(looks, DAY) == BEGIN
    assert age.before([], DAY) is None


def test_attempts_count_by_the_days_on_which_there_were_some() -> None:
    assert age.asked_for([], BEGIN) == 0
    assert age.asked_for([BEGIN], BEGIN + YEAR) == DAY
    assert age.asked_for([BEGIN + YEAR, BEGIN], BEGIN + HOUR) == HOUR
    assert age.asked_for([BEGIN, BEGIN + HOUR], BEGIN + 2 * HOUR) == 2 * HOUR
