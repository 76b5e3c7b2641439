"""What was noted by a clock that was ahead: it must not rule until that time comes."""

import os
from datetime import timedelta

import pytest

from eventum.issues.fuse import Tally
from eventum.mail.envelope import Envelope
from eventum.tracker import drafts, invitations, presence
from eventum.tracker.drafts import form_of
from tests.house import NOW, House, mail

YEAR = timedelta(days=365)


def thanked(house: House, count: int, first: int = 0) -> int:
    """How many of so many new mails of Ana are acknowledged."""
    before = house.told().count(("acknowledgement", "ana@customer.example"))
    for at in range(first, first + count):
        house.arrive(mail(f"Question {at}", Date=None))
    return house.told().count(("acknowledgement", "ana@customer.example")) - before


def test_who_was_thanked_often_next_year_is_thanked_today(house: House) -> None:
    house.now = NOW + YEAR
    most = thanked(house, 12)
    assert 0 < most < 12
    house.now = NOW
    assert thanked(house, 1, 12) == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), YEAR])
def test_nobody_is_believed_to_write_until_a_time_that_is_far(house: House, ahead: timedelta) -> None:
    house.arrive(mail())
    house.now = NOW + ahead
    presence.writes(house.tracker, 1, house.dev)
    drafts.keep(house.tracker, house.dev, form_of(1, "note"), {"text": "So far."})
    other = house.user("sue")
    assert presence.others(house.tracker, 1, other) == ("Dev",)
    house.now = NOW
    assert presence.others(house.tracker, 1, other) == ()
    assert drafts.is_fresh(house.tracker, house.dev, 1) == (ahead < timedelta(hours=1))


def test_a_link_that_would_last_longer_than_any_is_dead(house: House) -> None:
    invitations.invite(house.tracker, house.dev)
    assert invitations.invitation(house.tracker, house.dev) is not None
    house.now = NOW - timedelta(hours=1)
    assert invitations.invitation(house.tracker, house.dev) is not None
    house.now = NOW - YEAR
    assert invitations.invitation(house.tracker, house.dev) is None


def test_the_fuse_counts_on_when_the_clock_is_right_again() -> None:
    tally = Tally()
    tally.add("issue 1", NOW + YEAR)
    again = Tally(tally.counts(NOW))
    assert [again.add("issue 1", NOW) for _ in range(3)] == [1, 2, 3]


def test_what_comes_after_what_waits_is_decided_after_it(house: House) -> None:
    def accept(raw: bytes) -> str:
        (key,) = house.tracker.spool.accept([(Envelope(destination=house.account.id, received=house.now), raw)])
        return key

    first = accept(mail("One"))
    (waiting,) = house.tracker.spool.waiting()
    # The clock was an hour ahead then; this is the next run.
    os.utime(waiting.path, ns=(waiting.arrival_ns + 3_600 * 10**9,) * 2)
    house.tracker.close()
    house.tracker.__dict__.pop("spool", None)
    second = accept(mail("Two"))
    assert [entry.key for entry in house.tracker.spool.waiting()] == [first, second]
