"""A person decides about mail of the pool: it belongs to an issue, is put away, or waits again.

Flows in: the keys of mails, who decides, where they go. Flows out: the mails in their place, told and committed. It is
his decision that lets a mail in, whoever wrote it (eventum-behaviour 9.6); to open an issue for it see `from_mail`, to
take it back `undo`.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from eventum.errors import NotFound, Refused
from eventum.issues import changes, subscriptions
from eventum.issues.events import Filing
from eventum.issues.people import User
from eventum.issues.recipients import recipients
from eventum.issues.trace import Row
from eventum.store.layout import POOLS
from eventum.store.pool import record_of
from eventum.store.state import Intent, Shift
from eventum.tracker.acting import Done, act, acting, check_staff
from eventum.tracker.facts import Known
from eventum.tracker.ground import Ground
from eventum.tracker.pooled import Waiting, check_may_handle, place_of, take_along, waiting
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work

As = Literal["email", "reference", "note"]
"""An e-mail that is told to the list, one that nobody is told of, a note for staff."""


class Aim(msgspec.Struct, frozen=True):
    """The issue a mail is to go into, and as what."""

    number: int
    way: As = "email"


def associate(tracker: Tracker, who: str | None, key: str, aim: Aim) -> Done:
    """Put a mail of the pool (its whole key) into an issue.

    As an e-mail it puts people on the notification list, is sent on to it, and reopens a closed issue when a customer
    wrote it, like one that came there by itself. `who` acts: a user's name, None for the first administrator. Raises
    `NotFound` when there is no such issue or somebody took the mail meanwhile, `Refused` when the issue has it already
    or the user may not; `Conflict`, `Damaged`, `Busy` as `work.change`.
    """
    return associate_all(tracker, who, (key,), aim)


def associate_all(
    tracker: Tracker, who: str | None, keys: Sequence[str], aim: Aim, *, nonce: str = "", delay: int = 0
) -> Done:
    """Put mails of the pool into an issue, all or none; their notices wait `delay` seconds. Raises as `associate`."""
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        changed.delay = delay
        _place(Ground(tracker, changed), work, user, keys, aim=aim)

    return act(tracker, aim.number, verb, nonce=nonce)


class Foreseen(msgspec.Struct, frozen=True):
    """Who would be told, and who would get onto the notification list: names, or addresses of those without."""

    told: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()


NOBODY = Foreseen()


def would_tell(tracker: Tracker, who: str | None, keys: Sequence[str], aim: Aim) -> Foreseen:
    """What would follow if these mails were associated so. Nothing is changed.

    Raises as `associate`.
    """
    user, changed = acting(tracker, who), Changes(tracker, tracker.clock())
    ground, work = Ground(tracker, changed), changed.work(aim.number)
    before = {entry.address for entry in work.issue.subscriptions}
    _place(ground, work, user, keys, aim=aim)
    told = (one for event in work.issue.unannounced for one in recipients(event, work.issue, ground.people, ground.own))
    new = (entry.address for entry in work.issue.subscriptions if entry.address not in before)
    known = ((address, ground.people.by_address(address)) for address in new)
    listed = tuple(known_as.name if known_as and known_as.name else address for address, known_as in known)
    return Foreseen(tuple(dict.fromkeys(one.name or one.address for one in told)), listed)


def _place(ground: Ground, work: Work, user: User, keys: Sequence[str], *, aim: Aim) -> None:
    check_staff(user, work.issue, ground.people)
    for key in dict.fromkeys(keys):
        found = waiting(ground, key)
        check_may_handle(ground.tracker, user, found.pooled)
        if ground.holds(work.number, found.pooled.mail.digest):
            raise Refused("Issue {number} has a mail of the same content already; remove this one.", number=work.number)
        _Placing(ground, work, user).file(found, aim)


class _Placing:
    """One mail of the pool on its way into one issue."""

    def __init__(self, ground: Ground, work: Work, user: User) -> None:
        self._ground, self._work, self._user = ground, work, user

    def file(self, found: Waiting, aim: Aim) -> None:
        """Put it there."""
        known = Known(self._ground, found.arrival)
        answers = (match for match in known.association().candidates if match.issue == aim.number)
        parent = next((match.message_id for match in answers), "")
        kind = "note" if aim.way == "note" else "email"
        row = Row("person", f"as_{aim.way}", self._user.email, f"{kind}:{aim.number}")
        filing = msgspec.structs.replace(found.pooled.mail, parent=parent, trace=(*found.pooled.trace, row))
        now, who = self._ground.changes.now, self._user.id
        match aim.way:
            case "email":
                self._as_email(known, filing)
            case "reference":
                self._work.issue = changes.filed(self._work.issue, filing, now, who=who, quiet=True)
            case "note":
                filing = msgspec.structs.replace(filing, kind="note")
                self._work.issue = changes.filed(self._work.issue, filing, now, who=who)
                # The notice is in the name of who decided; its readers must see whose words these are.
                self._work.texts[filing.key] = f"{_heading(filing)}\n\n{known.message.text}"
        take_along(self._ground.changes, self._work, found)
        self._ground.remember(filing, self._work.number)

    def _as_email(self, known: Known, filing: Filing) -> None:
        issue, people, now, who = self._work.issue, self._ground.people, self._ground.changes.now, self._user.id
        entries, why = subscriptions.from_message(filing, issue, people, known.own)
        for entry in entries:
            issue = changes.subscribed(issue, entry, now, who=who)
        filing = msgspec.structs.replace(filing, trace=(*filing.trace, *why))
        project = people.project(issue.project)
        status = changes.reopening(issue, filing, project, by_staff=known.is_staff(issue))
        self._work.issue = changes.filed(issue, filing, now, who=who, reopen_to=status)


def _heading(filing: Filing) -> str:
    name, address = filing.from_.name, filing.from_.address
    return f"Mail from {f'{name} <{address}>' if name else address or 'nobody known'}: {filing.subject}"


def remove(tracker: Tracker, who: str | None, key: str) -> bool:
    """Put a mail of the pool away; False when it is. It is kept, and can be restored. Raises as `associate`."""
    return bool(move(tracker, who, (key,), "removed"))


def restore(tracker: Tracker, who: str | None, key: str) -> bool:
    """Let a mail of the pool wait again, wherever it was put; False when it does. Raises as `associate`."""
    return bool(move(tracker, who, (key,), "unassociated"))


def move(tracker: Tracker, who: str | None, keys: Sequence[str], outcome: str) -> dict[str, str]:
    """Put mails of the pool under another outcome; where those that moved were before. Raises as `associate`."""
    user = acting(tracker, who)
    if outcome not in POOLS:
        raise NotFound("There is no list {name!r}.", name=outcome)
    before: dict[str, str] = {}
    with tracker.locks.record("pool"):
        places = {key: place_of(tracker, key) for key in dict.fromkeys(keys)}
        for key, (account, _) in places.items():
            check_may_handle(tracker, user, tracker.pool.load(account, key))
        moves = {key: place for key, place in places.items() if place[1] != outcome}
        if not moves:
            return {}
        lines = [(record_of(account, key), 0) for key, (account, _) in moves.items()]
        # A power cut may leave a mail under both outcomes; who recovers must know where it was to go.
        shifts = tuple(Shift(account, key, outcome) for key, (account, _) in moves.items())
        tracker.state.intend(Intent(tracker.maker.id, (), shifts=shifts))
        tracker.maker.journal(lines)
        for key, (account, old) in moves.items():
            tracker.pool.move(account, key, outcome)
            before[key] = old
        # Again, for an index that followed the lines above before the mails were moved.
        tracker.maker.journal(lines)
        tracker.state.fulfilled(tracker.maker.id)
    return before
