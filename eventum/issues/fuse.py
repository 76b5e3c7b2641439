"""The loop fuse: when too many mails of one sender, one domain or into one issue come within an hour.

In flow: how many there were, and what General Setup allows. Out flow: whether the mail is told of as usual, told later
("held": its notices wait for a person, or for a quiet hour), told to nobody, or (what would open an issue) left to a
person in the list. The mail itself is kept and shown in any case. Two programs that answer each other without any mark
of automatic mail are stopped here and nowhere else (RFC 3834 section 2; reliability T13).

Beyond twice of what is allowed nobody is told at all: what waits for the quiet hour must not become a flood of its own.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from eventum.issues.settings import Fuse
from eventum.issues.trace import Row, Rule, Table

SLICE = 300  # Seconds that are counted together.
HOUR = 3600
MOST_NAMES = 2000  # Counters that are kept; those that counted longest ago go first.
ACKNOWLEDGEMENTS = "acknowledgements"
"""The counter of all acknowledgements."""

Answer = Literal["told", "held", "silent", "unassociated"]
Step = tuple[str, Answer | None]
Counts = dict[str, dict[str, int]]


class Tally:
    """How many mails each counter saw, by slices of time: the mails of the hour before any moment."""

    def __init__(self, counts: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self._counts: Counts = {name: dict(slices) for name, slices in (counts or {}).items()}

    def add(self, name: str, when: datetime) -> int:
        """Count a mail; how many there were in the hour up to it, itself included."""
        slices = self._counts.pop(name, {})  # Put back at the end: the order says which counted last.
        at = int(when.timestamp()) // SLICE
        slices[str(at)] = slices.get(str(at), 0) + 1
        newest = max(map(int, slices))
        self._counts[name] = {one: count for one, count in slices.items() if int(one) > newest - 2 * HOUR // SLICE}
        return self.total(name, when)

    def total(self, name: str, when: datetime) -> int:
        """How many mails the counter saw in the hour up to this moment."""
        at = int(when.timestamp()) // SLICE
        slices = self._counts.get(name, {})
        return sum(count for one, count in slices.items() if at - HOUR // SLICE < int(one) <= at)

    def counts(self, now: datetime) -> Counts:
        """What is to be kept: without counters that are quiet for hours, and of the others not too many."""
        since = int((now - timedelta(hours=2)).timestamp()) // SLICE
        # What is still to come was counted by a clock that was ahead, and would outlast all that is counted now.
        until = int((now + timedelta(hours=2)).timestamp()) // SLICE
        seen = {name: {at: n for at, n in slices.items() if int(at) <= until} for name, slices in self._counts.items()}
        live = {name: slices for name, slices in seen.items() if max(map(int, slices), default=0) >= since}
        return dict(list(live.items())[-MOST_NAMES:])


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is looked at: mails of the last hour, this one included, 0 for what is not counted.

    `opens`: the mail would open an issue, and `new_issues` counts those of its sender; else `address` and `issue` count
    mails of the sender and of everybody into this issue.
    """

    limits: Fuse
    opens: bool = False
    new_issues: int = 0
    address: int = 0
    domain: int = 0
    issue: int = 0


def decide(facts: Facts) -> tuple[Answer, tuple[Row, ...]]:
    """What the fuse says of one mail, and why; no rows for one that goes its way."""
    answer, rows = FUSE.decide(facts)
    return answer, () if answer == "told" else rows


def _opens(facts: Facts) -> Step:
    blown = [_seen(*one) for one in _counted(facts) if _is_over(*one)]
    return (" ".join(blown), "unassociated") if facts.opens and blown else ("", None)


def _storm(facts: Facts) -> Step:
    blown = [_seen(count, limit) for count, limit in _counted(facts) if limit and count > 2 * limit]
    return (" ".join(blown), "silent") if blown else ("", None)


def _address(facts: Facts) -> Step:
    return _one(facts.address, facts.limits.address)


def _domain(facts: Facts) -> Step:
    return _one(facts.domain, facts.limits.domain)


def _issue(facts: Facts) -> Step:
    return _one(facts.issue, facts.limits.issue)


def _whole(facts: Facts) -> Step:
    return "", "told"


def _counted(facts: Facts) -> tuple[tuple[int, int], ...]:
    limits = facts.limits
    return (
        (facts.new_issues, limits.new_issues),
        (facts.address, limits.address),
        (facts.domain, limits.domain),
        (facts.issue, limits.issue),
    )


def _one(count: int, limit: int) -> Step:
    return _seen(count, limit), "held" if _is_over(count, limit) else None


def _is_over(count: int, limit: int) -> bool:
    return bool(limit) and count > limit


def _seen(count: int, limit: int) -> str:
    return f"{count}/{limit}" if limit else str(count)


FUSE: Table[Facts, Answer] = Table(
    "fuse",
    (
        Rule("opens_too_many", _opens),
        Rule("storm", _storm),
        Rule("by_address", _address),
        Rule("by_domain", _domain),
        Rule("by_issue", _issue),
        Rule("whole", _whole),
    ),
    str,
)
