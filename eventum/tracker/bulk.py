"""One change of many issues: each is changed by itself, and one that is refused stops no other.

Flows in: numbers, who acts, what he wants. Flows out: what became of each, in the order in which they were named.
"""

from collections.abc import Callable, Iterable

import msgspec

from eventum.errors import EventumError, NotFound, Refused
from eventum.issues import changes
from eventum.issues.access import may_see
from eventum.issues.people import User
from eventum.tracker import change
from eventum.tracker.acting import Done, act, check_staff
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work
from eventum.wording import N_

MOST = 200
"""Issues that are changed at once: more than a page has, and less than what a person waits for."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one issue: `changed`, and who is told of it, or as it was; with an `error` also why.

    `by` is the name of who made it so before, when it was so already and that is known.
    """

    number: int
    changed: bool = False
    told: tuple[str, ...] = ()
    by: str = ""
    error: EventumError | None = None


def assign(tracker: Tracker, user: User, numbers: Iterable[int], assignee: str) -> list[Outcome]:
    """Assign somebody (an id or address) to issues, beside those they have."""
    outcomes = _each(tracker, user, numbers, lambda number: change.assign(tracker, number, user.id, [assignee]))
    return [msgspec.structs.replace(one, by="") for one in outcomes]


def close(tracker: Tracker, user: User, numbers: Iterable[int], reason: str = "") -> list[Outcome]:
    """Close issues, all with the same reason."""
    return _each(tracker, user, numbers, lambda number: change.close(tracker, number, user.id, reason))


def set_status(tracker: Tracker, user: User, numbers: Iterable[int], status: str) -> list[Outcome]:
    """Give issues a status; it must be one of their project's."""

    def verb(changed: Changes, work: Work) -> None:
        people = tracker.people.load_all()
        check_staff(user, work.issue, people)
        project = people.project(work.issue.project)
        work.issue = changes.status_set(work.issue, status, project, changed.now, who=user.id)

    return _each(tracker, user, numbers, lambda number: act(tracker, number, verb))


def _each(tracker: Tracker, user: User, numbers: Iterable[int], verb: Callable[[int], Done]) -> list[Outcome]:
    wanted = list(dict.fromkeys(numbers))
    if len(wanted) > MOST:
        raise Refused(N_("{count} issues are too many at once; tick {most} at most."), count=len(wanted), most=MOST)
    outcomes = []
    for number in wanted:
        try:
            _check_seen(tracker, user, number)
            outcomes.append(_outcome(tracker, verb(number)))
        except EventumError as error:
            outcomes.append(Outcome(number=number, error=error))
    return outcomes


def _outcome(tracker: Tracker, done: Done) -> Outcome:
    by = "" if done.changed else change.who_set(done.issue, "status", tracker.people.load_all())
    return Outcome(number=done.issue.number, changed=done.changed, told=done.told, by=by)


def _check_seen(tracker: Tracker, user: User, number: int) -> None:
    """Raises `NotFound` for an issue the user may not see: he is not told that there is one."""
    if not may_see(user, tracker.issues.load(number), tracker.people.load_all()):
        raise NotFound(N_("There is no issue {number}."), number=number)
