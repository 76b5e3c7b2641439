import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventum.issues.accounts import Account, AutoCreation
from eventum.runners.fetch import Fetch
from eventum.runners.fetching import Download, fetchable
from eventum.runners.rehearsal import rehearse
from tests.house import House, mail
from tests.servers import scripted
from tests.servers.dovecot import PASSWORD, Dovecot


@pytest.fixture(params=["imap", "pop3"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def box(house: House, dovecot: Dovecot, protocol: str, **fields: Any) -> Account:
    """An account on a mailbox of its own, in clear text on loopback."""
    user = dovecot.user()
    ports = {"imap": dovecot.ports.imap, "pop3": dovecot.ports.pop3}
    values = {"type": f"{protocol}/notls", "host": "localhost", "port": ports[protocol], "username": user}
    account = house.add_account(**{"folder": "INBOX", "addresses": (), **values, **fields})
    return house.tracker.settings.save_account(account, PASSWORD)


def run(house: House, *accounts: Account, limit: int = 0) -> dict[str, Fetch]:
    return {fetch.id: fetch for fetch in Download(house.tracker, limit).run(accounts)}


def some(count: int, start: int = 0) -> list[bytes]:
    return [mail(f"Mail {n}", Message_ID=f"<{n}@x>") for n in range(start, start + count)]


def test_new_mail_is_fetched_once_and_left_on_the_server(house: House, dovecot: Dovecot, protocol: str) -> None:
    account = box(house, dovecot, protocol)
    dovecot.deliver(account.username, *some(3))
    assert run(house, account)[account.id].outcomes == {"new_issue": 3}
    assert run(house, account)[account.id].outcomes == {}
    dovecot.deliver(account.username, *some(2, 3))
    assert run(house, account)[account.id].outcomes == {"new_issue": 2}
    assert len(dovecot.left(account.username)) == 5


def test_without_a_copy_exactly_the_fetched_mail_is_removed(house: House, dovecot: Dovecot, protocol: str) -> None:
    account = box(house, dovecot, protocol, leave_copy=False)
    dovecot.deliver(account.username, *some(3))
    assert run(house, account, limit=2)[account.id].outcomes == {"new_issue": 2}
    assert len(dovecot.left(account.username)) == 1
    assert run(house, account)[account.id].outcomes == {"new_issue": 1}
    assert dovecot.left(account.username) == []
    assert house.tracker.state.fetch(account.id).owed == ()


def test_what_the_server_was_to_delete_is_deleted_again_not_fetched(
    house: House, dovecot: Dovecot, protocol: str
) -> None:
    account = box(house, dovecot, protocol)
    dovecot.deliver(account.username, *some(3))
    run(house, account)
    account = house.tracker.settings.save_account(msgspec.structs.replace(account, leave_copy=False))
    # As a run left it that died between noting its position and telling the server.
    state = house.tracker.state.fetch(account.id)
    known = sorted(house.tracker.state.fetched_ids(account.id)) or ["1", "2", "3"]
    house.tracker.state.save_fetch(account.id, msgspec.structs.replace(state, owed=(known[1],)))
    assert run(house, account)[account.id].outcomes == {}
    assert len(dovecot.left(account.username)) == 2


def test_what_a_pop3_server_confirmed_and_did_not_delete_is_deleted_by_the_next_run(
    house: House, dovecot: Dovecot
) -> None:
    account = box(house, dovecot, "pop3")
    dovecot.deliver(account.username, *some(3))
    run(house, account)
    account = house.tracker.settings.save_account(msgspec.structs.replace(account, leave_copy=False))
    # As a server left it that said +OK to QUIT and kept the mail.
    state = house.tracker.state.fetch(account.id)
    known = sorted(house.tracker.state.fetched_ids(account.id))
    house.tracker.state.save_fetch(account.id, msgspec.structs.replace(state, removed=(known[1],)))
    assert run(house, account)[account.id].outcomes == {}
    assert len(dovecot.left(account.username)) == 2


def test_the_seen_flag_decides_nothing(house: House, dovecot: Dovecot) -> None:
    account = box(house, dovecot, "imap")
    dovecot.deliver(account.username, *some(2))
    dovecot.flag(account.username, 1, "\\Seen")
    assert run(house, account)[account.id].outcomes == {"new_issue": 2}


@pytest.mark.parametrize("start, first", [("all", 3), ("unread", 2), ("now", 0)])
def test_the_first_fetch_takes_what_it_was_told_to(house: House, dovecot: Dovecot, start: str, first: int) -> None:
    account = box(house, dovecot, "imap", start=start)
    dovecot.deliver(account.username, *some(3))
    dovecot.flag(account.username, 1, "\\Seen")
    assert sum(run(house, account)[account.id].outcomes.values()) == first
    dovecot.deliver(account.username, *some(1, 3))
    assert sum(run(house, account)[account.id].outcomes.values()) == 1


def test_unread_mail_that_a_limit_left_comes_with_the_next_run(house: House, dovecot: Dovecot) -> None:
    account = box(house, dovecot, "imap", start="unread")
    dovecot.deliver(account.username, *some(4))
    dovecot.flag(account.username, 2, "\\Seen")
    assert run(house, account, limit=1)[account.id].outcomes == {"new_issue": 1}
    assert run(house, account)[account.id].outcomes == {"new_issue": 2}
    assert run(house, account)[account.id].outcomes == {}


def test_new_numbers_on_the_server_bring_no_mail_twice(house: House, dovecot: Dovecot) -> None:
    account = box(house, dovecot, "imap")
    dovecot.deliver(account.username, *some(3))
    run(house, account)
    state = house.tracker.state.fetch(account.id)
    house.tracker.state.save_fetch(account.id, msgspec.structs.replace(state, validity="1", last=99))
    assert run(house, account)[account.id].outcomes == {"duplicate": 3}
    assert len(list(house.tracker.issues.numbers())) == 3
    assert run(house, account)[account.id].outcomes == {}


def test_a_broken_account_stops_no_other_and_is_noted_until_it_recovers(house: House, dovecot: Dovecot) -> None:
    good, bad = box(house, dovecot, "imap"), box(house, dovecot, "imap")
    house.tracker.settings.save_account(bad, "wrong")
    bad = house.tracker.settings.account(bad.id)
    for account in (good, bad):
        dovecot.deliver(account.username, *some(1))
    fetches = run(house, good, bad)
    assert fetches[good.id].outcomes == {"new_issue": 1}
    assert "password" in fetches[bad.id].error
    house.now = house.now.replace(hour=13)
    run(house, bad)
    state = house.tracker.state.fetch(bad.id)
    assert (state.failures, state.last_success, state.error_since) == (2, None, house.now.replace(hour=12))
    house.tracker.settings.save_account(house.tracker.settings.account(bad.id), PASSWORD)
    assert run(house, house.tracker.settings.account(bad.id))[bad.id].outcomes == {"new_issue": 1}
    assert house.tracker.state.fetch(bad.id).failures == 0


def test_an_account_held_by_another_run_is_skipped(house: House, dovecot: Dovecot) -> None:
    account = box(house, dovecot, "imap")
    dovecot.deliver(account.username, *some(1))
    lease = house.tracker.locks.lease(f"account-{account.id}")
    assert lease is not None
    assert run(house, account)[account.id].skipped
    lease.release()
    assert run(house, account)[account.id].outcomes == {"new_issue": 1}


def test_many_mails_come_in_their_order_and_in_bounded_batches(house: House, dovecot: Dovecot, protocol: str) -> None:
    account = box(house, dovecot, protocol, auto_create=AutoCreation())
    dovecot.deliver(account.username, *some(250))
    assert run(house, account)[account.id].outcomes == {"unassociated": 250}
    assert run(house, account)[account.id].fetched == 0


def test_paused_and_delivered_accounts_are_not_fetched(house: House) -> None:
    delivered = house.add_account(type="delivered", addresses=("pipe@example.org",), folder="INBOX")
    house.set_account(paused=True)
    assert fetchable([house.account, delivered]) == []


def test_a_dry_run_says_what_would_happen_and_changes_nothing(house: House, dovecot: Dovecot, protocol: str) -> None:
    account = box(house, dovecot, protocol, leave_copy=False)
    dovecot.deliver(account.username, *some(2), mail("Re: 0", Message_ID="<r@x>", In_Reply_To="<0@x>"))
    away = box(house, dovecot, protocol, port=1)
    before = sorted(str(path) for path in Path(house.config.data).rglob("*"))
    told, errors = rehearse(house.tracker, [away, account])
    assert [(one.outcome, one.issue) for one in told] == [("new_issue", 0), ("new_issue", 0), ("filed", 0)]
    assert list(errors) == [away.id]
    left = [str(path) for path in Path(house.config.data).rglob("*") if "locks" not in str(path)]
    assert set(left) <= set(before)
    assert len(dovecot.left(account.username)) == 3
    assert run(house, account)[account.id].outcomes == {"new_issue": 2, "filed": 1}


def test_an_account_that_is_pointed_at_another_mailbox_begins_anew(
    house: House, dovecot: Dovecot, protocol: str
) -> None:
    account = box(house, dovecot, protocol, leave_copy=False)
    other = dovecot.user()
    dovecot.deliver(account.username, *some(3))
    dovecot.deliver(other, *some(2, 10))
    run(house, account)
    # A run died after noting what the first server was to delete; the numbers are those of the second server, too.
    state = house.tracker.state.fetch(account.id)
    ids = tuple(sorted(house.tracker.state.fetched_ids(account.id))) or ("1", "2")
    house.tracker.state.save_fetch(account.id, msgspec.structs.replace(state, owed=ids))
    moved = msgspec.structs.replace(house.tracker.settings.account(account.id), username=other, leave_copy=True)
    account = house.tracker.settings.save_account(moved)
    assert run(house, account)[account.id].outcomes == {"new_issue": 2}
    assert len(dovecot.left(other)) == 2


@pytest.mark.parametrize("start", ["now", "unread"])
def test_new_numbers_do_not_bring_what_the_first_fetch_passed_over(house: House, dovecot: Dovecot, start: str) -> None:
    account = box(house, dovecot, "imap", start=start)
    house.now = datetime.fromtimestamp(1_700_000_000, UTC)  # Just before the mails come.
    dovecot.deliver(account.username, *some(2), since=1_700_000_000)
    for uid in (1, 2):
        dovecot.flag(account.username, uid, "\\Seen")
    with dovecot.session(account.username) as session:
        # The server says that these came last year.
        for path in dovecot.maildir(account.username).glob("cur/*"):
            os.utime(path, (1, 1))
        session.noop()
    run(house, account)
    dovecot.deliver(account.username, *some(1, 2), since=1_700_000_000)
    run(house, account)
    state = house.tracker.state.fetch(account.id)
    house.tracker.state.save_fetch(account.id, msgspec.structs.replace(state, validity="1", last=99))
    assert run(house, account)[account.id].outcomes == {"duplicate": 1}


def test_a_mail_that_cannot_be_given_is_named_asked_for_again_and_forgotten_when_it_is_gone(
    house: House, tmp_path: Path
) -> None:
    account = house.add_account(folder=str(tmp_path / "huge"))
    for name in ("new", "cur", "tmp"):
        (tmp_path / "huge" / name).mkdir(parents=True)
    with open(tmp_path / "huge" / "new" / "1.x", "wb") as file:
        file.truncate(300 * 1024 * 1024)
    (tmp_path / "huge" / "new" / "2.x").write_bytes(mail())
    first = run(house, account)[account.id]
    assert first.outcomes == {"new_issue": 1}
    assert "1 mails were left" in first.error
    assert "1 mails were left" in run(house, account)[account.id].error
    assert run(house, account)[account.id].error == ""
    assert len(house.tracker.state.fetch(account.id).passed_over) == 1
    assert house.tracker.state.fetch(account.id).again_asked == 1
    (tmp_path / "huge" / "new" / "1.x").unlink()
    run(house, account)
    assert house.tracker.state.fetch(account.id).passed_over == ()


def test_a_mail_that_cannot_be_given_is_named_though_the_run_breaks_off_later(house: House) -> None:
    sizes = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 5000000)\r\n" % (uid, uid) for uid in (1, 2, 3))
    raw = mail()
    table: dict[str, scripted.Answer] = {
        "UID FETCH 1:3": sizes + b"TAG OK done\r\n",
        "UID FETCH 1 ": b"TAG NO it is broken\r\n",
        "UID FETCH 2 ": b"* 2 FETCH (UID 2 BODY[] {%d}\r\n" % len(raw) + raw + b")\r\nTAG OK done\r\n",
        "UID FETCH 3 ": scripted.close,
    }
    with scripted.running(scripted.imap(table)) as (port, _):
        fields: dict[str, Any] = {"type": "imap/notls", "host": "127.0.0.1", "port": port, "username": "ann"}
        account = house.tracker.settings.save_account(house.add_account(folder="INBOX", addresses=(), **fields), "pw")
        assert run(house, account)[account.id].error
    state = house.tracker.state.fetch(account.id)
    assert state.last == 2
    assert [one.partition(":")[0] for one in state.passed_over] == ["1"]
