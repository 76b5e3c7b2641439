"""A mail of the pool in a person's hand: what it says, and how it goes along into an issue.

Flows in: the key of a mail. Flows out: its record, place and reading; its move, noted in the changes that take it.
Where it goes is decided by who asks.
"""

from pathlib import Path

import msgspec

from eventum.errors import NotFound, Refused
from eventum.issues.events import Filing
from eventum.issues.people import User
from eventum.mail.envelope import HEAD, Envelope, read_head
from eventum.store import files
from eventum.store.pool import Pooled
from eventum.store.state import Move
from eventum.tracker.acting import check_works_for
from eventum.tracker.counts import scope_of
from eventum.tracker.ground import Arrival, Ground
from eventum.tracker.guard import reading
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of the pool: its record, the outcome under which it lies, and the mail as one that arrives."""

    pooled: Pooled
    outcome: str
    arrival: Arrival


def place_of(tracker: Tracker, key: str) -> tuple[str, str]:
    """Account and outcome of a mail of the pool. Raises `NotFound`, naming the issue that has it by now."""
    tracker.index.catch_up()
    number = tracker.index.filed(key)
    if number is not None:
        raise NotFound("The mail {key} is in issue {number} already.", key=key[:12], number=number)
    known = tracker.index.pooled(key)
    # The index may be a moment behind; the folders are not.
    outcome = tracker.pool.outcome(known[0], key) if known else None
    if known is None or outcome is None:
        raise NotFound("The mail {key} is not in the list any more.", key=key[:12])
    return known[0], outcome


def waiting(ground: Ground, key: str) -> Waiting:
    """The mail with this key. Raises as `place_of`, and `Damaged` when its record cannot be used."""
    tracker = ground.tracker
    account, outcome = place_of(tracker, key)
    pooled = tracker.pool.load(account, key)
    arrival = arrival_of(tracker, pooled.mail, tracker.pool.path(account, key))
    return Waiting(pooled=pooled, outcome=outcome, arrival=arrival)


def arrival_of(tracker: Tracker, mail: Filing, path: Path) -> Arrival:
    """A mail that was kept as one that arrives. Raises `NotFound` when its file is gone."""
    trace = read_head(files.read_head(path, HEAD))
    # A mail that a person put there by hand has no trace headers.
    envelope = trace if isinstance(trace, Envelope) else Envelope(destination=mail.destination, received=mail.received)
    return Arrival(key=mail.key, path=str(path), envelope=envelope, message=reading(tracker.cache, mail.digest, path))


def take_along(changed: Changes, work: Work, found: Waiting) -> None:
    """Let the mail leave the pool for the issue when the changes are committed; the issue's record must hold it."""
    key = found.arrival.key
    changed.moves.append(Move(found.pooled.account, key, work.number))
    work.mails.append((key, found.arrival.path))
    work.texts.setdefault(key, found.arrival.message.text)


def check_may_handle(tracker: Tracker, user: User, pooled: Pooled) -> None:
    """Raises `Refused` unless the user works for the project whose account got the mail.

    Mail of no project that is left, as of a deleted one, is the administrators'.
    """
    people = tracker.people.load_all()
    if not user.administrator:
        check_works_for(user, pooled.project, people)
        if pooled.project not in (scope_of(user, people).staff or ()):
            raise Refused("This mail is in an archived project, which takes a manager.")
