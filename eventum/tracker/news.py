"""What others did lately in the issues somebody may see.

Flows in: a user, and since when something is new to him. Flows out: deeds, the newest first; of notes and blocked mail
staff only is told. The index says which issues changed, their records what happened.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues import handling
from eventum.issues.events import (
    Assigned,
    Closed,
    DeliveryFailed,
    Event,
    Filed,
    Opened,
    Reopened,
    StatusChanged,
    Undone,
)
from eventum.issues.people import People, User
from eventum.mail.address import Address
from eventum.store.index_lists import Line, Listing
from eventum.tracker import counts
from eventum.tracker.tracker import Tracker

MOST = 50  # Issues that changed since then and are looked at.

Deed = Literal["opened", "answered", "noted", "blocked", "closed", "reopened", "assigned", "status", "undelivered"]


class News(msgspec.Struct, frozen=True):
    """One thing that somebody else did."""

    when: datetime
    who: str  # A name, else an address; "" when nobody is named.
    deed: Deed
    number: int
    summary: str


def news(tracker: Tracker, user: User, since: datetime) -> list[News]:
    """What others did since then in issues the user may see, the newest first; notes and blocked mail for staff."""
    people = tracker.people.load_all()
    scope = counts.scope_of(user, people)
    found: list[News] = []
    for line in tracker.index.lines(Listing(scope=scope, limit=MOST)):
        if line.updated < since.timestamp():
            break
        own = scope.staff != () or line.reporter in user.addresses
        try:
            issue = tracker.issues.load(line.number) if own else None
        except (NotFound, Damaged):  # `verify` names it; the others are shown.
            continue
        for event in _standing(issue.events) if issue else ():
            if event.when >= since and not _did(user, event):
                deed = _deed(event, is_staff=people.is_staff(user, line.project))
                if deed is not None:
                    found.append(News(event.when, _name(event, line, people), deed, line.number, line.summary))
    return sorted(found, key=lambda one: one.when, reverse=True)


def _standing(events: Sequence[Event]) -> Iterator[Event]:
    """The events that were not taken back."""
    undone = {
        number for event in events if isinstance(event.what, Undone) for number in range(event.what.since, event.number)
    }
    return (event for event in events if event.number not in undone)


def _did(user: User, event: Event) -> bool:
    who = event.what.message.from_.address if isinstance(event.what, Filed) and not event.who else event.who
    return who == user.id or who in user.addresses


def _deed(event: Event, *, is_staff: bool) -> Deed | None:
    """What happened, in one word; None for what is no news, or not for this reader."""
    if _is_old_mail(event):
        return None
    match event.what:
        case Filed(message, opening):
            if (message.internal and not is_staff) or message.handled:
                return None
            if message.blocked:
                return "blocked"
            if message.kind == "note":
                return "noted"
            return None if opening or message.kind != "email" else "answered"
        case Opened():
            return "opened"
        case Closed():
            return "closed"
        case Reopened():
            return "reopened"
        case Assigned(_, opening) if not opening:
            return "assigned"
        case StatusChanged():
            return "status"
        case DeliveryFailed() if is_staff:
            return "undelivered"
    return None


def _is_old_mail(event: Event) -> bool:
    """Whether it is mail that nobody was to hear of: imported, or older than what a first fetch tells of."""
    match event.what:
        case Opened(by_mail=True):
            return event.quiet
        case Filed(message):
            return event.quiet and not handling.decision(message)
    return False


def _name(event: Event, line: Line, people: People) -> str:
    what = event.what
    if isinstance(what, DeliveryFailed):
        return what.recipient
    sender = what.message.from_ if isinstance(what, Filed) and not what.message.outgoing else Address("", "")
    # Who put somebody's mail here did not write it.
    address = sender.address or event.who
    user = people.who(address)
    if user is not None:
        return user.name
    return sender.name or (line.reporter_name if address == line.reporter else "") or address
