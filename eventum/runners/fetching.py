"""Brings mail from the servers into the spool, all accounts in parallel, and lets it be decided meanwhile.

Flows in: accounts. Flows out: mail, durable in `spool/in`, and how each account's fetch went. Of each batch: first the
mail is durable, then the position, then the server is told. What the server was told to delete, or was about to be, is
noted with the position, so that a run that died there tells it again.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import msgspec

from eventum.errors import Busy, EventumError
from eventum.issues.accounts import TYPES, Account
from eventum.mail.envelope import Envelope
from eventum.runners.incoming import Incoming, prune
from eventum.runners.runner import guarded
from eventum.tracker.disposition import OUTCOMES, Disposition
from eventum.tracker.tracker import Tracker
from eventum.transport.mailbox import Fetched, Mailbox, Position, Server, open_mailbox

PARALLEL = 8
MOST_PASSED_OVER = 100
BY_NUMBER = "imap"  # The one protocol whose position is a number; the others remember the ids they have.

log = logging.getLogger("eventum.fetching")

Progress = Callable[[int], None]  # Hears how many mails were decided so far.


class Fetch(msgspec.Struct, kw_only=True):
    """How the fetch of one account went, and what became of its mail."""

    id: str
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    fetched: int = 0
    skipped: bool = False
    error: str = ""

    def row(self) -> dict[str, object]:
        """The account as the interface shows it: `downloaded` is the sum of the outcomes."""
        counts = [(str(outcome), self.outcomes.get(outcome, 0)) for outcome in OUTCOMES]
        row: dict[str, object] = {"id": self.id, "downloaded": sum(count for _, count in counts)}
        return row | dict(counts) | {"skipped": self.skipped, "error": self.error or None}


def server_of(tracker: Tracker, account: Account) -> Server:
    """How to reach an account's mailbox, with its password. Raises `Damaged` when the password cannot be opened."""
    kind = TYPES[account.type]
    return Server(
        protocol=kind.protocol,
        host=account.host,
        port=account.port or kind.port,
        security=kind.security,
        verify=kind.verify,
        username=account.username,
        password=tracker.settings.account_password(account),
        folder=account.folder,
    )


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
        incoming.work()
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

    def _fetch(self, account: Account, news: threading.Event) -> None:
        """Fetch one account; whatever goes wrong is its own affair."""
        fetch = self._fetches[account.id]
        lease = self._tracker.locks.lease(f"account-{account.id}")
        if lease is None:
            fetch.skipped = True
            return
        with lease:
            outcome = guarded(lambda: _AccountFetch(self._tracker, account, fetch, news).run(self._limit))
            fetch.error = str(outcome) if isinstance(outcome, EventumError) else ""
            noted = guarded(lambda: self._note(account, fetch.error))
            if isinstance(noted, EventumError):
                fetch.error = fetch.error or str(noted)
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


class _AccountFetch:
    """The fetch of one account, while its lease is held."""

    def __init__(self, tracker: Tracker, account: Account, fetch: Fetch, news: threading.Event) -> None:
        self._tracker = tracker
        self._account = account
        self._fetch = fetch
        self._news = news
        self._server = server_of(tracker, account)
        self._by_number = self._server.protocol == BY_NUMBER
        self._state = tracker.state.fetch(account.id)
        self._stored = set() if self._by_number else tracker.state.fetched_ids(account.id)

    def run(self, limit: int) -> None:
        """Fetch. Raises as the transport does, and `Busy` when mails had to be left on the server."""
        if self._state.first_fetch is None:
            self._save(first_fetch=self._tracker.clock())
        removing = not self._account.leave_copy
        with open_mailbox(self._server, removing=removing or bool(self._state.owed)) as mailbox:
            position = self._start(mailbox)
            if self._state.owed and removing:
                mailbox.remove(self._state.owed)
            uids = [*self._state.todo, *mailbox.new(position)]
            for batch in mailbox.fetch(uids[:limit] if limit else uids):
                position = self._keep(mailbox, batch, position)
            if mailbox.commit() and self._state.owed:
                self._save(owed=())
            self._forget(position)
            self._note_passed_over(mailbox)

    def _start(self, mailbox: Mailbox) -> Position:
        """The position to go on from; at the very first fetch what `--start` says."""
        state = self._state
        if not state.started:
            position, todo = Position(validity=mailbox.validity), tuple[str, ...]()
            if self._account.start != "all":
                todo = mailbox.unseen() if self._account.start == "unread" else ()
                position = mailbox.newest()
            self._save_position(position, started=True, todo=todo)
            return position
        if state.validity != mailbox.validity:
            # All numbers mean other mails now; those we have are recognised by their bytes.
            self._save(validity=mailbox.validity, last=0, todo=(), owed=())
        known = self._stored.union(self._state.owed)
        return Position(validity=mailbox.validity, uid=self._state.last, known=frozenset(known))

    def _keep(self, mailbox: Mailbox, batch: list[Fetched], position: Position) -> Position:
        """A batch is durable, then known, then no longer the server's affair."""
        if not batch:
            return position
        now = self._tracker.clock()
        source = f"{self._server.protocol}://{self._server.username}@{self._server.host}/{self._server.folder}"
        self._tracker.spool.accept(
            [
                (Envelope(destination=self._account.id, received=now, source=f"{source};uid={mail.uid}"), mail.raw)
                for mail in batch
            ]
        )
        uids = [mail.uid for mail in batch]
        position = mailbox.advanced(position, [uid for uid in uids if uid not in self._state.todo])
        removing = not self._account.leave_copy
        # IMAP removes at once; POP3 when the session ends, so all that was marked stays owed until then.
        owed = (*(() if self._by_number else self._state.owed), *uids) if removing else ()
        done = set(uids)
        todo = tuple(uid for uid in self._state.todo if uid not in done)
        self._save_position(position, uids, owed=owed, todo=todo)
        if removing:
            mailbox.remove(uids)
        self._fetch.fetched += len(batch)
        self._news.set()
        return position

    def _save_position(self, position: Position, uids: Sequence[str] = (), **more: object) -> None:
        if self._by_number:
            self._save(validity=position.validity, last=position.uid, **more)
            return
        if "owed" in more:
            # Before the ids are known: a mail that is known and not owed would stay on the server for ever.
            self._save(owed=more["owed"])
        fresh = [uid for uid in (uids or position.known) if uid not in self._stored]
        if fresh:
            self._tracker.state.add_fetched_ids(self._account.id, fresh)
            self._stored.update(fresh)
        self._save(validity=position.validity, **more)

    def _save(self, **fields: object) -> None:
        state = msgspec.structs.replace(self._state, **fields)
        if state != self._state:
            self._state = state
            self._tracker.state.save_fetch(self._account.id, state)

    def _forget(self, position: Position) -> None:
        """Ids that the server no longer has need not be remembered; the file is made anew when most are such."""
        if not self._by_number and len(self._stored) > 2 * len(position.known) + 1000:
            self._tracker.state.set_fetched_ids(self._account.id, position.known)

    def _note_passed_over(self, mailbox: Mailbox) -> None:
        """What the server could not give is named for a person: later fetches do not come back to it."""
        if mailbox.passed_over:
            said = [f"{uid}: {reason}" for uid, reason in mailbox.passed_over]
            self._save(passed_over=tuple(dict.fromkeys([*self._state.passed_over, *said]))[-MOST_PASSED_OVER:])
            raise Busy(f"{len(said)} mails were left on the server: {'; '.join(said[:3])}")
