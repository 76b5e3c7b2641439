"""A mail leaves an issue: for the list of those that belong to none, or back to the issue in which it was blocked.

Flows in: the issue and what its record knows of the mail. Flows out: the changes that carry it there when they are
committed.
"""

import msgspec

from eventum.errors import Conflict, Damaged, NotFound, Refused
from eventum.issues import handling
from eventum.issues.events import Filing
from eventum.issues.issue import Issue
from eventum.issues.people import User
from eventum.issues.trace import Row
from eventum.store.pool import Pooled
from eventum.store.state import Move
from eventum.tracker.acting import act, check_staff
from eventum.tracker.ground import Ground
from eventum.tracker.pooled import check_may_handle, take_along, waiting
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work

_PLACED = (*handling.PLACED, "new_issue", "parent_in_pool")
_OUT = "taken_out"


def return_mail(changed: Changes, issue: Issue, filing: Filing, outcome: str, *, trace: tuple[Row, ...]) -> None:
    """Let a mail leave an issue for the pool when the changes are committed; the issue's record must not hold it."""
    tracker = changed.tracker
    if not filing.destination:
        raise Refused("What was written here belongs to no mailbox and cannot wait in the list.")
    account = next((one for one in tracker.settings.usable_accounts() if one.id == filing.destination), None)
    plain = msgspec.structs.replace(filing, kind="email", blocked="", handled="", parent="", trace=())
    pooled = Pooled(
        account=filing.destination,
        project=account.project if account else issue.project,
        when=changed.now,
        mail=plain,
        trace=trace,
    )
    changed.pooled.append((pooled, outcome, str(tracker.issues.mail_path(issue.number, filing.key))))
    changed.returns.append(Move(filing.destination, filing.key, issue.number))


def trace_before(filing: Filing) -> tuple[Row, ...]:
    """Why the mail was in the pool: what was said before a person placed it."""
    at = [n for n, row in enumerate(filing.trace) if row.table == "person" and row.rule in _PLACED]
    return filing.trace[: at[-1]] if at else filing.trace


def own_issue(user: User, number: int) -> Row:
    """Why a mail is on its way to an issue of its own: who took it out of which."""
    return Row("person", "own_issue", user.email, f"{_OUT}:{number}")


def bring_home(tracker: Tracker, user: User, key: str) -> int:
    """Put a mail of the list back to where it was blocked before it got an issue of its own; the number of that issue.

    0 for a mail that came another way, or when it cannot go back: it stays in the list, where a person sees it.
    """

    def verb(changed: Changes, work: Work) -> None:
        ground, now = Ground(tracker, changed), changed.now
        check_staff(user, work.issue, ground.people)
        found = waiting(ground, key)
        check_may_handle(tracker, user, found.pooled)
        work.issue = handling.put_back(work.issue, tracker.issues.events(work.issue), key, now, who=user.id)
        take_along(changed, work, found)

    try:
        tracker.index.catch_up()
        where = tracker.index.pooled(key)
        number = _home(tracker.pool.load(where[0], key).trace) if where else 0
        if number:
            act(tracker, number, verb)
    except (NotFound, Refused, Conflict, Damaged):
        return 0
    return number


def _home(trace: tuple[Row, ...]) -> int:
    kind, _, number = trace[-1].answer.partition(":") if trace else ("", "", "")
    return int(number) if kind == _OUT and number.isdigit() else 0
