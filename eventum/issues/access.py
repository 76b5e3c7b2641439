"""Who may see an issue, who may read its notes, and who may be written to about it.

In flow: a user, an issue, the people. Out flow: yes or no. Nothing here is about what somebody wants to be told; that
is `recipients`. Roles: eventum-behaviour 10.
"""

from eventum.issues.issue import Issue
from eventum.issues.people import People, Role, User


def may_see(user: User, issue: Issue, people: People) -> bool:
    """Whether an active user has a role in the issue's project; an archived project is seen by managers only."""
    role = people.role(user, issue.project)
    if not user.active or role is None:
        return False
    return role >= Role.manager or not people.project(issue.project).archived


def may_read_notes(user: User, issue: Issue, people: People) -> bool:
    """Whether the user sees notes, blocked e-mails and who is on the list."""
    return may_see(user, issue, people) and people.is_staff(user, issue.project)


def corresponds(user: User, issue: Issue) -> bool:
    """Whether the user takes part as somebody from outside would: as its reporter or as an authorised replier."""
    return issue.reporter in user.addresses or any(address in issue.repliers for address in user.addresses)


def may_be_told(user: User, issue: Issue, people: People) -> bool:
    """Whether the user may be sent e-mails of the issue.

    Besides those who may see it: who writes to a project he does not belong to is answered like any stranger; having an
    account with us for other reasons must not cut him off from his own conversation.
    """
    return may_see(user, issue, people) or (user.active and corresponds(user, issue))
