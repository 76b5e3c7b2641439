"""Who is told of an event, with which notice, and why everybody else is not.

In flow: one event, the issue as it will be, the people, our own addresses. Out flow: one recipient a person. Nothing
here renders or sends. Each person who could be concerned goes through one table; its last row says why he is told or
not. eventum-behaviour 7.0 to 7.8, its W-N2 to W-N6 mended: nobody twice, nobody who may not see it, nobody his own
mail.

A blocked mail is told to the staff on the list; where there is none besides its author, to the assigned staff; where
there is none either, to the staff who asked for all new issues. Otherwise a customer's second address could wait for
ever unseen.
"""

import msgspec

from eventum.issues.audience import Audience, Facts
from eventum.issues.events import Assigned, Closed, Event, Filed, Opened
from eventum.issues.issue import Issue
from eventum.issues.people import People
from eventum.issues.routing import OwnAddresses
from eventum.issues.trace import Row, Rule, Table

NOBODY = ""
Step = tuple[str, str | None]


class Recipient(msgspec.Struct, frozen=True):
    """Somebody to write to: where, who he is (`user` is "" for a bare address), which notice, and the deciding row."""

    address: str
    name: str
    user: str
    notice: str
    why: Row


class Considered(msgspec.Struct, frozen=True):
    """Somebody the event could concern, the notice he gets ("" for none), and what every rule asked said."""

    address: str
    name: str
    user: str
    notice: str
    rows: tuple[Row, ...]


def recipients(event: Event, issue: Issue, people: People, own: OwnAddresses) -> tuple[Recipient, ...]:
    """Everybody who is told of the event; the same arguments always give the same answer, in the same order."""
    told = (one for one in considered(event, issue, people, own) if one.notice)
    return tuple(Recipient(one.address, one.name, one.user, one.notice, one.rows[-1]) for one in told)


def considered(event: Event, issue: Issue, people: People, own: OwnAddresses) -> tuple[Considered, ...]:
    """Everybody the event could concern, told or not, and why: one entry a person, however many addresses he has."""
    audience = Audience(event, issue, people)
    found: list[Considered] = []
    for address, user in audience.persons().items():
        facts = audience.facts(address, user, own)
        notice, rows = RECIPIENTS.decide(facts)
        to = address if user is None or facts.acknowledged else user.email
        found.append(Considered(to, user.name if user else "", user.id if user else "", notice, rows))
    return tuple(found)


def _quiet(facts: Facts) -> Step:
    return ("quiet", NOBODY) if facts.event.quiet else ("", None)


def _told_by_opening(facts: Facts) -> Step:
    opening = isinstance(facts.event.what, Filed | Assigned) and facts.event.what.opening
    return ("opening", NOBODY) if opening else ("", None)


def _own_address(facts: Facts) -> Step:
    return facts.address, NOBODY if facts.own else None


def _inactive(facts: Facts) -> Step:
    return facts.address, NOBODY if facts.inactive else None


def _no_access(facts: Facts) -> Step:
    return facts.address, None if facts.may_be_told else NOBODY


def _acknowledged(facts: Facts) -> Step:
    return facts.address, "acknowledgement" if facts.acknowledged else None


def _wrote_the_mail(facts: Facts) -> Step:
    # Whatever his preferences: he has it in his own mailbox.
    return facts.address, NOBODY if facts.author and facts.incoming else None


def _left_out(facts: Facts) -> Step:
    return facts.address, NOBODY if facts.left_out else None


def _own_action(facts: Facts) -> Step:
    if not facts.author:
        return "", None
    return ("own_actions", None) if facts.preferences.own_actions else ("author", NOBODY)


def _assigned_new(facts: Facts) -> Step:
    if not (isinstance(facts.event.what, Opened) and facts.assigned):
        return "", None
    return ("assigned", "new_issue_assigned") if facts.preferences.assigned else ("not_wanted", None)


def _all_new(facts: Facts) -> Step:
    if not (isinstance(facts.event.what, Opened) and facts.member):
        return "", None
    return ("all_new", "new_issue") if facts.preferences.all_new else ("not_wanted", None)


def _newly_assigned(facts: Facts) -> Step:
    if not isinstance(facts.event.what, Assigned):
        return "", None
    return ("assigned", "assignment") if facts.preferences.assigned else ("not_wanted", None)


def _blocked_by_machine(facts: Facts) -> Step:
    # A bounce of our notice must not make the next notice.
    what = facts.event.what
    silent = isinstance(what, Filed) and what.message.blocked and what.message.by_machine
    return (what.message.automatic, NOBODY) if silent and isinstance(what, Filed) else ("", None)


def _blocked(facts: Facts) -> Step:
    what = facts.event.what
    if not (isinstance(what, Filed) and what.message.blocked):
        return "", None
    if facts.staff and (facts.actions is not None or facts.fallback):
        return "listed" if facts.actions is not None else "stands_in", "blocked"
    return "not_staff", NOBODY


def _has_the_mail(facts: Facts) -> Step:
    return facts.address, NOBODY if facts.incoming and facts.direct else None


def _note(facts: Facts) -> Step:
    what = facts.event.what
    if not (isinstance(what, Filed) and what.message.internal):
        return "", None
    return ("listed", "note") if facts.staff and facts.actions is not None else ("not_staff", NOBODY)


def _email(facts: Facts) -> Step:
    what = facts.event.what
    if not isinstance(what, Filed):
        return "", None
    if facts.direct and what.message.outgoing:
        return "addressed", "email"
    actions = facts.actions or ()
    return " ".join(actions), "email" if "emails" in actions else None


def _closed(facts: Facts) -> Step:
    actions = facts.actions or ()
    wanted = isinstance(facts.event.what, Closed) and "closed" in actions
    return " ".join(actions), "closed" if wanted else None


def _not_asked_for(facts: Facts) -> Step:
    return facts.address, NOBODY


RECIPIENTS: Table[Facts, str] = Table(
    "recipients",
    (
        Rule("quiet", _quiet),
        Rule("told_by_opening", _told_by_opening),
        Rule("own_address", _own_address),
        Rule("inactive", _inactive),
        Rule("no_access", _no_access),
        Rule("acknowledged", _acknowledged),
        Rule("wrote_the_mail", _wrote_the_mail),
        Rule("left_out", _left_out),
        Rule("own_action", _own_action),
        Rule("assigned_new", _assigned_new),
        Rule("all_new", _all_new),
        Rule("newly_assigned", _newly_assigned),
        Rule("blocked_by_machine", _blocked_by_machine),
        Rule("blocked", _blocked),
        Rule("has_the_mail", _has_the_mail),
        Rule("note", _note),
        Rule("email", _email),
        Rule("closed", _closed),
        Rule("not_asked_for", _not_asked_for),
    ),
    lambda notice: notice or "nobody",
)
