"""What the first fetch takes and tells, and that what was decided then is not decided anew."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventum.errors import NotFound
from eventum.issues.accounts import Account
from eventum.store import files
from eventum.store.settings import Began
from eventum.store.state import FetchState
from tests.house import NOW, House, mail
from tests.runners.test_fetching import run
from tests.servers.dovecot import PASSWORD, Dovecot


def box(house: House, **fields: Any) -> Account:
    account = house.add_account(**{"addresses": (), **fields})
    for part in ("cur", "new"):
        (Path(account.folder) / part).mkdir(parents=True)
    return account


def put(account: Account, name: str, raw: bytes, came: datetime = NOW) -> None:
    path = Path(account.folder) / "new" / name
    path.write_bytes(raw)
    os.utime(path, (came.timestamp(), came.timestamp()))


def received(day: str, **headers: str) -> bytes:
    return mail(Received=f"from x by y; {day} 10:00:00 +0000", **headers)


OLD, FRESH = "Mon, 02 Mar 2015", "Sun, 22 Nov 2026"


@pytest.mark.parametrize(
    ("raw", "came", "told"),
    [
        (received(FRESH), NOW, True),
        (received(OLD), NOW, False),  # The mailbox was copied, and its mails came today as far as its server knows.
        (received(FRESH), NOW - timedelta(days=99), False),  # The server has it for longer than anybody says.
        (received(FRESH, Date=f"{OLD} 10:00:00 +0000"), NOW, True),  # A new mail of a computer with a wrong clock.
        (received(OLD, Date=f"{FRESH} 10:00:00 +0000"), NOW, False),
        (mail(Date=f"{OLD} 10:00:00 +0000"), NOW, False),  # It went through no server: somebody put it there.
        (mail(Date=None), NOW, True),
    ],
)
def test_a_mail_is_as_old_as_a_server_says_not_as_its_sender_does(
    house: House, raw: bytes, came: datetime, told: bool
) -> None:
    account = box(house, quiet_before="7d")
    put(account, "1", raw, came)
    assert run(house, account)[account.id].outcomes == {"new_issue": 1}
    assert bool(house.told()) is told


def test_old_mail_is_no_news_and_reopens_nothing(house: House) -> None:
    from eventum.tracker.news import news

    account = box(house, quiet_before="7d")
    put(account, "1", received(OLD))
    run(house, account)
    house.tracker.index.catch_up()
    assert news(house.tracker, house.user("boss", "manager"), NOW - timedelta(days=1)) == []


@pytest.mark.parametrize("start", ["now", "unread", "all"])
def test_a_lost_note_of_the_fetch_skips_no_mail_and_begins_nothing_anew(house: House, start: str) -> None:
    account = box(house, start=start)
    put(account, "1:2,S", mail("Before", Message_ID="<1@x>"), NOW - timedelta(days=30))
    os.rename(Path(account.folder) / "new/1:2,S", Path(account.folder) / "cur/1:2,S")
    run(house, account)
    house.now += timedelta(hours=5)
    put(account, "2", mail("Fetched", Message_ID="<2@x>"), house.now)
    before = run(house, account)[account.id].outcomes
    # Then the note is lost, and mail comes before the next run.
    for path in house.tracker.layout.fetch.iterdir():
        path.unlink()
    house.now += timedelta(hours=5)
    put(account, "3", mail("In between", Message_ID="<3@x>"), house.now)
    after = run(house, account)[account.id].outcomes
    assert before == {"new_issue": 1}
    again = {"duplicate": 2} if start == "all" else {"duplicate": 1}
    assert after == {"new_issue": 1, **again}
    assert len(list(house.tracker.issues.numbers())) == (3 if start == "all" else 2)
    state = house.tracker.state.fetch(account.id)
    assert state.first_fetch == NOW and state.todo == ()


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_the_same_on_a_server(house: House, dovecot: Dovecot, protocol: str) -> None:
    house.now = datetime(2023, 11, 14, 22, 0, tzinfo=UTC)  # As the mails of the server say.
    ports = {"imap": dovecot.ports.imap, "pop3": dovecot.ports.pop3}
    values = {"type": f"{protocol}/notls", "host": "localhost", "port": ports[protocol], "username": dovecot.user()}
    account = house.add_account(folder="INBOX", addresses=(), start="now", **values)
    account = house.tracker.settings.save_account(account, PASSWORD)
    dovecot.deliver(account.username, mail("Before", Message_ID="<1@x>"))
    assert run(house, account)[account.id].outcomes == {}
    for path in house.tracker.layout.fetch.iterdir():
        path.unlink()
    dovecot.deliver(account.username, mail("In between", Message_ID="<2@x>"))
    assert run(house, account)[account.id].outcomes["new_issue"] >= 1
    assert "In between" in [house.issue(number).summary for number in house.tracker.issues.numbers()]


def test_for_another_mailbox_the_start_is_applied_anew(house: House) -> None:
    account = box(house, start="now")
    put(account, "1", mail("Before", Message_ID="<1@x>"))
    run(house, account)
    other = msgspec.structs.replace(account, folder=str(house.root / "another"))
    other = house.tracker.settings.save_account(other)
    for part in ("cur", "new"):
        (Path(other.folder) / part).mkdir(parents=True)
    put(other, "2", mail("Elsewhere", Message_ID="<2@x>"))
    house.now += timedelta(hours=5)
    assert run(house, other)[other.id].outcomes == {}


def test_when_an_account_began_goes_with_it(house: House) -> None:
    account = box(house)
    run(house, account)
    began = house.tracker.settings.began(account.id)
    assert began == Began(mailbox=f"maildir://@/{account.folder}", when=NOW)
    house.tracker.settings.delete_account(account)
    assert not files.exists(house.tracker.layout.began_of(account.id))
    with pytest.raises(NotFound):
        house.tracker.settings.account(account.id)


def test_an_account_of_an_older_version_gets_its_note_at_the_next_run(house: House) -> None:
    account = box(house)
    run(house, account)
    house.tracker.layout.began_of(account.id).unlink()
    house.now += timedelta(days=3)
    run(house, account)
    assert house.tracker.settings.began(account.id) == Began(mailbox=f"maildir://@/{account.folder}", when=NOW)
    assert house.tracker.state.fetch(account.id) != FetchState()
