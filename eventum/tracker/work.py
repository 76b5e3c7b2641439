"""What a verb is about to change, and the one way in which changes are committed.

Flows in: issues that are made or changed, mail that goes to them or to the pool. Flows out: all of it durable, in an
order in which a kill at any instant leaves nothing lost, nothing twice and nothing untold. No rule is applied here.

The order: contents, links and intent durable; journal durable; new issues and new states of old ones appear by renames;
what left the pool is forgotten, or the issue when mail goes back into the pool; notices go from `out/tmp` to `out/new`.
Notices that are taken back went the other way before all this, so that either they or their reason is there. Whoever
changes an issue rendered its notices from a snapshot; when the record moved meanwhile he is told `Conflict` and starts
again.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from eventum.errors import Conflict, NotFound
from eventum.issues.changes import announced
from eventum.issues.issue import Issue
from eventum.mail.envelope import Posting
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.pool import Pooled
from eventum.store.pool import record_of as pool_record
from eventum.store.records import Stored
from eventum.store.state import Intent, Move

if TYPE_CHECKING:
    from pathlib import Path

    from eventum.tracker.reported import Word
    from eventum.tracker.tracker import Tracker

TRIES = 8


class Work:
    """One issue on its way to its next state: `before` is None for a new one."""

    def __init__(self, issue: Issue, before: Stored[Issue] | None) -> None:
        self.issue = issue
        self.before = before
        self.mails: list[tuple[str, str]] = []  # (key, path) to be linked
        self.written: list[tuple[str, bytes]] = []  # (key, content) of mails of our own making
        self.notices: list[tuple[Posting, bytes]] = []
        self.texts: dict[str, str] = {}  # what a mail says, by key, for the notices
        self.holds: dict[int, str] = {}  # events whose notices wait, and the counter of the loop fuse that wants it

    @property
    def number(self) -> int:
        """The issue's number."""
        return self.issue.number

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to commit."""
        return self.before is None or self.issue != self.before.value


class Changes:
    """All that one commit changes."""

    def __init__(self, tracker: "Tracker", now: datetime) -> None:
        self.tracker = tracker
        self.now = now
        self.works: dict[int, Work] = {}
        self.pooled: list[tuple[Pooled, str, str]] = []  # (record, outcome, path)
        self.moves: list[Move] = []
        self.returns: list[Move] = []  # from their issues into the pool; `pooled` has them too
        self.withdrawn: list[tuple[int, range]] = []  # (issue, events) whose notices are not to be sent
        self.words: list[Word] = []  # what was reported of mails that we sent
        self.delay = 0  # seconds that the notices wait, so that they can be withdrawn
        self.touched: list[str] = []  # records that are as they should be, and that the index may not know of

    def work(self, number: int) -> Work:
        """The issue of that number, as it is in this commit. Raises `NotFound` or `Damaged`."""
        if number not in self.works:
            before = self.tracker.issues.open(number)
            self.works[number] = Work(before.value, before)
        return self.works[number]

    def exists(self, number: int) -> bool:
        """Whether there is such an issue, or will be."""
        return number in self.works or self.tracker.issues.exists(number)

    def commit(self) -> None:
        """Make it all durable and seen. Raises `Conflict` when an issue was changed meanwhile: start again."""
        changed = [work for work in self.works.values() if work.is_changed]
        old = [work for work in changed if work.before is not None]
        with ExitStack() as stack:
            stack.enter_context(self.tracker.locks.issues(work.number for work in old))
            if self.moves or self.returns:
                # A person may file by hand what a run pulls into a new issue: only one of them may have it.
                stack.enter_context(self.tracker.locks.record("pool"))
            for work in old:
                self._check(work)
            for move in self.moves:
                self._check_move(move)
            _Commit(self.tracker, changed, self).run()

    def _check(self, work: Work) -> None:
        assert work.before is not None
        current = self.tracker.issues.open(work.number)
        if current.raw != work.before.raw:
            raise Conflict(f"Issue {work.number} was changed by somebody else meanwhile; look at it and try again.")

    def _check_move(self, move: Move) -> None:
        if not files.exists(dict(self.works[move.issue].mails)[move.key]):
            raise Conflict(f"The mail {move.key[:12]} was moved by somebody else meanwhile; look at it and try again.")


class _Commit:
    """One commit, while all locks are held."""

    def __init__(self, tracker: "Tracker", works: Iterable[Work], changes: Changes) -> None:
        self._tracker = tracker
        self._works = list(works)
        self._changes = changes
        self._built: list[tuple[Work, Path]] = []
        self._prepared: list[tuple[Work, str]] = []
        self._notices: list[tuple[str, str]] = []
        self._held: list[tuple[str, str]] = []
        self._withdrawn: list[tuple[str, str]] = []

    def run(self) -> None:
        """Commit."""
        with ExitStack() as undo:
            undo.callback(self._drop)
            for number, events in self._changes.withdrawn:
                self._withdrawn += self._tracker.outbox.withdraw(number, events)
            self._make_durable()
            if lines := self._lines():
                self._tracker.maker.journal(lines)
            self._tracker.check_locks()
            undo.pop_all()
        self._show()

    def _make_durable(self) -> None:
        tracker, flush = self._tracker, Flush()
        for word in self._changes.words:
            # Before the records: who dies in between leaves the report in the spool, and it is heard once more.
            tracker.outbox.heard(word.entry, word.said)
        with flush:
            # First of all, so that what is put into an issue before its record says so can be found and taken out.
            self._intend()
            for work in self._works:
                # Every event has its notices by now, those without any too.
                issue = announced(work.issue, work.issue.next_event - 1)
                issue = msgspec.structs.replace(issue, revision=issue.revision + 1)
                if work.before is None:
                    self._built.append((work, tracker.issues.build(flush, issue, work.mails, work.written)))
                else:
                    tracker.issues.add(flush, work.number, work.mails, work.written)
                    issue, temporary = tracker.issues.prepare(flush, issue, work.before)
                    self._prepared.append((work, temporary))
                work.issue = issue
                for posting, data in work.notices:
                    prepared = tracker.outbox.prepare(flush, posting, data)
                    (self._held if posting.hold else self._notices).append(prepared)
            for pooled, outcome, path in self._changes.pooled:
                tracker.pool.put(flush, pooled, outcome, path)

    def _intend(self) -> None:
        maker, moves, returns = self._tracker.maker.id, tuple(self._changes.moves), tuple(self._changes.returns)
        filings = tuple((key, work.number) for work in self._works for key, _ in (*work.mails, *work.written))
        if filings or moves or returns:
            self._tracker.state.intend(Intent(maker, filings, moves, returns))

    def _lines(self) -> list[tuple[str, int]]:
        lines = [(f"issues/{work.number}", work.issue.revision) for work in self._works]
        lines += [(pool_record(pooled.account, pooled.mail.key), 0) for pooled, _, _ in self._changes.pooled]
        return lines + [(record, 0) for record in self._changes.touched]

    def _drop(self) -> None:
        self._tracker.issues.drop([folder for _, folder in self._built])
        self._tracker.issues.drop([temporary for _, temporary in self._prepared])
        self._tracker.outbox.drop([*self._notices, *self._held])
        self._tracker.outbox.publish(self._withdrawn)
        for move in self._changes.returns:
            self._tracker.pool.take(move.account, move.key)

    def _show(self) -> None:
        shown: set[int] = set()
        flush = Flush()
        try:
            for work, folder in self._built:
                self._tracker.issues.publish(flush, folder, work.number)
                shown.add(work.number)
            for work, temporary in self._prepared:
                self._tracker.issues.replace(flush, work.issue, temporary)
                shown.add(work.number)
        finally:
            # A full disk may let some through: what shows is complete and owns its mail, the rest is decided again.
            flush.finish()
            self._leave_pool([move for move in self._changes.moves if move.issue in shown])
            self._leave_issue([move for move in self._changes.returns if move.issue in shown])
        self._tracker.outbox.drop(self._withdrawn)
        self._tracker.outbox.publish(self._notices, self._changes.delay)
        self._tracker.outbox.hold(self._held)

    def _leave_pool(self, moves: list[Move]) -> None:
        for move in moves:
            self._tracker.pool.take(move.account, move.key)
        if moves:
            # Told after they left: who looked before would have found them there, and not looked again.
            self._tracker.maker.journal([(pool_record(move.account, move.key), 0) for move in moves])

    def _leave_issue(self, moves: list[Move]) -> None:
        for move in moves:
            self._tracker.issues.take_out(move.issue, move.key)


def change(tracker: "Tracker", number: int, verb: Callable[[Changes, Work], None]) -> Issue:
    """Change one issue by a verb, tell of it, and commit; the issue as it is then.

    The verb may be called again, on the newer state, when somebody else was faster. Raises what the verb raises,
    `NotFound`, `Damaged`, or `Conflict` when the issue does not come to rest.
    """
    from eventum.tracker.announce import announce  # It renders with the templates, which most commands never need.

    for attempt in range(TRIES):
        changes = Changes(tracker, tracker.clock())
        work = changes.work(number)
        verb(changes, work)
        if not work.is_changed:
            return work.issue
        announce(changes)
        try:
            changes.commit()
        except Conflict:
            if attempt + 1 < TRIES:
                continue
            raise
        tracker.state.fulfilled(tracker.maker.id)
        return work.issue
    raise NotFound(f"There is no issue {number}.")
