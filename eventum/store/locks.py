"""Who may: leases that live as long as a run, and record locks that live as long as a change.

Flows in: names. Flows out: context managers. The only module that uses `FileLock`. Lock files are never removed while
somebody could wait for them; the kernel frees a lock when its holder dies.

The order in which locks are taken is lease, `incoming`, `number`, issue stripes ascending, `pool`, spool. Readers take
none.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from filelock import FileLock, Timeout

from eventum.errors import Busy
from eventum.store import files
from eventum.store.layout import STRIPES, Layout

RECORD_TIMEOUT = 20.0  # Seconds: longer than any honest change takes, shorter than a person waits.
POLL = 0.01  # Seconds between two tries.


class Lease:
    """The right to be somebody (a runner, an account's fetcher) until released or dead."""

    def __init__(self, lock: FileLock) -> None:
        self._lock = lock
        self._file = files.identity(lock.lock_file)

    @property
    def is_known(self) -> bool:
        """Whether others find it taken; not when somebody removed its file by hand."""
        return self._file is not None and files.identity(self._lock.lock_file) == self._file

    def release(self, forget: bool = False) -> None:
        """Give it back; with `forget` its file goes too (only for names that are never used again)."""
        try:
            if forget:
                files.remove(self._lock.lock_file)
        finally:
            # A file that stays and can be taken is that of a dead run, which the next run clears up.
            self._lock.release()

    def __enter__(self) -> "Lease":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Locks:
    """The locks of one store."""

    def __init__(self, layout: Layout) -> None:
        self._root = layout.locks
        self._records: dict[str, FileLock] = {}
        self._guard = threading.Lock()
        self._held = threading.local()

    def _record(self, name: str) -> FileLock:
        with self._guard:
            lock = self._records.get(name)
            if lock is None:
                # A lock that silently became a soft one would not exclude other programs' flock: better an error.
                lock = FileLock(
                    self._root / f"{name}.lock", poll_interval=POLL, fallback_to_soft=False, mode=files.FILE_MODE
                )
                self._records[name] = lock
        return lock

    @contextmanager
    def record(self, name: str, timeout: float = RECORD_TIMEOUT) -> Iterator[None]:
        """Hold the lock of one record (`number`, `people`, ...). Raises `Busy` after `timeout` seconds."""
        lock = self._record(name)
        try:
            lock.acquire(timeout=timeout)
        except Timeout as error:
            raise Busy(
                f"Another run is changing {name!r} and did not finish within {timeout:g} s; try again."
            ) from error
        with ExitStack() as undo:
            undo.callback(lock.release)
            held = self._mine()
            held.append((lock.lock_file, files.identity(lock.lock_file)))
            undo.callback(held.pop)
            yield

    def _mine(self) -> list[tuple[str, tuple[int, int] | None]]:
        """The files of the locks that this thread holds, as they were when it took them."""
        if not hasattr(self._held, "files"):
            self._held.files = []
        mine: list[tuple[str, tuple[int, int] | None]] = self._held.files
        return mine

    def are_known(self) -> bool:
        """Whether others find taken what this thread holds; not when somebody removed lock files by hand."""
        return all(file is not None and files.identity(path) == file for path, file in self._mine())

    @contextmanager
    def issues(self, numbers: Iterable[int], timeout: float = RECORD_TIMEOUT) -> Iterator[None]:
        """Hold the locks of these issues, taken in one order by everybody. Raises `Busy` after `timeout` seconds."""
        with ExitStack() as stack:
            for stripe in sorted({number % STRIPES for number in numbers}):
                stack.enter_context(self.record(f"issues/{stripe:02x}", timeout))
            yield

    def is_free(self, number: int) -> bool:
        """Whether nobody is changing this issue now."""
        try:
            with self.issues([number], timeout=0):
                return True
        except Busy:
            return False

    def lease(self, name: str) -> Lease | None:
        """The lease of that name, or None when somebody alive holds it. Never waits."""
        path = self._root / "leases" / f"{name}.lock"
        lock = FileLock(
            path, timeout=0, thread_local=False, fallback_to_soft=False, is_singleton=False, mode=files.FILE_MODE
        )
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return Lease(lock)

    def is_held(self, name: str) -> bool:
        """Whether somebody alive has the lease of that name; none is made that was not there."""
        if not (self._root / "leases" / f"{name}.lock").exists():
            return False
        lease = self.lease(name)
        if lease is not None:
            lease.release()
        return lease is None
