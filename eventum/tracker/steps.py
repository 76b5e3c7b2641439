"""The history of an issue between its messages: one line for each thing that somebody did, for staff or for everybody.

Flows in: events, and who looks. Flows out: lines in words. What was done and taken back again is one line.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from eventum.issues.events import DeliveryFailed as Failed
from eventum.issues.events import (
    Event,
    Filed,
    Opened,
    ReplierAdded,
    ReplierRemoved,
    Subscribed,
    TakenOut,
    Undone,
    Unsubscribed,
)
from eventum.issues.issue import held
from eventum.issues.people import People
from eventum.tracker import history
from eventum.wording import Say


class Step(msgspec.Struct, frozen=True):
    """One line of the history: the event's number, when, who (a name), and what happened, whole and in a few words."""

    number: int
    when: datetime
    who: str
    sentence: str
    phrase: str
    is_aside: bool = False
    says_who: bool = False

    @property
    def line(self) -> str:
        """Who did what, nobody named twice."""
        return f"{self.who}: {self.sentence}" if self.who and not self.says_who else self.sentence


class Viewer(msgspec.Struct, frozen=True):
    """Whether who looks works for the project, and everybody there is."""

    is_staff: bool
    people: People


def steps_of(events: Sequence[Event], every: Sequence[Event], viewer: Viewer, say: Say) -> list[Step]:
    """The events that stand between the messages; `every` event that was read says which are messages themselves."""
    firsts = {one.events[0].number for one in held(every)}
    # That a draft was written and went again is seen by what came instead of it.
    drafts = {what.message.key for what in (one.what for one in every) if isinstance(what, Filed) and _is_draft(what)}
    found: list[Step] = []
    backs = history.taken_back(every) if viewer.is_staff else {}
    for event in events:
        what = event.what
        if event.number in backs and event.number not in firsts:
            if (back := backs[event.number]) is not None:
                found.append(_taken_back(event, back, viewer.people, say))
            continue
        if isinstance(what, Filed) and (event.number in firsts or what.message.key in drafts):
            continue
        if (isinstance(what, TakenOut) and what.key in drafts) or not (viewer.is_staff or _is_public(event)):
            continue
        found.append(step_of(event, viewer.people, say))
    return found


def step_of(event: Event, people: People, say: Say) -> Step:
    """An event as a line of the history."""
    sentence, phrase = history.sentence(event.what, people, say, by_name=True), history.phrase(event.what, people, say)
    is_aside = isinstance(event.what, Subscribed | Unsubscribed)
    says_who = isinstance(event.what, Filed)
    return Step(event.number, event.when, _name(event.who, people), sentence, phrase, is_aside, says_who)


def _taken_back(event: Event, name: str, people: People, say: Say) -> Step:
    sentence, phrase = history.TAKEN_BACK[name]
    return Step(event.number, event.when, _name(event.who, people), say(sentence), say(phrase))


def _is_draft(what: Filed) -> bool:
    return what.message.kind == "draft"


def _is_public(event: Event) -> bool:
    # Whom we write to and who may is the staff's; so is whom we thanked, and what became of blocked mail.
    hidden = Filed | TakenOut | Undone | Subscribed | Unsubscribed | ReplierAdded | ReplierRemoved | Failed
    return not isinstance(event.what, hidden) and not (isinstance(event.what, Opened) and event.what.acknowledge)


def _name(who: str, people: People) -> str:
    user = people.who(who) if who else None
    return (user.name or user.email) if user else who
