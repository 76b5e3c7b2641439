"""What somebody did with mail in the last minutes and can take back; and a single mail that he takes out of an issue.

Flows in: a user. Flows out: his steps, read off the records of the issues that changed last. Nothing is kept for it.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.issues import handling
from eventum.issues.events import Filed
from eventum.issues.events import Filing as Filing  # What the screens know of a mail.
from eventum.issues.issue import held
from eventum.issues.people import User
from eventum.store.index_lists import Listing
from eventum.store.index_texts import Scope
from eventum.tracker import undo
from eventum.tracker.acting import act, acting, check_staff
from eventum.tracker.counts import scope_of
from eventum.tracker.returning import return_mail, trace_before
from eventum.tracker.tracker import Tracker
from eventum.tracker.undo import Step, newest
from eventum.tracker.work import Changes, Work

MOST = 10
"""Steps that are shown."""
_LOOKED_AT = 50  # Issues that changed last; whoever changed more has other work than this list.


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """A step that can be taken back: its name (`handling.step_name`), its mails, and when."""

    step: Step
    name: str
    mails: tuple[Filing, ...]
    when: datetime


def lately(tracker: Tracker, user: User) -> tuple[Recent, ...]:
    """What the user did with mail in the last ten minutes and can still take back, the newest first. Raises `Busy`."""
    tracker.index.catch_up()
    staff = scope_of(user, tracker.people.load_all()).staff
    since = (tracker.clock() - undo.FOR).timestamp()
    wanted = Listing(scope=Scope(projects=staff, staff=staff), limit=_LOOKED_AT)
    found = (_recent(tracker, user, line.number) for line in tracker.index.lines(wanted) if line.updated >= since)
    return tuple(one for one, _ in zip((one for one in found if one is not None), range(MOST), strict=False))


def _recent(tracker: Tracker, user: User, number: int) -> Recent | None:
    try:
        issue = tracker.issues.load(number)
        last = issue.events[-1] if issue.events else None
        if last is None or last.who != user.id or tracker.clock() - last.when > undo.FOR:
            return None
        step = newest(tracker.issues.events(issue))
    except (NotFound, Damaged):  # `verify` names it.
        return None
    name = handling.step_name(step)
    mails = tuple(event.what.message for event in step if isinstance(event.what, Filed))
    shown = Step(number, step[0].number, issue.revision)
    return Recent(step=shown, name=name, mails=mails, when=last.when) if name else None


def take_out(tracker: Tracker, who: str | None, number: int, key: str) -> Filing:
    """Take a mail out of an issue: it waits in the list again. The mail as it was.

    While putting it there can be taken back, this does that: who was not told yet is not. Later the mail leaves and
    everything else stays: who was told, and who is on the notification list. Raises `NotFound` when it is not there,
    `Refused` for a mail that opened the issue or was written here; as `undo.take_back`.
    """
    user = acting(tracker, who)
    for one in _recent_of(tracker, user, number, key):
        undo.take_back(tracker, who, one.step)
        return one.mails[0]
    taken: list[Filing] = []

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        found = next((one for one in held(tracker.issues.events(work.issue)) if one.message.key == key), None)
        if found is None:
            raise NotFound("Issue {number} has no such mail any more.", number=number)
        if not handling.may_leave(found):
            raise Refused("This message cannot be taken out of issue {number}.", number=number)
        taken[:] = [found.message]
        was = work.issue
        work.issue = handling.taken_out(was, found.message, changed.now, who=user.id)
        return_mail(changed, was, found.message, "unassociated", trace=trace_before(found.message))

    act(tracker, number, verb)
    return taken[0]


def _recent_of(tracker: Tracker, user: User, number: int, key: str) -> Iterator[Recent]:
    """The step that put this mail alone into the issue, when it is the last one and can be taken back."""
    one = _recent(tracker, user, number)
    if one is not None and one.name in handling.PLACED and [mail.key for mail in one.mails] == [key]:
        yield one
