"""The filters of the issue list that people saved under a name: `state/filters/<user>.json`.

Flows in and out: one small record a user. What a filter's values mean is not known here. Losing the record costs
somebody the names of his filters, nothing else.
"""

from collections.abc import Callable

import msgspec

from eventum.errors import NotFound
from eventum.store import files, records
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import Maker

LOCK = "filters"


class SavedFilter(msgspec.Struct, frozen=True):
    """A filter by the name its user gave it, as the values of the list's address."""

    name: str
    values: dict[str, str]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """All filters of one user, in the order in which he saved them."""

    schema: int = 1
    filters: tuple[SavedFilter, ...] = ()


class FilterStore:
    """The saved filters of one store."""

    def __init__(self, layout: Layout, locks: Locks, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._locks = locks
        self._maker = maker

    def of(self, user: str) -> tuple[SavedFilter, ...]:
        """What a user saved. Raises `Damaged`."""
        path = self._layout.filters_of(user)
        try:
            return records.load(path, Filters).value.filters
        except NotFound:
            return ()

    def change(self, user: str, changed: Callable[[tuple[SavedFilter, ...]], tuple[SavedFilter, ...]]) -> None:
        """Keep what `changed` makes of what a user saved; durable. Raises `Busy`, `Damaged`, and what it raises."""
        path = self._layout.filters_of(user)
        with self._locks.record(LOCK):
            try:
                before = records.load(path, Filters)
            except NotFound:
                before = None
            filters = Filters(filters=changed(before.value.filters if before else ()))
            files.make_folder(self._layout.filters)  # A store of an earlier day has none.
            self._maker().replace(path, records.encode(filters, before))
