"""What is noted about the set-up in the browser: the code that opens it, and which steps are left.

Flows in: the digest of a code, names of steps. Flows out: the same. The code itself is nowhere: who made the store read
it on his terminal.
"""

import msgspec

from eventum.errors import NotFound
from eventum.store import files, records
from eventum.store.layout import Layout


class FirstVisit(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is "" when it was used or none was ever made; `left` are the steps nobody did or skipped yet."""

    schema: int = 1
    code: str = ""  # sha256 in hex
    left: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


class FirstVisits:
    """The one note of a store."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.first_visit

    def load(self) -> FirstVisit:
        """What is noted; nothing left for a store without a note. Raises `Damaged`."""
        try:
            return records.load(self._path, FirstVisit).value
        except NotFound:
            return FirstVisit()

    def save(self, visit: FirstVisit) -> None:
        """Note it; durable. The caller holds the lock `init`."""
        files.atomic_write(self._path, records.encode(visit))
