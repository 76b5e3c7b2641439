"""The play: the mails come in round by round, the real download and queue code works on them, and what came out.

Flows in: a place and a tracker on it. Flows out: the fate of each mail, what was sent, and what is not as it should be.
Whatever was played already stays: the mailboxes remember which mails were put there, and Eventum which it has, so a
play that was cut short goes on.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from eventum.demo.letters import LETTERS, MAILINGS, Letter, Mailing
from eventum.demo.place import ADDRESSES, Place
from eventum.errors import NotFound
from eventum.issues import explain
from eventum.issues.accounts import Account
from eventum.issues.events import Filed, Filing
from eventum.issues.issue import Issue
from eventum.issues.trace import PASS, Row
from eventum.mail.address import Address
from eventum.mail.envelope import read
from eventum.mail.message import parse
from eventum.runners.fetch import Fetch
from eventum.runners.fetching import Download
from eventum.runners.outgoing import Outgoing, Sent
from eventum.runners.runner import running
from eventum.store.spool import key_of
from eventum.tracker.tracker import Tracker

_ID = re.compile(r" \([a-z]+:<[^<>]*>\)")  # "(ours:<eventum.1.2...@host>)"

DECIDING = ("association", "admission")  # The tables that say what becomes of a mail; the others say who is told.


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one mail: its outcome, the issue (0 for none), and the rows that decided it."""

    mail: Filing
    outcome: str
    issue: int
    why: tuple[Row, ...]

    @property
    def sender(self) -> str:
        """Name and address, as the mail says."""
        return _full(self.mail.from_)

    @property
    def reasons(self) -> str:
        """Why, in sentences; without the Message-IDs, which `flask issues show` has."""
        said = (explain.sentence(row).partition(" -> ")[0] for row in self.why)
        return " ".join(_ID.sub("", sentence) for sentence in said)


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One mail of ours: who is told what about which issue, whether it is sent, and where its entry lies."""

    id: str
    recipient: str
    notice: str
    issue: int
    subject: str
    status: str
    message_id: str
    path: Path

    def read(self) -> tuple[str, str]:
        """Its From and its text."""
        message = parse(read(self.path.read_bytes())[1])
        return "".join(_full(address) for address in message.from_), message.text


class Play:
    """The demo on its store."""

    def __init__(self, tracker: Tracker, place: Place, accounts: dict[str, Account]) -> None:
        self._tracker = tracker
        self._place = place
        self._accounts = accounts

    def perform(self) -> list[str]:
        """Play every round to its end; what went wrong, a sentence each."""
        problems: list[str] = []
        for number in sorted({letter.round for letter in LETTERS}):
            for letter in LETTERS:
                if letter.round == number and self._place.letter(ADDRESSES[letter.to], letter.name) is None:
                    raw = letter.raw(self._message_id, self._tracker.clock())
                    self._place.put(ADDRESSES[letter.to], raw, letter.name)
            problems += [f"{fetch.id}: {fetch.error}" for fetch in self.download() if fetch.error]
            problems += [error for error in (self.send().error,) if error]
        return problems

    def download(self) -> list[Fetch]:
        """Fetch the mailboxes and decide what came, as `flask download-emails` does."""
        with running(self._tracker, "download-emails"):
            return Download(self._tracker).run(list(self._accounts.values()))

    def send(self) -> Sent:
        """Send what is due, as `flask process-queue` does."""
        with running(self._tracker, "process-queue"):
            return Outgoing(self._tracker).work()

    # What came out

    def fates(self) -> Iterator[tuple[Letter, Fate | None]]:
        """Each letter with its fate; None for one that is nowhere."""
        for letter in LETTERS:
            raw = self._place.letter(ADDRESSES[letter.to], letter.name)
            yield letter, None if raw is None else self.fate(letter.to, raw)

    def fate(self, address: str, raw: bytes) -> Fate | None:
        """What became of a mail that came to one of our addresses; None when it is not decided."""
        index, key = self._tracker.index, key_of(self._accounts[address].id, raw)
        index.catch_up()
        number, pooled = index.filed(key), index.pooled(key)
        if number is not None:
            return self._filed(self._tracker.issues.load(number), key)
        if pooled is None:
            return None
        account, outcome = pooled
        kept = self._tracker.pool.load(account, key)
        return Fate(mail=kept.mail, outcome=outcome, issue=0, why=_deciding(kept.trace))

    def _filed(self, issue: Issue, key: str) -> Fate | None:
        for event in self._tracker.issues.events(issue):
            if isinstance(event.what, Filed) and event.what.message.key == key:
                mail = event.what.message
                outcome = "new_issue" if event.what.opening else "blocked" if mail.blocked else "filed"
                return Fate(mail=mail, outcome=outcome, issue=issue.number, why=_deciding(mail.trace))
        return None

    def issues(self) -> list[dict[str, object]]:
        """All issues by number, a row each; people by name."""
        people = self._tracker.people.load_all()
        rows: list[dict[str, object]] = []
        for number in sorted(self._tracker.issues.numbers()):
            issue = self._tracker.issues.load(number)
            assigned = (people.user(user_id) for user_id in issue.assignees)
            rows.append(
                {
                    "issue": issue.number,
                    "status": issue.status,
                    "summary": issue.summary,
                    "from": issue.reporter,
                    "assigned to": ", ".join(user.name for user in assigned if user),
                    "e-mails": issue.emails,
                    "notes": issue.notes,
                }
            )
        return rows

    def sendings(self) -> list[Sending]:
        """What was sent or is to be sent, oldest first."""
        entries = sorted(
            self._tracker.outbox.entries(),
            key=lambda entry: (entry.posting.queued, entry.posting.issue, entry.posting.event, entry.posting.recipient),
        )
        return [
            Sending(
                id=entry.id,
                recipient=entry.posting.recipient,
                notice=entry.posting.type,
                issue=entry.posting.issue,
                subject=entry.posting.subject,
                status=entry.status,
                message_id=entry.posting.message_id,
                path=entry.path,
            )
            for entry in entries
        ]

    def _message_id(self, mailing: Mailing) -> str:
        number = self._numbers().get(mailing.letter)
        for one in self.sendings():
            if (one.recipient, one.notice, one.issue) == (mailing.recipient, mailing.notice, number):
                return one.message_id
        raise NotFound(f"Nothing was sent to {mailing.recipient} that could be answered; start with --fresh.")

    def _numbers(self) -> dict[str, int]:
        """The issue each letter is in, by the letter's name."""
        return {letter.name: fate.issue for letter, fate in self.fates() if fate is not None and fate.issue}

    # Whether it is right

    def wrong(self, *, alone: bool) -> list[str]:
        """What is not as it should be, a sentence each; `alone` when nothing but the play's mail ever came."""
        return [*self._wrong_fates(), *self._wrong_mailings(alone), *self._left_over()]

    def _wrong_fates(self) -> Iterator[str]:
        numbers = self._numbers()
        for letter, fate in self.fates():
            if fate is None:
                yield f"The mail {letter.name} is in no issue and in no list."
                continue
            rule = fate.why[-1].rule if fate.why else "none"
            was, should = (fate.outcome, rule, fate.issue), (letter.outcome, letter.rule, numbers.get(letter.into, 0))
            if was != should:
                yield f"The mail {letter.name} became {was}; it should be {should}."

    def _wrong_mailings(self, alone: bool) -> Iterator[str]:
        opened = {number: name for name, number in self._numbers().items() if name in {one.into for one in LETTERS}}
        sent = Counter(
            Mailing(one.recipient, one.notice, opened.get(one.issue, ""), one.status)
            for one in self.sendings()
            if one.status in ("sent", "failed")
        )
        should = Counter(MAILINGS)
        wrong = {"sent": "was not sent", "failed": "did not give back"}
        yield from (f"{one.recipient} {wrong[one.state]} {one.notice} of {one.letter}." for one in should - sent)
        if alone:
            yield from (f"{one.recipient} was sent {one.notice} of {one.letter}." for one in sent - should)

    def _left_over(self) -> Iterator[str]:
        if self._tracker.outbox.remaining():
            yield f"{self._tracker.outbox.remaining()} mails wait in the queue."
        if self._tracker.spool.backlog() or self._tracker.spool.dead():
            yield "Mail lies in the spool that was not decided."


def _deciding(trace: tuple[Row, ...]) -> tuple[Row, ...]:
    return tuple(row for row in trace if row.table in DECIDING and row.answer != PASS)


def _full(address: Address) -> str:
    return f"{address.name} <{address.address}>" if address.name else address.address
