"""The history of an issue as people read it: who did what, in English.

Flows in: events, which hold names and parameters only. Flows out: rows whose sentences are made here, when somebody
looks.
"""

from collections.abc import Iterable

from eventum.issues.events import (
    Assigned,
    Changed,
    Closed,
    DeliveryFailed,
    Event,
    Filed,
    Filing,
    Opened,
    Reopened,
    ReplierAdded,
    ReplierRemoved,
    StatusChanged,
    Subscribed,
    Unassigned,
    Unsubscribed,
    What,
)
from eventum.issues.notices import BLOCKED
from eventum.issues.people import People
from eventum.mail.address import Address


def history(events: Iterable[Event], people: People) -> list[dict[str, object]]:
    """`{when, who, what, detail}` for each event: `who` is an address or None, `what` a word, `detail` a sentence."""
    return [
        {
            "when": event.when,
            "who": _who(event.who, people) or None,
            "what": str(event.what.__struct_config__.tag),
            "detail": sentence(event.what, people),
        }
        for event in events
    ]


def sentence(what: What, people: People) -> str:
    """What happened, without who did it."""
    match what:
        case Opened(by_mail, acknowledge):
            how = "The issue was opened by mail" if by_mail else "The issue was opened"
            return f"{how}, and {acknowledge} was thanked for it." if acknowledge else f"{how}."
        case Filed(message):
            return _filed(message)
        case Assigned(users):
            return f"Assigned to {_names(users, people)}."
        case Unassigned(users):
            return f"No longer assigned to {_names(users, people)}."
        case Closed(reason):
            return f"Closed: {reason}" if reason else "Closed."
        case Reopened():
            return "Opened again."
        case StatusChanged(old, new):
            return f"The status was changed from {old} to {new}."
        case Changed(field, old, new):
            return f"The {field} was changed from {old or 'nothing'} to {new or 'nothing'}."
        case Subscribed(address, actions):
            return f"{address} is on the notification list, for: {', '.join(actions) or 'nothing'}."
        case Unsubscribed(address):
            return f"{address} left the notification list."
        case ReplierAdded(address):
            return f"{address} may mail the issue."
        case ReplierRemoved(address):
            return f"{address} may no longer mail the issue."
        case DeliveryFailed(recipient, _, reply):
            return f"A mail to {recipient} could not be delivered: {reply}"


def _filed(message: Filing) -> str:
    about = f": {message.subject}" if message.subject else "."
    sender = _named(message.from_)
    if message.blocked:
        return f"An e-mail from {sender} was blocked, {BLOCKED.get(message.blocked, message.blocked)}{about}"
    if message.kind == "email" and message.outgoing:
        to = ", ".join(one.address for one in message.to) or "the notification list"
        return f"{sender} wrote to {to}{about}"
    return f"{'An e-mail' if message.kind == 'email' else f'A {message.kind}'} from {sender}{about}"


def _named(address: Address) -> str:
    return address.address or address.name or "an unknown sender"


def _names(ids: Iterable[str], people: People) -> str:
    return ", ".join(_who(one, people) for one in ids)


def _who(who: str, people: People) -> str:
    user = people.who(who) if who else None
    return user.email if user else who
