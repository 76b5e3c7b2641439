"""The mail on its way out, and the mail no runner could handle: what people see of them, and what they may do.

Flows in: ids or beginnings of ids. Flows out: rows of plain values; entries tried again or deleted. What waits is touched
only while no run sends: an entry in a run's hand could be sent twice.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import msgspec

from eventum.errors import Busy, NotFound, Refused
from eventum.mail.envelope import HEAD, Envelope, read_head
from eventum.mail.message import parse
from eventum.store import files
from eventum.store.locks import Lease
from eventum.store.outbox import Queued, Status
from eventum.store.spool import Dead
from eventum.tracker.mails import Row, one_of
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker

STATUSES: Sequence[Status] = ("held", "pending", "deferred", "sent", "failed")
LEASE = "queue"  # Held by a run while it sends.


def queued(tracker: Tracker, status: str = "") -> list[Row]:
    """The entries of the queue, of one status or all, oldest first."""
    # An entry that a run moves on while the folders are read may be met twice; what it is later counts.
    entries = {entry.id: entry for entry in tracker.outbox.entries()}
    found = [entry for entry in entries.values() if status in ("", entry.status)]
    found.sort(key=lambda entry: (entry.posting.queued, entry.posting.issue, entry.posting.event, entry.id))
    return [_row(entry) for entry in found]


def queue_entry(tracker: Tracker, ident: str) -> Row:
    """One entry with its log and its mail. Raises `NotFound`, `Refused`."""
    key = _key(tracker, ident)
    entry = next((entry for entry in tracker.outbox.entries() if entry.id == key), None)
    if entry is None:
        raise NotFound(f"There is no entry {key} in the queue any more.")
    raw = raw_bytes(entry.path)
    message = parse(raw)
    return {
        **_row(entry),
        "log": [msgspec.structs.asdict(attempt) for attempt in entry.log],
        "headers": _headers(raw),
        "text": message.text,
        "attachments": [{"name": one.name, "type": one.type, "size": one.size} for one in message.attachments],
    }


def retry(tracker: Tracker, ident: str) -> str:
    """Let an entry be sent by the next run; its id. Raises `NotFound`, `Refused` for a sent one, `Busy`."""
    key = _key(tracker, ident)
    with _unless_sending(tracker, key) as status:
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
    with _unless_sending(tracker, key):
        tracker.outbox.forget(key)
    return key
