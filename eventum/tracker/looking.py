"""What every check of an installation says in the same way: how late a thing is, since when, how many.

Flows in: a tracker, its clock, and how sentences are said to the reader. Flows out: pieces of sentences and levels.
What is looked at, `health` decides.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from eventum.tracker.checks import CRITICAL, OK, WARNING, Level
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

# Minutes after which a thing that should happen every few is late, and too late.
LATE = {"download-emails": (20, 60), "process-queue": (10, 60), "mail": (20, 60)}
UNITS = (
    (86400, N_("{count} days ago")),
    (3600, N_("{count} hours ago")),
    (60, N_("{count} minutes ago")),
)


class Look:
    """One look at an installation."""

    def __init__(self, tracker: Tracker, cron: Mapping[str, str], say: Say) -> None:
        self._tracker = tracker
        self._cron = cron
        self._say = say
        self._now = tracker.clock()

    def _text(self, sentence: str, count: int = 0, many: str = "", **values: object) -> str:
        """A sentence about so many things; `many` is for any count but one."""
        return self._say(many if many and count != 1 else sentence).format(count=count, **values)

    def _next_try(self, when: datetime | None) -> str:
        return self._text(N_("It is tried again at {when} UTC."), when=f"{when:%H:%M}") if when else ""

    def _lateness(self, since: datetime, kind: str) -> Level:
        late, too_late = (timedelta(minutes=minutes) for minutes in LATE[kind])
        age = self._now - since
        return CRITICAL if age > too_late else WARNING if age > late else OK

    def _since(self, moment: datetime | None) -> str:
        return self._text(N_(", the oldest {ago}"), ago=self._ago(moment)) if moment else ""

    def _ago(self, moment: datetime) -> str:
        seconds = max(0, int((self._now - moment).total_seconds()))
        for size, words in UNITS:
            if seconds >= 2 * size:
                return self._text(words, seconds // size)
        return self._text(N_("{count} second ago"), seconds, N_("{count} seconds ago"))
