"""What is known before a mail is decided: who wrote it, what it refers to, what we have already.

Flows in: a read mail and the changes that are not committed yet. Flows out: the facts the tables of `issues/` ask for.
The index is asked, and beside it the batch: a mail that answers another of its batch finds it there. No rule is here.
"""

from datetime import datetime
from functools import cached_property

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues import association
from eventum.issues.accounts import Account, quiet_threshold
from eventum.issues.association import Match
from eventum.issues.events import Event, Filed, Filing
from eventum.issues.issue import Issue
from eventum.issues.people import People, User
from eventum.issues.routing import OwnAddresses, Route, own_addresses, read_tag, routes
from eventum.issues.settings import General
from eventum.issues.trace import Row
from eventum.mail import threading
from eventum.mail.address import Address
from eventum.mail.envelope import Envelope
from eventum.mail.message import Message
from eventum.store.index_tables import Filing as Kept
from eventum.store.index_tables import MessageMatch
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes

# Ids of one mail that are looked up: the nearest parents decide, and nobody may make us look up thousands.
LOOKED_UP = 30


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


class Known:
    """One mail and what is known about it."""

    def __init__(self, ground: Ground, arrival: Arrival) -> None:
        self._ground = ground
        self.arrival = arrival
        self.message = arrival.message
        self.account = ground.accounts.get(arrival.envelope.destination)
        self.user: User | None = ground.people.by_address(self.message.sender) if self.message.sender else None
        named = (*self.message.delivered_to, *arrival.envelope.recipients)
        self.own = ground.own.plus(named) if named else ground.own

    @property
    def who(self) -> str:
        """Who acts: the id of a user, the address of a stranger, "" when it is not clear."""
        return self.user.id if self.user else self.message.sender

    def is_staff(self, issue: Issue | None) -> bool:
        """Whether the sender is staff where the issue is."""
        return issue is not None and self._ground.people.is_staff(self.user, issue.project)

    def association(self) -> association.Facts:
        """What the table of association asks for."""
        ground, message = self._ground, self.message
        asked = threading.candidates(message)[:LOOKED_UP]
        tag = read_tag(message.subject) if ground.general.subject_routing.enabled else None
        tagged = ground.issue(tag.number) if tag else None
        return association.Facts(
            routes=self._routes(),
            tag=tag,
            tag_exists=tagged is not None,
            tag_staff=self.is_staff(tagged),
            tag_enabled=ground.general.subject_routing.enabled,
            candidates=self._matches(asked),
            asked=len(asked),
            forwarded=message.forwarded,
            automatic=message.automatic,
            sender_is_own=message.sender in ground.own,
            auto_create=self.account is not None and self.account.auto_create.enabled,
        )

    def _routes(self) -> tuple[Route, ...]:
        if self.account is None or not self.account.routing:
            return ()
        message, envelope = self.message, self.arrival.envelope
        written = [one.address for one in (*message.to, *message.cc)]
        # The envelope says where the mail really went; without it all that the headers name is believed.
        addresses = envelope.recipients or (*message.delivered_to, *written)
        found = routes((address.lower() for address in addresses), self._ground.general)
        return tuple(route for route in found if self._ground.issue(route.number) is not None)

    def _matches(self, asked: tuple[str, ...]) -> tuple[Match, ...]:
        found: list[Match] = []
        for message_id in asked:
            matches = self._ours(message_id) or [self._match(message_id, row) for row in self._rows(message_id)]
            found += matches
            # Nearer parents decide, so nothing behind the first issue can matter.
            if any(match.issue is not None for match in matches):
                break
        return tuple(found)

    def _ours(self, message_id: str) -> list[Match]:
        ours = threading.read_our_id(message_id, self._ground.ids_key)
        issue = self._ground.issue(ours.issue) if ours else None
        if ours is None or issue is None:
            return []
        event = issue.event(ours.event) or self._ground.older_event(issue, ours.event)
        internal = event is not None and isinstance(event.what, Filed) and event.what.message.internal
        return [
            Match(message_id=message_id, how="ours", issue=issue.number, internal=internal, staff=self.is_staff(issue))
        ]

    def _rows(self, message_id: str) -> list[MessageMatch]:
        rows = [row for row in self._ground.with_id(message_id) if row.issue == 0 or self._ground.issue(row.issue)]
        # A mail that went to two projects is two issues: an answer that came to one of them belongs to that one.
        return sorted(rows, key=lambda row: (row.issue == 0, row.destination != self.arrival.envelope.destination))

    def _match(self, message_id: str, row: MessageMatch) -> Match:
        if row.issue == 0:
            return Match(message_id=message_id, how="pool", pool_key=f"{row.account}/{row.key}")
        return Match(
            message_id=message_id,
            how="index",
            issue=row.issue,
            internal=row.kind == "note" and not row.blocked,
            staff=self.is_staff(self._ground.issue(row.issue)),
        )

    def duplicate_of(self) -> str:
        """The key of a mail with the same Message-ID and other content, "" for none."""
        rows = [] if self.message.message_id_made else self._ground.with_id(self.message.message_id)
        return next((row.key for row in rows if row.key != self.arrival.key), "")

    def filing(self, trace: tuple[Row, ...] = ()) -> Filing:
        """The mail as a record knows it: an e-mail until admission says otherwise."""
        message, envelope = self.message, self.arrival.envelope
        return Filing(
            key=self.arrival.key,
            kind="email",
            message_id=message.message_id,
            digest=message.digest,
            from_=message.from_[0] if message.from_ else Address("", ""),
            verified="unverified" if message.sender else "none",
            to=message.to,
            cc=message.cc,
            subject=message.subject,
            date=message.date,
            received=envelope.received,
            attachments=message.attachments,
            automatic=message.automatic,
            duplicate_of=self.duplicate_of(),
            destination=envelope.destination,
            trace=trace,
        )
