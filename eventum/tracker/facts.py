"""What is known about a mail before it is decided: who wrote it, what it refers to, what we have already.

Flows in: a read mail and the ground it is decided on. Flows out: the facts that the tables of `issues/` ask for. No
rule is here.
"""

import re

import msgspec

from eventum.issues import acknowledgement, association
from eventum.issues.association import Match
from eventum.issues.events import Filed, Filing
from eventum.issues.issue import Issue, messages
from eventum.issues.people import User
from eventum.issues.routing import Route, read_tag, routes
from eventum.issues.trace import Row
from eventum.mail import threading
from eventum.mail.address import Address
from eventum.mail.automatic import may_answer
from eventum.store.index_tables import MessageMatch
from eventum.tracker.disposition import Disposition, Outcome
from eventum.tracker.ground import Arrival, Ground

_QUOTED = re.compile(
    r"""
    ^Message-ID:\s{0,9}       # a line of a header, in the text; replies put a sign before it
    (<[^<>\s]{1,900}>)
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
LONGEST_BOUNCE = 50_000  # Characters of text in which a mail server quotes what it gives back.
# Ids of one mail that are looked up: the nearest parents decide, and nobody may make us look up thousands.
LOOKED_UP = 30


class Known:
    """One mail and what is known about it."""

    def __init__(self, ground: Ground, arrival: Arrival) -> None:
        self._ground = ground
        self.arrival = arrival
        self.message = msgspec.structs.replace(arrival.message, automatic=_automatic(arrival, ground.ids_key))
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
        asked = self._asked()
        tag = read_tag(message.subject) if ground.general.subject_routing.enabled else None
        tagged = ground.issue(tag.number) if tag else None
        return association.Facts(
            routes=self._routes(),
            tag=tag,
            tag_exists=tag is not None and ground.exists(tag.number),
            tag_staff=self.is_staff(tagged),
            tag_enabled=ground.general.subject_routing.enabled,
            candidates=self._matches(asked),
            asked=len(asked),
            forwarded=message.forwarded,
            automatic=message.automatic,
            sender_is_own=message.sender in ground.own,
            own_id=threading.read_our_id(message.message_id, ground.ids_key) is not None,
            copy_of=self._copy_of(),
            auto_create=self._opens_issues(),
        )

    def _asked(self) -> tuple[str, ...]:
        """The ids to look up: the mail of ours that a report gives back, then what the mail itself says it answers."""
        asked = threading.candidates(self.message)[:LOOKED_UP]
        report = self.message.report
        # Of all that a report names only what proves itself counts: anybody may write one.
        is_ours = report is not None and threading.read_our_id(report.original_id, self._ground.ids_key) is not None
        return (report.original_id, *asked) if report is not None and is_ours else asked

    def _copy_of(self) -> int:
        """The issue of this project that has this mail already, when a list changed one of the two on its way."""
        if self.message.message_id_made or self.account is None:
            return 0
        for row in self._rows(self.message.message_id):
            issue = self._ground.issue(row.issue) if row.issue else None
            if issue is not None and issue.project == self.account.project:
                kept = next((one for one in messages(issue.events) if one.key == row.key), None)
                if "list" in (self.message.automatic, kept.automatic if kept else ""):
                    return issue.number
        return 0

    def _opens_issues(self) -> bool:
        """Whether mail of this account may open issues: an archived project takes no new ones."""
        if self.account is None or not self.account.auto_create.enabled:
            return False
        return not self._ground.people.project(self.account.project).archived

    def _routes(self) -> tuple[Route, ...]:
        if self.account is None or not self.account.routing:
            return ()
        message, envelope = self.message, self.arrival.envelope
        written = [one.address for one in (*message.to, *message.cc)]
        # The envelope says where the mail really went; without it all that the headers name is believed.
        addresses = envelope.recipients or (*message.delivered_to, *written)
        found = routes((address.lower() for address in addresses), self._ground.general)
        return tuple(route for route in found if self._ground.exists(route.number))

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
        if ours is None or not self._ground.exists(ours.issue):
            return []
        issue = self._ground.issue(ours.issue)
        event = (issue.event(ours.event) or self._ground.older_event(issue, ours.event)) if issue else None
        internal = event is not None and isinstance(event.what, Filed) and event.what.message.internal
        return [
            Match(message_id=message_id, how="ours", issue=ours.issue, internal=internal, staff=self.is_staff(issue))
        ]

    def _rows(self, message_id: str) -> list[MessageMatch]:
        rows = [row for row in self._ground.with_id(message_id) if self._is_open_to(row)]
        # A mail that went to two projects is two issues: an answer that came to one of them belongs to that one.
        return sorted(rows, key=lambda row: (row.issue == 0, row.destination != self.arrival.envelope.destination))

    def _is_open_to(self, row: MessageMatch) -> bool:
        """Whether the row is an issue there is, or waits in the list of the project this mail came to.

        A Message-ID alone must not bring another project's mail into a stranger's issue.
        """
        if row.issue:
            return self._ground.exists(row.issue)
        theirs = self._ground.accounts.get(row.account)
        return self.account is not None and theirs is not None and theirs.project == self.account.project

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

    def acknowledgement(self, quiet: bool) -> acknowledgement.Facts:
        """What the table of acknowledgement asks for, when the mail opens an issue."""
        sender = self.message.sender
        this_hour, hourly = self._ground.fuses.acknowledged()
        return acknowledgement.Facts(
            address=sender,
            may_answer=may_answer(self.message, self.arrival.envelope.sender),
            own=sender in self.own,
            inactive=self.user is not None and not self.user.active,
            quiet=quiet,
            today=self._ground.thanks_today(sender) if sender else 0,
            this_hour=this_hour,
            hourly=hourly,
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

    def disposition(self, outcome: Outcome, issue: int, rows: tuple[Row, ...]) -> Disposition:
        """What became of it, for who asks."""
        message = self.message
        return Disposition(
            key=self.arrival.key,
            account=self.arrival.envelope.destination,
            outcome=outcome,
            issue=issue,
            message_id=message.message_id,
            subject=message.subject,
            sender=message.from_[0].address if message.from_ else "",
            trace=rows,
        )


def _automatic(arrival: Arrival, ids_key: bytes) -> str:
    """What kind of automatic mail it is; beside what its headers say, a bounce when its envelope or its text says so.

    Some servers give a mail back without a header that tells: but a person does not write a line of the header of one
    of our notices in a mail that answers nothing.
    """
    message = arrival.message
    if message.automatic:
        return message.automatic
    if arrival.envelope.sender == "":
        return "bounce"
    if message.in_reply_to or message.references or message.forwarded:
        return ""
    quoted = (found[1] for found in _QUOTED.finditer(message.text[:LONGEST_BOUNCE]))
    return "bounce" if any(threading.read_our_id(one, ids_key) for one in quoted) else ""
