"""Broken copies of the product for the rows of `company`: each lacks a thing by which many can work at once."""

from collections.abc import Callable, Iterator
from typing import Any


def takes_no_lock() -> None:
    """Every record lock is granted at once."""
    from contextlib import contextmanager as manager

    from eventum.store.locks import Locks

    @manager
    def record(self: Any, name: str, timeout: float = 0) -> Iterator[None]:
        yield

    Locks.record = record  # type: ignore[method-assign]


def never_looks_at_the_revision() -> None:
    """What somebody else committed meanwhile is not looked at."""
    from eventum.tracker.work import Changes

    Changes._check = lambda self, work: None  # type: ignore[method-assign]


def takes_every_lease() -> None:
    """A lease that somebody has is given once more."""
    from eventum.store.locks import Lease, Locks

    real = Locks.lease

    class Nothing:
        lock_file = "/nonexistent"

        def release(self) -> None:
            """It never was anything."""

    Locks.lease = lambda self, name: real(self, name) or Lease(Nothing())  # type: ignore[method-assign,assign,arg-type]


BROKEN: dict[str, Callable[[], None]] = {
    "locks": takes_no_lock,
    "revision": never_looks_at_the_revision,
    "lease": takes_every_lease,
}
