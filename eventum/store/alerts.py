"""The troubles that administrators are told of: which began, which are over, and who is still to be told.

Flows in: the list of them, changed under the lock `alerts`, before which any other may be taken and after which none.
Flows out: the same. One small file that holds open troubles and debts only, so that most stores have an empty one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

import msgspec

from eventum.errors import NotFound
from eventum.store import records
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import Maker
from eventum.store.said import Said

LOCK = "alerts"
PATIENCE = 5.0  # Seconds: nobody who works waits longer to say that something is wrong.


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble, from the moment it was seen until everybody knows that it is over."""

    name: str
    since: datetime
    begun: Said
    hint: Said = Said()
    line: str = ""  # What mends it or says more, when it is typed into a shell.
    told: datetime | None = None  # When it was told that it began.
    ended: datetime | None = None
    over: Said = Said()


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A mail about alerts that is about to be queued: the same when a run that died is taken up."""

    when: datetime
    began: tuple[str, ...] = ()  # names of alerts
    ended: tuple[str, ...] = ()


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """All open troubles of a store, and the mails of the last hour that told of some."""

    schema: int = 1
    alerts: tuple[Alert, ...] = ()
    letter: Letter | None = None
    letters: tuple[datetime, ...] = ()


class AlertStore:
    """The alerts of one store."""

    def __init__(self, layout: Layout, locks: Locks, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._locks = locks
        self._maker = maker

    def load(self) -> AlertState:
        """What is noted. Raises `Damaged`."""
        try:
            return records.load(self._layout.alerts, AlertState).value
        except NotFound:
            return AlertState()

    def changing(self) -> AbstractContextManager[None]:
        """Hold the right to change them. Raises `Busy`."""
        return self._locks.record(LOCK, PATIENCE)

    def save(self, state: AlertState) -> None:
        """Note what is open; durable. The caller is in `changing`."""
        self._maker().replace(self._layout.alerts, records.encode(state))

    def open(self) -> Iterator[Alert]:
        """The troubles that are not over, the oldest first. Raises `Damaged`."""
        yield from sorted((one for one in self.load().alerts if one.ended is None), key=lambda one: one.since)
