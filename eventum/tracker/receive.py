"""A mail comes in: where it belongs, whether its sender may put it there, and what follows.

Flows in: a batch of mails that lie durable in the spool and were read. Flows out: what became of each, committed; or,
for a dry run, the same without the commit. Runners call it under the `incoming` lock. The rules are in `issues/`.
"""

from collections.abc import Sequence

import msgspec

from eventum.errors import Conflict, Damaged, NotFound
from eventum.issues import acknowledgement, admission, association, changes, subscriptions
from eventum.issues.events import Filing
from eventum.issues.notices import LONGEST_TEXT, clipped
from eventum.issues.people import User
from eventum.issues.trace import Row
from eventum.store.pool import Pooled, record_of
from eventum.tracker import reported
from eventum.tracker.announce import announce
from eventum.tracker.disposition import UNUSABLE, Disposition, Outcome
from eventum.tracker.facts import Known
from eventum.tracker.fuses import WHOLE, Verdict
from eventum.tracker.ground import Arrival, Ground
from eventum.tracker.pulling import pull
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import TRIES, Changes, Work

UNREAL = 10**9  # The numbers of a dry run's new issues are above this and out of the way of every real one.


def receive(tracker: Tracker, arrivals: Sequence[Arrival], *, dry_run: bool = False) -> list[Disposition]:
    """Decide a batch, in the order given, and commit it; what became of each mail.

    Raises `Conflict` when issues of the batch do not come to rest, `Damaged` or `OSError` when nothing was committed.
    """
    for attempt in range(TRIES):
        batch = _Batch(tracker, dry_run)
        with tracker.index.snapshot():
            dispositions = [batch.decide(arrival) for arrival in arrivals]
        if dry_run:
            return dispositions
        tracker.spool.hold("")
        announce(batch.changes)
        try:
            batch.changes.commit()
        except Conflict:
            if attempt + 1 == TRIES:
                raise
            continue
        batch.ground.fuses.commit()
        return dispositions
    return []


class _Batch:
    """The decisions of one batch."""

    def __init__(self, tracker: Tracker, dry_run: bool) -> None:
        self.tracker = tracker
        self.dry_run = dry_run
        self.changes = Changes(tracker, tracker.clock())
        self.ground = Ground(tracker, self.changes)

    def decide(self, arrival: Arrival) -> Disposition:
        """Find the place of one mail."""
        if not self.dry_run:
            self.tracker.spool.hold(arrival.key)
        known = Known(self.ground, arrival)
        seen = self._seen(known)
        if seen is not None:
            return seen
        answer, rows = association.associate(known.association())
        reported.hear(self.ground, known)
        match answer:
            case association.ToIssue():
                return self._into(known, answer, rows)
            case association.NewIssue():
                return self._new(known, answer, rows)
            case association.ToPool(outcome):
                return self._pool(known, outcome, rows)

    def _seen(self, known: Known) -> Disposition | None:
        """The two first questions: are these very bytes kept already, and is this content?"""
        key, destination = known.arrival.key, known.arrival.envelope.destination
        issue = self.ground.keys.get(key)
        issue = self.tracker.index.filed(key) if issue is None else issue
        if issue is None and self.tracker.pool.has_record(destination, key):
            # A run that died before its journal line left it there; the index and this batch have to hear of it.
            self.changes.touched.append(record_of(destination, key))
            if (outcome := self._pooled(destination, key)) is not None:
                self.ground.remember(known.filing(), 0, destination if outcome == "unassociated" else "")
                issue = 0
        if issue is not None:
            row = Row("receive", "same_bytes", key[:16], f"issue:{issue}" if issue else "kept")
            return known.disposition("duplicate", issue or 0, (row,))
        kept = self.ground.kept(known.message.digest, destination)
        if kept is not None:
            row = Row("receive", "same_content", kept.key[:16], f"issue:{kept.issue}" if kept.issue else "kept")
            return self._pool(known, "duplicate", (row,))
        return None

    def _pooled(self, account: str, key: str) -> str | None:
        """Under which outcome the pool has a mail; a record alone is what a run left that died taking it up again."""
        if self.dry_run:
            return self.tracker.pool.outcome(account, key)
        with self.tracker.locks.record("pool"):  # Who moves it to another list has it in neither for a moment.
            outcome = self.tracker.pool.outcome(account, key)
            if outcome is None:
                self.tracker.pool.take(account, key)
        return outcome

    def _pool(self, known: Known, outcome: Outcome, rows: tuple[Row, ...]) -> Disposition:
        account = known.arrival.envelope.destination
        filing = known.filing()
        pooled = Pooled(
            account=account,
            project=known.account.project if known.account else "",
            when=self.changes.now,
            mail=filing,
            trace=rows,
        )
        self.changes.pooled.append((pooled, outcome, known.arrival.path))
        self.ground.remember(filing, 0, account if outcome == "unassociated" else "")
        return known.disposition(outcome, 0, rows)

    def _into(self, known: Known, answer: association.ToIssue, rows: tuple[Row, ...]) -> Disposition:
        """Into an issue there is, as what it is or as a blocked note."""
        try:
            work = self.changes.work(answer.number)
        except (NotFound, Damaged) as error:
            # It was read a moment ago; the mail waits where a person sees it.
            row = Row("receive", UNUSABLE, str(error), "unassociated")
            return self._pool(known, "unassociated", (*rows, row))
        if self.ground.holds(work.number, known.message.digest):
            # It was sent to two of our addresses, and both ways lead into this issue.
            row = Row("receive", "same_content", known.message.message_id, f"issue:{work.number}")
            return self._pool(known, "duplicate", (*rows, row))
        admitted, why = admission.admit(
            admission.facts_of(
                known.message.sender,
                work.issue,
                self.ground.people,
                kind=answer.kind,
                automatic=known.message.automatic,
                own=known.message.sender in self.ground.own,
            )
        )
        filing = msgspec.structs.replace(known.filing(), kind=answer.kind, parent=answer.parent)
        outcome: Outcome = "blocked" if isinstance(admitted, admission.Block) else "filed"
        if isinstance(admitted, admission.Block):
            handled = reported.handled(self.ground, known)
            filing = msgspec.structs.replace(filing, kind="note", blocked=admitted.reason, handled=handled)
        # Whoever had to hear of it heard of the other copy.
        verdict = Verdict("silent") if answer.again else self._fuse(known, work)
        rows = (*rows, *why, *verdict.rows)
        self._file(work, known, filing, rows, verdict=verdict)
        return known.disposition(outcome, work.number, rows)

    def _fuse(self, known: Known, work: Work | None) -> Verdict:
        """What the loop fuse says of a mail that goes into an issue, or (None) would open one."""
        project = work.issue.project if work else known.account.project if known.account else ""
        return self.ground.fuses.filing(
            known.message,
            work.number if work else 0,
            is_staff=self.ground.people.is_staff(known.user, project),
            is_quiet=self.ground.is_quiet(known.arrival),
        )

    def _file(
        self,
        work: Work,
        known: Known,
        filing: Filing,
        rows: tuple[Row, ...],
        *,
        opening: bool = False,
        verdict: Verdict = WHOLE,
    ) -> None:
        """Put a mail into an issue, and those it names on the list."""
        first = work.issue.next_event
        now, people = self.changes.now, self.ground.people
        entries, why = subscriptions.from_message(filing, work.issue, people, known.own)
        for entry in entries:
            work.issue = changes.subscribed(work.issue, entry, now, who=known.who)
        filing = msgspec.structs.replace(filing, trace=(*rows, *why))
        by_staff = known.is_staff(work.issue)
        project, quiet = people.project(work.issue.project), self.ground.is_quiet(known.arrival)
        work.issue = changes.filed(
            work.issue,
            filing,
            now,
            who=known.who,
            opening=opening,
            # An old mail says nothing about an issue that was closed since.
            reopen_to="" if quiet else changes.reopening(work.issue, filing, project, by_staff=by_staff),
            quiet=quiet or verdict.answer == "silent",
        )
        if verdict.answer == "held":
            work.holds.update(dict.fromkeys(range(first, work.issue.next_event), verdict.name))
        work.mails.append((filing.key, known.arrival.path))
        work.texts[filing.key] = known.message.text
        self.ground.remember(filing, work.number)

    def _new(self, known: Known, answer: association.NewIssue, rows: tuple[Row, ...]) -> Disposition:
        """A new issue, with the mails of the pool that belong in front."""
        account = known.account
        assert account is not None, "only an account can auto-create"
        verdict = self._fuse(known, None)
        if verdict.answer != "told":
            return self._pool(known, "unassociated", (*rows, *verdict.rows))
        quiet = self.ground.is_quiet(known.arrival)
        thanks, why = acknowledgement.acknowledge(known.acknowledgement(quiet))
        number = self._number()
        project = self.ground.people.project(account.project)
        opening = changes.Opening(
            number=number,
            project=project.id,
            summary=known.message.subject,
            description=clipped(known.message.text.strip(), LONGEST_TEXT),
            status=project.initial_status,
            priority=account.auto_create.priority,
            category=account.auto_create.category,
            reporter=known.message.sender,  # A sender that is not clear gets no rights, here neither.
            root_message_id=known.message.message_id,
            by_mail=True,
            acknowledge=thanks,
            who=known.who,
            quiet=quiet,
        )
        work = self.changes.works[number] = Work(changes.opened(opening, self.changes.now), None)
        if thanks:
            self.ground.thanked(thanks)
        users = self._assignees(account.auto_create.assign, project.id)
        work.issue = changes.assigned(work.issue, users, self.changes.now, opening=True, quiet=quiet)
        for place in answer.pull:
            pull(self.ground, work, *place.split("/", 1))
        filing = msgspec.structs.replace(known.filing(), parent=answer.parent)
        self._file(work, known, filing, (*rows, *why), opening=True)
        return known.disposition("new_issue", number, (*rows, *why))

    def _number(self) -> int:
        if not self.dry_run:
            return self.tracker.numbers.take()
        return max((number for number in self.changes.works if number >= UNREAL), default=UNREAL) + 1

    def _assignees(self, ids: Sequence[str], project: str) -> list[User]:
        """Those who are to be assigned and still work for the project."""
        people = self.ground.people
        users = (people.user(one) for one in ids)
        return [user for user in users if user is not None and user.active and people.role(user, project) is not None]
