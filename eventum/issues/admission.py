"""May this sender's mail go into this issue as it is, or is it kept as a blocked note?

In flow: who the sender is to the issue. Out flow: `Accept` or `Block` with the reason, and the rows. An issue number
or a thread alone grants nothing, and neither does a sender that is not clear. eventum-behaviour 6A and 6B; unlike
there, an inactive user has no rights (its 6A.5). Not asked for the mail that opens an issue.
"""

from typing import Literal

import msgspec

from eventum.issues.events import Kind, by_machine
from eventum.issues.issue import Issue
from eventum.issues.people import STAFF, People, Role
from eventum.issues.trace import Row, Rule, Table

Reason = Literal["not_entitled", "automatic", "bounce", "sender_not_clear"]


class Accept(msgspec.Struct, frozen=True):
    """File it as what it is."""


class Block(msgspec.Struct, frozen=True):
    """File it as a note for staff only, and say why."""

    reason: Reason


Answer = Accept | Block
Step = tuple[str, Answer | None]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that admission looks at; `sender` is the one clear address of the From, "" when there is none.

    `role` is the sender's in the issue's project, None for who is no member. `inactive`: the sender is a user who was
    deactivated.
    """

    sender: str
    kind: Kind = "email"
    automatic: str = ""
    own: bool = False
    inactive: bool = False
    role: Role | None = None
    reporter: bool = False
    assignee: bool = False
    replier: bool = False
    staff_may_mail: bool = False


def facts_of(sender: str, issue: Issue, people: People, *, kind: Kind, automatic: str, own: bool) -> Facts:
    """The facts about one sender and one issue; `own` says that the sender is an address of ours."""
    user = people.by_address(sender) if sender else None
    addresses = {sender, *(user.addresses if user else ())} - {""}
    return Facts(
        sender=sender,
        kind=kind,
        automatic=automatic,
        own=own,
        inactive=user is not None and not user.active,
        role=people.role(user, issue.project),
        reporter=issue.reporter in addresses,
        assignee=user is not None and user.id in issue.assignees,
        replier=not addresses.isdisjoint(issue.repliers),
        staff_may_mail=people.project(issue.project).staff_may_mail,
    )


def admit(facts: Facts) -> tuple[Answer, tuple[Row, ...]]:
    """Whether the mail is filed as it is, and why."""
    return ADMISSION.decide(facts)


def _bounce(facts: Facts) -> Step:
    return facts.automatic, Block("bounce") if facts.automatic == "bounce" else None


def _automatic(facts: Facts) -> Step:
    return facts.automatic, Block("automatic") if by_machine(facts.automatic) else None


def _sender_not_clear(facts: Facts) -> Step:
    return facts.sender, None if facts.sender else Block("sender_not_clear")


def _own_address(facts: Facts) -> Step:
    return facts.sender, Block("not_entitled") if facts.own else None


def _inactive(facts: Facts) -> Step:
    return facts.sender, Block("not_entitled") if facts.inactive else None


def _note_by_staff(facts: Facts) -> Step:
    if facts.kind == "email":
        return facts.kind, None
    staff = facts.role is not None and facts.role >= STAFF
    return _role(facts), Accept() if staff else Block("not_entitled")


def _reporter(facts: Facts) -> Step:
    return facts.sender, Accept() if facts.reporter else None


def _assignee(facts: Facts) -> Step:
    # Who left the project stays named as assigned until somebody changes it, and has no rights by that.
    return _role(facts), Accept() if facts.assignee and facts.role is not None else None


def _replier(facts: Facts) -> Step:
    return facts.sender, Accept() if facts.replier else None


def _staff_may_mail(facts: Facts) -> Step:
    if not facts.staff_may_mail:
        return "off", None
    return _role(facts), Accept() if facts.role is not None and facts.role >= STAFF else None


def _stranger(facts: Facts) -> Step:
    return facts.sender, Block("not_entitled")


def _role(facts: Facts) -> str:
    return facts.role.name if facts.role is not None else ""


def _say(answer: Answer) -> str:
    return f"blocked:{answer.reason}" if isinstance(answer, Block) else "accepted"


ADMISSION: Table[Facts, Answer] = Table(
    "admission",
    (
        Rule("bounce", _bounce),
        Rule("automatic", _automatic),
        Rule("sender_not_clear", _sender_not_clear),
        Rule("own_address", _own_address),
        Rule("inactive", _inactive),
        Rule("note_by_staff", _note_by_staff),
        Rule("reporter", _reporter),
        Rule("assignee", _assignee),
        Rule("authorised_replier", _replier),
        Rule("staff_may_mail", _staff_may_mail),
        Rule("stranger", _stranger),
    ),
    _say,
)
