"""What happens while a server is away, for minutes or for weeks: who is tried when, and who is told."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from eventum.issues.accounts import Account
from eventum.issues.settings import Smtp, put
from eventum.runners.fetch import Fetch
from eventum.runners.fetching import Download, fetchable
from eventum.runners.outgoing import Outgoing, Sent
from eventum.runners.runner import running
from eventum.store.room import Room
from eventum.tracker import alerts, patience
from tests.house import House, mail
from tests.servers import scripted
from tests.servers.dovecot import free_ports
from tests.servers.smtp_sink import Sink

MINUTE = timedelta(minutes=1)


def box(house: House) -> Path:
    """The Maildir that the house's account is fetched from."""
    return house.root / "box-0"


def there(house: House) -> None:
    for name in ("tmp", "new", "cur"):
        (box(house) / name).mkdir(parents=True, exist_ok=True)


def away(house: House) -> None:
    box(house).rename(house.root / "away")


def back(house: House) -> None:
    (house.root / "away").rename(box(house))


def cron(house: House, *, insist: bool = False) -> Fetch:
    """One run as cron starts it."""
    accounts: list[Account] = fetchable(house.tracker.settings.usable_accounts())
    with running(house.tracker, "download-emails"):
        (fetch,) = Download(house.tracker, insist=insist).run(accounts)
    return fetch


def subjects(house: House) -> list[str]:
    found = [entry.posting for entry in house.queued() if entry.posting.type == alerts.TYPE]
    return [one.subject for one in sorted(found, key=lambda one: one.queued)]


@pytest.fixture
def office(house: House) -> Iterator[House]:
    """A house whose account is a Maildir that is there, and was fetched."""
    there(house)
    assert cron(house).error == ""
    yield house


def test_an_account_that_is_away_is_tried_less_and_less_often_and_never_given_up(office: House) -> None:
    away(office)
    tries = 0
    for _ in range(240):
        office.now += MINUTE
        tries += cron(office).next_try is None
    assert 6 <= tries <= 10
    office.now += timedelta(days=30)
    assert cron(office).next_try is None
    (box(office).parent / "away" / "new" / "1").write_bytes(mail())
    back(office)
    for _ in range(61):
        office.now += MINUTE
        if cron(office).outcomes:
            break
    assert len(list(office.tracker.issues.numbers())) == 1


def test_a_blip_costs_no_pause_and_is_told_to_nobody(office: House) -> None:
    away(office)
    office.now += MINUTE
    assert cron(office).error
    back(office)
    office.now += MINUTE
    fetch = cron(office)
    assert (fetch.error, fetch.next_try, subjects(office)) == ("", None, [])


def test_an_account_that_waits_keeps_its_last_error_and_says_until_when(office: House) -> None:
    away(office)
    for _ in range(3):
        cron(office)
    row = cron(office).row()
    assert (row["downloaded"], row["skipped"]) == (0, False)
    assert str(box(office)) in str(row["error"])
    assert office.now < row["next_try"]  # type: ignore[operator]
    assert office.tracker.state.fetch(office.account.id).failures == 3


def test_who_asks_for_an_account_or_changes_it_gets_it_tried_at_once(office: House) -> None:
    away(office)
    for _ in range(3):
        cron(office)
    assert cron(office).next_try
    assert cron(office, insist=True).next_try is None
    assert cron(office).next_try
    office.set_account(folder=str(box(office)), addresses=("other@example.org",))
    assert cron(office).next_try is None


def test_a_clock_that_was_ahead_puts_no_account_off_for_long(office: House) -> None:
    away(office)
    office.now += timedelta(days=400)
    for _ in range(5):
        cron(office, insist=True)
    office.now -= timedelta(days=400)
    back(office)
    assert cron(office).error == ""


def test_the_administrators_hear_once_that_an_account_is_away_and_once_that_it_is_back(office: House) -> None:
    away(office)
    for _ in range(100):
        office.now += MINUTE
        cron(office)
    assert len(subjects(office)) == 1 and "Trouble: The mail of help@example.org cannot be" in subjects(office)[0]
    back(office)
    for _ in range(70):
        office.now += MINUTE
        cron(office)
    assert subjects(office)[1:] == ["Eventum: Over: The mail of help@example.org is fetched again."]


def test_the_trouble_of_an_account_that_is_paused_or_deleted_is_over(office: House) -> None:
    away(office)
    for _ in range(30):
        office.now += MINUTE
        cron(office)
    office.set_account(paused=True)
    Download(office.tracker).run([])
    assert alerts.open_ones(office.tracker) == ()


def test_below_the_limit_of_the_disk_nothing_is_fetched_and_it_goes_on_by_itself(office: House) -> None:
    (box(office) / "new" / "1").write_bytes(mail())
    office.room = Room(free=150_000_000, total=10**12, files=None)
    for _ in range(3):
        fetch = cron(office)
        assert "150 MB" in fetch.error and fetch.next_try is None and not fetch.outcomes
    assert len(subjects(office)) == 1 and "The disk of" in subjects(office)[0]
    assert list((box(office) / "new").iterdir())
    office.room = None
    assert cron(office).outcomes == {"new_issue": 1}
    assert subjects(office)[1:] == ["Eventum: Over: The disk has room again, and mail is fetched."]


@pytest.mark.parametrize(("free", "files", "limit", "stops"), [
    (199_000_000, None, 200, True),
    (201_000_000, None, 200, False),
    (10**12, 1000, 200, True),
    (0, 0, 0, False),
])  # fmt: skip
def test_what_is_too_little_is_said_in_bytes_and_in_files(
    office: House, free: int, files: int | None, limit: int, stops: bool
) -> None:
    office.tracker.settings.save_general(put(office.tracker.settings.general(), "disk.min_free", str(limit)))
    office.room = Room(free=free, total=10**12, files=files, all_files=10**6)
    fetch = cron(office)
    assert bool(fetch.error) == stops
    assert ("1000 more files" in fetch.error) == (files == 1000)


# The outgoing server


def send(house: House) -> Sent:
    with running(house.tracker, "process-queue"):
        return Outgoing(house.tracker).work()


def set_smtp(house: House, port: int) -> None:
    general = msgspec.structs.replace(house.tracker.settings.general(), smtp=Smtp(host="localhost", port=port))
    house.tracker.settings.save_general(general)


def test_a_server_that_is_away_for_days_is_not_hammered_and_burns_no_attempt(house: House, sink: Sink) -> None:
    set_smtp(house, free_ports(1)[0])
    house.arrive(mail())
    tries = 0
    for _ in range(180):
        house.now += MINUTE
        tries += send(house).next_try is None
    assert 30 <= tries <= 60
    assert {entry.attempts for entry in house.queued()} == {0}
    assert len(subjects(house)) == 1 and "No mail can be sent" in subjects(house)[0]
    set_smtp(house, sink.port)
    assert send(house).sent == 3
    assert alerts.open_ones(house.tracker) == ()
    assert subjects(house) == ["Eventum: Over: Mail is sent again."]
    assert house.tracker.state.sending().sent == 3


def test_a_server_that_breaks_off_at_every_mail_is_not_asked_for_each_of_them(house: House) -> None:
    def player(talk: scripted.Talk) -> None:
        talk.say(b"220 ready\r\n")
        while not talk.line().upper().startswith(b"MAIL"):
            talk.say(b"250 ok\r\n")

    house.arrive(*[mail(f"Mail {n}", From=f"c{n}@customer.example", Message_ID=f"<{n}@x>") for n in range(12)])
    with scripted.running(player) as (port, talks):
        set_smtp(house, port)
        sent = send(house)
        assert "breaks off instead of answering" in sent.error
        assert len(talks) <= 6 and sent.remaining == len(house.queued()) >= 12
        house.now += 20 * MINUTE
        assert "breaks off" in send(house).error
    assert house.tracker.state.sending().failures == 2
    assert len(subjects(house)) == 1 and "No mail can be sent" in subjects(house)[0]


def test_a_refused_login_is_told_at_once_and_tried_a_few_times_an_hour(house: House) -> None:
    pauses = [patience.pause(n, patience.REFUSED, "x") for n in range(1, 6)]
    assert pauses[0] == timedelta() and all(pause > timedelta(minutes=12) for pause in pauses[1:])


def test_pauses_are_spread_so_that_accounts_of_one_server_do_not_come_together() -> None:
    found = {patience.pause(6, patience.UNREACHED, f"account {n}") for n in range(50)}
    assert len(found) == 50 and max(found) <= timedelta(hours=1) and min(found) >= timedelta(minutes=48)
