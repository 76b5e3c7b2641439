"""What people decide about mail that is in an issue: it is accepted, ignored, taken out; and steps that are taken back.

In flow: the issue as it was, a decision, and `now`. Out flow: the issue as it will be. As in `changes` events are only
appended: the newest about a message says what it is, and what was taken back is undone by further events.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from eventum.errors import Refused
from eventum.issues import changes
from eventum.issues.events import (
    Assigned,
    Closed,
    Event,
    Filed,
    Filing,
    Opened,
    Reopened,
    ReplierAdded,
    Subscribed,
    TakenOut,
    Undone,
    What,
)
from eventum.issues.issue import Held, Issue, messages
from eventum.issues.people import Project

REPORTED = "reported"
"""What `Filing.handled` is for a report of a mail of ours: what it says shows there, and nobody has to decide."""
PLACED = ("as_email", "as_reference", "as_note")
"""The rules of the table "person" by which a mail was put into an issue."""
_REVERSED = Filed | Assigned | Subscribed | ReplierAdded | Reopened


def accepted(issue: Issue, old: Filing, new: Filing, now: datetime, *, who: str = "", reopen_to: str = "") -> Issue:
    """The issue with a blocked message, `old`, as what it would have been: `new`, told like one that came."""
    return changes.filed(_uncounted(issue, old), new, now, who=who, reopen_to=reopen_to)


def ignored(issue: Issue, message: Filing, now: datetime, *, who: str = "") -> Issue:
    """The issue with a blocked message that waits for nobody any more; it stays readable."""
    return _refiled(issue, message, replace(message, handled="ignored"), now, who=who)


def taken_out(issue: Issue, message: Filing, now: datetime, *, who: str = "") -> Issue:
    """The issue without this message."""
    issue = _uncounted(issue, message)
    return _happened(issue, TakenOut(message.key, message.subject), now, who=who)


def put_back(issue: Issue, events: Sequence[Event], key: str, now: datetime, *, who: str = "") -> Issue:
    """The issue with a message again that was taken out of it, as it was then; `events` are all it has.

    Nobody is told. Raises Refused for a message that is in the issue, or never was.
    """
    about = [event for event in events if _is_about(event, key)]
    if not about or not isinstance(about[-1].what, TakenOut):
        raise Refused("This cannot be taken back.")
    if about[-1].number == issue.next_event - 1:  # Nothing happened since.
        issue = _happened(issue, Undone(about[-1].number), now, who=who)
    message = next(event.what.message for event in reversed(about) if isinstance(event.what, Filed))
    return changes.filed(issue, message, now, who=who, quiet=True)


def step_name(step: Sequence[Event]) -> str:
    """What a person did with mail in these events, "" for anything else.

    "as_email", "as_reference", "as_note": put into the issue; "opened": from mail; "accepted", "allowed" (its sender
    from now on) and "ignored": a blocked mail. Such a step can be taken back.
    """
    what = [event.what for event in step]
    filed = [one.message for one in what if isinstance(one, Filed)]
    opened = any(isinstance(one, Opened) for one in what)
    if not filed or not all(isinstance(one, Opened | _REVERSED) for one in what):
        return ""
    if any(one.outgoing or not one.destination for one in filed) or _has_assigned(what) > opened:
        return ""
    rules = {decision(one) for one in filed}
    if opened:
        return "opened" if "new_issue" in rules else ""
    name = rules.pop() if len(rules) == 1 else ""
    if name == "accepted":
        return "allowed" if any(isinstance(one, ReplierAdded) for one in what) else "accepted"
    return name if name in (*PLACED, "ignored") else ""


def decision(message: Filing) -> str:
    """What a person decided last about a message: a rule of the table "person", or "ignored"; "" when nobody did."""
    by_hand = (row.rule for row in reversed(message.trace) if row.table == "person")
    return message.handled if message.handled not in ("", REPORTED) else next(by_hand, "")


def may_leave(one: Held) -> bool:
    """Whether a person may take this message out of its issue: a mail that came, and did not open it."""
    message, first = one.message, one.events[0].what
    came = bool(message.destination) and not message.outgoing and message.kind != "draft"
    return came and not message.blocked and isinstance(first, Filed) and not first.opening


def meant_as_note(message: Filing) -> bool:
    """Whether a blocked message was on its way to the issue as a note for staff."""
    answers = [row.answer for row in message.trace if row.table == "association" and row.answer.partition(":")[2]]
    return bool(answers) and answers[-1].startswith("note:")


def undone(
    issue: Issue, events: Sequence[Event], since: int, now: datetime, *, project: Project, who: str = ""
) -> Issue:
    """The issue without what its events from `since` on did; `events` are all it has. Nobody is told.

    Mail that the step brought is taken out, an issue that it opened is closed. Raises Refused for a step with something
    in it that cannot be taken back.
    """
    before = [event for event in events if event.number < since]
    step = [event for event in events if event.number >= since]
    what = [event.what for event in step]
    opened = any(isinstance(one, Opened) for one in what)
    if not any(isinstance(one, Filed) for one in what) or _has_assigned(what) > opened:
        raise Refused("This cannot be taken back.")
    issue = _happened(issue, Undone(since), now, who=who)
    known = {message.key: message for message in messages(before)}
    for event in reversed(step):
        match event.what:
            case Filed(message) if message.key in known:
                issue = _refiled(issue, message, known[message.key], now, who=who)
            case Filed(message):
                issue = taken_out(issue, message, now, who=who)
            case Subscribed(address):
                issue = changes.unsubscribed(issue, address, now, who=who)
            case ReplierAdded(address):
                issue = changes.replier_removed(issue, address, now, who=who)
            case Reopened():
                closed = next((one.when for one in reversed(before) if isinstance(one.what, Closed)), now)
                issue = replace(issue, status=project.closed_status, closed=closed)
                issue = _happened(issue, Closed(), now, who=who)
            case Opened() if not issue.closed:
                issue = replace(issue, status=project.closed_status, closed=now)
                issue = _happened(issue, Closed(), now, who=who)
            case Opened() | Assigned():
                continue
            case _:
                raise Refused("This cannot be taken back.")
    return issue


def _has_assigned(what: Sequence[What]) -> bool:
    return any(isinstance(one, Assigned) for one in what)


def _is_about(event: Event, key: str) -> bool:
    match event.what:
        case Filed(message):
            return message.key == key
        case TakenOut(taken):
            return taken == key
    return False


def _refiled(issue: Issue, old: Filing, new: Filing, now: datetime, *, who: str) -> Issue:
    return changes.filed(_uncounted(issue, old), new, now, who=who, quiet=True)


def _uncounted(issue: Issue, message: Filing) -> Issue:
    if message.kind == "email" and not message.blocked:
        return replace(issue, emails=issue.emails - 1)
    if message.kind == "note" or message.blocked:
        return replace(issue, notes=issue.notes - 1, blocked=issue.blocked - message.waits)
    return issue


def _happened(issue: Issue, what: What, now: datetime, *, who: str) -> Issue:
    event = Event(number=issue.next_event, when=now, who=who, what=what, quiet=True)
    return replace(issue, events=(*issue.events, event), next_event=issue.next_event + 1, updated=now)
