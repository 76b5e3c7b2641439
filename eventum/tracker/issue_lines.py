"""Issues as a list shows them: what the index says of one, with names in the place of ids.

Flows in: lines of the index, the people, and what somebody may see. Flows out: values ready to be shown. No file is
opened here.
"""

from datetime import UTC, datetime

import msgspec

from eventum.issues.people import People
from eventum.store.index_lists import Line
from eventum.store.index_texts import Scope


class Person(msgspec.Struct, frozen=True):
    """Somebody as a line shows him."""

    id: str
    name: str


class IssueLine(msgspec.Struct, frozen=True, kw_only=True):
    """An issue in the list. `is_theirs`: the newest e-mail is a customer's. Only staff is told of notes."""

    number: int
    summary: str
    project: str
    status: str
    priority: str
    category: str
    reporter: str
    address: str
    assignees: tuple[Person, ...]
    created: datetime
    updated: datetime
    closed: datetime | None
    emails: int
    notes: int | None
    blocked: int
    is_theirs: bool


class Showing:
    """Shows lines to somebody."""

    def __init__(self, people: People, scope: Scope) -> None:
        self._people = people
        self._staff = scope.staff
        self._titles = {project.id: project.title for project in people.projects}
        self._persons: dict[str, Person] = {}

    def line(self, line: Line) -> IssueLine:
        """One issue."""
        is_staff = self._staff is None or line.project in self._staff
        return IssueLine(
            number=line.number,
            summary=line.summary,
            project=self._titles.get(line.project, line.project),
            status=line.status,
            priority=line.priority,
            category=line.category,
            reporter=self._reporter(line),
            address=line.reporter,
            assignees=tuple([self._person(user) for user in line.assignees.split()]),
            created=datetime.fromtimestamp(line.created, UTC),
            updated=datetime.fromtimestamp(line.updated, UTC),
            closed=None if line.closed is None else datetime.fromtimestamp(line.closed, UTC),
            emails=line.emails,
            notes=line.notes if is_staff else None,
            blocked=line.blocked if is_staff else 0,
            is_theirs=line.closed is None and is_staff and self._is_customer(line),
        )

    def _reporter(self, line: Line) -> str:
        user = self._people.by_address(line.reporter)
        return (user.name if user else line.reporter_name) or line.reporter

    def _is_customer(self, line: Line) -> bool:
        sender = line.last_sender
        return bool(sender) and not self._people.is_staff(self._people.by_address(sender), line.project)

    def _person(self, user_id: str) -> Person:
        if user_id not in self._persons:
            user = self._people.user(user_id)
            self._persons[user_id] = Person(user_id, (user.name or user.email) if user else user_id)
        return self._persons[user_id]
