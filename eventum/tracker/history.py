"""The history of an issue as people read it: who did what.

Flows in: events, which hold names and parameters only. Flows out: rows whose sentences are made here, when somebody
looks, in his language: `say` gives a marked sentence in it.
"""

from collections.abc import Iterable, Sequence
from types import MappingProxyType

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
    TakenOut,
    Unassigned,
    Undone,
    Unsubscribed,
    What,
)
from eventum.issues.explain import ACTIONS as ACTIONS  # What the screens call them, too.
from eventum.issues.handling import PLACED, decision, step_name
from eventum.issues.notices import BLOCKED
from eventum.issues.people import People
from eventum.mail.address import Address
from eventum.tracker import replies
from eventum.wording import N_, Say

FIELDS = MappingProxyType(
    {
        "summary": N_("summary"),
        "description": N_("description"),
        "priority": N_("priority"),
        "category": N_("category"),
        "reporter": N_("reporter"),
    }
)
STATUSES = MappingProxyType({"new": N_("New"), "open": N_("Open"), "waiting": N_("Waiting"), "closed": N_("Closed")})
"""The statuses every project begins with; others are called as its administrators call them."""


TAKEN_BACK = MappingProxyType(
    {
        **dict.fromkeys(
            PLACED, (N_("A mail was put into the issue, and taken back."), N_("a mail put in and taken back"))
        ),
        "opened": (N_("The issue was opened from mail, and taken back."), N_("opened and taken back")),
        "accepted": (N_("A blocked mail was accepted, and that taken back."), N_("accepted and taken back")),
        "allowed": (N_("A blocked mail was accepted, and that taken back."), N_("accepted and taken back")),
        "ignored": (N_("A blocked mail was ignored, and that taken back."), N_("ignored and taken back")),
        "taken_out": (N_("A mail was taken out, and put back."), N_("a mail taken out and put back")),
        "": (N_("A step was taken back."), N_("a step taken back")),
    }
)
"""A step (`handling.step_name`) that was taken back: the sentence, and a few words."""


DECIDED = MappingProxyType(
    {
        "accepted": N_("The blocked mail of {sender} was accepted."),
        "ignored": N_("The blocked mail of {sender} was ignored."),
    }
)
"""What a person decided about a blocked mail (`handling.decision`)."""


def taken_back(events: Sequence[Event]) -> dict[int, str | None]:
    """The numbers of the events that a step that was taken back consists of: the first with its name, others None."""
    found: dict[int, str | None] = {}
    for at, event in enumerate(events):
        if isinstance(event.what, Undone):
            step = [one for one in events[:at] if one.number >= event.what.since]
            after = [one for one in events[at:] if (one.when, one.who) == (event.when, event.who)]
            found.update(dict.fromkeys((one.number for one in (*step, *after)), None))
            if step:
                was_out = isinstance(step[0].what, TakenOut)
                found[step[0].number] = "taken_out" if was_out else step_name(step)
    return found


def history(events: Iterable[Event], people: People, say: Say = str) -> list[dict[str, object]]:
    """`{when, who, what, detail}` for each event: `who` is an address or None, `what` a word, `detail` a sentence."""
    return [
        {
            "when": event.when,
            "who": _who(event.who, people) or None,
            "what": str(event.what.__struct_config__.tag),
            "detail": sentence(event.what, people, say),
        }
        for event in events
    ]


def sentence(what: What, people: People, say: Say = str, *, by_name: bool = False) -> str:
    """What happened, without who did it; users by their addresses or, for people, `by_name`."""
    if by_name and isinstance(what, Assigned | Unassigned):
        text = N_("Assigned to {names}.") if isinstance(what, Assigned) else N_("No longer assigned to {names}.")
        return say(text).format(names=_names(what.users, people, short=True))
    if by_name and isinstance(what, StatusChanged):
        values = {"old": _status(what.old, say), "new": _status(what.new, say)}
        return say(N_("The status was changed from {old} to {new}.")).format(**values)
    if by_name and isinstance(what, Filed) and (decided := DECIDED.get(decision(what.message))):
        return say(decided).format(sender=_named(what.message.from_, say, by_name))
    text, values = _filed(what.message, say, by_name) if isinstance(what, Filed) else _said(what, people, say)
    return say(text).format(**values)


def phrase(what: What, people: People, say: Say = str) -> str:
    """What happened in a few words, to stand among others in one line."""
    match what:
        case Assigned(users):
            return say(N_("assigned to {names}")).format(names=_names(users, people, short=True))
        case Unassigned(users):
            return say(N_("no longer assigned to {names}")).format(names=_names(users, people, short=True))
        case StatusChanged(_, new):
            return say(N_("status {status}")).format(status=_status(new, say))
        case Changed(field, _, new):
            return say(N_("{field} {value}")).format(
                field=say(FIELDS.get(field, field)), value=new or say(N_("nothing"))
            )
        case Opened():
            return say(N_("opened"))
        case Closed():
            return say(N_("closed"))
        case Reopened():
            return say(N_("opened again"))
        case Subscribed(address, _):
            return say(N_("{who} on the notification list")).format(who=_named_by(address, people))
        case Unsubscribed(address):
            return say(N_("{who} off the notification list")).format(who=_named_by(address, people))
        case ReplierAdded(address):
            return say(N_("{address} may write")).format(address=address)
        case ReplierRemoved(address):
            return say(N_("{address} may no longer write")).format(address=address)
        case DeliveryFailed(recipient, _, reply, code):
            reason = say(replies.in_short(reply, code))
            text = N_("not delivered to {address}: {reason}") if reason else N_("not delivered to {address}")
            return say(text).format(address=recipient, reason=reason)
        case TakenOut():
            return say(N_("a message taken out"))
        case Undone():
            return say(N_("a step taken back"))
        case Filed(message):
            return say(N_("accepted") if not message.blocked else N_("ignored"))


def _said(what: What, people: People, say: Say) -> tuple[str, dict[str, str]]:
    """The sentence of an event, and what stands in it."""
    match what:
        case Opened(by_mail, acknowledge):
            if acknowledge:
                thanked = N_("The issue was opened by mail, and {who} was thanked for it.")
                return (thanked if by_mail else N_("The issue was opened, and {who} was thanked for it.")), {
                    "who": acknowledge
                }
            return N_("The issue was opened by mail.") if by_mail else N_("The issue was opened."), {}
        case Filed(message):
            return _filed(message, say, by_name=False)
        case Assigned(users):
            return N_("Assigned to {names}."), {"names": _names(users, people)}
        case Unassigned(users):
            return N_("No longer assigned to {names}."), {"names": _names(users, people)}
        case Closed(reason):
            return N_("Closed: {reason}") if reason else N_("Closed."), {"reason": reason}
        case Reopened():
            return N_("Opened again."), {}
        case StatusChanged(old, new):
            return N_("The status was changed from {old} to {new}."), {"old": old, "new": new}
        case Changed(field, old, new):
            values = {"old": old or say(N_("nothing")), "new": new or say(N_("nothing"))}
            return N_("The {field} was changed from {old} to {new}."), values | {"field": say(FIELDS.get(field, field))}
        case Subscribed(address, actions):
            named = ", ".join(say(ACTIONS.get(one, one)) for one in actions) or say(N_("nothing"))
            return N_("{address} is on the notification list, for: {actions}."), {"address": address, "actions": named}
        case Unsubscribed(address):
            return N_("{address} left the notification list."), {"address": address}
        case ReplierAdded(address):
            return N_("{address} may mail the issue."), {"address": address}
        case ReplierRemoved(address):
            return N_("{address} may no longer mail the issue."), {"address": address}
        case TakenOut(_, subject):
            known = N_("A message was taken out of the issue: {subject}")
            return known if subject else N_("A message was taken out."), {"subject": subject}
        case Undone():
            return N_("The last step was taken back."), {}
        case DeliveryFailed(recipient, _, reply, code):
            values = {"address": recipient, "reply": reply, "reason": say(replies.in_short(reply, code))}
            if values["reason"] and reply:
                return N_("Not delivered to {address}: {reason}. The far end said: {reply}"), values
            if values["reason"]:
                return N_("Not delivered to {address}: {reason}."), values
            known = N_("A mail to {address} could not be delivered: {reply}")
            return (known if reply else N_("A mail to {address} could not be delivered.")), values


def _status(name: str, say: Say) -> str:
    return say(STATUSES[name]) if name in STATUSES else name


def _filed(message: Filing, say: Say, by_name: bool) -> tuple[str, dict[str, str]]:
    values: dict[str, str] = {
        "about": f": {message.subject}" if message.subject else ".",
        "sender": _named(message.from_, say, by_name),
    }
    if message.blocked:
        reason = say(BLOCKED.get(message.blocked, message.blocked))
        return N_("An e-mail from {sender} was blocked, {reason}{about}"), values | {"reason": reason}
    if message.kind == "email" and message.outgoing:
        to = ", ".join(one.address for one in message.to) or say(N_("the notification list"))
        return N_("{sender} wrote to {to}{about}"), values | {"to": to}
    if message.kind == "email":
        return N_("An e-mail from {sender}{about}"), values
    return N_("A note from {sender}{about}") if message.kind == "note" else N_("A draft from {sender}{about}"), values


def _named(address: Address, say: Say, by_name: bool) -> str:
    known = (address.name, address.address) if by_name else (address.address, address.name)
    return known[0] or known[1] or say(N_("an unknown sender"))


def _names(ids: Iterable[str], people: People, *, short: bool = False) -> str:
    users = ((one, people.who(one) if one else None) for one in ids)
    return ", ".join((user.name if short else user.email) if user else one for one, user in users)


def _named_by(address: str, people: People) -> str:
    user = people.by_address(address)
    return user.name if user else address


def _who(who: str, people: People) -> str:
    user = people.who(who) if who else None
    return user.email if user else who
