"""What the loop fuse counted: one small file under `state/`, bounded in size, written once a batch by who decides.

Flows in and out: the counters of `issues.fuse` and the names of those that have blown. A power cut may take the counts
of the last batches with it; nothing stands on them but what is told when.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import records
from eventum.store.layout import Layout
from eventum.store.maker import Maker


class FuseState(msgspec.Struct, frozen=True, kw_only=True):
    """Counters by name, each with mails by slices of time; `blown`: since when each of these is over its limit."""

    schema: int = 1
    counts: dict[str, dict[str, int]] = {}
    blown: dict[str, datetime] = {}


class FuseStore:
    """The counters of one store."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker

    def load(self) -> FuseState:
        """What was counted; nothing when the file is not there or not usable, which `verify` names."""
        try:
            return records.load(self._layout.fuse, FuseState).value
        except (NotFound, Damaged):
            return FuseState()

    def save(self, state: FuseState) -> None:
        """Keep it; the caller is the one who decides."""
        self._maker().replace(self._layout.fuse, records.encode(state), durable=False)
