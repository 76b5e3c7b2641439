"""The loop fuse at work: mail that comes too often is kept and shown, and told later or to nobody."""

from datetime import timedelta

import msgspec
import pytest

from eventum.issues.explain import sentences
from eventum.issues.settings import Fuse
from eventum.runners.outgoing import Outgoing
from eventum.tracker import alerts, fuses, queues
from eventum.tracker.disposition import Disposition
from tests.house import House, mail


@pytest.fixture
def house(house: House) -> House:
    """The house with a fuse that blows soon."""
    limit(house, address=3, new_issues=3, domain=8, issue=6, acknowledgements=4)
    return house


def limit(house: House, **limits: int) -> None:
    general = house.tracker.settings.general()
    house.tracker.settings.save_general(msgspec.structs.replace(general, fuse=Fuse(**limits)))


def answers(count: int, start: int = 0, sender: str = "ana@customer.example", **headers: str) -> list[bytes]:
    return [
        mail(f"Re: {n}", f"Text {n} of {sender}", From=sender, In_Reply_To="<root@x>", Message_ID=f"<{n}.{sender}>")
        for n in range(start, start + count)
    ]


def opened(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))


def outcomes(told: list[Disposition]) -> list[str]:
    return [one.outcome for one in told]


def counted(house: House) -> dict[str, int]:
    return {name: count for name, count in house.tracker.outbox.count().items() if count}


def kinds(house: House, status: str) -> list[str]:
    return [entry.posting.type for entry in house.tracker.outbox.entries(status)]


def test_mail_beyond_the_limit_is_filed_and_its_notices_wait(house: House) -> None:
    opened(house)
    before = len(house.queued())
    told = house.arrive(*answers(5))
    assert outcomes(told) == ["filed"] * 5
    assert house.issue(1).emails == 6
    assert (kinds(house, "pending")[before:], kinds(house, "held")) == (["email"] * 3, ["email"] * 2)


def test_beyond_twice_the_limit_nobody_is_told(house: House) -> None:
    opened(house)
    house.arrive(*answers(9))
    assert house.issue(1).emails == 10
    assert (kinds(house, "held"), kinds(house, "pending").count("email")) == (["email"] * 3, 3)


def test_the_count_goes_on_from_run_to_run(house: House) -> None:
    opened(house)
    for n in range(5):
        house.arrive(*answers(1, n))
    assert kinds(house, "held") == ["email"] * 2


def test_why_says_it(house: House) -> None:
    opened(house)
    told = house.arrive(*answers(9))
    assert "Too many mails of its sender to this issue within an hour (4/3). -> its notices wait" in sentences(
        told[3].trace
    )
    assert "Far too many such mails came within an hour (7/3). -> nobody is told" in sentences(told[6].trace)
    assert not [row for row in told[2].trace if row.table == "fuse"]


def test_what_would_open_too_many_issues_waits_for_a_person(house: House) -> None:
    told = house.arrive(*(mail(f"New {n}", Message_ID=f"<{n}@x>") for n in range(5)))
    assert outcomes(told) == ["new_issue"] * 3 + ["unassociated"] * 2
    assert told[-1].trace[-1].rule == "opens_too_many"
    assert house.tracker.pool.outcome(house.account.id, told[-1].key) == "unassociated"


def test_many_senders_of_one_domain_are_counted_together(house: House) -> None:
    told = house.arrive(
        *(mail(f"New {n}", From=f"u{n}@customer.example", Message_ID=f"<{n}@x>") for n in range(10)),
        mail("Another", From="b@other.example"),
    )
    assert outcomes(told) == ["new_issue"] * 8 + ["unassociated"] * 2 + ["new_issue"]


def test_staff_is_no_domain(house: House) -> None:
    limit(house, address=0, new_issues=0, domain=2, issue=0)
    opened(house)
    house.arrive(*answers(4, sender="dev@example.org"))
    assert kinds(house, "held") == []


def test_many_senders_into_one_issue_are_counted_together(house: House) -> None:
    opened(house)
    for n in range(8):
        house.arrive(*answers(1, n, sender=f"u{n}@d{n}.example"))
    assert kinds(house, "held") == ["blocked"] * 2


@pytest.mark.parametrize("kind", ["Auto-Submitted: auto-replied", "Precedence: bulk"])
def test_what_programs_mark_as_theirs_is_not_counted(house: House, kind: str) -> None:
    opened(house)
    house.arrive(*(kind.encode() + b"\r\n" + raw for raw in answers(9)))
    assert kinds(house, "held") == [] and house.tracker.fuses.load().blown == {}


def test_mail_that_is_told_to_nobody_anyway_is_not_counted(house: House) -> None:
    house.set_account(quiet_before="2026-11-01")
    old = (mail(f"Old {n}", Date="Sat, 31 Oct 2026 11:00:00 +0000", Message_ID=f"<{n}@x>") for n in range(9))
    assert outcomes(house.arrive(*old)) == ["new_issue"] * 9


@pytest.mark.parametrize("day", ["Sat, 21 Nov 2026", "Fri, 30 Oct 2026", "Thu, 05 Mar 2020"])
def test_mail_of_a_weekend_or_of_years_that_is_fetched_at_once_did_not_come_at_once(house: House, day: str) -> None:
    opened(house)
    late = [f"Received: by mx; {day} {n + 10}:00:00 +0000\r\n".encode() + raw for n, raw in enumerate(answers(9))]
    house.arrive(*late)
    assert kinds(house, "held") == []


def test_the_administrators_are_told_once_and_again_when_it_is_over(house: House) -> None:
    opened(house)
    house.arrive(*answers(5))
    house.arrive(*answers(5, 5), *(mail(f"New {n}", Message_ID=f"<n{n}@x>") for n in range(5)))
    alerts.tell(house.tracker)
    assert kinds(house, "pending").count("alert") == 1
    house.now += timedelta(minutes=66)
    house.arrive(mail("Something else", From="b@other.example"))
    alerts.tell(house.tracker)
    assert kinds(house, "pending").count("alert") == 2
    assert house.tracker.fuses.load().blown == {}


def test_after_a_quiet_hour_what_was_held_is_sent(house: House) -> None:
    opened(house)
    house.arrive(*answers(5))
    house.now += timedelta(minutes=30)
    assert fuses.release(house.tracker) == 0
    house.now += timedelta(minutes=36)
    Outgoing(house.tracker).work()
    assert kinds(house, "held") == []
    assert kinds(house, "pending").count("email") == 5


def test_a_mail_in_between_makes_the_hour_begin_anew(house: House) -> None:
    opened(house)
    house.arrive(*answers(5))
    house.now += timedelta(minutes=40)
    house.arrive(*answers(1, 5))
    house.now += timedelta(minutes=40)
    assert fuses.release(house.tracker) == 0
    house.now += timedelta(minutes=26)
    assert fuses.release(house.tracker) == 3


def test_a_person_sends_what_is_held(house: House) -> None:
    opened(house)
    house.arrive(*answers(4))
    (row,) = queues.queued(house.tracker, "held")
    assert row["hold"] == "address ana@customer.example 1"
    queues.retry(house.tracker, str(row["id"]))
    assert kinds(house, "held") == []


def test_a_person_sends_all_that_is_held(house: House) -> None:
    opened(house)
    house.arrive(*answers(5))
    assert len(queues.send_all_held(house.tracker)) == 2
    assert queues.send_all_held(house.tracker) == [] and kinds(house, "held") == []


@pytest.mark.parametrize(
    ("counter", "sentence"),
    [
        ("address ana@x.example 4", "Too many mails of ana@x.example came into issue #4 within an hour."),
        ("address ana@x.example new", "Too many mails of ana@x.example opened issues within an hour."),
        ("address  4", "Too many mails of an unknown sender came into issue #4 within an hour."),
        ("domain x.example", "Too many mails of the domain x.example came within an hour."),
        ("issue 4", "Too many mails came into issue #4 within an hour."),
    ],
)
def test_what_blew_is_said_as_a_person_would(counter: str, sentence: str) -> None:
    assert str(fuses.cause(counter)) == sentence


def test_an_hour_of_forged_senders_brings_few_acknowledgements(house: House) -> None:
    told = house.arrive(*(mail(f"New {n}", From=f"v@d{n}.example", Message_ID=f"<{n}@x>") for n in range(9)))
    assert outcomes(told) == ["new_issue"] * 9
    assert kinds(house, "pending").count("acknowledgement") == 4
    assert "Enough acknowledgements within an hour, to whomever (4/4). -> no mail" in sentences(told[-1].trace)
    house.now += timedelta(minutes=66)
    house.arrive(mail("Later", From="v@later.example"))
    assert kinds(house, "pending").count("acknowledgement") == 5


def test_no_limit_is_no_limit(house: House) -> None:
    limit(house, address=0, new_issues=0, domain=0, issue=0, acknowledgements=0)
    opened(house)
    house.arrive(*answers(40))
    assert kinds(house, "held") == []


def test_what_is_noted_does_not_grow_without_bound(house: House) -> None:
    from eventum.issues.fuse import MOST_NAMES, Tally

    tally = Tally()
    for n in range(MOST_NAMES + 50):
        tally.add(f"domain d{n}", house.now)
    kept = tally.counts(house.now)
    assert len(kept) == MOST_NAMES and f"domain d{MOST_NAMES + 49}" in kept
    assert tally.counts(house.now + timedelta(hours=4)) == {}
    for minute in range(0, 6000, 5):
        tally.add("issue 1", house.now + timedelta(minutes=minute))
    assert len(tally.counts(house.now + timedelta(minutes=5995))["issue 1"]) <= 24


def test_a_file_that_cannot_be_used_stops_no_mail(house: House) -> None:
    opened(house)
    house.tracker.layout.fuse.write_text("{")
    assert outcomes(house.arrive(*answers(1))) == ["filed"]
