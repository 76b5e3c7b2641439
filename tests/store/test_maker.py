import threading
import time

import pytest

from eventum.store import files
from eventum.store.journal import standing
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import ID, Maker


def test_a_maker_is_alive_until_it_is_closed(layout: Layout) -> None:
    locks = Locks(layout)
    maker = Maker(layout, locks)
    assert Locks(layout).lease(maker.id) is None
    maker.close()
    assert list(files.listing(layout.locks / "leases")) == []
    lease = Locks(layout).lease(maker.id)
    assert lease is not None
    lease.release()


def test_every_name_carries_its_maker_and_is_given_once(maker: Maker) -> None:
    names = [maker.name() for _ in range(100)]
    assert len(set(names)) == 100
    for name in names:
        who, dot, number = name.partition(".")
        assert (who, dot) == (maker.id, ".") and number.isdigit()


def test_an_id_is_fit_for_the_name_of_a_file_and_is_known_again(layout: Layout, locks: Locks) -> None:
    makers = [Maker(layout, locks) for _ in range(20)]
    assert len({maker.id for maker in makers}) == 20
    for maker in makers:
        assert ID.fullmatch(maker.id)
        assert not set(maker.id) & set(" ,:./=")
        maker.close()


def test_mail_of_one_run_is_ordered_even_within_one_tick_of_the_clock(maker: Maker) -> None:
    before = time.time_ns()
    times = [maker.arrival_ns() for _ in range(1000)]
    assert times == sorted(set(times))
    assert times[0] >= before


def test_mail_stays_in_its_order_when_the_clock_stands_or_is_set_back(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [maker.arrival_ns()]
    for clock in (times[0], times[0], 0):
        monkeypatch.setattr(time, "time_ns", lambda clock=clock: clock)
        times.append(maker.arrival_ns())
    assert times == sorted(set(times))


def test_accounts_fetched_in_parallel_share_no_time(maker: Maker) -> None:
    times: list[int] = []

    def fetch() -> None:
        times.extend([maker.arrival_ns() for _ in range(500)])

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(times)) == 2000


def test_a_replaced_file_is_made_in_the_stores_own_place_for_temporary_files(layout: Layout, maker: Maker) -> None:
    path = layout.settings / "general.json"
    for content, durable in ((b"one", True), (b"two", False)):
        maker.replace(path, content, durable)
        assert files.read(path) == content
    assert [entry.name for entry in files.listing(layout.settings) if entry.is_file()] == ["general.json"]
    assert list(files.listing(layout.state_tmp)) == []


def test_a_maker_that_writes_nothing_takes_no_journal(layout: Layout, maker: Maker) -> None:
    assert standing(layout) == {}
    maker.journal([("issues/1", 1)])
    maker.journal([("issues/1", 2)])
    assert list(standing(layout)) == ["0.jsonl"]


def test_makers_write_journals_of_their_own_and_leave_them_to_the_next(layout: Layout, locks: Locks) -> None:
    first, second = Maker(layout, locks), Maker(layout, locks)
    for maker in (first, second):
        maker.journal([("issues/1", 1)])
    assert sorted(standing(layout)) == ["0.jsonl", "1.jsonl"]
    first.close()
    third = Maker(layout, locks)
    third.journal([("issues/1", 2)])
    assert sorted(standing(layout)) == ["0.jsonl", "1.jsonl"]
    second.close()
    third.close()
