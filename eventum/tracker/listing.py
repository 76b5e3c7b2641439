"""The list of issues as somebody sees it: one page of lines, the views, and what the filters offer.

Flows in: a user and what he wants. Flows out: a page. No issue's record is opened: the index has all that a line shows.
What somebody may not see is not counted either.
"""

from collections.abc import Iterable

import msgspec

from eventum.issues.people import People, Project, Role, User
from eventum.store.index_lists import Listing
from eventum.store.index_texts import Scope
from eventum.tracker import views
from eventum.tracker.counts import scope_of
from eventum.tracker.issue_lines import IssueLine, Person, Showing
from eventum.tracker.texts import BEFORE_AN_ANSWER, take_in
from eventum.tracker.tracker import Tracker
from eventum.tracker.views import ANY, CLOSED, ME, NOBODY, View, Wanted

PAGE = 50
DEEPEST = 2_000  # Pages.


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What the filters offer; `people` are those who work for one of the projects."""

    projects: tuple[tuple[str, str], ...]
    statuses: tuple[str, ...]
    priorities: tuple[str, ...]
    categories: tuple[str, ...]
    people: tuple[Person, ...]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list. `missing` texts are not in the index yet; only told when words were looked for."""

    lines: tuple[IssueLine, ...]
    total: int
    page: int
    last: int
    wanted: Wanted
    views: tuple[View, ...]
    choices: Choices
    is_staff: bool
    may_open: bool
    missing: int = 0


def listing(tracker: Tracker, user: User, wanted: Wanted, page: int = 1) -> Shown:
    """A page of the issues this user may see. Raises `Busy` when the index cannot be used now."""
    people = tracker.people.load_all()
    scope = scope_of(user, people)
    projects = seen(people, scope)
    missing = take_in(tracker, BEFORE_AN_ANSWER) if wanted.q else 0
    query = _query(wanted, user, scope, people)
    tracker.index.catch_up()
    with tracker.index.snapshot():
        total = tracker.index.count(query)
        last = min(DEEPEST, max(1, -(-total // PAGE)))
        page = min(max(page, 1), last)
        found = tracker.index.lines(msgspec.structs.replace(query, limit=PAGE, offset=(page - 1) * PAGE))
        usual = views.usual(tracker, user, scope)
    showing = Showing(people, scope)
    return Shown(
        lines=tuple([showing.line(one) for one in found]),
        total=total,
        page=page,
        last=last,
        wanted=wanted,
        views=(*usual, *views.saved(tracker, user)),
        choices=_choices(people, projects),
        is_staff=scope.staff != (),
        may_open=any(_may_open(people, user, project) for project in projects),
        missing=missing,
    )


def all_lines(tracker: Tracker, user: User, wanted: Wanted) -> list[IssueLine]:
    """All issues of a list, in its order, for whoever takes them elsewhere. Raises as `listing`."""
    people = tracker.people.load_all()
    scope = scope_of(user, people)
    tracker.index.catch_up()
    query = _query(wanted, user, scope, people)
    showing = Showing(people, scope)
    return [showing.line(one) for one in tracker.index.lines(msgspec.structs.replace(query, limit=-1))]


def seen(people: People, scope: Scope) -> tuple[Project, ...]:
    """The projects somebody may see, in the order of their titles."""
    found = [one for one in people.projects if scope.projects is None or one.id in scope.projects]
    return tuple(sorted(found, key=lambda project: project.title.casefold()))


def _may_open(people: People, user: User, project: Project) -> bool:
    role = people.role(user, project.id)
    return role is not None and role >= Role.reporter and not project.archived


def _query(wanted: Wanted, user: User, scope: Scope, people: People) -> Listing:
    assignees = {"": None, ME: user.id, NOBODY: ""}
    return Listing(
        scope=scope,
        project=wanted.project,
        status="" if wanted.status in (ANY, CLOSED) else wanted.status,
        is_closed={"": False, CLOSED: True}.get(wanted.status),
        priority=wanted.priority,
        category=wanted.category,
        reporter=wanted.reporter.lower(),
        assignee=assignees.get(wanted.assignee, wanted.assignee),
        match=wanted.q,
        sort=wanted.sort,
        descending=wanted.is_descending,
        ranks=_ranks(wanted.sort, people, seen(people, scope)),
    )


def _ranks(sort: str, people: People, projects: tuple[Project, ...]) -> tuple[str, ...]:
    """The values of a column in the order people know them in, which the index does not."""
    match sort:
        case "project":
            return tuple(project.id for project in projects)
        case "status":
            return _values(project.statuses for project in projects)
        case "priority":
            return _values(project.priorities for project in projects)
        case "assignee":
            return tuple(person.id for person in staff(people, projects))
    return ()


def _values(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for values in lists for value in values))


def _choices(people: People, projects: tuple[Project, ...]) -> Choices:
    return Choices(
        projects=tuple((project.id, project.title) for project in projects),
        statuses=_values(project.statuses for project in projects),
        priorities=_values(project.priorities for project in projects),
        categories=_values(project.categories for project in projects),
        people=staff(people, projects),
    )


def staff(people: People, projects: Iterable[Project]) -> tuple[Person, ...]:
    """Those who work for one of these projects, in the order of their names."""
    ids = [project.id for project in projects]
    found = [user for user in people.users if any(people.is_staff(user, one) for one in ids)]
    persons = [Person(user.id, user.name or user.email) for user in found]
    return tuple(sorted(persons, key=lambda person: person.name.casefold()))
