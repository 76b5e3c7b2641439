"""Who is told of an issue and who may mail it: the notification list and the authorised repliers, edited by people.

Flows in: the number of an issue, who acts, an address. Flows out: the issue as it is then, committed. What has no
effect is no error and makes no event. Whom mail puts on the list by itself is `issues/subscriptions`.
"""

from collections.abc import Iterable

from eventum.errors import Refused
from eventum.issues import changes
from eventum.issues.access import may_be_told
from eventum.issues.issue import ACTIONS as ACTIONS
from eventum.issues.issue import Issue, Subscription
from eventum.issues.people import People, User
from eventum.tracker.acting import Done, act, acting, addresses, check_staff
from eventum.tracker.ground import Ground
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work
from eventum.wording import N_

LONGEST_LIST = 1000
"""So many entries a list may have at all; every mail of the issue is weighed for each of them."""


def subscribe(
    tracker: Tracker, number: int, who: str | None, address: str, *, actions: Iterable[str] = ACTIONS
) -> Done:
    """Put an address on the notification list, to be told of these actions and no others; a user by any of his.

    `who` acts: a user's name, None for the first administrator. Raises `NotFound` for an unknown issue or user,
    `Refused` for who may not or for an address that cannot be told; `Conflict`, `Damaged`, `Busy` as `work.change`.
    """
    user = acting(tracker, who)
    (address,) = addresses([address])
    wanted = tuple(action for action in ACTIONS if action in set(actions))
    if not wanted:
        raise Refused(N_("Say what {address} is to be told of, or take it off the list."), address=address)

    def verb(changed: Changes, work: Work) -> None:
        ground = Ground(tracker, changed)
        check_staff(user, work.issue, ground.people)
        if address in ground.own:
            raise Refused(N_("{address} is an address of our own; mail to it would come back."), address=address)
        known = ground.people.by_address(address)
        _check_may_be_told(known, work.issue, ground.people)
        if known is None and len(work.issue.subscriptions) >= LONGEST_LIST:
            raise Refused(N_("The list has {most} entries; take somebody off it first."), most=LONGEST_LIST)
        entry = Subscription(known.email if known else address, known.id if known else "", wanted)
        work.issue = changes.subscription_set(work.issue, entry, changed.now, who=user.id)

    return act(tracker, number, verb)


def unsubscribe(tracker: Tracker, number: int, who: str | None, address: str) -> Done:
    """Take an address off the notification list. Raises as `subscribe`."""
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        work.issue = changes.unsubscribed(work.issue, address, changed.now, who=user.id)

    return act(tracker, number, verb)


def authorise(tracker: Tracker, number: int, who: str | None, address: str) -> Done:
    """Let an address mail the issue. Raises as `subscribe`."""
    user = acting(tracker, who)
    (address,) = addresses([address])

    def verb(changed: Changes, work: Work) -> None:
        ground = Ground(tracker, changed)
        check_staff(user, work.issue, ground.people)
        if address in ground.own:
            raise Refused(N_("{address} is an address of our own; mail to it would come back."), address=address)
        if len(work.issue.repliers) >= LONGEST_LIST:
            raise Refused(N_("The list has {most} entries; take somebody off it first."), most=LONGEST_LIST)
        work.issue = changes.replier_added(work.issue, address, changed.now, who=user.id)

    return act(tracker, number, verb)


def withdraw(tracker: Tracker, number: int, who: str | None, address: str) -> Done:
    """Let an address mail the issue no more. Raises as `subscribe`."""
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        work.issue = changes.replier_removed(work.issue, address, changed.now, who=user.id)

    return act(tracker, number, verb)


def _check_may_be_told(known: User | None, issue: Issue, people: People) -> None:
    if known is not None and not may_be_told(known, issue, people):
        raise Refused(
            N_("{who} may not see issue {number}, and would be sent nothing; give a role in {project!r} first."),
            who=known.email,
            number=issue.number,
            project=people.project(issue.project).title,
        )
