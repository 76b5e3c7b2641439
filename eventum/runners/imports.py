"""An import from its beginning to its end: of files, as a rehearsal, and its undoing.

Flows in: what somebody asked for. Flows out: the import as it was noted. One import or undoing runs at a time; how the
mails come in is in `importing`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from eventum.errors import Busy
from eventum.issues.accounts import Account
from eventum.issues.people import User
from eventum.mail.envelope import Envelope
from eventum.mail.message import parse
from eventum.runners.importing import Importing, Plan, Progress, nobody
from eventum.runners.incoming import Incoming
from eventum.store.imports import Import
from eventum.store.maildir import keys
from eventum.store.spool import key_of
from eventum.tracker.disposition import Disposition
from eventum.tracker.ground import Arrival
from eventum.tracker.imports import LEASE
from eventum.tracker.mailboxes import check_outside
from eventum.tracker.receive import UNREAL, receive
from eventum.tracker.tracker import Tracker
from eventum.tracker.unimport import TakingBack
from eventum.transport.archive import Archive
from eventum.wording import N_

MOST = 200  # Mails that a rehearsal decides.


class Imported(msgspec.Struct, frozen=True):
    """An import as it was noted, and what went wrong with the run."""

    one: Import
    problems: tuple[str, ...] = ()


def bring(tracker: Tracker, account: Account, plan: Plan, on_progress: Progress = nobody) -> Imported:
    """Import a path; an import of the same one that was broken off is gone on with.

    Raises `NotFound`, `Refused` for a path without mail, `Busy` while another import runs, `Conflict` when the one that
    was broken off was to tell people and this one is not, or the other way round.
    """
    with held(tracker):
        check_outside(tracker, plan.path)
        archive = Archive(plan.path, recursive=plan.recursive)
        try:
            importing = Importing(tracker, archive, account, plan, on_progress=on_progress)
            one = importing.run()
            return Imported(one, tuple(importing.problems))
        finally:
            archive.close()


@contextmanager
def held(tracker: Tracker) -> Iterator[None]:
    """One import or undoing at a time. Raises `Busy`."""
    lease = tracker.locks.lease(LEASE)
    if lease is None:
        raise Busy(N_("Another import, or the undoing of one, is running; try again when it is over."))
    with lease:
        yield


def undo(tracker: Tracker, user: User, ident: str, on_progress: Progress = nobody) -> Imported:
    """Undo an import as a whole; an undoing that was broken off is gone on with, and one that was done says so again.

    Raises `NotFound`, `Refused`, `Damaged` as `Imports.load`, `Busy` while another import runs.
    """
    with held(tracker):
        one = tracker.imports.load(ident)
        if one.undone is not None:
            return Imported(one)
        # What waits in the spool is decided first: there is no other place from which it could be taken back.
        incoming = Incoming(tracker)
        incoming.work()
        ours = tracker.imports.keys(one.id)
        waiting = set(ours) & set(keys(tracker.layout.incoming))
        problems = [*incoming.problems]
        if waiting:
            problems.append(f"{len(waiting)} mails of it wait to be decided; undo it once more when they are.")
        taking = TakingBack(tracker, user, one, lambda done: on_progress(done, len(ours)))
        return Imported(taking.run(is_whole=not waiting), tuple(problems))


class Rehearsed(msgspec.Struct, frozen=True):
    """What an import would do: how many mails there are, of which time, and what would become of the first ones."""

    mails: int
    since: str
    until: str
    first: list[Disposition]
    unreadable: tuple[str, ...] = ()


def rehearse(tracker: Tracker, account: Account, path: str, *, recursive: bool = False) -> Rehearsed:
    """Look at a path and decide its first mails; nothing is changed. A new issue has no number yet: it says 0.

    Raises `NotFound`, `Refused` for a path without mail.
    """
    archive = Archive(path, recursive=recursive)
    try:
        found = [raw for number in range(min(MOST, len(archive))) if (raw := archive.read(number)) is not None]
        since, until = (_day(archive.date(number)) if len(archive) else "?" for number in (0, len(archive) - 1))
        problems = tuple(f"{place}: {reason}" for place, reason in archive.problems)
        count = len(archive)
    finally:
        archive.close()
    tracker.index.catch_up()
    envelope = Envelope(destination=account.id, received=tracker.clock(), quiet=True)
    arrivals = [Arrival(key=key_of(account.id, raw), path="", envelope=envelope, message=parse(raw)) for raw in found]
    told = receive(tracker, arrivals, dry_run=True)
    first = [msgspec.structs.replace(one, issue=one.issue if one.issue < UNREAL else 0) for one in told]
    return Rehearsed(count, since, until, first, problems)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds > 0 else "?"
