"""The mail on its way out: what people see of it, and what they may do with an entry.

Flows in: a status, an id or the beginning of one. Flows out: rows of plain values; entries tried again or deleted. What
waits is touched only while no run sends: an entry in a run's hand could be sent twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from eventum.errors import Busy, NotFound, Refused
from eventum.mail.message import parse
from eventum.store.outbox import Queued, Status
from eventum.tracker.mails import Row, one_of
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker

STATUSES: Sequence[Status] = ("held", "pending", "deferred", "sent", "failed")
LEASE = "queue"  # Held by a run while it sends.


def queued(tracker: Tracker, status: str = "") -> list[Row]:
    """The entries of the queue, of one status or all, oldest first."""
    # An entry that a run moves on while the folders are read may be met twice; what it is later counts.
    entries = {entry.id: entry for entry in tracker.outbox.entries(status)}
    found = sorted(
        entries.values(), key=lambda entry: (entry.posting.queued, entry.posting.issue, entry.posting.event, entry.id)
    )
    return [_row(entry) for entry in found]


def queue_entry(tracker: Tracker, ident: str) -> Row:
    """One entry with its log and its mail. Raises `NotFound`, `Refused`."""
    key = _key(tracker, ident)
    status = tracker.outbox.states([key]).get(key, "")
    entry = next((entry for entry in tracker.outbox.entries(status) if entry.id == key), None)
    if entry is None:
        raise NotFound(f"There is no entry {key} in the queue any more.")
    raw = raw_bytes(entry.path)
    message = parse(raw)
    return {
        **_row(entry),
        "log": [msgspec.structs.asdict(attempt) for attempt in entry.log],
        "headers": headers_of(raw),
        "text": message.text,
        "attachments": [{"name": one.name, "type": one.type, "size": one.size} for one in message.attachments],
    }


def retry(tracker: Tracker, ident: str) -> str:
    """Let an entry be sent by the next run; its id. Raises `NotFound`, `Refused` for a sent one, `Busy`."""
    key = _key(tracker, ident)
    with _settled(tracker, key) as status:
        if status == "sent":
            raise Refused(f"The entry {key} was sent; nobody gets a mail twice.")
        tracker.outbox.retry(key)
    return key


def retry_all_failed(tracker: Tracker) -> list[str]:
    """Let all failed entries be sent by the next run; their ids."""
    keys = [str(row["id"]) for row in queued(tracker, "failed")]
    for key in keys:
        tracker.outbox.retry(key)
    return keys


def delete(tracker: Tracker, ident: str) -> str:
    """Delete an entry, or what is kept of a sent one; its id. Raises `NotFound`, `Refused`, `Busy`."""
    key = _key(tracker, ident)
    with _settled(tracker, key):
        tracker.outbox.forget(key)
    return key


def headers_of(raw: bytes) -> str:
    """The header block of a mail as it stands."""
    return raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")


def _key(tracker: Tracker, ident: str) -> str:
    return one_of(ident, tracker.outbox.known(), "entry {} in the queue; `flask queue list` shows all")


@contextmanager
def _settled(tracker: Tracker, key: str) -> Iterator[Status]:
    """The status of an entry that no run can be sending meanwhile."""
    lease = None
    try:
        status = tracker.outbox.states([key]).get(key)
        if status in ("pending", "deferred"):
            lease = tracker.locks.lease(LEASE)
            if lease is None:
                raise Busy("A run is sending mail now, perhaps this one; try again when it has ended.")
            status = tracker.outbox.states([key]).get(key)
        if status is None:
            raise NotFound(f"There is no entry {key} in the queue any more.")
        yield status
    finally:
        if lease is not None:
            lease.release()


def _row(entry: Queued) -> Row:
    posting = entry.posting
    return {
        "id": entry.id,
        "status": entry.status,
        "recipient": posting.recipient,
        "sender": posting.sender,
        "subject": posting.subject,
        "message_id": posting.message_id,
        "type": posting.type,
        "issue": posting.issue or None,
        "attempts": entry.attempts,
        "next_attempt": entry.next_attempt,
        "last_reply": entry.log[-1].reply if entry.log else None,
        "queued": posting.queued,
    }
