"""What people change of an issue itself: its fields, who works on it, whether it is done.

Flows in: the number of an issue, who acts, what he wants. Flows out: the issue as it is then, told and committed.
What has no effect is no error and makes no event. Of a field that is set on a screen the value that was shown there
comes along: when somebody else set another one meanwhile, nothing is changed and both are told.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from eventum.errors import Conflict, Refused
from eventum.issues import changes
from eventum.issues.events import Changed, Closed, Reopened, StatusChanged
from eventum.issues.issue import Issue
from eventum.issues.people import People, Project
from eventum.tracker.acting import Done, act, acting, assignable, check_staff, clean_text, one_line
from eventum.tracker.opening import one_of
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work
from eventum.wording import N_

Field = Literal["summary", "status", "priority", "category"]
FIELDS: tuple[str, ...] = get_args(Field)


class Clash(Conflict):
    """Somebody else, `who`, set the same field meanwhile; it was to be `mine`, and is `theirs`."""

    def __init__(self, wanted: "Edit", theirs: str, who: str) -> None:
        super().__init__(N_("It was set to {theirs!r} meanwhile. Nothing was changed."), theirs=theirs)
        self.field, self.mine, self.theirs, self.who = wanted.field, wanted.new, theirs, who


class Edit(msgspec.Struct, frozen=True):
    """A field, what it said when somebody looked, and what it shall say."""

    field: Field
    old: str
    new: str


def edit(tracker: Tracker, number: int, who: str | None, wanted: Edit, *, nonce: str = "") -> Done:
    """Set one field; no change when it says so already, or was not changed.

    `who` acts: a user's name, None for the first administrator. Raises `NotFound` for an unknown issue or user,
    `Refused` for a value that cannot be taken or who may not, `Clash`; `Conflict`, `Damaged`, `Busy` as `work.change`.
    """
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        people = tracker.people.load_all()
        check_staff(user, work.issue, people)
        project = people.project(work.issue.project)
        new, now = _value(wanted, project), getattr(work.issue, wanted.field)
        if new in (now, wanted.old):
            return
        if now != wanted.old:
            raise Clash(msgspec.structs.replace(wanted, new=new), now, who_set(work.issue, wanted.field, people))
        if wanted.field == "status":
            work.issue = changes.status_set(work.issue, new, project, changed.now, who=user.id)
        else:
            work.issue = changes.changed(work.issue, wanted.field, new, changed.now, who=user.id)

    return act(tracker, number, verb, nonce=nonce)


def who_set(issue: Issue, field: Field, people: People) -> str:
    """The name of who set that field last; "" when it was a machine, or too long ago."""
    for event in reversed(issue.events):
        what = event.what
        status = field == "status" and isinstance(what, StatusChanged | Closed | Reopened)
        if status or (isinstance(what, Changed) and what.field == field):
            user = people.who(event.who) if event.who else None
            return user.name if user else event.who
    return ""


def _value(wanted: Edit, project: Project) -> str:
    match wanted.field:
        case "summary":
            return one_line(wanted.new, N_("The summary"))
        case "priority":
            return one_of(project, "priority", wanted.new, project.priorities)
        case "category":
            return one_of(project, "category", wanted.new, project.categories)
        case "status":
            return wanted.new


def assign(tracker: Tracker, number: int, who: str | None, names: Sequence[str], *, nonce: str = "") -> Done:
    """Assign users to an issue beside those it has; they are put on its notification list.

    Raises as `edit`, `Refused` also when somebody cannot be assigned: then nobody is.
    """
    return reassign(tracker, number, who, (names, ()), nonce=nonce)


def unassign(tracker: Tracker, number: int, who: str | None, names: Sequence[str]) -> Done:
    """Take users off an issue, deactivated ones too; they stay on its list. Raises as `assign`."""
    return reassign(tracker, number, who, ((), names))


def reassign(
    tracker: Tracker, number: int, who: str | None, names: tuple[Sequence[str], Sequence[str]], *, nonce: str = ""
) -> Done:
    """Assign the first of these and take off the second, in one step. Raises as `assign`."""
    user = acting(tracker, who)
    off = [tracker.people.user(name) for name in names[1]]

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        users = assignable(tracker, names[0], work.issue.project)
        issue = changes.assigned(work.issue, users, changed.now, who=user.id)
        work.issue = changes.unassigned(issue, off, changed.now, who=user.id)

    return act(tracker, number, verb, nonce=nonce)


def close(tracker: Tracker, number: int, who: str | None, reason: str = "", *, nonce: str = "") -> Done:
    """Close an issue; who asked for it on the list is told, with the reason. Raises as `assign`."""
    user = acting(tracker, who)
    reason = clean_text(reason, N_("The reason"))

    def verb(changed: Changes, work: Work) -> None:
        people = tracker.people.load_all()
        check_staff(user, work.issue, people)
        status = people.project(work.issue.project).closed_status
        work.issue = changes.closed(work.issue, status, changed.now, reason=reason, who=user.id)

    return act(tracker, number, verb, nonce=nonce)


def reopen(tracker: Tracker, number: int, who: str | None, *, nonce: str = "") -> Done:
    """Open a closed issue again. Raises as `assign`."""
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        people = tracker.people.load_all()
        check_staff(user, work.issue, people)
        status = people.project(work.issue.project).open_status
        work.issue = changes.reopened(work.issue, status, changed.now, who=user.id)

    return act(tracker, number, verb, nonce=nonce)


def check_field(name: str) -> Field:
    """The field of that name. Raises `Refused` for another."""
    for one in get_args(Field):
        if one == name:
            found: Field = one
            return found
    raise Refused(N_("An issue has no field {name!r} that can be set here."), name=name)
