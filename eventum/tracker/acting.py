"""Who acts, what he may do with an issue, and what came of it.

Flows in: the name of a user, or nobody's; a verb on one issue. Flows out: the user, and the issue as it is then with
those who are told. What somebody typed is made clean here, before it becomes part of a record. Which changes there are
is not known here.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues import changes
from eventum.issues.access import may_read_notes
from eventum.issues.events import Event
from eventum.issues.issue import Issue
from eventum.issues.people import People, User
from eventum.mail.address import is_address
from eventum.mail.message import MAX_SUBJECT
from eventum.mail.words import clean_line
from eventum.tracker.once import made, once
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import TRIES, Changes, Work, change
from eventum.wording import N_, Phrase

LONGEST = 1_000_000
"""Characters of what a person writes at once; a file belongs into an attachment."""

# The controls that no text of a person has, line feed and tab aside; and halves of characters, from a terminal that
# speaks another charset.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The issue as it is now, whether the verb changed it, and the addresses that are told of it."""

    issue: Issue
    changed: bool
    told: tuple[str, ...] = ()

    def made(self, nonce: str) -> Event | None:
        """The first event that this form brought about, now or before."""
        return made_by(self.issue, nonce)


def acting(tracker: Tracker, name: str | None = None) -> User:
    """The user of that name, or the first administrator. Raises `NotFound`, or `Refused` for a deactivated one."""
    if name:
        user = tracker.people.user(name)
        if not user.active:
            raise Refused(N_("{who} is deactivated; an administrator can end that."), who=user.email)
        return user
    administrators = (user for user in tracker.people.load_all().users if user.administrator and user.active)
    first = min(administrators, key=lambda user: (user.created, user.email), default=None)
    if first is None:
        raise Refused(N_("There is no active administrator to act; name somebody (`flask users list` shows all)."))
    return first


def check_staff(user: User, issue: Issue, people: People) -> None:
    """Raises `Refused` unless the user works on that issue: its notes, assignments and mails."""
    if not may_read_notes(user, issue, people):
        check_works_for(user, issue.project, people)
        raise Refused(N_("Issue {number} is in an archived project, which takes a manager."), number=issue.number)


def check_works_for(user: User, project_id: str, people: People) -> None:
    """Raises `Refused` unless the user is staff of the project, `NotFound` without the project."""
    if not people.is_staff(user, project_id):
        title = people.project(project_id).title
        raise Refused(
            N_("{who} does not work for {project!r}: that takes the role standard or more."),
            who=user.email,
            project=title,
        )


def assignable(tracker: Tracker, names: Iterable[str], project_id: str) -> tuple[User, ...]:
    """The users of these names, each once. Raises `NotFound`, or `Refused` for who does not work for the project."""
    people = tracker.people.load_all()
    users = [acting(tracker, name) for name in names if name]
    for user in users:
        check_works_for(user, project_id, people)
    return tuple({user.id: user for user in users}.values())


def act(tracker: Tracker, number: int, verb: Callable[[Changes, Work], None], *, nonce: str = "") -> Done:
    """Change one issue by a verb, once for each nonce; raises what `work.change` raises."""
    last: list[Work] = []

    def remembered(changed: Changes, work: Work) -> None:
        last[:] = [work]
        if made_by(work.issue, nonce) is None:
            first = work.issue.next_event
            verb(changed, work)
            work.issue = changes.by_form(work.issue, first, nonce)

    change(tracker, number, remembered)
    return _done(last[0])


def made_by(issue: Issue, nonce: str) -> Event | None:
    """The first event of an issue that a form with this nonce brought about; None for none, and without a nonce."""
    return next((event for event in issue.events if nonce and event.nonce == nonce), None)


def act_anew(tracker: Tracker, verb: Callable[[Changes], Work], *, nonce: str = "") -> Done:
    """Commit the new issue that a verb makes; the verb may be called again when a mail it takes was moved meanwhile.

    A nonce that made an issue before gives that one. Raises what the verb raises, `Damaged`, `Busy`, or `Conflict` when
    that mail does not come to rest.
    """
    from eventum.tracker.announce import announce  # It renders with the templates, which most commands never need.

    tries = TRIES
    while True:
        tries -= 1
        if (number := made(tracker, nonce)) is not None:
            return Done(issue=tracker.issues.load(number), changed=False)
        changed = Changes(tracker, tracker.clock())
        try:
            work = verb(changed)
            work.issue = changes.by_form(work.issue, 1, nonce)
            changed.works[work.number] = work
            announce(changed)
            # Rendered before: a lock is held for the writing only, and who waited for it finds what the other made.
            with once(tracker, nonce) as number:
                if number is not None:
                    return Done(issue=tracker.issues.load(number), changed=False)
                changed.commit()
        except (Conflict, NotFound) as error:
            # The mail it takes was moved meanwhile, perhaps by the other click.
            if tries and (isinstance(error, Conflict) or made(tracker, nonce) is not None):
                continue
            raise
        tracker.state.fulfilled(tracker.maker.id)
        return _done(work)


def _done(work: Work) -> Done:
    told = tuple(dict.fromkeys(posting.recipient for posting, _ in work.notices))
    return Done(issue=work.issue, changed=work.before is None or work.before.value != work.issue, told=told)


def one_line(text: str, what: str) -> str:
    """What somebody typed as one clean line; `what` it is. Raises `Refused` when it is empty or too long."""
    line = clean_line(text, MAX_SUBJECT + 1)
    if not line or len(line) > MAX_SUBJECT:
        raise Refused(
            N_("{what} is one line of 1 to {most} characters, not {line!r}."),
            what=Phrase(what),
            most=MAX_SUBJECT,
            line=line[:40],
        )
    return line


def clean_text(text: str, what: str) -> str:
    """What somebody typed, without controls and blank ends. Raises `Refused` when it is too long."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", _SURROGATES.sub("\ufffd", text)).strip("\n").rstrip()
    if len(text) > LONGEST:
        raise Refused(
            N_("{what} has {count} characters, and {most} are the most; send a file instead."),
            what=Phrase(what),
            count=len(text),
            most=LONGEST,
        )
    return text


def said(text: str, what: str) -> str:
    """As `clean_text`; raises `Refused` when nothing is left."""
    text = clean_text(text, what)
    if not text.strip():
        raise Refused(N_("{what} is empty; write something."), what=Phrase(what))
    return text


def addresses(given: Iterable[str]) -> tuple[str, ...]:
    """E-mail addresses somebody typed, each once, in lower case. Raises `Refused` for one that is none."""
    found = tuple(dict.fromkeys(one.strip().lower() for one in given))
    for one in found:
        if not is_address(one):
            raise Refused(N_("{address!r} is not an e-mail address; write it like name@example.org."), address=one)
    return found
