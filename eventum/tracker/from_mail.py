"""A person opens an issue from mail that waits in the pool.

Flows in: who acts, the keys of the mails, what he says of the issue. Flows out: the new issue with the mails in it,
told and committed. Opening one from what somebody knows is `opening`.
"""

from collections.abc import Sequence

import msgspec

from eventum.errors import NotFound, Refused
from eventum.issues import acknowledgement, changes, subscriptions
from eventum.issues.accounts import AutoCreation
from eventum.issues.changes import Opening
from eventum.issues.notices import LONGEST_TEXT, clipped
from eventum.issues.people import Project, User
from eventum.issues.trace import Row
from eventum.mail.automatic import may_answer
from eventum.tracker.acting import Done, act_anew, acting, assignable, check_works_for
from eventum.tracker.facts import Known
from eventum.tracker.ground import Ground
from eventum.tracker.opening import check_open, one_of
from eventum.tracker.pooled import Waiting, take_along, waiting
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of the issue; what is None is as the account of the mail has it."""

    project: str = ""
    category: str | None = None
    priority: str | None = None
    assign: tuple[str, ...] | None = None


def open_from_mail(tracker: Tracker, who: str | None, key: str, project: str = "") -> Done:
    """Open an issue for a mail of the pool (its whole key) as its account would, whether that opens issues or not.

    A mail of the pool that it answers comes along. The project is that of the account unless it is named. Raises as
    `opening.open_issue`, `NotFound` also when somebody took the mail meanwhile.
    """
    return open_from_mails(tracker, who, (key,), Wish(project=project))


def open_from_mails(
    tracker: Tracker, who: str | None, keys: Sequence[str], wish: Wish, *, nonce: str = "", delay: int = 0
) -> Done:
    """Open one issue for mails of the pool: the oldest opens it, the others come along.

    Its notices wait `delay` seconds, so that it can be taken back before anybody is told. Raises as `open_from_mail`.
    """
    user = acting(tracker, who)

    def build(changed: Changes) -> Work:
        changed.delay = delay
        ground = Ground(tracker, changed)
        found = sorted((waiting(ground, key) for key in dict.fromkeys(keys)), key=_age)
        if not found:
            raise Refused("No mail is chosen; tick those that belong together.")
        return _Opening(ground, user, _project(ground, user, found, wish.project)).build(found, wish)

    return act_anew(tracker, build, nonce=nonce)


def _age(found: Waiting) -> tuple[object, ...]:
    return found.pooled.mail.received, found.pooled.mail.key


def _project(ground: Ground, user: User, found: Sequence[Waiting], name: str) -> Project:
    name = name or found[0].pooled.project
    if not name:
        raise Refused(
            "The mail {key} came by no account of a project; name the project.", key=found[0].arrival.key[:12]
        )
    project = ground.tracker.people.project(name)
    check_open(project)
    for project_id in {project.id, *(one.pooled.project or project.id for one in found)}:
        check_works_for(user, project_id, ground.people)
    return project


class _Opening:
    """One new issue, and the mails of the pool that go into it."""

    def __init__(self, ground: Ground, user: User, project: Project) -> None:
        self._ground, self._user, self._project = ground, user, project

    def build(self, found: Sequence[Waiting], wish: Wish) -> Work:
        """The issue of the first mail with all of them in it."""
        first, ground, now = found[0], self._ground, self._ground.changes.now
        known = Known(ground, first.arrival)
        account = known.account
        defaults = account.auto_create if account and account.project == self._project.id else AutoCreation()
        thanks, why = acknowledgement.acknowledge(_thanks(ground, known))
        opening = Opening(
            number=ground.tracker.numbers.take(),
            project=self._project.id,
            summary=first.pooled.mail.subject,
            description=clipped(known.message.text.strip(), LONGEST_TEXT),
            status=self._project.initial_status,
            priority=self._one_of("priority", wish.priority, defaults.priority),
            category=self._one_of("category", wish.category, defaults.category),
            reporter=known.message.sender,  # A sender that is not clear gets no rights, here neither.
            root_message_id=first.pooled.mail.message_id,
            by_mail=True,
            acknowledge=thanks,
            who=self._user.id,
        )
        work = Work(changes.opened(opening, now), None)
        ground.changes.works[work.number] = work
        assignees = self._assignees(defaults.assign, wish.assign)
        work.issue = changes.assigned(work.issue, assignees, now, who=self._user.id, opening=True)
        taken = {one.arrival.key for one in found}
        for key in self._parents(known):
            if key not in taken:
                self._bring_parent(work, key)
        self._file(work, first, why)
        for other in found[1:]:
            self._file(work, other, ())
        return work

    def _one_of(self, what: str, wished: str | None, default: str) -> str:
        if wished is None:
            return default
        known = self._project.categories if what == "category" else self._project.priorities
        return one_of(self._project, what, wished, known)

    def _assignees(self, default: Sequence[str], wished: Sequence[str] | None) -> Sequence[User]:
        if wished is not None:
            return assignable(self._ground.tracker, wished, self._project.id)
        people = self._ground.people
        users = (people.user(one) for one in default)
        return [user for user in users if user is not None and people.is_staff(user, self._project.id)]

    def _parents(self, known: Known) -> Sequence[str]:
        keys = [match.pool_key.partition("/")[2] for match in known.association().candidates if match.how == "pool"]
        return tuple(dict.fromkeys(keys))

    def _file(self, work: Work, found: Waiting, why: tuple[Row, ...]) -> None:
        """Put a mail into the issue, and those it names on the list; the notice of the new issue tells of it."""
        ground, mail, now = self._ground, found.pooled.mail, self._ground.changes.now
        own = Known(ground, found.arrival).own
        entries, rows = subscriptions.from_message(mail, work.issue, ground.people, own)
        for entry in entries:
            work.issue = changes.subscribed(work.issue, entry, now, who=self._user.id)
        row = Row("person", "new_issue", self._user.email, f"email:{work.number}")
        filing = msgspec.structs.replace(mail, trace=(*found.pooled.trace, row, *why, *rows))
        work.issue = changes.filed(work.issue, filing, now, who=self._user.id, opening=True)
        take_along(ground.changes, work, found)

    def _bring_parent(self, work: Work, key: str) -> None:
        """A mail of the pool that the new issue's mail answers belongs in front of it; it is told to nobody."""
        try:
            found = waiting(self._ground, key)
        except NotFound:  # Taken by somebody meanwhile.
            return
        row = Row("person", "parent_in_pool", self._user.email, f"email:{work.number}")
        filing = msgspec.structs.replace(found.pooled.mail, trace=(*found.pooled.trace, row))
        now = self._ground.changes.now
        work.issue = changes.filed(work.issue, filing, now, who=self._user.id, opening=True, quiet=True)
        take_along(self._ground.changes, work, found)


def _thanks(ground: Ground, known: Known) -> acknowledgement.Facts:
    sender = known.message.sender
    return acknowledgement.Facts(
        address=sender,
        may_answer=may_answer(known.message, known.arrival.envelope.sender),
        own=sender in known.own,
        inactive=known.user is not None and not known.user.active,
        today=ground.thanks_today(sender) if sender else 0,
    )
