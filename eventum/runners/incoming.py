"""Works off `spool/in`: reads each mail in the guarded child, decides batches under the `incoming` lock, finishes them.

Flows in: claimed mails. Flows out: what became of each. One run decides at a time, because the decisions of a batch
stand on those before it; who finds the lock taken leaves the mail in `new/`, and the holder looks there once more
after releasing it. One bad mail never stops the others: it is put off, at the third attempt buried.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from eventum.errors import Busy, Damaged, EventumError, NotFound
from eventum.mail.envelope import Envelope
from eventum.runners.runner import Unforeseen, guarded
from eventum.store import age
from eventum.store.maildir import Entry
from eventum.store.spool import DONE_FOR
from eventum.store.state import Run
from eventum.tracker import copied, fuses
from eventum.tracker.disposition import UNUSABLE, Disposition
from eventum.tracker.ground import Arrival
from eventum.tracker.limits import Read
from eventum.tracker.receive import receive
from eventum.tracker.tracker import Tracker

BATCH = 100
PRUNE_EVERY = 3600.0  # Seconds between two looks for handled mails that are old enough to be forgotten.

log = logging.getLogger("eventum.incoming")


class Incoming:
    """One run's work on the spool."""

    def __init__(self, tracker: Tracker, told: Callable[[Disposition], None] = lambda disposition: None) -> None:
        self._tracker = tracker
        self._told = told
        self._waiting: deque[Entry] = deque()
        self._asked: deque[Entry] = deque()
        self.held_by_another = False
        self.problems: dict[str, None] = {}  # why mails wait although they could be decided otherwise
        self.damaged: dict[str, None] = {}  # which files cannot be used, and what to do about it

    def work(self) -> int:
        """Decide all that waits; how many mails were decided. Another run that decides now is left to do it."""
        count = idle = 0
        while True:
            with ExitStack() as stack:
                try:
                    stack.enter_context(self._tracker.locks.record("incoming", timeout=0))
                except Busy:
                    self.held_by_another = True
                    return count
                if self._tracker.spool.is_left_claimed():
                    # Claims are made under this lock only: that run died since we began, and its mail goes first.
                    self._tracker.recover()
                copied.bring_together(self._tracker)
                decided = self._work_off()
                guarded(lambda: fuses.tell(self._tracker))
            count += decided
            # Who found the lock taken meanwhile left its mail to us; what cannot be claimed twice in a row is not ours.
            idle = 0 if decided else idle + 1
            if idle > 1 or not self._tracker.spool.waiting():
                return count

    def _work_off(self) -> int:
        count = 0
        try:
            while batch := self._next_batch():
                self._ask_ahead()
                count += self._decide(batch)
        finally:
            self._tracker.reader.forget()
            while self._asked:
                self._tracker.spool.give_back(self._asked.popleft())
            self._waiting.clear()
        return count

    def _next_batch(self) -> list[Entry]:
        self._ask_ahead()
        return [self._asked.popleft() for _ in range(min(BATCH, len(self._asked)))]

    def _ask_ahead(self) -> None:
        """Let the child read the next batch while this one is decided."""
        if self._asked:
            return
        if not self._waiting:
            # What was put off because it broke its reader goes last, so that good mail waits for it only once. Mail
            # that a killed run had in hand keeps its place: nothing is known against it, and its answer may be near.
            found = self._tracker.spool.waiting()
            self._waiting.extend(sorted(found, key=lambda entry: entry.attempts > 0 and entry.not_before > 0))
        some = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        for entry in self._tracker.spool.claim(some):
            self._tracker.reader.ask(entry.path)
            self._asked.append(entry)

    def _decide(self, entries: list[Entry]) -> int:
        """Read, decide, commit and finish a batch."""
        read = list(self._read(entries))
        self._tracker.index.catch_up()
        failures = self._commit(read)
        bad = {entry.key for entry, _ in failures}
        self._tracker.spool.finish(entry for entry, _ in read if entry.key not in bad)
        self._tracker.state.fulfilled(self._tracker.maker.id)
        guarded(lambda: self._tracker.daily.add("in", len(read) - len(failures), self._tracker.clock()))
        for entry, error in failures:
            if isinstance(error, Unforeseen):
                self._put_off(entry, str(error))
            else:
                # A disk, a lock or a damaged record is not the mail's fault: it waits, accused of nothing.
                self._note(error)
                self._tracker.spool.wait(entry)
        return len(entries)

    def _read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Arrival]]:
        for entry in entries:
            answer = self._tracker.reader.answer()
            if answer.blameless:
                self.problems[answer.error] = None
                self._tracker.spool.wait(entry)
            elif answer.message is None:
                self._put_off(entry, answer.error)
            else:
                yield entry, _arrival(entry, answer)

    def _commit(self, read: list[tuple[Entry, Arrival]]) -> list[tuple[Entry, EventumError]]:
        """Commit a batch; when it cannot be done as a whole, mail by mail, so that only the bad one fails."""
        self._tracker.numbers.wanted = sum(1 for _, arrival in read if not arrival.message.in_reply_to)
        done = guarded(lambda: receive(self._tracker, [arrival for _, arrival in read]))
        if isinstance(done, list):
            self._tell(done)
            return []
        log.info("incoming: a batch of %d was not committed (%s); trying mail by mail", len(read), done)
        self._tracker.bring_to_end()
        failures: list[tuple[Entry, EventumError]] = []
        for entry, arrival in read:
            self._tracker.index.catch_up()
            one = guarded(lambda arrival=arrival: receive(self._tracker, [arrival]))  # type: ignore[misc]  # mypy has no type for a lambda's default
            if isinstance(one, list):
                self._tell(one)
            else:
                failures.append((entry, one))
                self._tracker.bring_to_end()
        return failures

    def _note(self, error: EventumError) -> None:
        """Keep what a person has to know: a project that is not found is one whose file is damaged, if there is one."""
        damaged = self._tracker.people.damaged() if isinstance(error, NotFound) else ()
        if damaged or isinstance(error, Damaged):
            self.damaged.update(dict.fromkeys(damaged or [str(error)]))
        else:
            self.problems[str(error)] = None

    def _tell(self, dispositions: Iterable[Disposition]) -> None:
        for disposition in dispositions:
            self.damaged.update((row.saw, None) for row in disposition.trace if row.rule == UNUSABLE)
            log.info(
                "incoming: %s -> %s%s",
                disposition.key[:16],
                disposition.outcome,
                f" issue {disposition.issue}" if disposition.issue else "",
            )
            self._told(disposition)

    def _put_off(self, entry: Entry, reason: str) -> None:
        account = self._tracker.spool.destination(entry)
        if self._tracker.spool.defer(entry, reason):
            self.problems[f"A mail was laid aside ({reason}); `flask dead list` shows it."] = None
            self._told(Disposition(key=entry.key, account=account, outcome="failed"))
        else:
            self.problems[f"A mail could not be handled ({reason}) and is tried again later."] = None


def _arrival(entry: Entry, answer: Read) -> Arrival:
    assert answer.message is not None
    # A mail that a person put into the spool by hand has no envelope; it came when its file did.
    arrived = datetime.fromtimestamp(entry.arrival_ns / 1e9, UTC)
    envelope = answer.envelope or Envelope(destination="spool", received=arrived)
    return Arrival(key=entry.key, path=entry.path, envelope=envelope, message=answer.message)


def prune(tracker: Tracker) -> None:
    """Forget handled mails that are older than a day, at most once an hour."""
    last = tracker.state.run("prune")
    now = tracker.clock()
    if last is None or abs((now - last.ended).total_seconds()) >= PRUNE_EVERY:
        looks = (*(last.looks if last else ()), now.timestamp())[-age.KEPT :]
        tracker.spool.prune(age.before(looks, DONE_FOR), now.timestamp())
        run = Run(command="prune", started=now, ended=now, ok=True, summary="", looks=looks)
        guarded(lambda: tracker.state.save_run(run))  # Where that cannot be noted, it is done again the next time.
