"""Issues as lists, commands and JSON show them.

Flows in: what a list is to show, or a number. Flows out: rows of plain values, people as addresses and projects by
title. A record that cannot be used is named beside the list, not instead of it. Nothing is changed here.
"""

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.issues.events import Event, Filed
from eventum.issues.issue import Issue
from eventum.issues.people import People
from eventum.store.index_tables import Query
from eventum.tracker.delivery import Delivery, deliveries
from eventum.tracker.history import history
from eventum.tracker.mails import Listed, Row, attachments
from eventum.tracker.reading import reading
from eventum.tracker.tracker import Tracker


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
        raise Refused(f"No project has the status {wanted.status!r}; there are {', '.join(statuses) or 'none'}.")
    tracker.index.catch_up()
    query = Query(project=project, status=wanted.status, search=wanted.search, limit=wanted.limit)
    rows: list[Row] = []
    damaged: list[str] = []
    for number in tracker.index.issues(query):
        try:
            rows.append(issue_row(tracker.issues.load(number), people))
        except Damaged as error:
            damaged.append(str(error))
        except NotFound:  # Removed by hand.
            continue
    return Listed(rows, [*damaged, *_unknown(tracker, damaged)])


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
            message_row(tracker, found, event, sent.get(event.number, []))
            for event in events
            if isinstance(event.what, Filed)
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


def message_row(tracker: Tracker, found: Issue, event: Event, sent: list[Delivery]) -> Row:
    """One message of an issue with its text; a mail whose file is gone has a text that says so."""
    assert isinstance(event.what, Filed)
    message = event.what.message
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
