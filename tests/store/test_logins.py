"""What is noted about logins, and how tries are counted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from eventum.errors import NotFound
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.logins import KEPT, LoginState, LoginStore
from eventum.store.maker import Maker

NOW = 1_800_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LoginStore]:
    layout = Layout(tmp_path / "data")
    layout.create()
    locks = Locks(layout)
    maker = Maker(layout, locks)
    yield LoginStore(layout, locks, lambda: maker)
    maker.close()


def tried(store: LoginStore, *who: str, at: int = NOW) -> int:
    return store.attempt(who, at, within=900, at_most=3)


def test_what_was_noted_is_read_again(store: LoginStore) -> None:
    assert store.of("u1") == LoginState()
    when = datetime(2026, 11, 22, tzinfo=UTC)
    store.change("u1", lambda state: msgspec.structs.replace(state, epoch=state.epoch + 1, last_login=when))
    assert store.of("u1") == LoginState(epoch=1, last_login=when)
    assert store.of("u2") == LoginState()


def test_a_store_of_an_earlier_day_gets_its_folder(store: LoginStore, tmp_path: Path) -> None:
    (tmp_path / "data" / "state" / "logins").rmdir()
    store.change("u1", lambda state: msgspec.structs.replace(state, epoch=1))
    assert store.of("u1").epoch == 1


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "", "A"])
def test_an_id_that_is_none_is_no_file(store: LoginStore, name: str) -> None:
    with pytest.raises(NotFound):
        store.of(name)


def test_the_try_after_the_last_has_to_wait_until_the_oldest_is_forgotten(store: LoginStore) -> None:
    assert [tried(store, "a", at=NOW + second) for second in (0, 60, 120)] == [0, 0, 0]
    assert tried(store, "a", at=NOW + 180) == NOW + 900
    assert tried(store, "b", at=NOW + 180) == 0
    assert tried(store, "a", at=NOW + 900) == 0
    assert tried(store, "a", at=NOW + 901) == NOW + 960


def test_a_refused_try_counts_for_nobody(store: LoginStore) -> None:
    for _ in range(3):
        tried(store, "a")
    for _ in range(5):
        assert tried(store, "a", "b") == NOW + 900
    assert tried(store, "b") == 0


def test_what_was_right_is_taken_back(store: LoginStore) -> None:
    for second in range(3):
        tried(store, "a", "place", at=NOW + second)
    store.forgive(["place"], NOW + 2, all_of="a")
    assert tried(store, "a", at=NOW + 3) == 0
    assert tried(store, "place", at=NOW + 3) == 0
    assert tried(store, "place", at=NOW + 4) != 0


def test_a_clock_that_was_ahead_locks_nobody_out_and_old_tries_are_forgotten(store: LoginStore, tmp_path: Path) -> None:
    for _ in range(3):
        tried(store, "a", at=NOW + 86_400)
    assert tried(store, "a") == 0
    tried(store, "b", at=NOW + KEPT + 1)
    assert b'"a"' not in (tmp_path / "data" / "state" / "tries.json").read_bytes()
