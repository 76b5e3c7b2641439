"""Sends what is due: one kept connection, one entry after the other, each answer noted before the next is tried.

Flows in: entries of `spool/out`. Flows out: each is sent, put off, or failed with an event on its issue. When the
server is away nothing is tried and nothing counts as an attempt: the mail waits. Between the far end's yes and our next
fsync lies the one window in which a mail can be sent a second time, then with the same Message-ID.
"""

import logging
import time
from contextlib import ExitStack
from datetime import datetime, timedelta

import msgspec

from eventum.errors import Busy, Conflict, Damaged, EventumError, NotFound, Refused
from eventum.issues.settings import General
from eventum.mail.envelope import Posting
from eventum.runners.runner import Unforeseen, guarded
from eventum.store import age
from eventum.store.maildir import Entry
from eventum.store.outbox import GIVE_UP_AFTER
from eventum.store.said import Said, said
from eventum.store.state import SendState
from eventum.tracker import fuses, patience, troubles
from eventum.tracker.tracker import Tracker
from eventum.tracker.undelivered import undelivered
from eventum.transport import smtp
from eventum.transport.smtp import Connection, Deferred, Delivered, Failed
from eventum.wording import N_

MOST_BROKEN = 5  # Connections that are lost one after the other before the run ends.
NOTED_EVERY = timedelta(minutes=5)  # A note that all is well is good for so long.

log = logging.getLogger("eventum.outgoing")


class Sent(msgspec.Struct, kw_only=True):
    """How a run of the queue went; `error` says why it ended early."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    remaining: int = 0
    error: str = ""
    next_try: datetime | None = None  # the server failed before and was left alone this time
    held_by_another: bool = False


class Outgoing:
    """One run of the queue."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._result = Sent()

    def work(self, limit: int = 0, *, insist: bool = False) -> Sent:
        """Send what is due, at most `limit` entries (0: all); `insist` asks a server, too, that failed and waits."""
        lease = self._tracker.locks.lease("queue")
        if lease is None:
            self._result.held_by_another = True
        else:
            with lease:
                try:
                    guarded(lambda: fuses.release(self._tracker))
                    self._send(self._tracker.outbox.due()[: limit or None], insist)
                finally:
                    guarded(lambda: self._tracker.daily.add("out", self._result.sent, self._tracker.clock()))
                    guarded(self._count)
        self._result.remaining = self._tracker.outbox.remaining()
        return self._result

    def _send(self, entries: list[Entry], insist: bool) -> None:
        if not entries:
            return
        general = self._tracker.settings.general()
        state, now = self._state(), self._tracker.clock()
        if not insist and state.tried == general.revision and state.next_try is not None:
            longest = timedelta(seconds=max(*patience.SENDING, *patience.SENDING_REFUSED))
            if now < state.next_try <= now + longest:  # A moment further off was written by a clock that was ahead.
                self._result.error, self._result.next_try = state.error, state.next_try
                return
        try:
            with smtp.connect(self._server(general)) as connection:
                broken, is_well = 0, False
                for entry in entries:
                    self._claimed(connection, entry)
                    # A server that breaks off at every mail is not asked ten thousand times.
                    broken = broken + 1 if connection.dialogue is None else 0
                    if not broken and not is_well:
                        is_well = True
                        self._reached(general)
                    if broken == MOST_BROKEN:
                        break
                if broken == MOST_BROKEN or (broken and not is_well):
                    raise Busy(
                        N_("{where} breaks off instead of answering; the mails wait for a later run."),
                        where=f"{general.smtp.host}:{general.smtp.port}",
                    )
        except (Busy, Refused) as error:
            self._result.error = str(error)
            self._unreached(general, error)
            log.info("outgoing: %s", error)

    def _state(self) -> SendState:
        """How sending went; anew when that cannot be read, for no mail waits because of a note."""
        state = guarded(self._tracker.state.sending)
        return SendState() if isinstance(state, EventumError) else state

    def _reached(self, general: General) -> None:
        """The server answered for a mail: whatever was wrong with it is over."""
        state = self._state()
        if state.error or state.last_success is None or self._tracker.clock() - state.last_success > NOTED_EVERY:
            state = msgspec.structs.replace(
                state,
                last_success=self._tracker.clock(),
                error="",
                why=Said(),
                error_since=None,
                failures=0,
                next_try=None,
                tried=general.revision,
            )
            guarded(lambda: self._tracker.state.save_sending(state))
        troubles.of_sending(self._tracker, state, None)

    def _unreached(self, general: General, error: EventumError) -> None:
        state, now = self._state(), self._tracker.clock()
        # Where mail still leaves, the next run may bring out the rest.
        failures = 1 if self._result.sent else state.failures + 1
        pauses = patience.SENDING_REFUSED if isinstance(error, Refused) else patience.SENDING
        state = msgspec.structs.replace(
            state,
            error=str(error),
            why=said(error),
            error_since=state.error_since or now,
            failures=failures,
            next_try=now + patience.pause(failures, pauses, general.smtp.host),
            tried=general.revision,
        )
        guarded(lambda: self._tracker.state.save_sending(state))
        troubles.of_sending(self._tracker, state, error)

    def _count(self) -> None:
        done = self._result
        if done.sent or done.deferred or done.failed:
            state = self._state()
            counts = {"sent": done.sent, "deferred": done.deferred, "failed": done.failed}
            more = {name: getattr(state, name) + count for name, count in counts.items()}
            self._tracker.state.save_sending(msgspec.structs.replace(state, **more))

    def _claimed(self, connection: Connection, entry: Entry) -> None:
        """Send one entry if nobody else does. Raises what stops the whole run: the server, a disk."""
        claimed = self._tracker.outbox.claim(entry)
        if claimed is None:
            return
        with ExitStack() as undo:
            # When the server went away, or we are told to stop, nothing is known of this mail: it waits as before.
            undo.callback(self._tracker.outbox.give_back, claimed)
            told = guarded(lambda: self._one(connection, claimed))
            if isinstance(told, EventumError) and not isinstance(told, Unforeseen):
                raise told
            undo.pop_all()
        if isinstance(told, Unforeseen):
            # One mail that we stumble over must not stop those behind it; it comes again, and fails when it is old.
            self._tracker.outbox.defer(claimed, str(told))
            self._result.deferred += 1

    def _server(self, settings: General) -> smtp.Smtp:
        return smtp.Smtp(
            host=settings.smtp.host,
            port=settings.smtp.port,
            security=settings.smtp.security,
            username=settings.smtp.username,
            password=self._tracker.settings.smtp_password(settings),
        )

    def _one(self, connection: Connection, entry: Entry) -> None:
        try:
            posting, data = self._tracker.outbox.read(entry)
        except (Damaged, NotFound) as error:
            self._tracker.outbox.failed(entry, str(error))
            self._result.failed += 1
            return
        outcome = connection.send(posting.sender, posting.recipient, data)
        log.info("outgoing: %s to %s: %s", entry.key[:16], posting.recipient, outcome.reply)
        match outcome:
            case Delivered(reply):
                self._tracker.outbox.sent(entry, reply)
                self._result.sent += 1
            case Deferred(reply) if not self._is_too_old(entry):
                self._tracker.outbox.defer(entry, reply)
                self._result.deferred += 1
            case Deferred(reply) | Failed(reply):
                self._fail(entry, posting, reply)

    def _is_too_old(self, entry: Entry) -> bool:
        """Whether the far end was asked for days: time in which we never got to ask does not count."""
        # Nor does a clock that jumps: between two attempts a day counts at most.
        tried = [one.when.timestamp() for one in self._tracker.outbox.log(entry.key)]
        return age.asked_for(tried, time.time()) > GIVE_UP_AFTER

    def _fail(self, entry: Entry, posting: Posting, reply: str) -> None:
        # The issue is told first: the other way round, a run that dies here would leave it unaware.
        told = guarded(lambda: undelivered(self._tracker, posting, reply))
        if isinstance(told, Busy | Conflict):
            # The disk is full, or somebody holds the issue: refused once more a little later, it is told then.
            self._tracker.outbox.defer(entry, reply)
            self._result.deferred += 1
            return
        self._result.failed += 1
        if isinstance(told, EventumError):
            log.warning("outgoing: issue %d was not told of a failed mail: %s", posting.issue, told)
        self._tracker.outbox.failed(entry, reply)
