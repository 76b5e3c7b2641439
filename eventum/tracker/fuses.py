"""The loop fuse at work: counts the mails of a batch, holds what blew it, and lets go after a quiet hour.

Flows in: mails that are about to be filed. Flows out: what the fuse says of each; after the commit its counters and one
alert, however many fuses blow; and, when a counter was quiet for an hour, the notices it held. The rules are in
`issues/fuse`.
"""

from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from eventum.errors import EventumError, NotFound, Refused
from eventum.issues import fuse
from eventum.issues.events import by_machine
from eventum.issues.fuse import Tally
from eventum.issues.settings import Fuse
from eventum.issues.trace import Row
from eventum.mail.message import Message
from eventum.store.fuses import FuseState
from eventum.tracker import alerts
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Phrase

ALERT = "fuse"
# How old the time may be that our own server wrote into a mail: it may lie there since years; what is older was written
# by a clock that was never set.
BELIEVED = timedelta(days=3650)


class Verdict(msgspec.Struct, frozen=True):
    """What the fuse says of a mail, the counter that blew ("" for none), and why."""

    answer: fuse.Answer = "told"
    name: str = ""
    rows: tuple[Row, ...] = ()


WHOLE = Verdict()


class Fuses:
    """The counters of one batch, with what was counted before."""

    def __init__(self, tracker: Tracker, limits: Fuse, now: datetime) -> None:
        state = tracker.fuses.load()
        self._tracker, self._limits, self._now = tracker, limits, now
        self._tally, self._blown = Tally(state.counts), dict(state.blown)
        self._is_changed = False

    def filing(self, message: Message, issue: int, *, is_staff: bool, is_quiet: bool) -> Verdict:
        """What is said of a mail on its way into an issue, 0 for a new one.

        Mail that is filed without telling anybody, as imported mail and that of programs, is not counted.
        """
        if is_quiet or by_machine(message.automatic):
            return WHOLE
        when, names = self._time(message), _names(message, issue, is_staff=is_staff)
        facts = {kind: self._tally.add(name, when) for kind, name in names.items()}
        self._is_changed = True
        answer, rows = fuse.decide(fuse.Facts(limits=self._limits, opens=not issue, **facts))
        if answer == "told":
            return WHOLE
        over = [kind for kind in names if 0 < getattr(self._limits, kind) < facts[kind]]
        for kind in over:
            self._blown.setdefault(names[kind], self._now)
        return Verdict(answer, names[over[0]], rows)

    def acknowledged(self, count: int = 0) -> tuple[int, int]:
        """How many acknowledgements were sent in the last hour, `count` new ones included, and how many may be."""
        for _ in range(count):
            self._tally.add(fuse.ACKNOWLEDGEMENTS, self._now)
            self._is_changed = True
        return self._tally.total(fuse.ACKNOWLEDGEMENTS, self._now), self._limits.acknowledgements

    def commit(self) -> None:
        """Keep what was counted: the batch is committed."""
        if self._is_changed:
            self._tracker.fuses.save(FuseState(counts=self._tally.counts(self._now), blown=self._blown))

    def _time(self, message: Message) -> datetime:
        """When the mail came to our server: mail of a weekend that is fetched at once did not come at once."""
        when = message.received
        return when if when is not None and self._now - BELIEVED < when < self._now else self._now


def _names(message: Message, issue: int, *, is_staff: bool) -> dict[str, str]:
    """The counters of a mail by the limits that hold for them. A sender that is not clear is counted as one."""
    names = {"address" if issue else "new_issues": f"address {message.sender} {issue or 'new'}"}
    if not is_staff and message.sender:
        names["domain"] = f"domain {message.sender.rpartition('@')[2]}"
    if issue:
        names["issue"] = f"issue {issue}"
    return names


def cause(counter: str) -> EventumError:
    """What it means that a counter blew, for a person."""
    kind, _, rest = counter.partition(" ")
    who, _, issue = rest.rpartition(" ")
    name = who or Phrase(N_("an unknown sender"))
    if kind == "address" and issue == "new":
        return Refused(N_("Too many mails of {who} opened issues within an hour."), who=name)
    if kind == "address":
        return Refused(N_("Too many mails of {who} came into issue #{issue} within an hour."), who=name, issue=issue)
    if kind == "domain":
        return Refused(N_("Too many mails of the domain {domain} came within an hour."), domain=rest)
    return Refused(N_("Too many mails came into issue #{issue} within an hour."), issue=rest)


def tell(tracker: Tracker) -> None:
    """Let administrators know, once, that fuses have blown or are whole again. The caller is the one who decides."""
    state = tracker.fuses.load()
    if not state.blown:
        return
    now, tally = tracker.clock(), Tally(state.counts)
    blown = {name: since for name, since in state.blown.items() if tally.total(name, now) and since <= now}
    if blown:
        first = min(blown, key=lambda name: blown[name])
        alerts.raised(
            tracker,
            ALERT,
            cause(first),
            hint=N_(
                "Two programs may answer each other. The mail is kept, and notices about it are held; they are sent "
                "after an hour without such mail, or when you send them from the queue. What is allowed stands in "
                "General Setup, Loop fuse (fuse.*)."
            ),
            line="flask queue list --status held",
        )
    else:
        alerts.over(tracker, ALERT, N_("No more mail came for an hour; what was held is sent."))
    if blown != state.blown:
        tracker.fuses.save(msgspec.structs.replace(state, blown=blown))


def release(tracker: Tracker) -> int:
    """Let notices be sent whose counter was quiet for an hour; how many. The caller holds the lease `queue`."""
    tally, now, count = None, tracker.clock(), 0
    for entry in tracker.outbox.entries("held"):
        if not entry.posting.hold:
            continue
        tally = Tally(tracker.fuses.load().counts) if tally is None else tally
        if not tally.total(entry.posting.hold, now):
            with suppress(NotFound):  # A person was faster.
                tracker.outbox.retry(entry.id)
                count += 1
    return count
