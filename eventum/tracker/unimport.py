"""An import is taken back as a whole: issues it opened are closed and empty, its mails lie among the removed ones.

Flows in: an import that was noted. Flows out: what was taken back, and what was left because people changed it since.
Only mail that says of itself that this import brought it is touched. Every step is a commit of its own that can be made
again, so an undoing that was killed is gone on with, and a second one changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import msgspec

from eventum.errors import Conflict, Damaged, NotFound
from eventum.issues import changes, handling
from eventum.issues.events import Assigned, Event, Filed, Filing, Opened, Reopened, Subscribed
from eventum.issues.issue import Held, Issue, held, messages
from eventum.issues.people import User
from eventum.issues.trace import Row
from eventum.mail.envelope import HEAD, Envelope, read_head
from eventum.store import files
from eventum.store.imports import Import, source_of
from eventum.store.pool import record_of
from eventum.store.state import Intent, Shift
from eventum.tracker.ground import Ground
from eventum.tracker.returning import return_mail, trace_before
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import TRIES, Changes, Work

TOGETHER = 25  # Issues, or ten times as many mails of the pool, that one commit takes back.
NAMED = 200  # Things left that are named.

Progress = Callable[[int], None]  # Hears how many mails were looked at.


class TakingBack:
    """The undoing of one import; the lease of imports is held by who calls."""

    def __init__(self, tracker: Tracker, user: User, one: Import, on_progress: Progress = lambda count: None) -> None:
        self._tracker = tracker
        self._user = user
        self._import = one
        self._on_progress = on_progress
        self._seen = 0
        self.issues_back = one.issues_back
        self.mails_back = one.mails_back
        self.left: list[str] = []

    def run(self, *, is_whole: bool = True) -> Import:
        """Take it back; its record as it is then. Unless `is_whole` some of its mail still waits to be decided."""
        tracker, one = self._tracker, self._import
        if one.undone is not None:
            return one
        if one.undoing is None:
            # From here on nobody goes on with the import.
            one = tracker.imports.save(msgspec.structs.replace(one, undoing=tracker.clock()))
        tracker.index.catch_up()
        issues: dict[int, list[str]] = {}
        pooled: list[str] = []
        for key in tracker.imports.keys(one.id):
            number = tracker.index.filed(key)
            if number is not None:
                issues.setdefault(number, []).append(key)
            elif tracker.index.pooled(key) is not None:
                pooled.append(key)
        # The newest first: an issue that an imported mail answered is looked at after that mail left.
        numbers = sorted(issues, reverse=True)
        for at in range(0, len(numbers), TOGETHER):
            self._commit({number: set(issues[number]) for number in numbers[at : at + TOGETHER]})
            self._note(one)
        for at in range(0, len(pooled), 10 * TOGETHER):
            self._put_away(pooled[at : at + 10 * TOGETHER])
        return self._note(one, undone=tracker.clock()) if is_whole else self._note(one)

    def _note(self, one: Import, **more: object) -> Import:
        left = tuple(self.left[:NAMED])
        return self._tracker.imports.save(
            msgspec.structs.replace(one, issues_back=self.issues_back, mails_back=self.mails_back, left=left, **more)
        )

    def _commit(self, issues: dict[int, set[str]]) -> None:
        """Take back what is in these issues, all in one commit; again when somebody was faster."""
        tracker = self._tracker
        for attempt in range(TRIES):
            changed, done = Changes(tracker, tracker.clock()), _Done()
            ground = Ground(tracker, changed)
            for number, keys in issues.items():
                with suppress(NotFound):
                    self._issue(ground, number, keys, done)
            try:
                if any(work.is_changed for work in changed.works.values()):
                    changed.commit()
                    tracker.state.fulfilled(tracker.maker.id)
            except Conflict:
                if attempt + 1 == TRIES:
                    raise
                continue
            self.issues_back += done.issues
            self.mails_back += done.mails
            self.left += done.left
            break
        self._seen += sum(map(len, issues.values()))
        self._on_progress(self._seen)

    def _issue(self, ground: Ground, number: int, keys: set[str], done: "_Done") -> None:
        """Take back what the import did to one issue."""
        tracker = self._tracker
        try:
            work = ground.changes.work(number)
            events = tracker.issues.events(work.issue)
        except Damaged:  # `verify` names it.
            done.left.append(f"issue {number}: its record cannot be used")
            return
        mails = [one for one in held(events) if one.message.key in keys and self._is_ours(number, one.message)]
        ours = {one.message.key for one in mails}
        if not ours:
            return
        if opened_by(events, ours):
            if is_touched(events, ours):
                done.left.append(f"issue {number}: {work.issue.summary}")
                return
            self._take_away(ground, work, events, ours)
            done.issues += 1
            done.mails += len(ours)
            return
        for one in mails:
            if len(one.events) > 1 or handling.decision(one.message):
                done.left.append(f"mail {one.message.key[:12]} in issue {number}: {one.message.subject}")
            else:
                self._take_out(ground.changes, work, events, one)
                done.mails += 1

    def _take_away(self, ground: Ground, work: Work, events: Sequence[Event], ours: set[str]) -> None:
        """The whole issue, as if its opening had been undone at once."""
        was, changed = work.issue, ground.changes
        project = ground.people.project(was.project)
        work.issue = handling.undone(was, events, 1, changed.now, project=project, who=self._user.id)
        if self._import.notify:
            changed.withdrawn.append((was.number, range(1, was.next_event)))
        for filing in messages(events):
            # What it pulled along from the list waits there again.
            outcome = "removed" if filing.key in ours else "unassociated"
            self._return(changed, was, filing, outcome)

    def _take_out(self, changed: Changes, work: Work, events: Sequence[Event], one: Held) -> None:
        """One mail, and those from the notification list whom it brought there."""
        was, event = work.issue, one.events[0]
        work.issue = handling.taken_out(was, one.message, changed.now, who=self._user.id)
        for address in brought_along(events, event):
            work.issue = changes.unsubscribed(work.issue, address, changed.now, who=self._user.id)
        if self._import.notify:
            changed.withdrawn.append((was.number, range(event.number, event.number + 1)))
        self._return(changed, was, one.message, "removed")

    def _return(self, changed: Changes, issue: Issue, filing: Filing, outcome: str) -> None:
        trace = trace_before(filing)
        if outcome == "removed":
            trace = (*trace, Row("import", "undone", self._import.id, outcome))
        return_mail(changed, issue, filing, outcome, trace=trace)

    def _is_ours(self, number: int, filing: Filing) -> bool:
        with suppress(NotFound):
            return self._came_by_it(self._tracker.issues.mail_path(number, filing.key))
        return False

    def _came_by_it(self, path: object) -> bool:
        trace = read_head(files.read_head(str(path), HEAD))
        return isinstance(trace, Envelope) and source_of(trace.source) == self._import.id

    def _put_away(self, keys: Sequence[str]) -> None:
        """Mail of no issue: whatever list it is in, it lies among the removed ones then."""
        tracker, account = self._tracker, self._import.account
        with tracker.locks.record("pool"):
            moving = []
            for key in keys:
                outcome = tracker.pool.outcome(account, key)
                if outcome not in (None, "removed") and self._came_by_it(tracker.pool.path(account, key)):
                    moving.append(key)
            lines = [(record_of(account, key), 0) for key in moving]
            if moving:
                shifts = tuple(Shift(account, key, "removed") for key in moving)
                tracker.state.intend(Intent(tracker.maker.id, (), shifts=shifts))
                tracker.maker.journal(lines)
                for key in moving:
                    tracker.pool.move(account, key, "removed")
                # Again, for an index that followed the lines above before the mails were moved.
                tracker.maker.journal(lines)
                tracker.state.fulfilled(tracker.maker.id)
        self.mails_back += len(moving)
        self._seen += len(keys)
        self._on_progress(self._seen)


class _Done:
    """What one commit takes back."""

    def __init__(self) -> None:
        self.issues = 0
        self.mails = 0
        self.left: list[str] = []


def opened_by(events: Sequence[Event], ours: set[str]) -> bool:
    """Whether one of these mails opened the issue."""
    if not events or not isinstance(events[0].what, Opened) or not events[0].what.by_mail:
        return False
    first = [event.what.message for event in events if isinstance(event.what, Filed) and event.what.opening]
    # What was pulled along stands in front of the mail that opened it, which has no row of that.
    return bool(first) and first[-1].key in ours


def is_touched(events: Sequence[Event], ours: set[str]) -> bool:
    """Whether anything happened to an issue but what its imported mails brought about."""
    moments = {event.when for event in events if isinstance(event.what, Filed) and event.what.message.key in ours}
    seen: set[str] = set()
    for event in events:
        what = event.what
        if not isinstance(what, Opened | Assigned | Subscribed | Filed | Reopened) or event.when not in moments:
            return True
        if isinstance(what, Filed):
            # Told of twice, or placed by hand, is what a person decided about; another's mail is another's.
            is_decided = what.message.key in seen or handling.decision(what.message)
            if is_decided or not (what.message.key in ours or what.opening):
                return True
            seen.add(what.message.key)
        elif isinstance(what, Assigned) and not what.opening:
            return True
    return False


def brought_along(events: Sequence[Event], filed: Event) -> Iterator[str]:
    """The addresses that came onto the notification list with a mail, and of which nothing was said since."""
    at = next(number for number, event in enumerate(events) if event.number == filed.number)
    first = at
    while first and isinstance(events[first - 1].what, Subscribed) and _same(events[first - 1], filed):
        first -= 1
    others = {event.what.address for event in (*events[:first], *events[at:]) if isinstance(event.what, Subscribed)}
    came = (event.what.address for event in events[first:at] if isinstance(event.what, Subscribed))
    yield from (address for address in came if address not in others)


def _same(one: Event, other: Event) -> bool:
    return (one.when, one.who) == (other.when, other.who)
