import threading

import pytest

from eventum.errors import Busy
from eventum.store import files
from eventum.store.layout import STRIPES, Layout
from eventum.store.locks import Locks


def test_a_record_lock_keeps_others_out_and_names_the_record(layout: Layout) -> None:
    ours, theirs = Locks(layout), Locks(layout)
    with ours.record("number"), pytest.raises(Busy, match="'number'"), theirs.record("number", timeout=0):
        pass
    with theirs.record("number", timeout=0):
        pass


def test_a_record_lock_can_be_taken_twice_by_its_holder_but_not_by_another_thread(locks: Locks) -> None:
    answers: list[bool] = []

    def other() -> None:
        try:
            with locks.record("people", timeout=0):
                answers.append(True)
        except Busy:
            answers.append(False)

    with locks.record("people"), locks.record("people"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert answers == [False]


def test_issues_of_one_stripe_exclude_each_other_and_others_do_not(layout: Layout) -> None:
    ours, theirs = Locks(layout), Locks(layout)
    with ours.issues([1, 2, 1 + STRIPES]):
        assert not theirs.is_free(1 + 3 * STRIPES)
        assert not theirs.is_free(2)
        assert theirs.is_free(3)
    assert theirs.is_free(1)


def test_the_locks_of_issues_are_given_back_when_one_is_not_free(layout: Layout) -> None:
    ours, theirs = Locks(layout), Locks(layout)
    with ours.issues([5]), pytest.raises(Busy), theirs.issues([1, 5, 9], timeout=0):
        pass
    assert ours.is_free(1)


def test_a_lease_is_held_by_one_and_never_waited_for(layout: Layout) -> None:
    ours, theirs = Locks(layout), Locks(layout)
    lease = ours.lease("queue")
    assert lease is not None
    assert theirs.lease("queue") is None
    assert ours.lease("queue") is None
    with lease:
        pass
    again = theirs.lease("queue")
    assert again is not None
    again.release(forget=True)
    assert not (layout.locks / "leases" / "queue.lock").exists()


def test_whether_a_lease_is_held_is_told_without_taking_it_from_anybody(layout: Layout) -> None:
    ours, theirs = Locks(layout), Locks(layout)
    assert not ours.is_held("host-1-00000000")
    assert not (layout.locks / "leases" / "host-1-00000000.lock").exists()
    lease = ours.lease("host-1-00000000")
    assert lease is not None and theirs.is_held("host-1-00000000")
    lease.release()
    assert not theirs.is_held("host-1-00000000")
    assert theirs.lease("host-1-00000000") is not None


def test_a_lease_is_given_back_also_when_its_file_cannot_be_removed(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = Locks(layout).lease("somebody")
    assert lease is not None

    def broken(path: object) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "remove", broken)
    with pytest.raises(OSError, match="Input/output"):
        lease.release(forget=True)
    assert Locks(layout).lease("somebody") is not None


def test_it_is_known_when_somebody_removed_the_files_of_locks_by_hand(layout: Layout) -> None:
    ours = Locks(layout)
    with ours.record("number"), ours.issues([1]):
        assert ours.are_known()
        files.remove(layout.locks / "number.lock")
        assert not ours.are_known()
        with Locks(layout).record("number", timeout=0):  # That is what others believe.
            assert not ours.are_known()
    assert ours.are_known()


def test_it_is_known_when_somebody_removed_the_file_of_a_lease_by_hand(layout: Layout) -> None:
    lease = Locks(layout).lease("queue")
    assert lease is not None and lease.is_known
    files.remove(layout.locks / "leases/queue.lock")
    other = Locks(layout).lease("queue")
    assert other is not None and other.is_known and not lease.is_known
    lease.release()
    other.release()
