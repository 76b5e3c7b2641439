"""What lies in the queue, as people see it: entries with their states and what the far end said.

Flows in: names and keys. Flows out: entries; of a list only what is shown is read, for tens of thousands of sent ones
may lie there. Nothing is changed here: `outbox` does that.
"""

from collections.abc import Container, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from eventum.errors import NotFound
from eventum.mail.envelope import Posting, read_head
from eventum.store import files
from eventum.store.layout import Layout
from eventum.store.maildir import Entry, Queue, entry_of, find, keys, settled
from eventum.store.records import ITS_OWN_FAULT

HEAD = 8192  # Bytes that hold the trace headers.

Status = Literal["held", "pending", "deferred", "sent", "failed"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an entry's log: what the far end said to an attempt, or reported later.

    A later word has the key of the mail that brought it (`report`), the kind of that report (`word`: "failed",
    "delayed", "delivered", "relayed", "read" or "deleted"), the code of RFC 3463 in it, and `until` when the far end
    tries.
    """

    when: datetime
    status: Status
    reply: str
    word: str = ""
    report: str = ""
    code: str = ""
    until: datetime | None = None


_attempt = msgspec.json.Decoder(Attempt)


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as a person sees it."""

    id: str
    status: Status
    posting: Posting
    attempts: int
    next_attempt: datetime | None
    log: tuple[Attempt, ...]
    path: Path


class Sendings:
    """The entries of one store's queue."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._queue = Queue(layout.outgoing)

    def known(self) -> set[str]:
        """The keys of all entries in any state."""
        places = (self._layout.outgoing, self._layout.sent, self._layout.held, self._layout.failed)
        return {key for place in places for key in keys(place)}

    def entries(self, wanted: str = "") -> Iterator[Queued]:
        """All entries with their states, or those of one status, in no order."""
        for entry, status in self.names(wanted):
            if shown := self.shown(entry, status):
                yield shown

    def names(self, *wanted: str) -> Iterator[tuple[Entry, Status]]:
        """The entries and their states, or those of some, in no order; what their names say, none of them is read."""
        every = not any(wanted)
        for entry in (*self._queue.all_waiting(), *self._queue.claimed()):
            status: Status = "deferred" if entry.attempts else "pending"
            if every or status in wanted:
                yield entry, status
        for place, status in self._places():
            if every or status in wanted:
                yield from ((entry, status) for entry in settled(place))

    def count(self) -> dict[Status, int]:
        """How many entries are in each state."""
        counts: dict[Status, int] = {"held": 0, "pending": 0, "deferred": 0, "sent": 0, "failed": 0}
        for entry in (*self._queue.all_waiting(), *self._queue.claimed()):
            counts["deferred" if entry.attempts else "pending"] += 1
        for place, status in self._places():
            counts[status] = sum(1 for _ in keys(place))
        return counts

    def in_hand(self) -> bool:
        """Whether a run has an entry in its hand."""
        return bool(self._queue.claimed())

    def find(self, key: str) -> Queued | None:
        """The entry with that key; None when there is none, or none whose envelope can be read."""
        status = self.states([key]).get(key)
        path = self._path(key, *(place for place, _ in self._places())) if status else None
        return self.shown(entry_of(str(path)), status) if status and path else None

    def shown(self, entry: Entry, status: Status) -> Queued | None:
        """An entry as a person sees it; None when it was moved on meanwhile, or its envelope cannot be read."""
        try:
            posting = read_head(files.read_head(entry.path, HEAD))
        except NotFound:
            return None
        except OSError as error:
            if error.errno not in ITS_OWN_FAULT:
                raise
            return None  # `verify` names it; the others are shown.
        if not isinstance(posting, Posting):
            return None
        log = self.log(entry.key)
        upcoming = datetime.fromtimestamp(entry.not_before, UTC) if entry.not_before else None
        return Queued(
            id=entry.key,
            status=status,
            posting=posting,
            attempts=sum(1 for one in log if not one.report),
            next_attempt=upcoming if status in ("pending", "deferred") else None,
            log=log,
            path=Path(entry.path),
        )

    def log(self, key: str) -> tuple[Attempt, ...]:
        """What the far end said to each attempt, oldest first."""
        try:
            data = files.read(self._layout.out_log / f"{key}.jsonl")
        except NotFound:
            return ()
        except OSError as error:
            if error.errno not in ITS_OWN_FAULT:
                raise
            return ()  # `verify` names it; the mail itself is as it was.
        attempts: list[Attempt] = []
        for line in data.splitlines():
            try:
                attempts.append(_attempt.decode(line))
            except msgspec.DecodeError:  # A line cut short by a crash; the others stand.
                continue
        return tuple(attempts)

    def _waiting(self) -> dict[str, Status]:
        entries = (*self._queue.all_waiting(), *self._queue.claimed())
        return {entry.key: "deferred" if entry.attempts else "pending" for entry in entries}

    def states(self, wanted: Iterable[str]) -> dict[str, Status]:
        """What became of these entries; those that were never queued or were cleared away are missing."""
        found: dict[str, Status] = {}
        left = dict.fromkeys(wanted)
        # First what waits, in one listing: to look for a name that is not there takes dozens of calls each.
        waiting = self._waiting() if left else {}
        for key in left:
            if key in waiting:
                found[key] = waiting[key]
                continue
            place = next((status for place, status in self._places() if find(place, key) is not None), None)
            if place is not None:
                found[key] = place
        if len(found) < len(left):  # One that was tried again just now went the other way.
            again = self._waiting()
            found.update((key, again[key]) for key in left if key not in found and key in again)
        return found

    def due_at(self, wanted: Container[str]) -> dict[str, datetime]:
        """When these entries are tried, of those that wait for a certain moment."""
        waiting = (entry for entry in self._queue.all_waiting() if entry.not_before and entry.key in wanted)
        return {entry.key: datetime.fromtimestamp(entry.not_before, UTC) for entry in waiting}

    def _places(self) -> tuple[tuple[Path, Status], ...]:
        return (self._layout.sent, "sent"), (self._layout.failed, "failed"), (self._layout.held, "held")

    def _path(self, key: str, *places: Path) -> Path | None:
        for place in places:
            path = find(place, key)
            if path is not None:
                return path
        entry = self._queue.find(key)
        return Path(entry.path) if entry else None
