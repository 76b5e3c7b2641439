"""A person takes back what he just did with mail: it was filed, it opened an issue, a blocked one was accepted.

Flows in: an issue and the step in it. Flows out: the mail where it was, the issue without the step, and the notices
that had not been sent withdrawn. A step can be taken back for a while, as long as nothing else happened to the issue.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues import handling
from eventum.issues.events import Event, Filing, TakenOut, Undone
from eventum.issues.issue import Issue, messages
from eventum.issues.recipients import recipients
from eventum.issues.trace import Row
from eventum.store.layout import POOLS
from eventum.store.outbox import key_of
from eventum.store.pool import Pooled
from eventum.store.state import Move
from eventum.tracker.acting import Done, act, acting, check_staff
from eventum.tracker.ground import Ground
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work

FOR = timedelta(minutes=10)
"""How long a step can be taken back."""
DELAY = 60
"""Seconds for which the notices of such a step wait, so that nobody is told of what is taken back at once."""

_PLACED = ("as_email", "as_reference", "as_note", "new_issue", "parent_in_pool")


class Step(msgspec.Struct, frozen=True):
    """What was done last to an issue: its revision then, the first event of the step, and where its mail was before."""

    number: int
    since: int
    revision: int
    outcome: str = "unassociated"


class Back(msgspec.Struct, frozen=True):
    """What taking back came to: who had been told before, or is being told just now, and the issue as it is."""

    told: tuple[str, ...]
    issue: Issue


def step_of(tracker: Tracker, done: Done, outcome: str = "unassociated") -> Step:
    """The step that a verb has just done: all events of the same moment at the issue's end."""
    since = _first(tracker.issues.events(done.issue))
    return Step(done.issue.number, since, done.issue.revision, outcome)


def last_step(tracker: Tracker, number: int) -> Step:
    """What was done last to an issue, whatever it was. Raises `NotFound`, `Damaged`."""
    issue = tracker.issues.load(number)
    return Step(number, _first(tracker.issues.events(issue)), issue.revision)


def take_back(tracker: Tracker, who: str | None, step: Step) -> Back:
    """Undo a step; a second time it says the same again.

    Raises `Conflict` when something else happened to the issue since, or the step is too old; `NotFound` for an unknown
    issue, `Refused` for who may not; `Damaged`, `Busy` as `work.change`.
    """
    user = acting(tracker, who)
    if step.outcome not in POOLS:
        raise NotFound("There is no list {name!r}.", name=step.outcome)

    notices: dict[str, str] = {}

    def verb(changed: Changes, work: Work) -> None:
        notices.clear()
        ground, was = Ground(tracker, changed), work.issue
        check_staff(user, was, ground.people)
        if any(isinstance(event.what, Undone) and event.what.since == step.since for event in was.events):
            return
        events = tracker.issues.events(was)
        taken = tuple(event for event in events if event.number >= step.since)
        _check(was, step, taken, changed)
        notices.update(_notices(ground, was, taken))
        project = ground.people.project(was.project)
        work.issue = handling.undone(was, events, step.since, changed.now, project=project, who=user.id)
        changed.withdrawn.append((was.number, range(step.since, was.next_event)))
        new = (event.what for event in work.issue.events if event.number >= was.next_event)
        gone = {what.key for what in new if isinstance(what, TakenOut)}
        for filing in messages(events):
            if filing.key in gone:
                return_mail(changed, was, filing, step.outcome, trace=_trace_before(filing))

    done = act(tracker, step.number, verb)
    states = tracker.outbox.states(notices)
    told = (name for key, name in notices.items() if states.get(key) in ("pending", "deferred", "sent"))
    return Back(tuple(dict.fromkeys(told)), done.issue)


def _notices(ground: Ground, issue: Issue, events: Sequence[Event]) -> dict[str, str]:
    """The names of the queue's entries that tell of these events, and whom."""
    return {
        key_of(issue.number, event.number, one.address): one.name or one.address
        for event in events
        for one in recipients(event, issue, ground.people, ground.own)
    }


def _first(events: Sequence[Event]) -> int:
    last = events[-1]
    first = last
    for event in reversed(events):
        if (event.when, event.who) != (last.when, last.who):
            break
        first = event
    return first.number


def _check(issue: Issue, step: Step, taken: tuple[Event, ...], changed: Changes) -> None:
    if issue.revision != step.revision or not taken or taken[0].number != step.since:
        raise Conflict("Issue {number} was changed since; this can no longer be taken back.", number=issue.number)
    if any((event.when, event.who) != (taken[0].when, taken[0].who) for event in taken):
        raise Conflict("Issue {number} was changed since; this can no longer be taken back.", number=issue.number)
    if changed.now - taken[0].when > FOR:
        minutes = int(FOR.total_seconds()) // 60
        raise Conflict("This can be taken back for {minutes} minutes, which are over.", minutes=minutes)


def return_mail(changed: Changes, issue: Issue, filing: Filing, outcome: str, *, trace: tuple[Row, ...]) -> None:
    """Let a mail leave an issue for the pool when the changes are committed; the issue's record must not hold it."""
    tracker = changed.tracker
    if not filing.destination:
        raise Refused("What was written here belongs to no mailbox and cannot wait in the list.")
    account = next((one for one in tracker.settings.usable_accounts() if one.id == filing.destination), None)
    plain = msgspec.structs.replace(filing, kind="email", blocked="", handled="", parent="", trace=())
    pooled = Pooled(
        account=filing.destination,
        project=account.project if account else issue.project,
        when=changed.now,
        mail=plain,
        trace=trace,
    )
    changed.pooled.append((pooled, outcome, str(tracker.issues.mail_path(issue.number, filing.key))))
    changed.returns.append(Move(filing.destination, filing.key, issue.number))


def _trace_before(filing: Filing) -> tuple[Row, ...]:
    """Why the mail was in the pool: what was said before a person placed it."""
    at = [n for n, row in enumerate(filing.trace) if row.table == "person" and row.rule in _PLACED]
    return filing.trace[: at[-1]] if at else filing.trace
