"""The mail on its way out: what people see of it, and what they may do with an entry.

Flows in: a status, an id or the beginning of one. Flows out: rows of plain values; entries tried again or deleted. What
waits is touched only while no run sends: an entry in a run's hand could be sent twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from types import MappingProxyType

import msgspec

from eventum.errors import Busy, Damaged, NotFound, Refused
from eventum.store.sendings import Queued, Status
from eventum.tracker import guard, replies
from eventum.tracker.mails import Row, one_of
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

STATUSES: Sequence[Status] = ("held", "pending", "deferred", "sent", "failed")
UNSENT: Sequence[Status] = ("failed", "deferred", "held", "pending")  # What needs a person first.
GONE = N_("There is no entry {key} in the queue any more.")
LEASE = "queue"  # Held by a run while it sends.
PAGE = 50
# What the notices are called, for people.
NOTICES = MappingProxyType(
    {
        "new_issue": N_("New issue"),
        "new_issue_assigned": N_("New issue, assigned"),
        "assignment": N_("Assignment"),
        "acknowledgement": N_("Acknowledgement"),
        "email": N_("E-mail"),
        "note": N_("Internal note"),
        "blocked": N_("Blocked mail"),
        "closed": N_("Issue closed"),
        "invitation": N_("Invitation"),
        "new_password": N_("Link for a new password"),
        "confirm_address": N_("Link to confirm an address"),
        "address_change": N_("Change of address"),
        "alert": N_("Alert"),
    }
)


# What was reported of a mail after it was handed over, for people.
WORDS = MappingProxyType(
    {
        "failed": N_("It came back."),
        "delayed": N_("It is delayed on its way."),
        "delivered": N_("It was delivered."),
        "relayed": N_("It was passed on, to a server that sends no reports."),
        "read": N_("It was read."),
        "deleted": N_("It was deleted unread."),
    }
)


class Part(msgspec.Struct, frozen=True):
    """One page of the queue: its rows, and which page of how many."""

    rows: list[Row]
    number: int
    last: int
    counts: Mapping[Status, int]
    sending: bool  # A run has mail in its hand now.


class WayOut(msgspec.Struct, frozen=True):
    """The server that takes our mail, when a run used it last, and what went wrong then."""

    host: str
    port: int
    last: datetime | None
    problem: str
    is_unknown: bool = False  # General Setup cannot be used, for the reason that is the problem.


def queued(tracker: Tracker, status: str = "") -> list[Row]:
    """The entries of the queue, of one status or all, oldest first."""
    # An entry that a run moves on while the folders are read may be met twice; what it is later counts.
    entries = {entry.id: entry for entry in tracker.outbox.entries(status)}
    found = sorted(
        entries.values(), key=lambda entry: (entry.posting.queued, entry.posting.issue, entry.posting.event, entry.id)
    )
    return [_row(entry) for entry in found]


def part(tracker: Tracker, status: str = "", number: int = 1) -> Part:
    """A page of the queue, of one status or ("") of all that is not sent; only what it shows is read.

    What is not sent stands oldest first, failed mail before all other; what was sent or failed, newest first.
    """
    outbox = tracker.outbox
    wanted = (status,) if status else UNSENT
    newest_first = status in ("sent", "failed")
    names = [(UNSENT.index(one) if not status else 0, entry, one) for entry, one in outbox.names(*wanted)]
    names.sort(key=lambda name: (name[0], name[1].arrival_ns * (-1 if newest_first else 1), name[1].key))
    last = max(1, -(-len(names) // PAGE))
    number = min(max(1, number), last)
    shown = (outbox.shown(entry, one) for _, entry, one in names[(number - 1) * PAGE : number * PAGE])
    rows = [{**_row(entry), "log": entry.log} for entry in shown if entry]
    return Part(rows=rows, number=number, last=last, counts=outbox.count(), sending=outbox.in_hand())


def way_out(tracker: Tracker) -> WayOut:
    """How mail leaves, and how the last run went; the problem is General Setup when that cannot be used."""
    last = tracker.state.run("process-queue")
    try:
        smtp = tracker.settings.general().smtp
    except Damaged as error:
        return WayOut(host="", port=0, last=last.ended if last else None, problem=str(error), is_unknown=True)
    return WayOut(
        host=smtp.host, port=smtp.port, last=last.ended if last else None, problem=last.summary if last else ""
    )


def queue_entry(tracker: Tracker, ident: str) -> Row:
    """One entry with its log and its mail. Raises `NotFound`, `Refused`."""
    key = _key(tracker, ident)
    entry = tracker.outbox.find(key)
    if entry is None:
        raise NotFound(GONE, key=key)
    # A customer's mail may be in it, sent on as it came.
    message = guard.ask(tracker.cache, entry.path).message
    return {
        **_row(entry),
        "log": [msgspec.structs.asdict(attempt) for attempt in entry.log],
        "headers": headers_of(raw_bytes(entry.path)),
        "text": message.text if message else "",
        "attachments": [
            {"name": one.name, "type": one.type, "size": one.size} for one in (message.attachments if message else ())
        ],
    }


def retry(tracker: Tracker, ident: str) -> str:
    """Let an entry be sent by the next run; its id. Raises `NotFound`, `Refused` for a sent one, `Busy`."""
    key = _key(tracker, ident)
    with _settled(tracker, key) as status:
        if status == "sent":
            raise Refused("The entry {key} was sent; nobody gets a mail twice.", key=key)
        tracker.outbox.retry(key)
    return key


def retry_all_failed(tracker: Tracker) -> list[str]:
    """Let all failed entries be sent by the next run; their ids, in no order."""
    tried = []
    for entry, _ in tracker.outbox.names("failed"):
        with suppress(NotFound):  # Somebody else was faster.
            tracker.outbox.retry(entry.key)
            tried.append(entry.key)
    return tried


def send_all_held(tracker: Tracker) -> list[str]:
    """Let all that the loop fuse holds be sent by the next run; their ids, in no order."""
    tried = []
    for entry in tracker.outbox.entries("held"):
        if entry.posting.hold:
            with suppress(NotFound):  # Somebody else was faster.
                tracker.outbox.retry(entry.id)
                tried.append(entry.id)
    return tried


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
            raise NotFound(GONE, key=key)
        yield status
    finally:
        if lease is not None:
            lease.release()


def _row(entry: Queued) -> Row:
    posting, last = entry.posting, entry.log[-1] if entry.log else None
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
        "last_reply": last.reply if last else None,
        "queued": posting.queued,
        "hold": posting.hold or None,
        "reported": last.word or None if last else None,
        "reason": replies.in_short(last.reply, last.code) or None if last and entry.status == "failed" else None,
    }
