"""A person opens an issue: from what he knows, or from a mail that waits in the pool.

Flows in: who acts, and the issue's fields or the id of a mail. Flows out: the new issue, told and committed. How mail
opens issues by itself is `receive`.
"""

from collections.abc import Sequence

import msgspec

from eventum.errors import NotFound, Refused
from eventum.issues import acknowledgement, changes, subscriptions
from eventum.issues.accounts import AutoCreation
from eventum.issues.changes import Opening
from eventum.issues.issue import ACTIONS, Subscription
from eventum.issues.notices import LONGEST_TEXT, clipped
from eventum.issues.people import Project, Role, User
from eventum.issues.trace import Row
from eventum.mail import threading
from eventum.mail.automatic import may_answer
from eventum.tracker.acting import Done, act_anew, acting, addresses, assignable, check_works_for, clean_text, one_line
from eventum.tracker.facts import Known
from eventum.tracker.ground import Ground
from eventum.tracker.pooled import Waiting, take_along, waiting
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work


class NewIssue(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of a new issue; names and titles as people write them. No reporter: who opens it."""

    project: str
    summary: str
    description: str = ""
    category: str = ""
    priority: str = ""
    assign: tuple[str, ...] = ()
    reporter: str = ""


def open_issue(tracker: Tracker, who: str | None, new: NewIssue) -> Done:
    """Open an issue as a person does. A reporter who does not open it himself is thanked for it by mail.

    `who` acts: a user's name, None for the first administrator. Raises `NotFound` for an unknown project or user,
    `Refused` for a value that cannot be taken or somebody who may not, `Damaged`, `Busy`.
    """
    user, project = acting(tracker, who), tracker.people.project(new.project)
    _check_open(project)
    _check_may_open(tracker, user, project, new)
    summary = one_line(new.summary, "The summary")
    description = clean_text(new.description, "The description")
    category = _one_of(project, "category", new.category, project.categories)
    priority = _one_of(project, "priority", new.priority, project.priorities)
    assignees = assignable(tracker, new.assign, project.id)

    def build(changed: Changes) -> Work:
        ground = Ground(tracker, changed)
        reporter, entry = _reporter(ground, user, new.reporter)
        thanks, _ = acknowledgement.acknowledge(_thanks(ground, user, reporter))
        number = tracker.numbers.take()
        host = (project.sender_email or user.email).rpartition("@")[2]
        opening = Opening(
            number=number,
            project=project.id,
            summary=summary,
            description=description,
            status=project.initial_status,
            priority=priority,
            category=category,
            reporter=reporter,
            # No mail opened it, but notices and replies need something to hang on in a mail reader.
            root_message_id=threading.our_id(threading.OurId(number, 1), ground.ids_key, host),
            acknowledge=thanks,
            who=user.id,
        )
        issue = changes.opened(opening, changed.now)
        issue = changes.subscribed(issue, entry, changed.now, who=user.id)
        issue = changes.assigned(issue, assignees, changed.now, who=user.id, opening=True)
        return Work(issue, None)

    return act_anew(tracker, build)


def open_from_mail(tracker: Tracker, who: str | None, key: str, project_name: str = "") -> Done:
    """Open an issue for a mail of the pool (its whole key) as its account would, whether that opens issues or not.

    A mail of the pool that it answers comes along. The project is that of the account unless it is named. Raises as
    `open_issue`, `NotFound` also when somebody took the mail meanwhile.
    """
    user = acting(tracker, who)

    def build(changed: Changes) -> Work:
        ground = Ground(tracker, changed)
        found = waiting(ground, key)
        if not (project_name or found.pooled.project):
            raise Refused(f"The mail {key[:12]} came by no account of a project; name the project.")
        project = tracker.people.project(project_name or found.pooled.project)
        _check_open(project)
        for project_id in {project.id, found.pooled.project or project.id}:
            check_works_for(user, project_id, ground.people)
        return _from_mail(ground, user, project, found)

    return act_anew(tracker, build)


def _from_mail(ground: Ground, user: User, project: Project, found: Waiting) -> Work:
    known, mail, changed = Known(ground, found.arrival), found.pooled.mail, ground.changes
    account = known.account
    defaults = account.auto_create if account and account.project == project.id else AutoCreation()
    thanks, why = acknowledgement.acknowledge(_thanks_for(ground, known))
    opening = Opening(
        number=ground.tracker.numbers.take(),
        project=project.id,
        summary=mail.subject,
        description=clipped(known.message.text.strip(), LONGEST_TEXT),
        status=project.initial_status,
        priority=defaults.priority,
        category=defaults.category,
        reporter=known.message.sender,  # A sender that is not clear gets no rights, here neither.
        root_message_id=mail.message_id,
        by_mail=True,
        acknowledge=thanks,
        who=user.id,
    )
    work = Work(changes.opened(opening, changed.now), None)
    changed.works[work.number] = work
    assignees = _still_staff(ground, defaults.assign, project)
    work.issue = changes.assigned(work.issue, assignees, changed.now, who=user.id, opening=True)
    parents = [match.pool_key.partition("/")[2] for match in known.association().candidates if match.how == "pool"]
    for parent in dict.fromkeys(parents):
        _bring_parent(ground, work, user, parent)
    entries, rows = subscriptions.from_message(mail, work.issue, ground.people, known.own)
    for entry in entries:
        work.issue = changes.subscribed(work.issue, entry, changed.now, who=user.id)
    row = Row("person", "new_issue", user.email, f"email:{work.number}")
    filing = msgspec.structs.replace(mail, trace=(*found.pooled.trace, row, *why, *rows))
    work.issue = changes.filed(work.issue, filing, changed.now, who=user.id, opening=True)
    take_along(changed, work, found)
    return work


def _bring_parent(ground: Ground, work: Work, user: User, key: str) -> None:
    """A mail of the pool that the new issue's mail answers belongs in front of it; it is told to nobody."""
    try:
        found = waiting(ground, key)
    except NotFound:  # Taken by somebody meanwhile.
        return
    row = Row("person", "parent_in_pool", user.email, f"email:{work.number}")
    filing = msgspec.structs.replace(found.pooled.mail, trace=(*found.pooled.trace, row))
    work.issue = changes.filed(work.issue, filing, ground.changes.now, who=user.id, opening=True, quiet=True)
    take_along(ground.changes, work, found)


def _check_open(project: Project) -> None:
    if project.archived:
        raise Refused(f"Project {project.title!r} is archived (`flask projects set` ends that); it takes no new issue.")


def _check_may_open(tracker: Tracker, user: User, project: Project, new: NewIssue) -> None:
    people = tracker.people.load_all()
    role = people.role(user, project.id)
    if role is None or role < Role.reporter:
        raise Refused(f"{user.email} may not open issues of {project.title!r}: that takes the role reporter or more.")
    if new.assign or new.reporter:
        check_works_for(user, project.id, people)


def _one_of(project: Project, what: str, value: str, known: Sequence[str]) -> str:
    for one in known:
        if one.casefold() == value.casefold():
            return one
    if value:
        raise Refused(f"Project {project.title!r} has no {what} {value!r}; it has {', '.join(known) or 'none'}.")
    return ""


def _reporter(ground: Ground, user: User, given: str) -> tuple[str, Subscription]:
    (address,) = addresses([given or user.email])
    if address in ground.own:
        raise Refused(f"{address} is an address of our own; the reporter is somebody who can be written to.")
    known = ground.people.by_address(address)
    if known is None:
        return address, Subscription(address, "", ACTIONS)
    return known.email, Subscription(known.email, known.id, ACTIONS)


def _thanks(ground: Ground, user: User, reporter: str) -> acknowledgement.Facts:
    known = ground.people.by_address(reporter)
    by_reporter = reporter in user.addresses
    if not by_reporter:
        ground.tracker.index.catch_up()
    return acknowledgement.Facts(
        address=reporter,
        inactive=known is not None and not known.active,
        by_reporter=by_reporter,
        today=0 if by_reporter else ground.thanks_today(reporter),
    )


def _thanks_for(ground: Ground, known: Known) -> acknowledgement.Facts:
    sender = known.message.sender
    return acknowledgement.Facts(
        address=sender,
        may_answer=may_answer(known.message, known.arrival.envelope.sender),
        own=sender in known.own,
        inactive=known.user is not None and not known.user.active,
        today=ground.thanks_today(sender) if sender else 0,
    )


def _still_staff(ground: Ground, ids: Sequence[str], project: Project) -> list[User]:
    users = (ground.people.user(one) for one in ids)
    return [user for user in users if user is not None and ground.people.is_staff(user, project.id)]
