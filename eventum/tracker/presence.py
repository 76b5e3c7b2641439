"""Who is writing to an issue right now, so that two do not answer the same question.

Flows in: a user and an issue, again and again while he types. Flows out: the names of the others. Who says nothing for
a while is not believed to write any more; nothing is locked by this.
"""

from datetime import timedelta

import msgspec

from eventum.issues.people import User
from eventum.store.drafts import DraftStore
from eventum.tracker.tracker import Tracker

BELIEVED = timedelta(seconds=75)
"""How long somebody counts as writing after he said so; browsers say it every 30 seconds."""


def writes(tracker: Tracker, number: int, user: User) -> None:
    """The user is writing to the issue now."""
    _set(tracker, number, user, present=True)


def stops(tracker: Tracker, number: int, user: User) -> None:
    """The user sent what he wrote, or gave it up."""
    _set(tracker, number, user, present=False)


def others(tracker: Tracker, number: int, user: User) -> tuple[str, ...]:
    """The names of everybody else who is writing to the issue."""
    people, now = tracker.people.load_all(), tracker.clock()
    until = _drafts(tracker).writers(number).until
    users = (people.user(one) for one, end in until.items() if now < end <= now + BELIEVED and one != user.id)
    return tuple(sorted(one.name or one.email for one in users if one is not None))


def _set(tracker: Tracker, number: int, user: User, *, present: bool) -> None:
    drafts, now = _drafts(tracker), tracker.clock()
    before = drafts.writers(number)
    until = {one: end for one, end in before.until.items() if now < end <= now + BELIEVED and one != user.id}
    if present:
        until[user.id] = now + BELIEVED
    if until != before.until:
        drafts.set_writers(number, msgspec.structs.replace(before, until=until))


def _drafts(tracker: Tracker) -> DraftStore:
    return DraftStore(tracker.layout, lambda: tracker.maker)
