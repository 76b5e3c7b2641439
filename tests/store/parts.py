"""The parts of a store as one run has them, and the values that tests put into them."""

import os
from datetime import UTC, datetime

from eventum.issues.events import Event, Filed, Filing
from eventum.issues.issue import Issue
from eventum.mail.address import Address
from eventum.mail.envelope import Envelope, Posting
from eventum.store.index import Index
from eventum.store.issues import IssueStore
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import Maker
from eventum.store.outbox import Outbox, key_of
from eventum.store.pool import Pool, Pooled
from eventum.store.recovery import Recovery
from eventum.store.spool import Spool
from eventum.store.state import State

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Parts:
    """One run on a store. Each has locks of its own, as another process would."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.locks = Locks(layout)
        self.maker = Maker(layout, self.locks)
        self.spool = Spool(layout, lambda: self.maker)
        self.outbox = Outbox(layout, lambda: self.maker)
        self.issues = IssueStore(layout, self.locks, lambda: self.maker)
        self.pool = Pool(layout, lambda: self.maker)
        self.state = State(layout, lambda: self.maker)

    def recovery(self) -> Recovery:
        """A clearing up after the dead, by this run."""
        parts = (self.spool, self.outbox, self.issues, self.pool, self.state)
        return Recovery(self.layout, self.locks, self.maker, parts)

    def index(self, name: str = "index", store: str = "this-store") -> Index:
        """An index of this store under a name."""
        path = self.layout.root.parent / "cache" / f"{name}.sqlite3"
        return Index(path, store, self.layout, locks=self.locks, issues=self.issues, pool=self.pool)

    def close(self) -> None:
        """The run ends as it should."""
        self.spool.release()
        self.maker.close()

    def die(self) -> None:
        """The run is killed: the kernel frees its leases and its open files, and nobody clears anything up."""
        held = [self.maker._lease]
        if self.maker._journal is not None:
            os.close(self.maker._journal._fd)
            held.append(self.maker._journal._lease)
        if self.spool._hand is not None:
            os.close(self.spool._hand)
            self.spool._hand = None
        for lease in held:
            if lease is not None:
                lease.release()


def received(raw: bytes = b"Subject: hello\r\n\r\nhello\r\n", destination: str = "account") -> tuple[Envelope, bytes]:
    """A mail as a fetcher brings it."""
    return Envelope(destination=destination, received=NOW), raw


def filing(key: str, **fields: object) -> Filing:
    """What a record says of a mail."""
    values: dict[str, object] = {
        "message_id": f"<{key}@example.org>",
        "digest": f"digest-{key}",
        "from_": Address("Ana", "ana@customer.example"),
        "received": NOW,
        "destination": "account",
    }
    return Filing(key=key, kind="email", **{**values, **fields})  # type: ignore[arg-type]


def filed(number: int, key: str) -> Event:
    """The event that a mail was filed."""
    return Event(number=number, when=NOW, who="ana@customer.example", what=Filed(filing(key)))


def issue(number: int, *events: Event, **fields: object) -> Issue:
    """An issue with these events."""
    last = events[-1].number if events else 0
    values: dict[str, object] = {"project": "desk", "summary": f"Question {number}", "status": "new"}
    values |= {"created": NOW, "updated": NOW, "revision": 1, "reporter": "ana@customer.example"}
    values |= {"events": events, "next_event": last + 1, "announced": last}
    return Issue(number=number, **{**values, **fields})  # type: ignore[arg-type]


def pooled(key: str, account: str = "account") -> Pooled:
    """The record of a mail of no issue."""
    return Pooled(account=account, project="desk", when=NOW, mail=filing(key))


def posting(recipient: str = "ana@customer.example", number: int = 1, event: int = 1) -> Posting:
    """The envelope of what somebody is told of an event."""
    return Posting(
        key=key_of(number, event, recipient),
        recipient=recipient,
        sender="help@example.org",
        type="email",
        issue=number,
        event=event,
        message_id=f"<{number}.{event}@example.org>",
        subject="[#1] hello",
        queued=NOW,
    )
