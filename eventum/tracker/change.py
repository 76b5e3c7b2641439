"""Who works on an issue, and whether it is done: assign, unassign, close.

Flows in: the number of an issue, who acts, what he wants. Flows out: the issue as it is then, told and committed.
What has no effect is no error and makes no event.
"""

from collections.abc import Sequence

from eventum.issues import changes
from eventum.tracker.acting import Done, act, acting, assignable, check_staff, clean_text
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work


def assign(tracker: Tracker, number: int, who: str | None, names: Sequence[str]) -> Done:
    """Assign users to an issue beside those it has; they are put on its notification list.

    `who` acts: a user's name, None for the first administrator. Raises `NotFound` for an unknown issue or user,
    `Refused` when somebody cannot be assigned: then nobody is. `Conflict`, `Damaged`, `Busy` as `work.change`.
    """
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        users = assignable(tracker, names, work.issue.project)
        work.issue = changes.assigned(work.issue, users, changed.now, who=user.id)

    return act(tracker, number, verb)


def unassign(tracker: Tracker, number: int, who: str | None, names: Sequence[str]) -> Done:
    """Take users off an issue, deactivated ones too; they stay on its list. Raises as `assign`."""
    user = acting(tracker, who)
    users = [tracker.people.user(name) for name in names]

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        work.issue = changes.unassigned(work.issue, users, changed.now, who=user.id)

    return act(tracker, number, verb)


def close(tracker: Tracker, number: int, who: str | None, reason: str = "") -> Done:
    """Close an issue; who asked for it on the list is told, with the reason. Raises as `assign`."""
    user = acting(tracker, who)
    reason = clean_text(reason, "The reason")

    def verb(changed: Changes, work: Work) -> None:
        people = tracker.people.load_all()
        check_staff(user, work.issue, people)
        status = people.project(work.issue.project).closed_status
        work.issue = changes.closed(work.issue, status, changed.now, reason=reason, who=user.id)

    return act(tracker, number, verb)
