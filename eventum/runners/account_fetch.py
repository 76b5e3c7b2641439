"""The fetch of one account: from its position on the server into the spool.

Flows in: an account whose lease is held. Flows out: mail, durable in `spool/in`, and the position after it. Of each
batch: first the mail is durable, then the position, then the server is told. What the server was told to delete, or was
about to be, is noted with the position, so that a run that died there tells it again.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from eventum.errors import Busy
from eventum.issues.accounts import Account, quiet_threshold
from eventum.mail.envelope import Envelope
from eventum.runners.account_server import MARGIN, Beginning, server_of
from eventum.runners.fetch import Fetch
from eventum.store.state import FetchState
from eventum.tracker import room
from eventum.tracker.tracker import Tracker
from eventum.transport.mailbox import Fetched, Mailbox, Position, open_mailbox
from eventum.wording import N_

# More mails than this the server does not refuse for what they are: it is in trouble, and nothing goes on past them.
MOST_PASSED_OVER = 1000
# A mail that the server could not give is asked for again in the next run, then after so long, then every day.
AGAIN = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
BY_NUMBER = "imap"  # The one protocol whose position is a number; the others remember the ids they have.


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
        self._beginning = Beginning(tracker, account, self._place)
        self._limit: datetime | None = None

    def _of_this_mailbox(self, state: FetchState) -> FetchState:
        """What is noted, unless it is about another mailbox: its numbers mean other mails there."""
        if state.mailbox and state.mailbox != self._place:
            self._tracker.state.set_fetched_ids(self._account.id, ())
            state = FetchState()
        return msgspec.structs.replace(state, mailbox=self._place)

    def run(self, limit: int) -> None:
        """Fetch. Raises as the transport does, and `Busy` when mails had to be left on the server."""
        self._check_room()
        now, first = self._tracker.clock(), self._state.first_fetch or self._beginning.when
        # A first fetch that is to come was noted by a clock that was ahead; until then no mail would be told.
        first = now if first is None or first > now + MARGIN else first
        self._save(first_fetch=first)
        self._limit = quiet_threshold(self._account, first)
        removing = not self._account.leave_copy
        with open_mailbox(self._server, removing=removing or bool(self._state.owed)) as mailbox:
            position = self._start(mailbox)
            if removing:
                self._remove_again(mailbox)
            uids = dict.fromkeys([*self._asked_again(mailbox), *self._state.todo, *mailbox.new(position)])
            wanted = list(uids)[: limit or None]
            self._fetch.waiting = len(wanted)
            for batch in mailbox.fetch(wanted):
                position = self._keep(mailbox, batch, position)
                self._check_room()
            self._keep(mailbox, [], position)
            is_removed = mailbox.commit()
            if is_removed and self._state.owed:
                self._save(owed=(), removed=() if self._by_number else self._state.owed)
            self._forget(position)
            if self._state.owed and removing:
                raise Busy(
                    N_("{host} did not confirm that fetched mails are removed; the next run asks it again."),
                    host=self._server.host,
                )
            if left := mailbox.passed_over:
                reasons = "; ".join(f"{uid}: {reason}" for uid, reason in left[:3])
                raise Busy(N_("{count} mails were left on the server: {reasons}"), count=len(left), reasons=reasons)

    def _check_room(self) -> None:
        """Raise `NoRoom` when the disk is nearly full: what was not fetched stays on the server."""
        why = room.watch(self._tracker)
        if why is not None:
            raise why

    def _start(self, mailbox: Mailbox) -> Position:
        """The position to go on from; at the very first fetch what `--start` says."""
        state = self._state
        if not state.started:
            position, todo = Position(validity=mailbox.validity), tuple[str, ...]()
            if self._account.start != "all":
                todo = mailbox.unseen() if self._account.start == "unread" else ()
                position = mailbox.newest()
                todo = (*todo, *self._beginning.came_since(mailbox, {*todo, *self._stored}))
            self._beginning.note(state.first_fetch)
            self._save_position(position, started=True, todo=todo)
            return position
        self._beginning.note(state.first_fetch)
        if state.validity != mailbox.validity:
            # All numbers mean other mails now; those we have are recognised by their bytes.
            # What was passed over at the first fetch is passed over again, by the server's own dates.
            since = None if self._account.start == "all" or state.first_fetch is None else state.first_fetch - MARGIN
            self._save(validity=mailbox.validity, last=0, todo=(), owed=(), passed_over=(), only_since=since)
        known = self._stored.union(self._state.owed)
        return Position(validity=mailbox.validity, uid=self._state.last, known=frozenset(known))

    def _remove_again(self, mailbox: Mailbox) -> None:
        """What is owed, and what a server confirmed and did not do: the next session is the first that can see it."""
        if self._state.removed and (there := mailbox.still(self._state.removed)):
            owed = dict.fromkeys([*self._state.owed, *(uid for uid in self._state.removed if uid in there)])
            self._save(owed=tuple(owed))
        if self._state.owed:
            mailbox.remove(self._state.owed)

    def _keep(self, mailbox: Mailbox, batch: list[Fetched], position: Position) -> Position:
        """A batch is durable, then known, then no longer the server's affair.

        What the server could not give before it is named in the same step: the position goes on past it.
        """
        if not batch and not mailbox.passed_over:
            return position
        now, since = self._tracker.clock(), self._state.only_since
        wanted = [mail for mail in batch if since is None or mail.date is None or mail.date >= since]
        self._tracker.spool.accept(
            [
                (
                    Envelope(
                        destination=self._account.id,
                        received=now,
                        source=f"{self._place};uid={mail.uid}",
                        quiet=self._is_old(mail),
                    ),
                    mail.raw,
                )
                for mail in wanted
            ]
        )
        uids = [mail.uid for mail in batch]
        kept = [mail.uid for mail in wanted]
        refused = [uid for uid, _ in mailbox.passed_over]
        passed_over = self._passed_over(mailbox, uids)
        position = mailbox.advanced(position, [uid for uid in (*uids, *refused) if uid not in self._state.todo])
        removing = not self._account.leave_copy
        # An id of two mails says nothing in the next session: such mails are fetched again there, and recognised.
        lasting = [uid for uid in kept if uid not in mailbox.shared]
        # IMAP removes at once; POP3 when the session ends, so all that was marked stays owed until then.
        owed = (*(() if self._by_number else self._state.owed), *lasting) if removing else ()
        done = {*uids, *refused}
        todo = tuple(uid for uid in self._state.todo if uid not in done)
        known = [uid for uid in (*uids, *refused) if not (removing and uid in mailbox.shared)]
        self._save_position(position, known, owed=owed, todo=todo, **passed_over)
        if removing and kept:
            mailbox.remove(kept)
        self._fetch.fetched += len(kept)
        self._news.set()
        return position

    def _is_old(self, mail: Fetched) -> bool:
        """Whether the server has it for so long that nobody is told; what the mail says itself is looked at later."""
        return self._limit is not None and mail.date is not None and mail.date < self._limit

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

    def _asked_again(self, mailbox: Mailbox) -> list[str]:
        """The mails that the server could not give and still has, when it is time to ask for them once more.

        Those that it no longer has are forgotten: somebody took them away, which is what they were named for.
        """
        state = self._state
        if not state.passed_over:
            return []
        uids = [one.partition(": ")[0] for one in state.passed_over]
        there = mailbox.still(uids)
        left = tuple(one for one in state.passed_over if one.partition(": ")[0] in there)
        now = self._tracker.clock()
        is_time = state.again is None or not now < state.again <= now + AGAIN[-1]
        more: dict[str, object] = {} if left else {"again": None, "again_asked": 0}
        if left and is_time:
            pause = AGAIN[min(state.again_asked, len(AGAIN) - 1)]
            more = {"again": now + pause, "again_asked": state.again_asked + 1}
        self._save(passed_over=left, **more)
        return [uid for uid in uids if uid in there] if is_time else []

    def _passed_over(self, mailbox: Mailbox, fetched: Sequence[str]) -> dict[str, object]:
        """What the server could not give, without what came now. Raises `Busy` when it is not about these mails."""
        said = {uid: f"{uid}: {reason}" for uid, reason in mailbox.passed_over}
        before = {one.partition(": ")[0]: one for one in self._state.passed_over}
        left = {uid: one for uid, one in (before | said).items() if uid not in fetched}
        if len(left) > MOST_PASSED_OVER:
            raise Busy(
                N_("{host} cannot give {count} mails: {reasons}"),
                host=self._server.host,
                count=len(left),
                reasons=next(iter(said.values()), ""),
            )
        if said.keys() - before.keys():
            # A new one is asked for in the next run, whenever it is the turn of the others.
            return {"passed_over": tuple(left.values()), "again": None, "again_asked": 0}
        return {"passed_over": tuple(left.values())}
