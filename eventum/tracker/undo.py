"""A person takes back what he just did with mail: it was filed, it opened an issue, a blocked one was accepted.

Flows in: an issue and the step in it. Flows out: the mail where it was, the issue without the step, and the notices
that had not been sent withdrawn. A step can be taken back for a while, as long as nothing else happened to the issue.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues import handling
from eventum.issues.events import Event, Filed, Filing, TakenOut, Undone
from eventum.issues.issue import Issue, messages
from eventum.issues.recipients import recipients
from eventum.store.layout import POOLS
from eventum.store.outbox import key_of
from eventum.tracker.acting import Done, act, acting, check_staff
from eventum.tracker.ground import Ground
from eventum.tracker.returning import bring_home, return_mail, trace_before
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work

FOR = timedelta(minutes=10)
"""How long a step can be taken back."""
DELAY = 60
"""Seconds for which the notices of such a step wait, so that nobody is told of what is taken back at once."""


class Step(msgspec.Struct, frozen=True):
    """What was done last to an issue: its revision then, the first event of the step, and where its mail was before."""

    number: int
    since: int
    revision: int
    outcome: str = "unassociated"


class Back(msgspec.Struct, frozen=True):
    """What taking back came to: who had been told before, or is being told just now, and the issue as it is.

    `mails` are those that are elsewhere or something else by now; `blocked_in` is the number of the issue in which they
    are blocked again, 0 when they are in the list.
    """

    told: tuple[str, ...]
    issue: Issue
    mails: tuple[Filing, ...] = ()
    blocked_in: int = 0


def step_of(tracker: Tracker, done: Done, outcome: str = "unassociated") -> Step:
    """The step that a verb has just done: all events of the same moment at the issue's end."""
    since = newest(tracker.issues.events(done.issue))[0].number
    return Step(done.issue.number, since, done.issue.revision, outcome)


def is_taken_back(issue: Issue, event: Event) -> bool:
    """Whether what began with this event was taken back since."""
    undone = (one.what.since for one in issue.events if isinstance(one.what, Undone) and one.number > event.number)
    return event.number in undone


def last_step(tracker: Tracker, number: int) -> Step:
    """What was done last to an issue, whatever it was. Raises `NotFound`, `Damaged`."""
    issue = tracker.issues.load(number)
    return Step(number, newest(tracker.issues.events(issue))[0].number, issue.revision)


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
                return_mail(changed, was, filing, step.outcome, trace=trace_before(filing))

    done = act(tracker, step.number, verb)
    states = tracker.outbox.states(notices)
    told = (name for key, name in notices.items() if states.get(key) in ("pending", "deferred", "sent"))
    gone, blocked = _moved(done.issue, step.since)
    tracker.index.catch_up()
    gone = [key for key in gone if tracker.index.pooled(key)]  # Of a second click somebody may have them by now.
    # A second commit: who dies between leaves them in the list, and the next click goes on.
    homes = {bring_home(tracker, user, key) for key in gone} if done.issue.was_taken_back else set()
    home = homes.pop() if len(homes) == 1 else 0
    events = tracker.issues.events(done.issue)
    filed = {event.what.message.key: event.what.message for event in events if isinstance(event.what, Filed)}
    mails = tuple(filed[key] for key in (*gone, *blocked))
    return Back(tuple(dict.fromkeys(told)), done.issue, mails, step.number if blocked else home)


def _moved(issue: Issue, since: int) -> tuple[list[str], list[str]]:
    """The keys of the mails that left the issue when a step was taken back, and of those that are blocked again."""
    gone: list[str] = []
    blocked: list[str] = []
    undone = next((one for one in issue.events if isinstance(one.what, Undone) and one.what.since == since), None)
    for event in issue.events:
        if undone is None or event.number < undone.number or (event.when, event.who) != (undone.when, undone.who):
            continue
        match event.what:
            case TakenOut(key):
                gone.append(key)
            case Filed(message):
                blocked.append(message.key)
    return gone, blocked


def _notices(ground: Ground, issue: Issue, events: Sequence[Event]) -> dict[str, str]:
    """The names of the queue's entries that tell of these events, and whom."""
    return {
        key_of(issue.number, event.number, one.address): one.name or one.address
        for event in events
        for one in recipients(event, issue, ground.people, ground.own)
    }


def newest(events: Sequence[Event]) -> Sequence[Event]:
    """The events of the last step: what one person did at one moment."""
    last, at = events[-1], len(events)
    while at and (events[at - 1].when, events[at - 1].who) == (last.when, last.who):
        at -= 1
    return events[at:]


def _check(issue: Issue, step: Step, taken: tuple[Event, ...], changed: Changes) -> None:
    if issue.revision != step.revision or not taken or taken[0].number != step.since:
        raise Conflict("Issue {number} was changed since; this can no longer be taken back.", number=issue.number)
    if any((event.when, event.who) != (taken[0].when, taken[0].who) for event in taken):
        raise Conflict("Issue {number} was changed since; this can no longer be taken back.", number=issue.number)
    if not handling.step_name(taken):
        raise Refused("This cannot be taken back.")
    if changed.now - taken[0].when > FOR:
        minutes = int(FOR.total_seconds()) // 60
        raise Conflict("This can be taken back for {minutes} minutes, which are over.", minutes=minutes)
