"""Issues as lists, commands and JSON show them.

Flows in: what a list is to show, or a number. Flows out: rows of plain values, people as addresses and projects by
title. A record that cannot be used is named beside the list, not instead of it. Nothing is changed here.
"""

from datetime import UTC, datetime

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.issues.events import Filing
from eventum.issues.issue import Issue, held
from eventum.issues.people import People
from eventum.store.index_lists import Line
from eventum.store.index_tables import Query
from eventum.tracker.delivery import Delivery, deliveries
from eventum.tracker.guard import reading
from eventum.tracker.history import history
from eventum.tracker.mails import Listed, Row, attachments
from eventum.tracker.tracker import Tracker
from eventum.wording import N_


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of issues is to show; empty fields do not matter. `project` is a title or id."""

    project: str = ""
    status: str = ""
    search: str = ""
    limit: int = 0


def issues(tracker: Tracker, wanted: Wanted) -> Listed:
    """The issues of a list, the newest change first.

    Raises `NotFound` for an unknown project, `Refused` for a status that no project has.
    """
    people = tracker.people.load_all()
    project = tracker.people.project(wanted.project).id if wanted.project else ""
    statuses = dict.fromkeys(s for p in people.projects if project in ("", p.id) for s in p.statuses)
    if wanted.status and wanted.status not in statuses:
        known = ", ".join(statuses) or "none"
        raise Refused(N_("No project has the status {status!r}; there are {known}."), status=wanted.status, known=known)
    tracker.index.catch_up()
    query = Query(project=project, status=wanted.status, search=wanted.search, limit=wanted.limit)
    with tracker.index.snapshot():
        lines = tracker.index.found(query)
        stamps = dict(tracker.index.stamps())
    rows: list[Row] = []
    damaged: list[str] = []
    for line in lines:
        if stamps.get(line.number) == tracker.issues.modified(line.number):
            rows.append(_line_row(line, people))
            continue
        # Its file is not the one the index read: changed just now, or spoilt by hand.
        try:
            rows.append(issue_row(tracker.issues.load(line.number), people))
        except Damaged as error:
            damaged.append(str(error))
        except NotFound:  # Removed by hand.
            continue
    return Listed(rows, [*damaged, *_unknown(tracker, damaged)])


def _line_row(line: Line, people: People) -> Row:
    """A line of the index as `issue_row` shows the record."""
    titles = {project.id: project.title for project in people.projects}
    created, updated, closed = (
        None if moment is None else datetime.fromtimestamp(moment, UTC)
        for moment in (line.created, line.updated, line.closed)
    )
    return {
        "id": line.number,
        "project": titles.get(line.project, line.project),
        "summary": line.summary,
        "status": line.status,
        "priority": line.priority,
        "category": line.category,
        "reporter": line.reporter,
        "assignees": [_address(one, people) for one in line.assignees.split()],
        "created": created,
        "updated": updated,
        "closed": closed,
        "emails": line.emails,
        "notes": line.notes,
    }


def _unknown(tracker: Tracker, known: list[str]) -> list[str]:
    """Issues the index could not read when it was made: without this nobody would hear of their damage."""
    found: list[str] = []
    for number in sorted(set(tracker.issues.numbers()) - set(tracker.index.issues(Query()))):
        try:
            tracker.issues.load(number)
        except Damaged as error:
            found += [str(error)] if str(error) not in known else []
        except NotFound:
            continue
    return found


def issue(tracker: Tracker, number: int) -> Row:
    """One issue with its messages and history. Raises `NotFound`, `Damaged`."""
    people = tracker.people.load_all()
    found = tracker.issues.load(number)
    events = tracker.issues.events(found)
    sent = deliveries(tracker, number, events)
    return {
        **issue_row(found, people),
        "description": found.description,
        "notification_list": [
            {"address": entry.address, "user": _address(entry.user, people) or None, "actions": list(entry.actions)}
            for entry in found.subscriptions
        ],
        "authorized_repliers": list(found.repliers),
        "messages": [
            message_row(
                tracker, found, one.message, [row for event in one.events for row in sent.get(event.number, [])]
            )
            for one in held(events)
        ],
        "history": history(events, people),
    }


def issue_row(found: Issue, people: People) -> Row:
    """One issue as a line of a list."""
    titles = {project.id: project.title for project in people.projects}
    return {
        "id": found.number,
        "project": titles.get(found.project, found.project),
        "summary": found.summary,
        "status": found.status,
        "priority": found.priority,
        "category": found.category,
        "reporter": found.reporter,
        "assignees": [_address(one, people) for one in found.assignees],
        "created": found.created,
        "updated": found.updated,
        "closed": found.closed,
        "emails": found.emails,
        "notes": found.notes,
    }


def message_row(tracker: Tracker, found: Issue, message: Filing, sent: list[Delivery]) -> Row:
    """One message of an issue with its text; a mail whose file is gone has a text that says so."""
    try:
        path = tracker.issues.mail_path(found.number, message.key)
        text = reading(tracker.cache, message.digest, path).text
    except NotFound as error:
        text = f"[{error} `flask verify` names what is missing.]"
    return {
        "id": message.key,
        "kind": message.kind,
        "message_id": message.message_id,
        "from": {"name": message.from_.name, "address": message.from_.address, "verified": message.verified},
        "to": [one.address or one.name for one in message.to],
        "cc": [one.address or one.name for one in message.cc],
        "subject": message.subject,
        "date": message.date,
        "text": text,
        "attachments": attachments(message),
        "blocked": message.blocked or None,
        "duplicate_of": message.duplicate_of or None,
        "trace": [msgspec.structs.asdict(row) for row in message.trace],
        "delivery": sent,
    }


def _address(user_id: str, people: People) -> str:
    user = people.user(user_id) if user_id else None
    return user.email if user else user_id
