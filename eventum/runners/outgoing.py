"""Sends what is due: one kept connection, one entry after the other, each answer noted before the next is tried.

Flows in: entries of `spool/out`. Flows out: each is sent, put off, or failed with an event on its issue. When the
server is away nothing is tried and nothing counts as an attempt: the mail waits. Between the far end's yes and our next
fsync lies the one window in which a mail can be sent a second time, then with the same Message-ID.
"""

import logging
import time
from contextlib import ExitStack

import msgspec

from eventum.errors import Busy, Conflict, Damaged, EventumError, NotFound, Refused
from eventum.mail.envelope import Posting
from eventum.runners.runner import Unforeseen, guarded
from eventum.store.maildir import Entry
from eventum.store.outbox import GIVE_UP_AFTER
from eventum.tracker.tracker import Tracker
from eventum.tracker.undelivered import undelivered
from eventum.transport import smtp
from eventum.transport.smtp import Connection, Deferred, Delivered, Failed

log = logging.getLogger("eventum.outgoing")


class Sent(msgspec.Struct, kw_only=True):
    """How a run of the queue went; `error` says why it ended early."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    remaining: int = 0
    error: str = ""
    held_by_another: bool = False


class Outgoing:
    """One run of the queue."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._result = Sent()

    def work(self, limit: int = 0) -> Sent:
        """Send what is due, at most `limit` entries (0: all)."""
        lease = self._tracker.locks.lease("queue")
        if lease is None:
            self._result.held_by_another = True
        else:
            with lease:
                try:
                    self._send(self._tracker.outbox.due()[: limit or None])
                finally:
                    guarded(lambda: self._tracker.daily.add("out", self._result.sent, self._tracker.clock()))
        self._result.remaining = self._tracker.outbox.remaining()
        return self._result

    def _send(self, entries: list[Entry]) -> None:
        if not entries:
            return
        try:
            with smtp.connect(self._server()) as connection:
                for entry in entries:
                    self._claimed(connection, entry)
        except (Busy, Refused) as error:
            self._result.error = str(error)
            log.info("outgoing: %s", error)

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

    def _server(self) -> smtp.Smtp:
        settings = self._tracker.settings.general()
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
        tried = self._tracker.outbox.log(entry.key)
        return bool(tried) and time.time() - tried[0].when.timestamp() > GIVE_UP_AFTER

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
