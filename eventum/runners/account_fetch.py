"""The fetch of one account: from its position on the server into the spool.

Flows in: an account whose lease is held. Flows out: mail, durable in `spool/in`, and the position after it. Of each
batch: first the mail is durable, then the position, then the server is told. What the server was told to delete, or was
about to be, is noted with the position, so that a run that died there tells it again.
"""

import threading
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from eventum.errors import Busy
from eventum.issues.accounts import TYPES, Account
from eventum.mail.envelope import Envelope
from eventum.store.state import FetchState
from eventum.tracker.disposition import OUTCOMES
from eventum.tracker.tracker import Tracker
from eventum.transport.mailbox import Fetched, Mailbox, Position, Server, open_mailbox

MOST_PASSED_OVER = 100
MARGIN = timedelta(hours=1)  # The server's clock may differ from ours; a mail too many is better than one too few.
BY_NUMBER = "imap"  # The one protocol whose position is a number; the others remember the ids they have.


class Fetch(msgspec.Struct, kw_only=True):
    """How the fetch of one account went, and what became of its mail."""

    id: str
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    began: bool = False
    finished: bool = False
    waiting: int = -1  # mails there are to be fetched; -1 until that is known
    fetched: int = 0
    skipped: bool = False
    error: str = ""
    damaged: bool = False  # the error is a file of ours that cannot be used

    @property
    def is_done(self) -> bool:
        """Whether all that was fetched is decided too."""
        return self.finished and sum(self.outcomes.values()) >= self.fetched

    def row(self) -> dict[str, object]:
        """The account as the interface shows it: `downloaded` is the sum of the outcomes."""
        counts = [(str(outcome), self.outcomes.get(outcome, 0)) for outcome in OUTCOMES]
        row: dict[str, object] = {"id": self.id, "downloaded": sum(count for _, count in counts)}
        return row | dict(counts) | {"skipped": self.skipped, "error": self.error or None}


def server_of(tracker: Tracker, account: Account, password: str | None = None) -> Server:
    """How to reach an account's mailbox, with this password or the stored one.

    Raises `Damaged` when that cannot be opened.
    """
    kind = TYPES[account.type]
    return Server(
        protocol=kind.protocol,
        host=account.host,
        port=account.port or kind.port,
        security=kind.security,
        verify=kind.verify,
        username=account.username,
        password=tracker.settings.account_password(account) if password is None else password,
        folder=account.folder,
    )


class AccountFetch:
    """The fetch of one account, while its lease is held."""

    def __init__(self, tracker: Tracker, account: Account, fetch: Fetch, news: threading.Event) -> None:
        self._tracker = tracker
        self._account = account
        self._fetch = fetch
        self._news = news
        self._server = server_of(tracker, account)
        self._by_number = self._server.protocol == BY_NUMBER
        self._place = f"{self._server.protocol}://{account.username}@{account.host.lower()}/{account.folder}"
        self._state = self._of_this_mailbox(tracker.state.fetch(account.id))
        self._stored = set() if self._by_number else tracker.state.fetched_ids(account.id)

    def _of_this_mailbox(self, state: FetchState) -> FetchState:
        """What is noted, unless it is about another mailbox: its numbers mean other mails there."""
        if state.mailbox and state.mailbox != self._place:
            self._tracker.state.set_fetched_ids(self._account.id, ())
            state = FetchState()
        return msgspec.structs.replace(state, mailbox=self._place)

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
            wanted = uids[:limit] if limit else uids
            self._fetch.waiting = len(wanted)
            for batch in mailbox.fetch(wanted):
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
            # What was passed over at the first fetch is passed over again, by the server's own dates.
            since = None if self._account.start == "all" or state.first_fetch is None else state.first_fetch - MARGIN
            self._save(validity=mailbox.validity, last=0, todo=(), owed=(), only_since=since)
        known = self._stored.union(self._state.owed)
        return Position(validity=mailbox.validity, uid=self._state.last, known=frozenset(known))

    def _keep(self, mailbox: Mailbox, batch: list[Fetched], position: Position) -> Position:
        """A batch is durable, then known, then no longer the server's affair."""
        if not batch:
            return position
        now, since = self._tracker.clock(), self._state.only_since
        wanted = [mail for mail in batch if since is None or mail.date is None or mail.date >= since]
        self._tracker.spool.accept(
            [
                (Envelope(destination=self._account.id, received=now, source=f"{self._place};uid={mail.uid}"), mail.raw)
                for mail in wanted
            ]
        )
        uids = [mail.uid for mail in batch]
        kept = [mail.uid for mail in wanted]
        position = mailbox.advanced(position, [uid for uid in uids if uid not in self._state.todo])
        removing = not self._account.leave_copy
        # IMAP removes at once; POP3 when the session ends, so all that was marked stays owed until then.
        owed = (*(() if self._by_number else self._state.owed), *kept) if removing else ()
        done = set(uids)
        todo = tuple(uid for uid in self._state.todo if uid not in done)
        self._save_position(position, uids, owed=owed, todo=todo)
        if removing and kept:
            mailbox.remove(kept)
        self._fetch.fetched += len(kept)
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
        left = self._state.passed_over
        if not self._by_number and left:
            there = set(mailbox.new(Position()))
            left = tuple(one for one in left if one.partition(": ")[0] in there)
        said = [f"{uid}: {reason}" for uid, reason in mailbox.passed_over]
        uids = [uid for uid, _ in mailbox.passed_over]
        passed = tuple(dict.fromkeys([*left, *said]))[-MOST_PASSED_OVER:]
        if self._by_number:
            self._save(passed_over=passed, last=max([self._state.last, *map(int, uids)]))
        else:
            self._save_position(Position(), uids, passed_over=passed)
        if said:
            raise Busy(f"{len(said)} mails were left on the server: {'; '.join(said[:3])}")
