import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from eventum.config import Config
from eventum.issues.settings import put
from eventum.mail.envelope import Envelope
from eventum.store.room import Room
from eventum.store.state import FetchState, Run, SendState
from eventum.tracker import alerts
from eventum.tracker.checks import CRITICAL, OK, UNKNOWN, WARNING, Check, Health
from eventum.tracker.health import health
from eventum.tracker.tracker import Tracker
from tests.house import House, mail

CRON = {"download-emails": "*/5 * * * * the download line", "process-queue": "* * * * * the queue line"}


def look(house: House) -> Health:
    return health(house.tracker, CRON)


def named(house: House, name: str) -> Check:
    (check,) = [check for check in look(house).checks if check.name == name]
    return check


def ran(house: House, command: str, minutes: int = 1, summary: str = "") -> None:
    then = house.now - timedelta(minutes=minutes)
    run = Run(command=command, started=then, ended=then, ok=not summary, summary=summary)
    house.tracker.state.save_run(run)


@pytest.fixture
def well(house: House) -> House:
    """A store whose runs come and whose account is fetched."""
    ran(house, "download-emails")
    ran(house, "process-queue")
    house.tracker.state.save_fetch(house.account.id, FetchState(last_success=house.now - timedelta(minutes=1)))
    return house


def test_a_store_whose_runs_come_is_well(well: House) -> None:
    found = look(well)
    assert found.level == OK, found
    assert [check.name for check in found.checks] == [
        *("store", "download-emails", "process-queue", f"account {well.account.id}"),
        *("spool", "queue", "failed", "dead", "disk", "alerts"),
    ]
    assert all(check.advice == "" for check in found.checks)


@pytest.mark.parametrize("command", ["download-emails", "process-queue"])
@pytest.mark.parametrize(("minutes", "level"), [(5, OK), (30, WARNING), (90, CRITICAL)])
def test_a_run_that_does_not_come_is_late_and_then_too_late(
    well: House, command: str, minutes: int, level: int
) -> None:
    ran(well, command, minutes)
    check = named(well, command)
    assert check.level == level
    assert (CRON[command] in check.advice) == (level > OK)


def test_the_first_thing_that_is_forgotten_is_cron(house: House) -> None:
    check = named(house, "download-emails")
    assert (check.level, check.value) == (CRITICAL, "never ran")
    assert CRON["download-emails"] in check.advice and "crontab -e" in check.advice


def test_without_an_account_nothing_has_to_be_fetched(well: House) -> None:
    well.set_account(paused=True)
    ran(well, "download-emails", 9999)
    assert named(well, "download-emails").level == OK
    assert not [check for check in look(well).checks if check.name.startswith("account")]


def test_a_run_that_was_not_all_well_says_why(well: House) -> None:
    ran(well, "process-queue", 1, "the server is away")
    check = named(well, "process-queue")
    assert (check.level, check.advice) == (WARNING, "the server is away")


@pytest.mark.parametrize(
    ("state", "level", "value"),
    [
        (FetchState(), WARNING, "never fetched"),
        (FetchState(error="The password is wrong.", failures=1), WARNING, "failing; it began"),
        (FetchState(error="The password is wrong.", failures=3), CRITICAL, "3 times in a row"),
        (FetchState(error="The disk has too little room."), WARNING, "failing; it began"),
        (FetchState(passed_over=("17: too large",)), WARNING, "1 mail could not be fetched"),
    ],
)
def test_an_account_says_what_is_wrong_with_it(well: House, state: FetchState, level: int, value: str) -> None:
    since = well.now - timedelta(hours=5)
    if state.error or state.passed_over:
        state = msgspec.structs.replace(state, last_success=since, error_since=since if state.error else None)
    well.tracker.state.save_fetch(well.account.id, state)
    check = named(well, f"account {well.account.id}")
    assert (check.level, value in check.value) == (level, True), check
    assert (state.error or "") in check.advice


def accepted(house: House, minutes: int) -> None:
    house.tracker.spool.accept([(Envelope(destination=house.account.id, received=house.now), mail())])
    (path,) = (house.tracker.layout.incoming / "new").iterdir()
    then = (house.now - timedelta(minutes=minutes)).timestamp()
    os.utime(path, (then, then))


@pytest.mark.parametrize(("minutes", "level"), [(5, OK), (30, WARNING), (90, CRITICAL)])
def test_mail_must_not_wait_long_to_be_decided(well: House, minutes: int, level: int) -> None:
    accepted(well, minutes)
    check = named(well, "spool")
    assert (check.level, check.value.startswith("1 mail ")) == (level, True)


@pytest.mark.parametrize(("minutes", "level"), [(5, OK), (30, WARNING), (90, CRITICAL)])
def test_mail_must_not_wait_long_to_be_sent(well: House, minutes: int, level: int) -> None:
    well.arrive(mail())
    then = (well.now - timedelta(minutes=minutes)).timestamp()
    for path in (well.tracker.layout.outgoing / "new").iterdir():
        os.utime(path, (then, then))
    ran(well, "process-queue", 1, "smtp.example.org:25 refused the connection")
    check = named(well, "queue")
    assert check.level == level
    assert ("refused the connection" in check.advice) == (level > OK)


def test_what_is_put_off_counts_from_when_it_is_due(well: House) -> None:
    well.arrive(mail())
    entry = well.tracker.outbox.claim(well.tracker.outbox.due()[0])
    assert entry is not None
    for path in (well.tracker.layout.outgoing / "new").iterdir():
        path.unlink()
    well.tracker.outbox.defer(entry, "450 later")
    assert named(well, "queue").value == "0 mails due, 1 waits in all"


def test_what_needs_a_person_is_told(well: House) -> None:
    well.arrive(mail())
    entry = well.tracker.outbox.claim(well.tracker.outbox.due()[0])
    assert entry is not None
    well.tracker.outbox.failed(entry, "550 no")
    accepted(well, 1)
    (bad,) = well.tracker.spool.claim(well.tracker.spool.waiting())
    well.tracker.spool.bury(bad, "it broke the reader", 3)
    assert (named(well, "failed").level, named(well, "dead").level) == (WARNING, CRITICAL)


@pytest.mark.parametrize(
    ("free", "inodes", "level"),
    [
        (10**10, 0.5, OK),
        (10**9 // 2, 0.5, WARNING),
        (10**7, 0.5, CRITICAL),
        (10**10, 0.02, WARNING),
        (10**10, 0, CRITICAL),
    ],
)
def test_a_disk_that_fills_is_told(well: House, free: int, inodes: float, level: int) -> None:
    well.room = Room(free=free, total=10**12, files=int(inodes * 10**6), all_files=10**6)
    assert named(well, "disk").level == level


def test_a_disk_below_the_limit_of_the_general_setup_is_critical_and_says_that_no_mail_is_fetched(well: House) -> None:
    general = put(well.tracker.settings.general(), "disk.min_free", "5000")
    well.tracker.settings.save_general(general)
    well.room = Room(free=3 * 10**9, total=10**12, files=None)
    check = named(well, "disk")
    assert check.level == CRITICAL
    assert "less than disk.min_free (5000 MB)" in check.hint


def test_a_server_that_takes_no_mail_is_shown_at_once_although_the_mail_about_it_waits(well: House) -> None:
    since = well.now - timedelta(minutes=5)
    state = SendState(error="smtp:25 refuses connections.", error_since=since, next_try=well.now + timedelta(minutes=4))
    well.tracker.state.save_sending(state)
    check = named(well, "queue")
    assert (check.level, check.words) == (WARNING, "smtp:25 refuses connections.")
    assert check.hint == "It is tried again at 12:04 UTC."
    well.now += timedelta(days=1)
    assert named(well, "queue").level == CRITICAL


def test_a_trouble_that_no_other_check_shows_is_shown(well: House) -> None:
    alerts.raised(well.tracker, "fuse", "Too much mail came from a@x.example.", line="flask status")
    check = named(well, "alerts")
    assert (check.level, check.words) == (WARNING, "Too much mail came from a@x.example.")


def test_an_account_that_waits_says_until_when(well: House) -> None:
    state = FetchState(
        error="no",
        error_since=well.now,
        failures=3,
        next_try=well.now + timedelta(minutes=2),
        tried=well.account.revision,
    )
    well.tracker.state.save_fetch(well.account.id, state)
    assert "tried again at 12:02 UTC" in named(well, f"account {well.account.id}").hint


Break = Callable[[House], Path]


@pytest.mark.parametrize(
    ("broken", "name", "level"),
    [
        (lambda house: house.tracker.layout.users / f"{house.dev.id}.json", "store", CRITICAL),
        (lambda house: house.tracker.layout.account(house.account.id), "store", CRITICAL),
        (lambda house: house.tracker.layout.general, "store", UNKNOWN),
        (lambda house: house.tracker.layout.runs / "process-queue.json", "process-queue", UNKNOWN),
        (lambda house: house.tracker.layout.fetch_of(house.account.id), "account", UNKNOWN),
    ],
)
def test_a_damaged_file_is_named_and_hides_no_other_check(well: House, broken: Break, name: str, level: int) -> None:
    path = broken(well)
    path.write_bytes(b"{")
    check = named(well, f"account {well.account.id}" if name == "account" else name)
    assert (check.level, str(path) in check.advice) == (level, True)
    assert named(well, "disk").level == OK


def test_something_broken_for_certain_says_more_than_what_cannot_be_told(well: House) -> None:
    (well.tracker.layout.runs / "process-queue.json").write_bytes(b"{")
    assert look(well).level == UNKNOWN
    ran(well, "download-emails", 90)
    assert look(well).level == CRITICAL


def test_a_store_that_cannot_be_used_cannot_be_told(tmp_path: Path) -> None:
    tracker = Tracker(Config(data=tmp_path / "data", secret_file=tmp_path / "secret.json"))
    found = health(tracker, CRON)
    assert (found.level, [check.name for check in found.checks]) == (UNKNOWN, ["store"])
    assert "flask init" in found.checks[0].advice


def test_a_run_of_a_clock_that_was_ahead_does_not_hide_a_cron_that_died(well: House) -> None:
    ran(well, "process-queue", minutes=-60 * 24 * 365)
    check = named(well, "process-queue")
    assert check.level == WARNING
    assert "to come" in check.value
    assert CRON["process-queue"] in check.advice
