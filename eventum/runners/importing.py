"""Brings mail from files on this machine into the spool and lets it be decided, as if it had come to an account.

Flows in: an archive and the account whose mail it becomes. Flows out: an `Import`, noted with every batch, so that a
run that was killed is gone on with. Of each batch: first its keys are noted, then its mails are durable, then how far
it is. Where it goes decides the same code as of every mail; it is quiet unless somebody wants it told.

Mail that is here already is passed over, but for what an import brought that was undone: that is taken up again.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import msgspec

from eventum.errors import Busy, Conflict, EventumError
from eventum.issues.accounts import Account
from eventum.mail.envelope import Envelope
from eventum.runners.here import PATIENCE, Here
from eventum.runners.incoming import Incoming, prune
from eventum.runners.runner import guarded
from eventum.store.imports import Import
from eventum.store.spool import key_of
from eventum.tracker import room
from eventum.tracker.disposition import Disposition
from eventum.tracker.imports import tally
from eventum.tracker.tracker import Tracker
from eventum.transport.archive import Archive
from eventum.wording import N_

MAX_BYTES, MAX_COUNT = 8_000_000, 100
AHEAD = 1000  # Mails that wait to be decided at most, so that a large archive does not fill the spool first.
NAMED = 100  # Mails that are named in a record.


Progress = Callable[[int, int], None]  # Hears how many mails were looked at, of how many.


def nobody(done: int, count: int) -> None:
    """Hears of progress and does nothing with it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be imported: the path, whether with its folders, whether people are told; the user who began it."""

    path: str
    recursive: bool = False
    notify: bool = False
    by: str


def unfinished(tracker: Tracker, account: Account, path: str) -> Import | None:
    """The import of this path into this account that was begun and not ended."""
    same = (one for one in tracker.imports.all() if (one.account, one.path) == (account.id, path))
    return next((one for one in same if one.ended is None and one.undoing is None), None)


class Importing:
    """One run of an import; the lease is held by who calls."""

    def __init__(
        self,
        tracker: Tracker,
        archive: Archive,
        account: Account,
        plan: Plan,
        *,
        on_progress: Progress = nobody,
    ) -> None:
        self._tracker = tracker
        self._archive = archive
        self._account = account
        self._on_progress = on_progress
        found = unfinished(tracker, account, archive.path)
        if found is not None and found.notify != plan.notify:
            raise Conflict(
                N_("The import {id} of this path was begun otherwise (--notify); end it that way, or undo it."),
                id=found.id,
            )
        self._is_noted = found is not None
        self._import = found or Import(
            id=tracker.imports.new_id(),
            account=account.id,
            path=archive.path,
            recursive=plan.recursive,
            notify=plan.notify,
            by=plan.by,
            began=tracker.clock(),
        )
        self._before = set(tracker.imports.keys(self._import.id)) if found else set[str]()
        self._undecided: set[str] = set()
        self._guard = threading.Lock()
        self._room = threading.Event()
        self._news = threading.Event()
        self._stop = False
        self.problems: list[str] = []

    def run(self) -> Import:
        """Import what is not here yet; how it ended. What went wrong stands in `problems`."""
        tracker, archive = self._tracker, self._archive
        # Made before the thread begins, so that there is one of each.
        spool, imports = tracker.spool, tracker.imports
        assert spool is not None and imports is not None and tracker.maker is not None
        if self._import.fingerprint != archive.fingerprint:
            self._note(fingerprint=archive.fingerprint, position=0, skipped=0, mails=len(archive))
        incoming = Incoming(tracker, self._tell)
        incoming.work()
        tracker.index.catch_up()
        with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
            feeding = pool.submit(lambda: guarded(self._feed))
            try:
                while not feeding.done():
                    self._news.wait(0.05)
                    if self._news.is_set():
                        self._news.clear()
                        incoming.work()
                        self._room.set()
            finally:
                self._stop = True
                self._room.set()
                wait([feeding])
        fed = feeding.result()
        self._decide_rest(incoming)
        prune(tracker)
        self.problems += [*incoming.damaged, *incoming.problems]
        if isinstance(fed, EventumError):
            self.problems.append(str(fed))
            return self._import
        return self._end()

    def _end(self) -> Import:
        """All is decided: what became of it the records say, also of what a run that was killed had brought."""
        unreadable = tuple(f"{place}: {reason}" for place, reason in self._archive.problems[:NAMED])
        outcomes = tally(self._tracker, self._import) if self._is_noted else {}
        return self._note(outcomes=outcomes, ended=self._tracker.clock(), unreadable=unreadable)

    def _decide_rest(self, incoming: Incoming) -> None:
        """Decide what is left; another run that decides just now is waited for."""
        incoming.held_by_another = False
        incoming.work()
        if incoming.held_by_another:
            with suppress(Busy), self._tracker.locks.record("incoming", timeout=PATIENCE):
                pass
            incoming.work()

    def _tell(self, disposition: Disposition) -> None:
        with self._guard:
            if disposition.key not in self._undecided:
                return
            self._undecided.discard(disposition.key)
            if len(self._undecided) < AHEAD:
                self._room.set()
        was_here = bool(disposition.trace) and disposition.trace[0].rule == "same_bytes"
        self._count("" if was_here else disposition.outcome)

    # In a thread of its own

    def _feed(self) -> None:
        """Bring mails into the spool, a batch at a time, while others are decided."""
        here = Here(self._tracker, self._account)
        try:
            batch: list[tuple[str, bytes, int]] = []
            again: list[str] = []
            size = 0
            for number in range(self._import.position, len(self._archive)):
                if self._stop:
                    return
                self._on_progress(number, len(self._archive))
                raw = self._archive.read(number)
                if raw is None:
                    continue
                key = key_of(self._account.id, raw)
                where = here.place(key)
                if where == "here":
                    if key not in self._before:
                        self._count("")
                    continue
                again += [key] if where == "put away" else []
                batch.append((key, raw, number))
                size += len(raw)
                if len(batch) >= MAX_COUNT or size >= MAX_BYTES:
                    self._keep(here, batch, again)
                    batch, again, size = [], [], 0
            self._keep(here, batch, again)
            self._note(position=len(self._archive))
            self._on_progress(len(self._archive), len(self._archive))
        finally:
            here.close()

    def _keep(self, here: Here, batch: list[tuple[str, bytes, int]], again: list[str]) -> None:
        """A batch is noted, then durable, then behind us. Raises `Busy` when the disk is nearly full."""
        if not batch:
            return
        why = room.watch(self._tracker)
        if why is not None:
            raise why
        tracker, one = self._tracker, self._import
        if not self._is_noted:
            self._is_noted = True
            self._note()
        tracker.imports.add_keys(one.id, [key for key, _, _ in batch])
        now = tracker.clock()
        mails = [
            (
                Envelope(
                    destination=self._account.id,
                    received=now,
                    source=one.source(self._archive.place(number)),
                    quiet=not one.notify,
                ),
                raw,
            )
            for _, raw, number in batch
        ]
        with self._guard:
            self._undecided.update(key for key, _, _ in batch)
        if again:
            here.take_up_again(mails, again)
        else:
            tracker.spool.accept(mails)
        self._note(position=batch[-1][2] + 1)
        with self._guard:
            is_full = len(self._undecided) >= AHEAD
            if is_full:
                self._room.clear()
        self._news.set()
        if is_full:
            self._room.wait()

    def _count(self, outcome: str) -> None:
        """One more mail that ended so; "" for one that was here before."""
        with self._guard:
            one = self._import
            more = {outcome: one.outcomes.get(outcome, 0) + 1} if outcome else {}
            self._import = msgspec.structs.replace(
                one, skipped=one.skipped + (not outcome), outcomes={**one.outcomes, **more}
            )

    def _note(self, **values: object) -> Import:
        """Note how far it is; an import that brought nothing yet leaves no note."""
        with self._guard:
            self._import = msgspec.structs.replace(self._import, **values)
            return self._tracker.imports.save(self._import) if self._is_noted else self._import
