"""One process that writes: its id, the lease that says it lives, and its part of the journal.

Flows in: the store. Flows out: names that carry the id (temporary files, claims) and journal lines. A name whose
maker's lease can be taken belongs to the dead, and may be cleared up; so the lease is taken before any name is made.
"""

import itertools
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from eventum.store import files
from eventum.store.journal import JournalWriter
from eventum.store.layout import Layout
from eventum.store.locks import Lease, Locks

ID = re.compile(r"[0-9a-z]+-[0-9]+-[0-9a-f]{8}")


class Maker:
    """Somebody who may write to the store; close it at the end of the run."""

    def __init__(self, layout: Layout, locks: Locks) -> None:
        host = re.sub(r"[^0-9a-z]", "", socket.gethostname().lower())[:16] or "host"
        self._lease: Lease | None = None
        while self._lease is None:  # A recovery that saw the file before it was locked may hold it for a moment.
            self.id = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
            self._lease = locks.lease(self.id)
        self._layout = layout
        self._locks = locks
        self._journal: JournalWriter | None = None
        self._count = itertools.count()
        self._last_ns = 0
        self._guard = threading.Lock()

    @property
    def is_known(self) -> bool:
        """Whether others take this maker for alive; not when somebody removed the file of its lease by hand."""
        return self._lease is not None and self._lease.is_known

    def name(self) -> str:
        """A new name for a temporary file or folder."""
        return f"{self.id}.{next(self._count)}"

    def replace(self, path: Path, data: bytes, durable: bool = True) -> None:
        """Replace a file outside the issues all at once; a power cut may bring the old one back unless `durable`."""
        files.atomic_write(path, data, durable, self._layout.state_tmp / self.name(), whole=True)

    def arrival_ns(self, after: int = 0) -> int:
        """A time for the next mail that comes in, later than all before it in this run and `after`, in nanoseconds."""
        with self._guard:  # Accounts are fetched in parallel.
            self._last_ns = max(self._last_ns + 1000, after + 1000, time.time_ns())
            return self._last_ns

    def journal(self, lines: Sequence[tuple[str, int]]) -> None:
        """Note (record, revision) pairs, durable, before the records themselves change."""
        if self._journal is None:
            self._journal = JournalWriter(self._layout, self._locks, lambda: self._layout.state_tmp / self.name())
        self._journal.append(lines)

    def close(self) -> None:
        """Give back the lease and the journal."""
        try:
            if self._journal is not None:
                self._journal.close()
        finally:
            if self._lease is not None:
                self._lease.release(forget=True)
