"""How many mails came in and went out, day by day: what the chart of the dashboard is drawn from.

Flows in: counts, as runs finish their batches. Flows out: counts by day. Two small files under `state/`, one a
direction, each written only by who decides (the lock `incoming`) or who sends (the lease `queue`), so nobody waits for
a lock. A run that is killed takes the counts of its batch with it: the mails themselves say what became of them.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import records
from eventum.store.layout import Layout
from eventum.store.maker import Maker

KEPT = 60  # Days.

Direction = Literal["in", "out"]


class Daily(msgspec.Struct, frozen=True, kw_only=True):
    """Mails by day, as `2026-11-22` in UTC; days without mail are missing."""

    schema: int = 1
    days: dict[str, int] = {}


class Days:
    """The counts of one store."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker

    def add(self, direction: Direction, count: int, now: datetime) -> None:
        """Count mails of today; the caller is the one who decides or sends. Days that are long gone are forgotten."""
        if not count:
            return
        today = now.date()
        days = dict(self.counts(direction))
        days[today] = days.get(today, 0) + count
        # The newest by their number, not by their distance: a clock that is ahead for a moment wipes nothing out.
        kept = sorted(days)[-KEPT:]
        daily = Daily(days={day.isoformat(): days[day] for day in kept})
        self._maker().replace(self._layout.daily(direction), records.encode(daily), durable=False)

    def counts(self, direction: Direction) -> Mapping[date, int]:
        """Mails by day (UTC); empty when nothing was counted yet."""
        try:
            found = records.load(self._layout.daily(direction), Daily).value.days
            return {date.fromisoformat(day): count for day, count in found.items()}
        except (NotFound, Damaged, ValueError):
            # Nothing but a chart stands on it, and `verify` names the file: the next batch begins anew.
            return {}
