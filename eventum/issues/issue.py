"""An issue as one record.

In flow: nothing but its fields. Out flow: the record, and what can be read off it without a file. `changes` makes the
next record from it; the store keeps the records, counts their revisions and moves old events away.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from eventum.issues.events import Event, Filed, Filing, TakenOut, Undone

ACTIONS = ("updated", "closed", "emails", "files")
"""What somebody on the notification list can ask to be told of (eventum-behaviour 7.0.1)."""


class Subscription(msgspec.Struct, frozen=True):
    """An entry of the notification list: an address, the id of its user or "", and what it is told of."""

    address: str
    user: str = ""
    actions: tuple[str, ...] = ACTIONS


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """The issue's record. `events` is the newest part of its history; older ones have been moved away by the store.

    `reporter` is an address, `assignees` are user ids. `first_event` is the number of `events[0]`, `next_event` the
    number the next one will get, and every event with a number up to `announced` has been announced. `notes` counts all
    blocked ones too, `blocked` those that wait for a person's decision.
    """

    schema: int = 1
    revision: int = 0
    number: int
    project: str
    summary: str
    description: str = ""
    status: str
    priority: str = ""
    category: str = ""
    reporter: str = ""
    assignees: tuple[str, ...] = ()
    created: datetime
    updated: datetime
    closed: datetime | None = None
    root_message_id: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    repliers: tuple[str, ...] = ()
    emails: int = 0
    notes: int = 0
    blocked: int = 0
    events: tuple[Event, ...] = ()
    first_event: int = 1
    next_event: int = 1
    announced: int = 0

    def event(self, number: int) -> Event | None:
        """The event with this number, or None when the store has moved it away or there is none yet."""
        at = number - self.first_event
        return self.events[at] if 0 <= at < len(self.events) else None

    @property
    def unannounced(self) -> tuple[Event, ...]:
        """The events nobody has been told of yet."""
        return tuple(event for event in self.events if event.number > self.announced)

    @property
    def was_taken_back(self) -> bool:
        """Whether its opening was taken back: it is closed and holds nothing, and is kept for its number."""
        return self.closed is not None and any(
            isinstance(event.what, Undone) and event.what.since == 1 for event in self.events
        )

    def subscription(self, address: str) -> Subscription | None:
        """This address's entry of the notification list."""
        return next((entry for entry in self.subscriptions if entry.address == address), None)


class Held(msgspec.Struct, frozen=True):
    """A message of an issue as it is now, and the events that filed it: the first says when it came."""

    message: Filing
    events: tuple[Event, ...]


def held(events: Iterable[Event]) -> tuple[Held, ...]:
    """The messages that these events leave in the issue, in the order in which they came."""
    found: dict[str, Held] = {}
    for event in events:
        if isinstance(event.what, Filed):
            message = event.what.message
            before = found[message.key].events if message.key in found else ()
            found[message.key] = Held(message, (*before, event))
        elif isinstance(event.what, TakenOut):
            found.pop(event.what.key, None)
    return tuple(found.values())


def messages(events: Iterable[Event]) -> tuple[Filing, ...]:
    """The messages that these events leave in the issue, as they are now, in the order in which they came."""
    return tuple(one.message for one in held(events))
