"""What runs that died left behind, brought to an end: nothing lost, nothing twice, nothing untold.

Flows in: the parts of a store. Flows out: how much was taken back. A run is dead when its lease can be taken. Every
step can be done again, so a recovery that dies is recovered in its turn.
"""

import contextlib
import time
from pathlib import Path

from eventum.errors import Busy, Damaged, NotFound
from eventum.issues.events import Event, Undone
from eventum.issues.issue import Issue, messages
from eventum.mail.envelope import Posting
from eventum.store import files
from eventum.store.issues import IssueStore
from eventum.store.layout import Layout, maildir
from eventum.store.locks import Lease, Locks
from eventum.store.maildir import Queue, settle
from eventum.store.maker import ID, Maker
from eventum.store.outbox import Outbox
from eventum.store.pool import Pool, record_of
from eventum.store.spool import Spool
from eventum.store.state import Intent, State

STRANGERS_FOR = 36 * 3600  # Seconds (https://cr.yp.to/proto/maildir.html: files in tmp may go after 36 hours).

Parts = tuple[Spool, Outbox, IssueStore, Pool, State]


class Recovery:
    """One clearing up after the dead."""

    def __init__(self, layout: Layout, locks: Locks, maker: Maker, parts: Parts) -> None:
        self._layout = layout
        self._locks = locks
        self._maker = maker
        self._spool, self._outbox, self._issues, self._pool, self._state = parts
        self._leases: dict[str, Lease | None] = {}

    def run(self) -> int:
        """Clear up; how many mails, incoming or outgoing, wait again or were brought to their end."""
        # A power cut may cost the file of a lease and leave what its run had in hand.
        for entry in (*files.listing(self._layout.locks / "leases"), *files.listing(self._layout.hands)):
            name = entry.name.removesuffix(".lock")
            if ID.fullmatch(name):
                self._is_alive(name)
        try:
            count = sum(self._bring_to_end(intent) for intent in self._state.intents() if self._is_dead(intent.maker))
            count += self._tell()
            self._sweep()
            count += self._spool.take_back(self._is_alive)
            count += self._outbox.take_back(self._is_alive)
            for maker, lease in self._leases.items():
                if lease is not None:
                    self._state.fulfilled(maker)
                    files.remove(self._layout.hands / maker)
        finally:
            for lease in self._leases.values():
                if lease is not None:
                    lease.release(forget=True)
        return count

    def bring_own_to_end(self) -> None:
        """After a commit of this run that failed half way: what shows is finished and told, the rest taken back."""
        for intent in self._state.intents():
            if intent.maker == self._maker.id:
                self._finish_filings(intent)
        self._tell(own=True)

    def _is_alive(self, maker: str) -> bool:
        if maker == self._maker.id:
            return True
        if not ID.fullmatch(maker):
            return False
        if maker not in self._leases:
            # A dead run's lease is kept to the end, so that no other recovery works on the same things.
            self._leases[maker] = self._locks.lease(maker)
        return self._leases[maker] is None

    def _is_dead(self, maker: str) -> bool:
        return not self._is_alive(maker)

    def _load(self, number: int) -> Issue | None:
        try:
            return self._issues.load(number)
        except (NotFound, Damaged):  # `verify` names what is damaged.
            return None

    def _holds(self, issue: Issue | None, key: str) -> bool:
        return issue is not None and any(filing.key == key for filing in messages(self._events(issue)))

    def _events(self, issue: Issue) -> tuple[Event, ...]:
        """All events: those of a large commit may be in the history already."""
        try:
            return self._issues.events(issue)
        except Damaged:  # `verify` names it.
            return issue.events

    def _bring_to_end(self, intent: Intent) -> int:
        """What the dead run had committed is finished; the rest waits to be decided again."""
        filed = self._finish_filings(intent)
        claims = [
            entry
            for entry in Queue(self._layout.incoming).claimed()
            if entry.maker == intent.maker and entry.key in filed
        ]
        for entry in claims:
            settle(entry, self._layout.done)
        return len(claims)

    def _finish_filings(self, intent: Intent) -> set[str]:
        """Each mail of the intent is in its issue or where it was; the keys of those that were filed."""
        issues = {number: self._load(number) for _, number in intent.filings}
        filed = {key for key, number in intent.filings if self._holds(issues[number], key)}
        for key, number in intent.filings:
            if key not in filed and issues[number] is not None:
                self._take_out(number, key)
        taken = [move for move in intent.moves if self._holds(self._load(move.issue), move.key)]
        for move in taken:
            self._pool.take(move.account, move.key)
        if taken:
            self._maker.journal([(record_of(move.account, move.key), 0) for move in taken])
        self._bring_back(intent)
        for shift in intent.shifts:
            self._pool.shifted(shift.account, shift.key, shift.outcome)
        if intent.shifts:
            self._maker.journal([(record_of(shift.account, shift.key), 0) for shift in intent.shifts])
        return filed

    def _bring_back(self, intent: Intent) -> None:
        """Mail on its way from an issue to the pool is in the pool when the issue's record names it no more."""
        for move in intent.returns:
            if self._holds(self._load(move.issue), move.key):
                self._pool.take(move.account, move.key)
            else:
                self._take_out(move.issue, move.key)
        if intent.returns:
            self._maker.journal([(record_of(move.account, move.key), 0) for move in intent.returns])

    def _take_out(self, number: int, key: str) -> None:
        """Take what an issue's record does not name, or no more, out of the issue."""
        # Under the issue's lock, since a living run may be filing the same mail there just now.
        with contextlib.suppress(NotFound, Damaged, Busy), self._locks.issues([number]):
            named = messages(self._issues.events(self._issues.load(number)))
            if all(filing.key != key for filing in named):
                self._issues.take_out(number, key)

    def _tell(self, *, own: bool = False) -> int:
        """Publish the notices a committed record owes; forget those whose record was never written."""
        told: list[tuple[str, str]] = []
        held: list[tuple[str, str]] = []
        known: set[str] | None = None
        for path, posting in list(self._outbox.leftovers(self._is_own if own else self._is_abandoned)):
            if own and (posting is None or not posting.issue):
                continue  # Another thread of this run may be writing a letter.
            if posting is not None and self._is_owed(posting):
                known = self._outbox.known() if known is None else known
                if posting.key not in known:
                    known.add(posting.key)
                    (held if posting.hold else told).append((path, posting.key))
                    continue
            files.remove(path)
        self._outbox.publish(told)
        self._outbox.hold(held)
        return len(told) + len(held)

    def _is_owed(self, posting: Posting) -> bool:
        issue = self._load(posting.issue)
        events = self._events(issue) if issue else ()
        event = next((one for one in events if one.number == posting.event), None)
        # Another run may have given the number to another event since; the time tells them apart.
        if event is None or event.when != posting.queued:
            return False
        later = (one.what for one in events if one.number > event.number)
        return not any(isinstance(what, Undone) and what.since <= event.number for what in later)

    def _is_own(self, path: str) -> bool:
        return path.rpartition("/")[2].startswith(f"{self._maker.id}.")

    def _is_abandoned(self, path: str) -> bool:
        """Whether nobody will go on with a temporary name; one that is not ours is a delivery by another program."""
        name = path.rpartition("/")[2].partition(".")[0]
        if ID.fullmatch(name):
            return self._is_dead(name)
        return files.modified_ns(path) < time.time_ns() - STRANGERS_FOR * 10**9

    def _sweep(self) -> None:
        folders: tuple[Path, ...] = (
            self._layout.state_tmp,
            self._layout.issues_tmp,
            maildir(self._layout.incoming)[0],
        )
        for folder in folders:
            for entry in files.listing(folder):
                if self._is_abandoned(entry.path):
                    if entry.is_dir(follow_symlinks=False):
                        files.remove_tree(Path(entry.path))
                    else:
                        files.remove(entry.path)
