"""`flask watch-emails`: fetches as soon as a server says that something came, and sends as soon as something is due.

Flows in: a store, looked at afresh in every turn, so that what is set in the browser holds at once. Flows out: the same
turns that cron would start. Listening (IDLE) is a hint only: every account is asked by position as well, often while
nobody listens to it, now and then while somebody does. Whoever dies here leaves what a cron run that died leaves.

An account is watched by one process: its lease is held as long as it is. Another one stands by and takes it over.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from eventum.errors import EventumError
from eventum.issues.accounts import Account
from eventum.runners import turns
from eventum.runners.account_server import server_of
from eventum.runners.fetching import fetchable
from eventum.runners.runner import guarded
from eventum.store.locks import Lease
from eventum.tracker.tracker import Tracker
from eventum.transport.idle import AGAIN, Listening, open_listening
from eventum.transport.mailbox import Server, Timeouts

log = logging.getLogger("eventum.watching")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between things."""

    look: float = 5.0  # between two looks at the store: for what is due, for what came by pipe
    ask: float = 60.0  # between two fetches of an account that nobody listens to, and two notes of a run
    ask_heard: float = 300.0  # of one that somebody listens to
    calm: float = 2.0  # after a fetch that something was heard for: a hundred mails are not a hundred fetches
    mend: tuple[float, float] = (5.0, 900.0)  # the first and the longest pause before listening is tried again
    well: float = 60.0  # a connection that lasted so long was a good one
    again: float = AGAIN


class Ear:
    """Listens to one mailbox in a thread of its own; `heard` says that something may have come since it was asked."""

    def __init__(self, server: Server, pace: Pace, wake: Callable[[], None]) -> None:
        self.server = server
        self.listens = False
        self._pace = pace
        self._wake = wake
        self._heard = False
        self._stopped = threading.Event()
        self._listening: Listening | None = None
        self._thread = threading.Thread(target=self._run, name="ear", daemon=True)
        self._thread.start()

    def heard(self) -> bool:
        """Whether something may have come; asking forgets it."""
        heard, self._heard = self._heard, False
        return heard

    def stop(self) -> None:
        """Listen no longer; the thread ends soon."""
        self._stopped.set()
        if self._listening is not None:
            self._listening.stop()

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            began = time.monotonic()
            outcome = guarded(self._listen)
            self.listens, self._listening = False, None
            if not isinstance(outcome, EventumError):
                return  # The server cannot tell, or we were stopped.
            failures = 0 if time.monotonic() - began > self._pace.well else failures + 1
            log.info("watching: %s: %s", self.server.username, outcome)
            self._stopped.wait(back_off(failures, self._pace.mend))

    def _listen(self) -> None:
        with open_listening(self.server, Timeouts()) as listening:
            self._listening = listening
            if listening is None:
                return
            # Whatever comes from here on is said; what came before is not.
            self.listens = True
            self._say()
            while not self._stopped.is_set():
                if listening.wait(self._pace.again):
                    self._say()

    def _say(self) -> None:
        self._heard = True
        self._wake()


def back_off(failures: int, mend: tuple[float, float]) -> float:
    """Seconds to pause after so many failures in a row; at random, so that a hundred do not come back at once."""
    shortest, longest = mend
    return min(longest, shortest * 2.0 ** min(failures, 30)) * random.uniform(0.5, 1.0)


class _Watched:
    """An account that this process watches."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.ear: Ear | None = None
        self.server: Server | None = None
        self.last = self.next = 0.0  # when it was fetched, and when it is to be again, by the monotonic clock
        self.failing = False

    def end(self) -> None:
        if self.ear is not None:
            self.ear.stop()
        self.lease.release()


class Watch:
    """One process that watches; `run` goes on until `stop`."""

    def __init__(
        self, open_tracker: Callable[[], Tracker], told: Callable[[str], None], pace: Pace | None = None
    ) -> None:
        self._open = open_tracker
        self._told = told
        self._pace = pace or Pace()
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._watched: dict[str, _Watched] = {}
        self._last_send = 0.0
        self._may_send = 0.0
        self._said: dict[str, tuple[str, ...]] = {}

    def stop(self) -> None:
        """End after what is in hand."""
        self._stopping.set()
        self._woken.set()

    def run(self) -> None:
        """Watch. What goes wrong with the store in one turn is said and tried again in the next."""
        try:
            while not self._stopping.is_set():
                outcome = guarded(self._turn)
                problems = [str(outcome)] if isinstance(outcome, EventumError) else []
                self._say_new("", problems)
                self._woken.wait(self._pace.ask if problems else self._until_next())
                self._woken.clear()
        finally:
            for watched in self._watched.values():
                watched.end()
            self._watched.clear()

    def _until_next(self) -> float:
        soonest = min([watched.next for watched in self._watched.values()], default=float("inf"))
        return max(0.0, min(self._pace.look, soonest - time.monotonic()))

    def _say_new(self, about: str, problems: Sequence[str]) -> None:
        """Tell what was not told of the turn before: a server that is away for a week is one line."""
        for problem in problems:
            if problem not in self._said.get(about, ()):
                self._told(problem)
        self._said[about] = tuple(problems)

    def _turn(self) -> None:
        tracker = self._open()
        try:
            self._follow(tracker)
            self._fetch(tracker)
            if not self._stopping.is_set():
                self._send(tracker)
        finally:
            tracker.close()

    def _follow(self, tracker: Tracker) -> None:
        """Watch the accounts that there are now and nobody else watches; forget those that are gone."""
        accounts = {account.id: account for account in fetchable(tracker.settings.usable_accounts())}
        for gone in self._watched.keys() - accounts.keys():
            self._watched.pop(gone).end()
        for account in accounts.values():
            if account.id not in self._watched and (lease := tracker.locks.lease(f"watch-{account.id}")):
                self._watched[account.id] = _Watched(lease)
            if watched := self._watched.get(account.id):
                self._listen(tracker, account, watched)

    def _listen(self, tracker: Tracker, account: Account, watched: _Watched) -> None:
        """Let somebody listen to an account that can be fetched; to one that cannot, listening would only hammer."""
        found = guarded(lambda: server_of(tracker, account))
        # A password that cannot be opened is one account's trouble; its fetch says so.
        server = None if isinstance(found, EventumError) else found
        if server != watched.server:
            # Another mailbox, or another password: what was known of the old one says nothing.
            watched.server, watched.failing, watched.next = server, False, 0.0
            if watched.ear is not None:
                watched.ear.stop()
                watched.ear = None
        if watched.failing and watched.ear is not None:
            watched.ear.stop()
            watched.ear = None
        elif server is not None and not watched.failing and watched.ear is None and watched.next:
            watched.ear = Ear(server, self._pace, self._woken.set)

    def _fetch(self, tracker: Tracker) -> None:
        now = time.monotonic()
        due = [name for name, watched in self._watched.items() if self._is_due(watched, now)]
        if not due and not tracker.spool.waiting():
            return
        turn = turns.fetch(tracker, [tracker.settings.account(name) for name in due])
        for fetch in turn.fetches:
            watched = self._watched.get(fetch.id)
            if watched is not None:
                watched.failing = bool(fetch.error)
                # Who found another run at it does not know what that one left.
                listens = watched.ear is not None and watched.ear.listens and not fetch.skipped
                watched.last = time.monotonic()
                watched.next = watched.last + (self._pace.ask_heard if listens else self._pace.ask)
            if fetch.outcomes:
                counts = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in fetch.outcomes.items())
                self._told(f"{fetch.id}: {counts}")
        self._say_new(turns.FETCH, turn.problems)

    def _is_due(self, watched: _Watched, now: float) -> bool:
        if watched.ear is not None and watched.ear.heard():
            watched.next = min(watched.next, watched.last + self._pace.calm)
        return watched.next <= now

    def _send(self, tracker: Tracker) -> None:
        now = time.monotonic()
        is_time = now - self._last_send >= self._pace.ask
        if now < self._may_send or not (is_time or tracker.outbox.due()):
            return
        turn = turns.send(tracker)
        self._last_send = time.monotonic()
        sent = turn.sent
        # A server that is away is asked as seldom as by cron.
        self._may_send = self._last_send + (self._pace.ask if sent is None or sent.error else 0.0)
        if sent is not None and (sent.sent or sent.failed):
            self._told(f"queue: {sent.sent} sent, {sent.deferred} deferred, {sent.failed} failed")
        self._say_new(turns.SEND, turn.problems)
