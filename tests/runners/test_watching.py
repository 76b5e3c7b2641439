import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest

from eventum.issues.accounts import Account
from eventum.issues.settings import Smtp
from eventum.runners.watching import Pace, Watch, back_off
from eventum.tracker.tracker import Tracker
from tests.house import House, mail
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.smtp_sink import Sink

QUICK = Pace(look=0.1, ask=0.5, calm=0.0, mend=(0.05, 0.1))
# Nobody is asked but when somebody said that something came.
HEARD_ONLY = Pace(look=0.1, ask=3600.0, ask_heard=3600.0, calm=0.0, mend=(0.05, 0.1))


class Watching:
    """A watch that runs in a thread, and what it said."""

    def __init__(self, house: House, pace: Pace) -> None:
        self.said: list[str] = []
        self.watch = Watch(lambda: Tracker(house.config, house.tracker.clock).open(), self.said.append, pace)
        self.thread = threading.Thread(target=self.watch.run)
        self.thread.start()

    def end(self) -> None:
        self.watch.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()


@contextmanager
def watching(house: House, pace: Pace = QUICK) -> Iterator[Watching]:
    house.tracker.close()
    found = Watching(house, pace)
    try:
        yield found
    finally:
        found.end()


def until(is_so: Callable[[], object], seconds: float = 20) -> None:
    """Come back when it is so; fail when it never is."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline
        pause.wait(0.02)


def imap_account(house: House, dovecot: Dovecot, **fields: object) -> Account:
    values = {"type": "imap/notls", "host": "localhost", "port": dovecot.ports.imap, "username": dovecot.user()}
    account = house.add_account(**{"folder": "INBOX", "addresses": (), **values, **fields})
    dovecot.deliver(account.username)
    return house.tracker.settings.save_account(account, PASSWORD)


def count(house: House) -> int:
    return len(list(house.tracker.layout.issues.glob("*/*/issue.json")))


def listens(found: Watching, account: Account) -> bool:
    watched = found.watch._watched.get(account.id)
    return watched is not None and watched.ear is not None and watched.ear.listens


def test_a_mail_is_an_issue_as_soon_as_the_server_says_so_and_is_told_at_once(
    house: House, dovecot: Dovecot, sink: Sink
) -> None:
    general = msgspec.structs.replace(house.tracker.settings.general(), smtp=Smtp(host="localhost", port=sink.port))
    house.tracker.settings.save_general(general)
    account = imap_account(house, dovecot)
    with watching(house, HEARD_ONLY) as found:
        until(lambda: listens(found, account))
        dovecot.deliver(account.username, mail("It burns"))
        until(lambda: count(house) == 1)
        until(lambda: any("dev@example.org" in received.recipients for received in sink.received))
        dovecot.deliver(account.username, mail("It burns still"))
        until(lambda: count(house) == 2)
        assert any("1 new issue" in line for line in found.said)


def test_an_account_that_cannot_tell_is_asked(house: House) -> None:
    for part in ("new", "cur", "tmp"):
        (house.root / "box-0" / part).mkdir(parents=True)
    with watching(house):
        (house.root / "box-0/new/1").write_bytes(mail("One"))
        until(lambda: count(house) == 1)
        (house.root / "box-0/new/2").write_bytes(mail("Two"))
        until(lambda: count(house) == 2)


def test_an_account_that_fails_is_said_once_and_not_listened_to(house: House, dovecot: Dovecot) -> None:
    account = imap_account(house, dovecot)
    house.tracker.settings.save_account(account, "another password")
    with watching(house) as found:
        until(lambda: house.tracker.state.fetch(account.id).failures > 0)
        assert not listens(found, account)
        # The right password holds without a restart, and without waiting for the next try.
        house.tracker.settings.save_account(house.tracker.settings.account(account.id), PASSWORD)
        until(lambda: listens(found, account))
    refused = [line for line in found.said if "refused the login" in line]
    assert len(refused) == 1


def test_an_account_whose_password_cannot_be_opened_stops_no_other(house: House) -> None:
    for part in ("new", "cur", "tmp"):
        (house.root / "box-0" / part).mkdir(parents=True)
    broken = house.add_account(type="imap/notls", host="localhost", username="me", folder="INBOX", addresses=())
    broken = house.tracker.settings.save_account(broken, PASSWORD)
    path = house.tracker.layout.account(broken.id)
    path.write_bytes(path.read_bytes().replace(broken.password.encode(), broken.password[:-8].encode()))
    with watching(house) as found:
        (house.root / "box-0/new/1").write_bytes(mail("One"))
        until(lambda: count(house) == 1)
        until(lambda: house.tracker.state.fetch(broken.id).error)
    assert any(line.startswith(f"{broken.id}: ") for line in found.said)


def test_an_account_that_is_paused_is_not_watched_any_more(house: House, dovecot: Dovecot) -> None:
    account = imap_account(house, dovecot)
    with watching(house) as found:
        until(lambda: listens(found, account))
        saved = house.tracker.settings.account(account.id)
        house.tracker.settings.save_account(msgspec.structs.replace(saved, paused=True))
        until(lambda: account.id not in found.watch._watched)
    assert not any("error" in line.lower() for line in found.said)


def test_an_account_is_watched_by_one_and_taken_over_by_another(house: House, dovecot: Dovecot) -> None:
    account = imap_account(house, dovecot)
    with watching(house) as first:
        until(lambda: listens(first, account))
        with watching(house) as second:
            until(lambda: second.watch._last_send > 0)
            assert account.id not in second.watch._watched
            first.end()
            until(lambda: listens(second, account))


def test_a_store_that_cannot_be_used_for_a_while_is_said_and_watched_on(house: House) -> None:
    for part in ("new", "cur", "tmp"):
        (house.root / "box-0" / part).mkdir(parents=True)
    with watching(house) as found:
        until(lambda: found.watch._last_send > 0)
        store = house.tracker.layout.store
        away = store.rename(store.with_suffix(".away"))
        until(lambda: any("init" in line for line in found.said))
        away.rename(store)
        (house.root / "box-0/new/1").write_bytes(mail("One"))
        until(lambda: count(house) == 1)


@pytest.mark.parametrize("failures", [0, 1, 5, 50, 10_000])
def test_the_pause_grows_to_a_limit_and_differs(failures: int) -> None:
    pauses = {back_off(failures, (5.0, 900.0)) for _ in range(20)}
    assert len(pauses) > 1
    assert all(2.5 <= pause <= 900.0 for pause in pauses)
    assert failures < 50 or min(pauses) >= 450.0
