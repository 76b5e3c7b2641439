"""The numbers beside the main menu: what waits for somebody.

Flows in: a user. Flows out: small counts, each answered by an index or one small folder, never by reading issues.
"""

from eventum.issues.people import People, Role, User
from eventum.store.index_tables import EVERYBODY
from eventum.store.index_texts import Scope
from eventum.tracker.tracker import Tracker


def scope_of(user: User, people: People) -> Scope:
    """What a user may see; the rule is that of `issues/access`, for whole projects."""
    if user.active and user.administrator:
        return Scope()
    projects, staff = [], []
    for project in people.projects if user.active else ():
        role = people.role(user, project.id)
        if role is not None and (role >= Role.manager or not project.archived):
            projects.append(project.id)
            staff += [project.id] if people.is_staff(user, project.id) else []
    return Scope(projects=tuple(projects), staff=tuple(staff))


def rail(tracker: Tracker, user: User) -> dict[str, int]:
    """`issues` open and assigned to the user (all open ones for who works on none), `unassociated` and `blocked` mail
    that waits where he is staff (`is_staff`: of any project), and for an administrator the mail that `failed`.

    Raises `Busy` when the index cannot be brought up to date.
    """
    people = tracker.people.load_all()
    scope = scope_of(user, people)
    tracker.index.catch_up()
    with tracker.index.snapshot():
        is_staff = scope.staff != ()
        whose = (user.id,) if is_staff else (EVERYBODY,)
        return {
            "is_staff": is_staff,
            "issues": sum(count for _, _, closed, count in tracker.index.tallies(scope, whose) if not closed),
            "unassociated": tracker.index.pooled_count(scope, "unassociated") if is_staff else 0,
            "blocked": tracker.index.waiting(scope) if is_staff else 0,
            "failed": tracker.outbox.failures() if user.administrator else 0,
        }
