"""A person opens an issue from what he knows.

Flows in: who acts, and the issue's fields. Flows out: the new issue, told and committed. From a mail that waits it is
`from_mail`; how mail opens issues by itself is `receive`.
"""

from collections.abc import Sequence

import msgspec

from eventum.errors import Refused
from eventum.issues import acknowledgement, changes
from eventum.issues.changes import Opening
from eventum.issues.issue import ACTIONS, Issue, Subscription
from eventum.issues.people import Project, Role, User
from eventum.mail import threading
from eventum.tracker import room
from eventum.tracker.acting import Done, act_anew, acting, addresses, assignable, check_works_for, clean_text, one_line
from eventum.tracker.ground import Ground
from eventum.tracker.once import says_same
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work
from eventum.tracker.writing import Letter, Writing, clean
from eventum.wording import N_, Phrase


class NewIssue(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of a new issue; names and titles as people write them. No reporter: who opens it.

    A `letter` is sent to the reporter as the first mail of the issue; then he is not thanked for it.
    """

    project: str
    summary: str
    description: str = ""
    category: str = ""
    priority: str = ""
    assign: tuple[str, ...] = ()
    reporter: str = ""
    letter: Letter | None = None


class Place(msgspec.Struct, frozen=True):
    """A project somebody may open issues in: what they can have there, and who may work on them."""

    id: str
    title: str
    categories: tuple[str, ...]
    priorities: tuple[str, ...]
    is_staff: bool
    staff: tuple[User, ...]


def places(tracker: Tracker, user: User) -> tuple[Place, ...]:
    """The projects a user may open issues in, by title."""
    people = tracker.people.load_all()
    return tuple(
        Place(
            project.id,
            project.title,
            project.categories,
            project.priorities,
            people.is_staff(user, project.id),
            tuple(sorted((one for one in people.users if people.is_staff(one, project.id)), key=lambda one: one.name)),
        )
        for project in sorted(people.projects, key=lambda project: project.title.casefold())
        if not project.archived and (people.role(user, project.id) or Role.viewer) >= Role.reporter
    )


def open_issue(tracker: Tracker, who: str | None, new: NewIssue, *, nonce: str = "") -> Done:
    """Open an issue as a person does, once for each nonce. A reporter who does not open it himself is thanked by mail.

    `who` acts: a user's name, None for the first administrator. Raises `NotFound` for an unknown project or user,
    `Refused` for a value that cannot be taken or somebody who may not, `Damaged`, `Busy`.
    """
    room.check(tracker)
    user, project = acting(tracker, who), tracker.people.project(new.project)
    check_open(project)
    _check_may_open(tracker, user, project, new)
    summary = one_line(new.summary, N_("The summary"))
    description = clean_text(new.description, N_("The description"))
    letter = clean(new.letter) if new.letter else None
    category = one_of(project, "category", new.category, project.categories)
    priority = one_of(project, "priority", new.priority, project.priorities)
    assignees = assignable(tracker, new.assign, project.id)

    def build(changed: Changes) -> Work:
        ground = Ground(tracker, changed)
        reporter, entry = _reporter(ground, user, new.reporter)
        thanks = "" if letter else acknowledgement.acknowledge(_thanks(ground, user, reporter))[0]
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
        work = Work(issue, None)
        if letter:
            _send_first(changed, work, user, letter)
        return work

    return act_anew(tracker, build, nonce=nonce)


def opens_else(made: Issue, new: NewIssue) -> bool:
    """Whether a form says something else than the issue that it made before: that was not opened then."""
    return not (says_same(made.summary, new.summary) and says_same(made.description, new.description))


def _send_first(changed: Changes, work: Work, user: User, letter: Letter) -> None:
    """The first mail of the issue, to its reporter, who did not write to us."""
    writing = Writing(changed, work, user)
    subject = letter.subject or work.issue.summary
    named = msgspec.structs.replace(letter, to=(work.issue.reporter, *letter.to), subject=subject)
    writing.file("email", writing.addressed(named), writing.admitted())
    writing.check_reaches_somebody()


def check_open(project: Project) -> None:
    """Raises `Refused` for an archived project."""
    if project.archived:
        raise Refused(
            N_("Project {project!r} is archived; it takes no new issue until an administrator ends that."),
            project=project.title,
        )


def _check_may_open(tracker: Tracker, user: User, project: Project, new: NewIssue) -> None:
    people = tracker.people.load_all()
    role = people.role(user, project.id)
    if role is None or role < Role.reporter:
        raise Refused(
            N_("{who} may not open issues of {project!r}: that takes the role reporter or more."),
            who=user.email,
            project=project.title,
        )
    if new.assign or new.reporter or new.letter:
        check_works_for(user, project.id, people)


def one_of(project: Project, what: str, value: str, known: Sequence[str]) -> str:
    """The project's own spelling of a category or priority, "" for none. Raises `Refused` for an unknown one."""
    for one in known:
        if one.casefold() == value.casefold():
            return one
    if value:
        raise Refused(
            N_("Project {project!r} has no {what} {value!r}; it has {known}."),
            project=project.title,
            what=Phrase(what),
            value=value,
            known=", ".join(known) or "none",
        )
    return ""


def _reporter(ground: Ground, user: User, given: str) -> tuple[str, Subscription]:
    (address,) = addresses([given or user.email])
    if address in ground.own:
        raise Refused(
            N_("{address} is an address of our own; the reporter is somebody who can be written to."), address=address
        )
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
