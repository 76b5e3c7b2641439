"""Brings mail from the servers into the spool, all accounts in parallel, and lets it be decided meanwhile.

Flows in: accounts. Flows out: mail, durable in `spool/in`, and how each account's fetch went (`account_fetch`).
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import msgspec

from eventum.errors import Damaged, EventumError
from eventum.issues.accounts import TYPES, Account
from eventum.runners.account_fetch import AccountFetch, Fetch
from eventum.runners.incoming import Incoming, prune
from eventum.runners.runner import Unforeseen, guarded
from eventum.store import downloads
from eventum.tracker.disposition import Disposition
from eventum.tracker.tracker import Tracker

PARALLEL = 8
NOTE_EVERY = 0.5  # Seconds between two notes of how far an account is.

log = logging.getLogger("eventum.fetching")

Progress = Callable[[int], None]  # Hears how many mails were decided so far.


def fetchable(accounts: Sequence[Account]) -> list[Account]:
    """The accounts that mail is fetched for: neither paused, nor those mail is delivered to."""
    return [account for account in accounts if not account.paused and TYPES[account.type].protocol != "delivered"]


class Download:
    """One run of `download-emails`."""

    def __init__(self, tracker: Tracker, limit: int = 0, on_progress: Progress = lambda count: None) -> None:
        self._tracker = tracker
        self._limit = limit
        self._on_progress = on_progress
        self._fetches: dict[str, Fetch] = {}
        self._decided = 0
        self._started = tracker.clock()
        self._notes: dict[str, downloads.Progress] = {}
        self._noted = 0.0
        self.held_by_another = False
        self.problems: list[str] = []
        self.damaged: list[str] = []

    def run(self, accounts: Sequence[Account]) -> list[Fetch]:
        """Fetch these accounts and decide what came; what waited in the spool before goes first."""
        tracker = self._tracker
        # Made before the threads begin, so that there is one of each.
        spool, state = tracker.spool, tracker.state
        assert spool is not None and state is not None and tracker.maker is not None
        self._fetches = {account.id: Fetch(id=account.id) for account in accounts}
        incoming = Incoming(tracker, self._tell)
        incoming.work()
        news = threading.Event()
        with ThreadPoolExecutor(max(1, min(PARALLEL, len(accounts))), thread_name_prefix="fetch") as pool:
            running: set[Future[None]] = {pool.submit(self._fetch, account, news) for account in accounts}
            while running:
                done, running = wait(running, timeout=0.05, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                if news.is_set():
                    news.clear()
                    incoming.work()
                self._note_progress()
        incoming.work()
        self._note_progress(ended=True)
        self.held_by_another = incoming.held_by_another
        self.problems, self.damaged = list(incoming.problems), list(incoming.damaged)
        prune(tracker)
        return list(self._fetches.values())

    def _tell(self, disposition: Disposition) -> None:
        account = disposition.account or "spool"
        fetch = self._fetches.setdefault(account, Fetch(id=account))
        fetch.outcomes[disposition.outcome] = fetch.outcomes.get(disposition.outcome, 0) + 1
        self._decided += 1
        self._on_progress(self._decided)
        self._note_progress()

    def _note_progress(self, *, ended: bool = False) -> None:
        """Tell whoever watches how far each account is, twice a second at most; nothing depends on it."""
        if not ended and time.monotonic() - self._noted < NOTE_EVERY:
            return
        self._noted = time.monotonic()
        for fetch in self._fetches.values():
            if not fetch.began:
                continue
            progress = downloads.Progress(
                maker=self._tracker.maker.id,
                started=self._started,
                ended=self._tracker.clock() if ended or fetch.is_done else None,
                waiting=fetch.waiting,
                fetched=fetch.fetched,
                outcomes=dict(fetch.outcomes),
                error=fetch.error,
            )
            before = self._notes.get(fetch.id)
            if before is None or (before.ended is None and progress != before):
                self._notes[fetch.id] = progress
                guarded(lambda fetch=fetch, progress=progress: self._tracker.downloads.note(fetch.id, progress))  # type: ignore[misc]  # mypy has no type for a lambda's default

    def _fetch(self, account: Account, news: threading.Event) -> None:
        """Fetch one account; whatever goes wrong is its own affair."""
        fetch = self._fetches[account.id]
        lease = self._tracker.locks.lease(f"account-{account.id}")
        if lease is None:
            fetch.skipped = True
            return
        fetch.began = True
        with lease:
            outcome = guarded(lambda: AccountFetch(self._tracker, account, fetch, news).run(self._limit))
            fetch.error = str(outcome) if isinstance(outcome, EventumError) else ""
            fetch.damaged = isinstance(outcome, Damaged) and not isinstance(outcome, Unforeseen)
            noted = guarded(lambda: self._note(account, fetch.error))
            if isinstance(noted, EventumError):
                fetch.error = fetch.error or str(noted)
        fetch.finished = True
        if fetch.error:
            log.info("fetching: %s: %s", account.id, fetch.error)

    def _note(self, account: Account, error: str) -> None:
        now, state = self._tracker.clock(), self._tracker.state.fetch(account.id)
        if error:
            state = msgspec.structs.replace(
                state, last_run=now, error=error, error_since=state.error_since or now, failures=state.failures + 1
            )
        else:
            state = msgspec.structs.replace(
                state, last_run=now, last_success=now, error="", error_since=None, failures=0
            )
        self._tracker.state.save_fetch(account.id, state)
