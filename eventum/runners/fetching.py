"""Brings mail from the servers into the spool, all accounts in parallel, and lets it be decided meanwhile.

Flows in: accounts. Flows out: mail, durable in `spool/in`, and how each account's fetch went (`account_fetch`).
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import msgspec

from eventum.errors import Damaged, EventumError, Refused
from eventum.issues.accounts import Account
from eventum.runners.account_fetch import AccountFetch
from eventum.runners.fetch import Fetch
from eventum.runners.incoming import Incoming, prune
from eventum.runners.runner import Unforeseen, guarded
from eventum.store import downloads
from eventum.store.said import Said, said
from eventum.tracker import patience, troubles
from eventum.tracker.disposition import Disposition
from eventum.tracker.room import NoRoom
from eventum.tracker.tracker import Tracker

PARALLEL = 8
NOTE_EVERY = 0.5  # Seconds between two notes of how far an account is.

log = logging.getLogger("eventum.fetching")

Progress = Callable[[int], None]  # Hears how many mails were decided so far.


def fetchable(accounts: Sequence[Account]) -> list[Account]:
    """The accounts that mail is fetched for: neither paused, nor those mail is delivered to."""
    return [account for account in accounts if account.is_fetched]


class Download:
    """One run of `download-emails`."""

    def __init__(
        self,
        tracker: Tracker,
        limit: int = 0,
        on_progress: Progress = lambda count: None,
        *,
        insist: bool = False,  # Somebody asked for just these accounts: also for those that failed and wait.
    ) -> None:
        self._tracker = tracker
        self._insist = insist
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
        troubles.forget(tracker)
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
        with lease:
            # Asked while the lease is held: another run may have failed or done well a moment ago.
            if not self._insist and self._leave_alone(account, fetch):
                return
            fetch.began = True
            outcome = guarded(lambda: AccountFetch(self._tracker, account, fetch, news).run(self._limit))
            fetch.error = str(outcome) if isinstance(outcome, EventumError) else ""
            fetch.damaged = isinstance(outcome, Damaged) and not isinstance(outcome, Unforeseen)
            noted = guarded(lambda: self._note(account, fetch, outcome))
            if isinstance(noted, EventumError):
                fetch.error = fetch.error or str(noted)
        fetch.finished = True
        if fetch.error:
            log.info("fetching: %s: %s", account.id, fetch.error)

    def _leave_alone(self, account: Account, fetch: Fetch) -> bool:
        """Whether the account failed so lately that it is not tried now; why and until when stands in `fetch` then."""
        state = guarded(lambda: self._tracker.state.fetch(account.id))
        if isinstance(state, EventumError):
            return False  # What is wrong with the note is told by the fetch.
        fetch.next_try = patience.waits_until(state, account, self._tracker.clock())
        if fetch.next_try is None:
            return False
        fetch.error, fetch.finished = state.error, True
        return True

    def _note(self, account: Account, fetch: Fetch, outcome: EventumError | None) -> None:
        now, state = self._tracker.clock(), self._tracker.state.fetch(account.id)
        if isinstance(outcome, NoRoom):
            # Nothing is wrong with the server: it is asked again as soon as there is room.
            state = msgspec.structs.replace(
                state, last_run=now, error=str(outcome), why=said(outcome), error_since=state.error_since or now
            )
        elif isinstance(outcome, EventumError):
            # Where mail still comes, the next run may get the rest.
            failures = 1 if fetch.fetched else state.failures + 1
            pauses = patience.REFUSED if isinstance(outcome, Refused) else patience.UNREACHED
            state = msgspec.structs.replace(
                state,
                last_run=now,
                error=str(outcome),
                why=said(outcome),
                error_since=state.error_since or now,
                failures=failures,
                next_try=now + patience.pause(failures, pauses, account.id),
                tried=account.revision,
            )
        else:
            state = msgspec.structs.replace(
                state, last_run=now, last_success=now, error="", why=Said(), error_since=None, failures=0, next_try=None
            )
        self._tracker.state.save_fetch(account.id, state)
        troubles.of_account(self._tracker, account, state, outcome)
