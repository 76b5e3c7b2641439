"""An issue as one conversation: its newest messages with what stands between them, as one person may see it.

Flows in: a number, who looks, which part. Flows out: messages with their text in pieces, why each is there and what
became of it, and the history between them. Only what is shown is read: the record, the readings of these messages, and
older history when somebody goes back that far. Nothing is changed here.

Who is not staff sees neither notes, drafts, blocked mail and lists, nor that there are any.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.issues.access import may_read_notes, may_see
from eventum.issues.events import Event
from eventum.issues.issue import Held, Issue, held
from eventum.issues.people import People, Project
from eventum.issues.people import User as User  # What the screens know of a user.
from eventum.tracker import delivery
from eventum.tracker.correspond import matters
from eventum.tracker.message_view import Message, described, shown
from eventum.tracker.steps import Step, Viewer, step_of, steps_of
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

PART = 20
"""Messages that are shown at once."""
_ENOUGH = 5  # Messages of the newest part for which no history is read.
_BACK = 100  # Events by which one goes back at first.


class Story(msgspec.Struct, frozen=True):
    """What happened between two messages."""

    steps: tuple[Step, ...]

    @property
    def phrases(self) -> tuple[str, ...]:
        """The steps in a few words each, those about lists last: they come along with others."""
        return tuple(step.phrase for step in sorted(self.steps, key=lambda step: step.is_aside))


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of an issue: the messages before or from the event with this number; the newest without either."""

    before: int = 0
    since: int = 0


NEWEST = Part()


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an issue. `earlier` is where the part before it ends, `later` where the next begins; 0 for none."""

    issue: Issue
    project: Project
    people: People
    staff: bool
    items: tuple[Message | Story, ...]
    earlier: int
    later: int


def find(tracker: Tracker, number: int, viewer: User) -> Issue:
    """The issue, when this user may see it. Raises `NotFound` when he may not, too; `Damaged`."""
    issue = tracker.issues.load(number)
    people = tracker.people.load_all()
    if not may_see(viewer, issue, people):
        raise NotFound(N_("There is no issue {number}."), number=number)
    if all(one.id != issue.project for one in people.projects):
        # Not gone, but in a file that cannot be used: it says so until somebody has mended it.
        for sentence in tracker.people.damaged():
            raise Damaged(sentence)
        path = tracker.layout.projects / f"{issue.project}.json"
        raise Damaged(f"{path} is missing, and issue {number} belongs to it: put back a copy from a backup.")
    return issue


def check_works_on(tracker: Tracker, number: int, viewer: User) -> Issue:
    """The issue, when this user works on it. Raises as `find`, and `Refused` for who may only see it."""
    issue = find(tracker, number, viewer)
    if not may_read_notes(viewer, issue, tracker.people.load_all()):
        raise Refused(N_("Only staff of its project may change issue {number}."), number=number)
    return issue


def conversation(tracker: Tracker, number: int, viewer: User, part: Part = NEWEST, *, say: Say = str) -> Conversation:
    """A part of an issue as this user may see it. Raises as `find`."""
    issue, people = find(tracker, number, viewer), tracker.people.load_all()
    staff = may_read_notes(viewer, issue, people)
    events = _read(tracker, issue, part, staff)
    messages = _messages(events, staff)
    chosen = _chosen(messages, part)
    first = chosen[0] if chosen else None
    before = [one for one in messages if first and one.events[0].number < first.events[0].number]
    after = [one for one in messages if chosen and one.events[0].number > chosen[-1].events[0].number]
    earlier = first.events[0].number if first and (before or events[0].number > 1) else 0
    later = after[0].events[0].number if after else 0
    # From the message before on, so that what stands between the parts is shown once.
    begin = 1 if not earlier or not first else first.events[0].number
    end = later or issue.next_event
    between = [one for one in events if begin <= one.number < end]
    steps = steps_of(between, events, Viewer(staff, people), say)
    views = _views(tracker, issue, chosen, events, say=say) if chosen else ()
    if not earlier and (opening := described(issue, events, people)):
        views = (opening, *views)
    return Conversation(
        issue=issue,
        project=people.project(issue.project),
        people=people,
        staff=staff,
        items=tuple(_woven(views, steps)),
        earlier=earlier,
        later=later,
    )


def since(tracker: Tracker, number: int, viewer: User, seen: int, *, say: Say = str) -> tuple[Step, ...]:
    """What others did to the issue from that event on, as far as who answers it must know. Raises as `find`."""
    issue, people = find(tracker, number, viewer), tracker.people.load_all()
    staff = may_read_notes(viewer, issue, people)
    return tuple(
        step_of(event, people, say)
        for event in issue.events
        if event.number >= seen and matters(event, viewer, staff=staff)
    )


def workers(found: Conversation) -> tuple[User, ...]:
    """Who the issue can be assigned to, and who is, by name."""
    issue, people = found.issue, found.people
    users = (one for one in people.users if people.is_staff(one, issue.project) or one.id in issue.assignees)
    return tuple(sorted(users, key=lambda user: (user.name.casefold(), user.email)))


def _read(tracker: Tracker, issue: Issue, part: Part, staff: bool) -> tuple[Event, ...]:
    """As many events as this part needs, from a message on that is before it, up to the newest."""
    since, back = part.since or part.before or issue.first_event, _BACK
    wanted = PART if part.before else 0 if part.since else _ENOUGH
    since = min(since, issue.first_event)
    while True:
        events = tracker.issues.events(issue, since)
        found = sum(1 for one in _messages(events, staff) if not part.before or one.events[0].number < part.before)
        if found > wanted or since <= 1:
            return events
        since, back = max(1, since - back), back * 2


def _messages(events: Sequence[Event], staff: bool) -> list[Held]:
    return [one for one in held(events) if staff or not one.message.internal]


def _chosen(messages: Sequence[Held], part: Part) -> list[Held]:
    if part.since:
        return [one for one in messages if one.events[-1].number >= part.since][:PART]
    return [one for one in messages if not part.before or one.events[0].number < part.before][-PART:]


def _views(
    tracker: Tracker, issue: Issue, chosen: Sequence[Held], events: Sequence[Event], *, say: Say
) -> tuple[Message, ...]:
    people = tracker.people.load_all()
    filed = [event for one in chosen for event in one.events]
    sent = delivery.lines(tracker, issue, events, filed)
    return tuple(
        shown(
            tracker,
            issue,
            one,
            people=people,
            delivery=tuple(line for event in one.events for line in sent.get(event.number, ())),
            say=say,
        )
        for one in chosen
    )


def _woven(messages: Sequence[Message], steps: Sequence[Step]) -> Iterator[Message | Story]:
    """Messages and what happened between them, in the order of their numbers."""
    bounds = [0, *(one.number for one in messages), 1 << 62]
    for place, (low, high) in enumerate(pairwise(bounds)):
        if place:
            yield messages[place - 1]
        between = tuple(step for step in steps if low <= step.number < high)
        if between:
            yield Story(between)
