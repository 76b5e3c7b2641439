"""Every change of an issue, as a pure function that appends events.

In flow: the issue as it was, what happened, and `now`. Out flow: the issue as it will be. Nothing here saves, counts
revisions or tells anybody: the store does the first two, `recipients` says who is told of an event. Events are only
appended.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from eventum.errors import Refused
from eventum.issues.events import (
    Assigned,
    Changed,
    Closed,
    DeliveryFailed,
    Event,
    Filed,
    Filing,
    Opened,
    Reopened,
    ReplierAdded,
    ReplierRemoved,
    StatusChanged,
    Subscribed,
    Unassigned,
    Unsubscribed,
    What,
)
from eventum.issues.issue import ACTIONS, Issue, Subscription
from eventum.issues.people import Project, User
from eventum.wording import N_

Field = Literal["summary", "description", "priority", "category", "reporter"]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a new issue starts with. `who` opened it (a user id or an address); `acknowledge` is thanked for it."""

    number: int
    project: str
    summary: str
    description: str = ""
    status: str
    priority: str = ""
    category: str = ""
    reporter: str = ""
    root_message_id: str
    by_mail: bool = False
    acknowledge: str = ""
    who: str = ""
    quiet: bool = False


def opened(opening: Opening, now: datetime) -> Issue:
    """The new issue, with the event that it was opened."""
    issue = Issue(
        number=opening.number,
        project=opening.project,
        summary=opening.summary,
        description=opening.description,
        status=opening.status,
        priority=opening.priority,
        category=opening.category,
        reporter=opening.reporter,
        root_message_id=opening.root_message_id,
        created=now,
        updated=now,
    )
    what = Opened(by_mail=opening.by_mail, acknowledge=opening.acknowledge)
    return _happened(issue, what, now, who=opening.who, quiet=opening.quiet)


def filed(
    issue: Issue,
    message: Filing,
    now: datetime,
    *,
    who: str = "",
    opening: bool = False,
    reopen_to: str = "",
    quiet: bool = False,
    left_out: tuple[str, ...] = (),
) -> Issue:
    """The issue with this message in it; with `reopen_to` (see `reopening`) open again, in that status."""
    if message.kind == "email" and not message.blocked:
        issue = replace(issue, emails=issue.emails + 1)
    elif message.kind == "note" or message.blocked:
        issue = replace(issue, notes=issue.notes + 1, blocked=issue.blocked + message.waits)
    issue = _happened(issue, Filed(message, opening, left_out), now, who=who, quiet=quiet)
    return reopened(issue, reopen_to, now, who=who) if reopen_to and issue.closed else issue


def reopening(issue: Issue, message: Filing, project: Project, *, by_staff: bool) -> str:
    """The status a message reopens a closed issue to, "" when it does not.

    Only what a customer writes does: neither our own answers, nor a machine's, nor a blocked mail, nor staff saying
    thanks.
    """
    answers = message.kind == "email" and not (message.blocked or message.outgoing or message.by_machine)
    return project.open_status if issue.closed and answers and not by_staff else ""


def assigned(
    issue: Issue, users: Sequence[User], now: datetime, *, who: str = "", opening: bool = False, quiet: bool = False
) -> Issue:
    """The issue with these users assigned and on its notification list with all actions; who is so stays so."""
    new = tuple(user for user in users if user.id not in issue.assignees)
    if not new:
        return issue
    ids = tuple(dict.fromkeys(user.id for user in new))
    issue = replace(issue, assignees=issue.assignees + ids)
    issue = _happened(issue, Assigned(ids, opening), now, who=who, quiet=quiet)
    for user in new:
        issue = subscribed(issue, Subscription(user.email, user.id, ACTIONS), now, who=who)
    return issue


def unassigned(issue: Issue, users: Sequence[User], now: datetime, *, who: str = "") -> Issue:
    """The issue without these assignees; they stay on its notification list until they leave it."""
    gone = tuple(user.id for user in users if user.id in issue.assignees)
    if not gone:
        return issue
    issue = replace(issue, assignees=tuple(one for one in issue.assignees if one not in gone))
    return _happened(issue, Unassigned(gone), now, who=who)


def closed(
    issue: Issue, status: str, now: datetime, *, reason: str = "", who: str = "", left_out: Sequence[str] = ()
) -> Issue:
    """The issue closed, in that status; no change when it is closed."""
    if issue.closed:
        return issue
    return _happened(replace(issue, status=status, closed=now), Closed(reason, tuple(left_out)), now, who=who)


def reopened(issue: Issue, status: str, now: datetime, *, who: str = "") -> Issue:
    """The issue open again, in that status; no change when it is open."""
    if not issue.closed:
        return issue
    return _happened(replace(issue, status=status, closed=None), Reopened(), now, who=who)


def status_set(
    issue: Issue, status: str, project: Project, now: datetime, *, who: str = "", left_out: Sequence[str] = ()
) -> Issue:
    """The issue in another status, closed or reopened when that is what it means. Raises Refused for an unknown one."""
    if status not in project.statuses:
        raise Refused(
            N_("{project} has no status {status!r}; choose one of: {known}."),
            project=project.title,
            status=status,
            known=", ".join(project.statuses),
        )
    if status == issue.status:
        return issue
    if status == project.closed_status:
        return closed(issue, status, now, who=who, left_out=left_out)
    if issue.closed:
        return reopened(issue, status, now, who=who)
    return _happened(replace(issue, status=status), StatusChanged(issue.status, status), now, who=who)


def changed(issue: Issue, field: Field, value: str, now: datetime, *, who: str = "") -> Issue:
    """The issue with one of its texts set; no change when it has that value."""
    old: str = getattr(issue, field)
    if old == value:
        return issue
    return _happened(replace(issue, **{field: value}), Changed(field, old, value), now, who=who)


def subscribed(issue: Issue, entry: Subscription, now: datetime, *, who: str = "") -> Issue:
    """The issue with this entry on its notification list; the actions of an entry already there are added to.

    A user has one entry, whichever of his addresses it came by.
    """
    same = _same(issue, entry)
    wanted = (*entry.actions, *(same.actions if same else ()))
    return subscription_set(issue, replace(entry, actions=wanted), now, who=who)


def subscription_set(issue: Issue, entry: Subscription, now: datetime, *, who: str = "") -> Issue:
    """The issue with this entry on its notification list, with these actions and no others."""
    same, actions = _same(issue, entry), tuple(action for action in ACTIONS if action in entry.actions)
    if same is None:
        entries = (*issue.subscriptions, replace(entry, actions=actions))
    elif same.actions == actions:
        return issue
    else:
        entry = replace(same, actions=actions)
        entries = tuple(entry if e is same else e for e in issue.subscriptions)
    return _happened(replace(issue, subscriptions=entries), Subscribed(entry.address, actions), now, who=who)


def _same(issue: Issue, entry: Subscription) -> Subscription | None:
    same = (e for e in issue.subscriptions if e.address == entry.address or (e.user and e.user == entry.user))
    return next(same, None)


def unsubscribed(issue: Issue, address: str, now: datetime, *, who: str = "") -> Issue:
    """The issue without this address on its notification list."""
    if issue.subscription(address) is None:
        return issue
    entries = tuple(entry for entry in issue.subscriptions if entry.address != address)
    return _happened(replace(issue, subscriptions=entries), Unsubscribed(address), now, who=who)


def replier_added(issue: Issue, address: str, now: datetime, *, who: str = "") -> Issue:
    """The issue with this address authorised to mail it."""
    address = address.lower()
    if address in issue.repliers:
        return issue
    return _happened(replace(issue, repliers=(*issue.repliers, address)), ReplierAdded(address), now, who=who)


def replier_removed(issue: Issue, address: str, now: datetime, *, who: str = "") -> Issue:
    """The issue with this address no longer authorised to mail it."""
    address = address.lower()
    if address not in issue.repliers:
        return issue
    rest = tuple(one for one in issue.repliers if one != address)
    return _happened(replace(issue, repliers=rest), ReplierRemoved(address), now, who=who)


def delivery_failed(issue: Issue, failure: DeliveryFailed, now: datetime) -> Issue:
    """The issue with the news that one of its mails will never arrive; the same news twice is told once."""
    told = (one.what for one in issue.events if isinstance(one.what, DeliveryFailed))
    known = {(what.recipient, what.message_id) for what in told}
    return issue if (failure.recipient, failure.message_id) in known else _happened(issue, failure, now)


def by_form(issue: Issue, number: int, nonce: str) -> Issue:
    """The issue whose event of that number, if there is one, was brought about by the form with this nonce."""
    events = tuple(replace(one, nonce=nonce) if one.number == number else one for one in issue.events)
    return replace(issue, events=events) if nonce and events != issue.events else issue


def announced(issue: Issue, number: int) -> Issue:
    """The issue with all events up to this number told."""
    return replace(issue, announced=max(issue.announced, number))


def _happened(issue: Issue, what: What, now: datetime, *, who: str = "", quiet: bool = False) -> Issue:
    event = Event(number=issue.next_event, when=now, who=who, what=what, quiet=quiet)
    return replace(issue, events=(*issue.events, event), next_event=issue.next_event + 1, updated=now)
