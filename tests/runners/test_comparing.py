"""What lies on a server against what lies here."""

import msgspec
import pytest

from eventum.errors import Busy, Refused
from eventum.issues.accounts import Account
from eventum.runners.comparing import Compared, Sides, compare, compared
from eventum.runners.fetching import Download
from eventum.store.state import FetchState
from tests.house import House, mail
from tests.runners.test_fetching import box, some
from tests.servers.dovecot import Dovecot


@pytest.fixture(params=["imap", "pop3"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def counts(found: Compared) -> dict[str, int]:
    return {group.kind: group.count for group in found.groups}


def fetch(house: House, account: Account) -> None:
    Download(house.tracker).run([account])


def test_before_the_first_fetch_all_mail_waits_and_after_it_all_is_on_both_sides(
    house: House, dovecot: Dovecot, protocol: str
) -> None:
    account = box(house, dovecot, protocol)
    dovecot.deliver(account.username, *some(3))
    found = compare(house.tracker, account)
    assert (found.on_server, found.here, counts(found), found.is_even) == (3, 0, {"waiting": 3}, False)
    fetch(house, account)
    found = compare(house.tracker, account)
    assert (found.on_server, found.here, counts(found), found.is_even) == (3, 3, {"both": 3}, True)
    dovecot.deliver(account.username, *some(1, 3))
    assert counts(compare(house.tracker, account)) == {"both": 3, "waiting": 1}


def test_what_was_deleted_on_the_server_is_here_only(house: House, dovecot: Dovecot, protocol: str) -> None:
    account = box(house, dovecot, protocol, leave_copy=False)
    dovecot.deliver(account.username, *some(3))
    fetch(house, account)
    found = compare(house.tracker, account)
    assert (counts(found), found.is_even) == ({"gone": 3}, True)


def test_a_deletion_that_is_owed_is_named(house: House, dovecot: Dovecot, protocol: str) -> None:
    account = box(house, dovecot, protocol)
    dovecot.deliver(account.username, *some(2))
    fetch(house, account)
    account = house.tracker.settings.save_account(msgspec.structs.replace(account, leave_copy=False))
    found = compare(house.tracker, account)
    assert (counts(found), found.is_even) == ({"owed": 2}, False)


def test_what_the_first_fetch_was_told_to_leave_is_no_fault(house: House, dovecot: Dovecot, protocol: str) -> None:
    account = box(house, dovecot, protocol, start="now")
    dovecot.deliver(account.username, *some(2))
    fetch(house, account)
    dovecot.deliver(account.username, *some(1, 2))
    fetch(house, account)
    found = compare(house.tracker, account)
    assert (counts(found), found.is_even) == ({"before_start": 2, "both": 1}, True)


def test_a_mail_that_lies_here_under_another_number_is_named(house: House, dovecot: Dovecot) -> None:
    account = box(house, dovecot, "imap")
    dovecot.deliver(account.username, mail("Same", Message_ID="<s@x>"))
    fetch(house, account)
    dovecot.deliver(account.username, mail("Same", Message_ID="<s@x>"))
    fetch(house, account)
    for path in (house.tracker.layout.done / "cur").iterdir():
        path.unlink()
    assert counts(compare(house.tracker, account)) == {"both": 1, "elsewhere": 1}


def test_what_the_server_could_not_give_is_named_with_its_reason(house: House) -> None:
    account = msgspec.structs.replace(house.account, type="imap")
    state = FetchState(validity="7", last=3, started=True, passed_over=("2: it is too large",))
    sides = Sides(there=("1", "2", "3"), here=frozenset({"1", "3"}), known={"1", "2", "3"}, validity="7")
    groups = {group.kind: group for group in compared(account, state, sides).groups}
    assert groups["passed_over"].said == ("2: it is too large",)
    other = compared(account, state, msgspec.structs.replace(sides, validity="8"))
    assert counts(other) == {"numbers": 3} and not other.is_even


def test_an_account_without_a_server_or_in_a_run_s_hand_is_not_compared(house: House) -> None:
    delivered = house.add_account(type="delivered", addresses=("pipe@example.org",), folder="INBOX")
    with pytest.raises(Refused, match="delivered"):
        compare(house.tracker, delivered)
    lease = house.tracker.locks.lease(f"account-{house.account.id}")
    assert lease is not None
    with lease, pytest.raises(Busy, match="A run is fetching"):
        compare(house.tracker, house.account)
