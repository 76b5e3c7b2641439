import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventum.issues.accounts import Account
from eventum.runners.counting import Counts, counts, sentences
from eventum.runners.rehearsal import first_fetches
from eventum.store.state import FetchState
from tests.house import NOW, House, mail
from tests.servers.dovecot import PASSWORD, Dovecot

DAYS = (0, 1, 6, 30, 200, 400, 4000)  # How many days ago the mails of a mailbox came.


def filled(house: House, **fields: Any) -> Account:
    """A Maildir account whose mails came so many days ago; every second one was read."""
    account = house.add_account(**{"quiet_before": "7d", "addresses": (), **fields})
    for part in ("cur", "new"):
        (Path(account.folder) / part).mkdir(parents=True)
    for at, days in enumerate(DAYS):
        path = Path(account.folder) / (f"cur/{at}:2,S" if at % 2 else f"new/{at}")
        path.write_bytes(mail(f"Mail {at}"))
        then = (NOW - timedelta(days=days, hours=1)).timestamp()
        os.utime(path, (then, then))
    return account


def test_mails_are_counted_by_age_by_the_servers_own_dates(house: House) -> None:
    found = counts(house.tracker, filled(house))
    assert (found.count, found.week, found.year, found.older, found.unread) == (7, 3, 2, 2, 4)
    assert (found.takes, found.quiet, found.told) == (7, 4, 3)
    assert house.tracker.state.fetch(house.account.id) == FetchState()


@pytest.mark.parametrize(
    ("start", "before", "takes", "told"),
    [
        ("all", "never", 7, 7),
        ("all", "36h", 7, 2),
        ("all", "2026-01-01", 7, 5),
        ("unread", "7d", 4, 2),
        ("unread", "never", 4, 4),
        ("now", "7d", 0, 0),
    ],
)
def test_what_becomes_of_them_is_what_the_settings_say(
    house: House, start: str, before: str, takes: int, told: int
) -> None:
    found = counts(house.tracker, filled(house, start=start, quiet_before=before))
    assert (found.takes, found.told, found.quiet) == (takes, told, takes - told)


def on_server(house: House, dovecot: Dovecot, protocol: str) -> Account:
    ports = {"imap": dovecot.ports.imap, "pop3": dovecot.ports.pop3}
    account = house.add_account(
        type=f"{protocol}/notls",
        host="localhost",
        port=ports[protocol],
        username=dovecot.user(),
        folder="INBOX",
        addresses=(),
        quiet_before="7d",
    )
    return house.tracker.settings.save_account(account, PASSWORD)


def test_an_imap_server_is_asked_for_numbers_only(house: House, dovecot: Dovecot) -> None:
    house.now = datetime(2023, 11, 18, tzinfo=UTC)  # Four days after the mails came.
    account = on_server(house, dovecot, "imap")
    dovecot.deliver(account.username, *[mail(f"{n}") for n in range(5)], since=1_700_000_000)
    dovecot.flag(account.username, 1, "\\Seen")
    found = counts(house.tracker, account)
    assert (found.count, found.week, found.year, found.older, found.unread) == (5, 5, 0, 0, 4)
    assert found.told == 5 and len(dovecot.left(account.username)) == 5
    house.now = NOW
    found = counts(house.tracker, account)
    assert (found.count, found.week, found.year, found.older, found.quiet) == (5, 0, 0, 5, 5)


def test_of_a_pop3_server_that_knows_no_dates_some_mails_are_looked_at(house: House, dovecot: Dovecot) -> None:
    account = on_server(house, dovecot, "pop3")
    old = [mail(f"{n}", Date="Mon, 02 Mar 2015 10:00:00 +0000") for n in range(30)]
    dovecot.deliver(account.username, *old, mail("new"))
    found = counts(house.tracker, account)
    assert (found.count, found.week, found.told, found.takes) == (31, None, None, 31)
    assert found.size is not None and found.size > 31 * 100
    assert 10 < found.sampled <= 20 and found.sampled - found.sampled_old <= 1
    there, becomes = sentences(found)
    assert there == "31 mails (0.0 MB). The server knows no dates of mails." and "would be filed quietly" in becomes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"count": 0, "week": 0}, "The mailbox is empty."),
        ({"count": 2, "week": 1, "year": 1, "older": 0, "unread": 0, "start": "now"}, "none of them is taken"),
        ({"count": 3352, "takes": 3352, "week": 12, "year": 240, "older": 3100, "unread": 9, "quiet": 3340, "told": 12},
         "3,352 mails: 12 of the last 7 days, 240 more of this year, 3,100 older. 9 are unread."),
        ({"count": 9, "takes": 9, "size": 25_000_000}, "9 mails (25 MB). The server knows no dates of mails."),
    ],
)  # fmt: skip
def test_the_counts_are_said_in_plain_words(given: dict[str, Any], said: str) -> None:
    assert said in " ".join(sentences(Counts(**given)))


def test_an_account_that_was_fetched_before_is_not_counted_again(house: House) -> None:
    account = filled(house)
    assert list(first_fetches(house.tracker, [account, house.account])) == [account.id]
    house.tracker.state.save_fetch(account.id, FetchState(started=True))
    assert first_fetches(house.tracker, [account]) == {}


def test_a_rehearsed_account_that_cannot_be_reached_is_missing(house: House) -> None:
    gone = msgspec.structs.replace(house.account, folder="/nowhere")
    assert first_fetches(house.tracker, [gone]) == {}
