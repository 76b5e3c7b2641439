"""What a batch stands on: the settings and people as they are, what was kept before, and what the batch has decided.

Flows in: a tracker, and each decision as it is made. Flows out: answers for `facts`. The index is asked, and beside it
the batch: a mail that answers another of its batch finds it there. No rule is here.
"""

from datetime import datetime
from functools import cached_property

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues.accounts import Account, quiet_threshold
from eventum.issues.events import Event, Filing
from eventum.issues.issue import Issue
from eventum.issues.people import People
from eventum.issues.routing import OwnAddresses, own_addresses
from eventum.issues.settings import General
from eventum.mail.envelope import Envelope
from eventum.mail.message import Message
from eventum.store.index_tables import Filing as Kept
from eventum.store.index_tables import MessageMatch
from eventum.tracker.fuses import Fuses
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that came in and was read: its key, where its file lies, how it came, what it says."""

    key: str
    path: str
    envelope: Envelope
    message: Message


class Ground:
    """What a batch stands on: settings and people as they are now, and what the batch has decided so far."""

    def __init__(self, tracker: Tracker, changes: Changes) -> None:
        self.tracker = tracker
        self.changes = changes
        self.general: General = tracker.settings.general()
        self.people: People = tracker.people.load_all()
        self.accounts: dict[str, Account] = {account.id: account for account in tracker.settings.usable_accounts()}
        self.own: OwnAddresses = own_addresses(self.general, self.people.projects, self.accounts.values())
        self._by_id: dict[str, list[MessageMatch]] = {}
        self._by_digest: dict[tuple[str, str], Kept] = {}
        self._contents: set[tuple[int, str]] = set()
        self._thanked: dict[str, int] = {}
        self._thresholds: dict[str, datetime | None] = {}
        self.keys: dict[str, int] = {}
        self._issues: dict[int, Issue | None] = {}

    @cached_property
    def fuses(self) -> Fuses:
        """What the loop fuse counted, this batch included."""
        return Fuses(self.tracker, self.general.fuse, self.changes.now)

    @cached_property
    def ids_key(self) -> bytes:
        """The key of the HMAC in our Message-IDs."""
        return self.tracker.secrets.ids_key

    # What this batch decided

    def remember(self, filing: Filing, issue: int, account: str = "") -> None:
        """A mail of this batch has its place: issue 0 is the account's pool."""
        self.keys[filing.key] = issue
        self._by_digest[filing.digest, filing.destination] = Kept(filing.key, issue)
        match = MessageMatch(issue, filing.kind, filing.blocked, filing.key, account, filing.destination)
        if issue:
            self._contents.add((issue, filing.digest))
        self._by_id.setdefault(filing.message_id, []).insert(0, match)

    def thanked(self, address: str) -> None:
        """This batch acknowledges a mail of that sender."""
        self._thanked[address] = self._thanked.get(address, 0) + 1
        self.fuses.acknowledged(1)

    # What is known

    def kept(self, digest: str, destination: str) -> Kept | None:
        """The mail of the same content for the same destination, of this batch or before."""
        return self._by_digest.get((digest, destination)) or self.tracker.index.by_digest(digest, destination)

    def holds(self, issue: int, digest: str) -> bool:
        """Whether the issue has a mail of this content, by whatever destination."""
        return (issue, digest) in self._contents or self.tracker.index.holds(issue, digest)

    def with_id(self, message_id: str) -> list[MessageMatch]:
        """All mails with this Message-ID, of this batch and before."""
        return [*self._by_id.get(message_id, ()), *self.tracker.index.by_message_id(message_id)]

    def thanks_today(self, address: str) -> int:
        """How many acknowledgements this sender was sent today, over all issues and his addresses."""
        user = self.people.by_address(address)
        midnight = self.changes.now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        addresses = set(user.addresses if user else ()) | {address}
        return sum(self._thanked.get(one, 0) + self.tracker.index.acknowledgements(one, midnight) for one in addresses)

    def issue(self, number: int) -> Issue | None:
        """The issue as this batch sees it; None when there is none or its record is damaged."""
        if number in self.changes.works:
            return self.changes.works[number].issue
        if number not in self._issues:
            try:
                self._issues[number] = self.tracker.issues.load(number) if self.changes.exists(number) else None
            except (NotFound, Damaged):
                self._issues[number] = None
        return self._issues[number]

    def exists(self, number: int) -> bool:
        """Whether there is such an issue, its record damaged or not: what belongs to it must not go elsewhere."""
        return self.changes.exists(number)

    def older_event(self, issue: Issue, number: int) -> Event | None:
        """An event that was moved to the issue's history; None when it cannot be read."""
        if number >= issue.first_event:
            return None
        try:
            events = self.tracker.issues.events(issue)
        except Damaged:  # `verify` names the file; the mail is taken for an answer to an e-mail.
            return None
        return next((event for event in events if event.number == number), None)

    def is_quiet(self, arrival: Arrival) -> bool:
        """Whether the mail is too old to tell anybody: imported, or dated before the account's limit.

        The time our own servers wrote is believed before the sender's, whose clock may be wrong by years.
        """
        account = self.accounts.get(arrival.envelope.destination)
        if arrival.envelope.quiet or account is None:
            return arrival.envelope.quiet
        if account.id not in self._thresholds:
            first = self.tracker.state.fetch(account.id).first_fetch
            self._thresholds[account.id] = quiet_threshold(account, first)
        limit, dated = self._thresholds[account.id], arrival.message.received or arrival.message.date
        return limit is not None and dated is not None and dated < limit
