"""A copy of a store that was made while the store was in use, brought together: each mail in one place again.

Flows in: a tracker whose store lies where no run noted it yet. Flows out: how many mails were put right. It is done
once, by the first run; of a store that was not copied nothing is found wrong and nothing is changed.

A copy shows each folder at another moment, so a mail may be missing where a record names it, be in two places, or in
none. What an issue's record says is believed before the pool, and a later state of an entry before an earlier one. Mail
that is nowhere but in `spool/kept` is decided anew. Of an issue whose record cannot be used all mails stay as they are.
"""

import contextlib
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eventum.errors import Damaged, NotFound
from eventum.issues.issue import messages
from eventum.mail.envelope import Posting, read_head
from eventum.store import files, place
from eventum.store.flush import Flush
from eventum.store.layout import POOLS, maildir
from eventum.store.maildir import Queue, keys, search, settled
from eventum.store.pool import record_of
from eventum.store.sendings import HEAD

if TYPE_CHECKING:
    from eventum.tracker.tracker import Tracker


def bring_together(tracker: "Tracker") -> int:
    """Put right what a copy shows at different moments; how many mails that were. The caller holds `incoming`."""
    if place.is_noted(tracker.layout):
        return 0
    lease = tracker.locks.lease("queue")
    if lease is None:  # Somebody sends, so this is no copy that begins to be used; the next run looks.
        return 0
    # The store may be no copy but one that no run noted yet, and people work on it: who files mail waits here.
    with lease, tracker.locks.record("pool"):
        count = _Copy(tracker).run()
        if count:  # What the index of this host knows may be of the store as it was.
            tracker.index.rebuild()
        with contextlib.suppress(IsADirectoryError):  # `verify` names it; until then every run looks.
            place.note(tracker.layout, tracker.maker)
    return count


class _Copy:
    """One look over a store that was copied."""

    def __init__(self, tracker: "Tracker") -> None:
        self._tracker = tracker
        self._layout = tracker.layout
        self._kept = {entry.key: entry.path for entry in settled(self._layout.kept)}
        self._told: dict[int, frozenset[tuple[int, datetime]] | None] = {}  # see `_events_of`
        self._homes: dict[str, int] = {}  # the issue of each mail that a record names
        self._placed: set[str] = set()  # mails of the pool, and of issues that cannot be used
        self._moved: list[tuple[str, int]] = []  # what the index has to look at again
        self._flush = Flush()
        self._count = 0

    def run(self) -> int:
        """Issues first: what they say is believed."""
        with self._flush:
            for number in sorted(self._tracker.issues.numbers()):
                self._issue(number)
            for account in self._tracker.pool.accounts():
                self._pool(account)
            self._decide_anew()
            self._sendings()
        for entry in files.listing(self._layout.hands):
            # Their makers' leases may have been copied before there were such.
            if entry.name != self._tracker.maker.id and not self._tracker.locks.is_held(entry.name):
                files.remove(entry.path)
        if self._moved:
            self._tracker.maker.journal(self._moved)
        return self._count

    def _issue(self, number: int) -> None:
        mail = self._layout.issue(number) / "mail"
        try:
            events = self._tracker.issues.events(self._tracker.issues.load(number))
        except (Damaged, NotFound):
            self._placed.update(keys(mail))
            return
        named = {filing.key for filing in messages(events)}
        self._homes.update(dict.fromkeys(named, number))
        lying = set(keys(mail))
        for key in (named - lying) & self._kept.keys():
            self._link(key, maildir(mail)[2], f"{key}:2,S")
        for key in (lying - named) & self._kept.keys():
            # The record is older than the folder; the mail itself is kept, and is decided below.
            self._let_go(search(mail, key))

    def _link(self, key: str, folder: Path, name: str) -> None:
        files.make_folders([folder])
        if files.link(self._kept[key], folder / name):
            self._flush.folder(folder)
            self._count += 1

    def _let_go(self, path: Path | None) -> None:
        if path is not None:
            files.remove(path)
            self._flush.folder(path.parent)
            self._count += 1

    def _pool(self, account: str) -> None:
        folder = self._layout.pool / account
        lying: dict[str, list[Path]] = defaultdict(list)
        for outcome in POOLS:
            for entry in settled(folder / outcome):
                lying[entry.key].append(Path(entry.path))
        records = {entry.name[:-5] for entry in files.listing(folder) if entry.name.endswith(".json")}
        for key in sorted(lying.keys() | records):
            paths = lying.get(key, [])
            is_settled = bool(paths) and key in records and key not in self._homes
            if is_settled:
                self._placed.add(key)
            elif key in records and not paths and key not in self._homes and key not in self._kept:
                continue  # A record whose mail is gone: `verify` names it.
            elif paths and key not in self._kept and key not in self._homes:
                self._keep(key, paths[0])
            for path in paths[is_settled:]:
                self._let_go(path)
            if not is_settled:
                files.remove(folder / f"{key}.json")
                self._moved.append((record_of(account, key), 0))

    def _keep(self, key: str, path: Path) -> None:
        target = maildir(self._layout.kept)[2] / f"{key}:2,S"
        if files.link(path, target):
            files.sync_path(str(target.parent))  # At once: the name it had goes next.
        self._kept[key] = str(target)

    def _decide_anew(self) -> None:
        queue = Queue(self._layout.incoming)
        waiting = {entry.key for entry in (*queue.all_waiting(), *queue.claimed())}
        dead = set[str]()
        for entry in settled(self._layout.dead):
            if entry.key in waiting or entry.key in self._homes or entry.key in self._placed:
                files.remove(self._layout.dead / f"{entry.key}.json")
                self._let_go(Path(entry.path))
            else:
                dead.add(entry.key)
        for key in self._kept.keys() - waiting - dead - self._homes.keys() - self._placed:
            self._link(key, queue.new, key)

    def _sendings(self) -> None:
        """One place for each entry, the latest; what tells of an event that the copy does not have is not told."""
        outgoing = Queue(self._layout.outgoing)
        seen: set[str] = set()
        places = (self._layout.sent, self._layout.failed, self._layout.held)
        settled_ones = (entry for folder in places for entry in settled(folder))
        for entry in (*settled_ones, *outgoing.claimed(), *outgoing.all_waiting()):
            if self._once(entry.key, entry.path, seen) and not self._is_owed(entry.path):
                # Sent or not: the event that gets this number now makes an entry of the same name.
                self._let_go(Path(entry.path))
                files.remove(self._layout.out_log / f"{entry.key}.jsonl")
        for log in files.listing(self._layout.out_log):
            if log.name.removesuffix(".jsonl") not in seen:
                files.remove(log.path)

    def _once(self, key: str, path: str, seen: set[str]) -> bool:
        if key in seen:
            self._let_go(Path(path))
            return False
        seen.add(key)
        return True

    def _is_owed(self, path: str) -> bool:
        try:
            posting = read_head(files.read_head(path, HEAD))
        except (NotFound, OSError):  # Moved on, or for `verify` to name.
            return True
        if not isinstance(posting, Posting) or not posting.issue:
            return True  # It tells of no issue, or is for `verify` to name.
        event, number = (posting.event, posting.queued), posting.issue
        if number not in self._told:
            self._told[number] = self._events_of(number)
        told = self._told[number]
        if told is not None and event not in told:
            # It may have been written since: a record is replaced before its notices appear.
            self._told[number] = told = self._events_of(number)
        return told is None or event in told

    def _events_of(self, number: int) -> frozenset[tuple[int, datetime]] | None:
        """The numbers and moments of an issue's events; None when its record cannot be used, `verify` names it."""
        try:
            events = self._tracker.issues.events(self._tracker.issues.load(number))
        except NotFound:
            return frozenset()
        except Damaged:
            return None
        return frozenset((event.number, event.when) for event in events)
