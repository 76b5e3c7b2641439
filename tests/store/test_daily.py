from datetime import UTC, date, datetime, timedelta

import pytest

from eventum.store.daily import KEPT, Days
from tests.house import House, mail

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def days(house: House) -> Days:
    return house.tracker.daily


def test_counts_of_a_day_add_up_and_each_direction_has_its_own(days: Days) -> None:
    for count in (2, 3, 0):
        days.add("in", count, NOON)
    days.add("out", 1, NOON)
    days.add("in", 1, NOON + timedelta(days=1))
    assert days.counts("in") == {date(2026, 11, 22): 5, date(2026, 11, 23): 1}
    assert days.counts("out") == {date(2026, 11, 22): 1}


def test_a_clock_that_is_ahead_for_a_moment_wipes_nothing_out(days: Days) -> None:
    days.add("in", 1, NOON)
    days.add("in", 1, NOON + timedelta(days=400))
    assert days.counts("in")[NOON.date()] == 1


def test_the_file_does_not_grow_without_bound(days: Days) -> None:
    for day in range(KEPT + 40):
        days.add("in", 1, NOON + timedelta(days=day))
    assert len(days.counts("in")) == KEPT
    assert min(days.counts("in")) == NOON.date() + timedelta(days=40)


@pytest.mark.parametrize("content", [b"", b"{", b'{"days": {"yesterday": 1}}', b'{"days": 7}'])
def test_a_file_that_cannot_be_used_counts_as_none_and_is_begun_anew(house: House, days: Days, content: bytes) -> None:
    house.tracker.layout.daily("in").write_bytes(content)
    assert days.counts("in") == {}
    days.add("in", 4, NOON)
    assert days.counts("in") == {NOON.date(): 4}


def test_mail_that_is_decided_is_counted(house: House) -> None:
    house.arrive(mail("One"), mail("Two"))
    house.arrive(mail("Three"))
    assert house.tracker.daily.counts("in") == {house.now.date(): 3}
    assert house.tracker.daily.counts("out") == {}
