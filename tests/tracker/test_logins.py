"""Who is let in, how often he may try, and how long a session is good."""

import hashlib
import time
from datetime import timedelta
from statistics import median
from typing import Any

import msgspec
import pytest

from eventum.store.secrets import KeyFile, make_key_file
from eventum.tracker import logins, membership
from eventum.tracker.logins import Locked
from eventum.tracker.membership import UserForm
from eventum.tracker.passwords import hashed
from eventum.tracker.tracker import Tracker
from tests.house import House

PASSWORD = "correct horse"
HERE = "192.0.2.1"


@pytest.fixture(scope="module")
def real_hash() -> str:
    return hashed(PASSWORD)


def test_somebody_nobody_and_who_is_deactivated_take_the_same_time(
    house: House, real_hash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.user("gone", password=real_hash, active=False)
    membership.save_user(house.tracker, "dev@example.org", UserForm(password=real_hash))
    hashing: list[tuple[object, float]] = []
    real = hashlib.scrypt

    def scrypt(*password: bytes, **cost: Any) -> bytes:
        before = time.process_time()
        hashed = real(*password, **cost)
        hashing.append(((cost["n"], cost["r"], cost["p"]), time.process_time() - before))
        return hashed

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    rest: dict[str, list[float]] = {}
    for number in range(6):
        for name in ("dev@example.org", "gone@example.org", "nobody@example.org"):
            house.now += timedelta(minutes=16)
            hashing.clear()
            before = time.process_time()  # What other programs do at the time does not count.
            assert logins.log_in(house.tracker, name, "battery staple", HERE) is None
            # One hash each, made the same way; how long it takes is the affair of the machine.
            ((cost, seconds),) = hashing
            assert cost == (131072, 8, 1)
            if number:  # The first of each warms up.
                rest.setdefault(name, []).append((time.process_time() - before - seconds) / seconds)
    middle = [median(shares) for shares in rest.values()]
    assert max(middle) - min(middle) < 0.1


def test_a_login_is_noted_and_forgives_the_tries_before(house: House, real_hash: str) -> None:
    membership.save_user(house.tracker, "dev@example.org", UserForm(password=real_hash))
    for _ in range(3):
        assert logins.log_in(house.tracker, "dev@example.org", "wrong", "192.0.2.2") is None
    user = logins.log_in(house.tracker, "dev@example.org", PASSWORD, HERE)
    assert isinstance(user, logins.User) and user.email == "dev@example.org"
    assert house.tracker.logins.of(user.id).last_login == house.now
    for number in range(5):
        assert logins.log_in(house.tracker, "dev@example.org", "wrong", f"192.0.2.{10 + number}") is None
    assert logins.log_in(house.tracker, "dev@example.org", PASSWORD, HERE) == Locked(house.now + timedelta(minutes=15))


def test_the_tries_name_nobody(house: House) -> None:
    logins.log_in(house.tracker, "dev@example.org", "wrong", HERE)
    kept = house.tracker.layout.tries.read_text()
    assert "dev" not in kept and house.dev.id not in kept and HERE not in kept


@pytest.mark.parametrize("client", ["", "unix:", "not an address"])
def test_who_comes_from_nowhere_is_one_client(house: House, client: str) -> None:
    for number in range(5):
        assert logins.log_in(house.tracker, f"n{number}@example.org", "wrong", client) is None
    assert isinstance(logins.log_in(house.tracker, "other@example.org", "wrong", ""), Locked)


def test_a_stamp_is_good_for_its_user_only(house: House) -> None:
    mia = house.user("mia")
    stamp = logins.stamp(house.tracker, house.dev)
    assert logins.by_session(house.tracker, house.dev.id, stamp) == house.dev
    assert logins.by_session(house.tracker, mia.id, stamp) is None
    assert logins.by_session(house.tracker, "nobody", stamp) is None
    assert logins.by_session(house.tracker, house.dev.id, "") is None
    assert logins.by_session(house.tracker, house.dev.id, "ünïcode") is None
    logins.end_sessions(house.tracker, house.dev)
    assert logins.by_session(house.tracker, house.dev.id, stamp) is None
    assert logins.by_session(house.tracker, house.dev.id, logins.stamp(house.tracker, house.dev)) == house.dev


def test_a_newer_key_ends_no_session(house: House) -> None:
    stamp = logins.stamp(house.tracker, house.dev)
    path = house.config.secret_file
    old = msgspec.json.decode(path.read_bytes(), type=KeyFile)
    path.unlink()
    make_key_file(path, house.now)
    new = msgspec.json.decode(path.read_bytes(), type=KeyFile)
    path.write_bytes(msgspec.json.encode(KeyFile(keys=(*new.keys, *old.keys))))
    tracker = Tracker(house.config, clock=lambda: house.now)
    assert logins.by_session(tracker, house.dev.id, stamp) == house.dev
    assert logins.stamp(tracker, house.dev) != stamp
    path.write_bytes(msgspec.json.encode(old))


@pytest.mark.parametrize(
    ("role", "administrator", "staff"),
    [("", False, False), ("reporter", False, False), ("standard", False, True), ("", True, True)],
)
def test_staff_is_who_reads_notes_somewhere(house: House, role: str, administrator: bool, staff: bool) -> None:
    assert logins.is_staff_somewhere(house.user("mia", role, administrator=administrator)) is staff
