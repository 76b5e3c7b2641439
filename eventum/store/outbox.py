"""Mail on its way out: one entry a recipient, its envelope in the trace headers, from `spool/out` to sent or failed.

Flows in: composed mail with its posting. Flows out: entries that are due. Nothing here speaks SMTP or decides who is
told. A key is made of issue, event and recipient, so telling again after a crash changes nothing.

An entry is durable in `out/tmp` before the record that owes it is written, and appears in `out/new` after. What the far
end said is appended to `out/log/<key>.jsonl`.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.mail.envelope import Posting, read_head, stamp
from eventum.mail.envelope import read as read_stamped
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.layout import Layout, maildir
from eventum.store.maildir import Entry, Queue, entry_of, find, keys, settle
from eventum.store.maker import Maker

# Seconds until the next attempt, by how many there were; the last one again and again.
BACK_OFF = (60, 300, 900, 3600, 7200, 14400)
GIVE_UP_AFTER = 5 * 24 * 3600  # Seconds (RFC 5321 section 4.5.4.1: at least 4-5 days).
HEAD = 8192  # Bytes that hold the trace headers.

Status = Literal["held", "pending", "deferred", "sent", "failed"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an entry's log."""

    when: datetime
    status: Status
    reply: str


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as a person sees it."""

    id: str
    status: Status
    posting: Posting
    attempts: int
    next_attempt: datetime | None
    log: tuple[Attempt, ...]
    path: Path


def key_of(issue: int, event: int, recipient: str) -> str:
    """The name of what one person is told of one event: 40 hex digits."""
    return hashlib.sha256(f"{issue}\0{event}\0{recipient}".encode()).hexdigest()[:40]


def back_off(attempts: int) -> int:
    """Seconds to wait after that many attempts."""
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1]


class Outbox:
    """The mail that is to be sent, and what became of it."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker
        self._queue = Queue(layout.outgoing)

    def prepare(self, flush: Flush, posting: Posting, data: bytes) -> tuple[str, str]:
        """Write an entry to `out/tmp`; durable when the flush ends. What to give to `publish`."""
        temporary = f"{self._queue.tmp}/{self._maker().name()}"
        flush.write(temporary, stamp(posting, data))
        return temporary, posting.key

    def publish(self, prepared: Iterable[tuple[str, str]]) -> None:
        """Let prepared entries be sent: the record that owes them is durable."""
        with Flush() as flush:
            for temporary, key in prepared:
                files.move(temporary, f"{self._queue.new}/{key}")
                flush.folder(self._queue.new)

    def drop(self, prepared: Iterable[tuple[str, str]]) -> None:
        """Forget prepared entries: the record that owed them was not written."""
        for temporary, _ in prepared:
            files.remove(temporary)

    def due(self) -> list[Entry]:
        """What is to be sent now, oldest first."""
        return self._queue.waiting()

    def remaining(self) -> int:
        """How many entries wait, due or not."""
        return len(self._queue.all_waiting()) + len(self._queue.claimed())

    def claim(self, entry: Entry) -> Entry | None:
        """Take an entry for this run; None when another run was first."""
        return self._queue.claim(entry, self._maker().id)

    def read(self, entry: Entry) -> tuple[Posting, bytes]:
        """An entry's envelope and the bytes to send. Raises `Damaged` when the envelope cannot be read."""
        posting, data = read_stamped(files.read(entry.path))
        if not isinstance(posting, Posting):
            raise Damaged(f"{entry.path} does not begin with the envelope of a queue entry; look at it and delete it.")
        return posting, data

    def sent(self, entry: Entry, reply: str) -> None:
        """The far end has it: durable when this returns, and never sent again."""
        with Flush() as flush:
            settle(entry, self._layout.sent)
            flush.folder(maildir(self._layout.sent)[2])
        # After the move, which needs no room: on a full disk the mail would else be sent again by every run.
        self._note(entry.key, "sent", reply)

    def give_back(self, entry: Entry) -> None:
        """Not tried: the entry waits as before."""
        self._queue.give_back(entry)

    def defer(self, entry: Entry, reply: str) -> None:
        """Try again after a while that grows with the attempts."""
        attempts = entry.attempts + 1
        self._note(entry.key, "deferred", reply)
        self._queue.give_back(entry, attempts, int(time.time()) + back_off(attempts))

    def failed(self, entry: Entry, reply: str) -> None:
        """The far end refused it for good, or it is too old: kept for a person."""
        self._note(entry.key, "failed", reply)
        with Flush() as flush:
            settle(entry, self._layout.failed)
            flush.folder(maildir(self._layout.failed)[2])

    def _note(self, key: str, status: Status, reply: str) -> None:
        line = msgspec.json.encode(Attempt(when=datetime.now(UTC), status=status, reply=reply))
        files.append(self._layout.out_log / f"{key}.jsonl", line + b"\n")

    def take_back(self, alive: Callable[[str], bool]) -> int:
        """Let the claims of dead runs wait again; how many there were."""
        count = 0
        for entry in self._queue.claimed():
            if entry.maker and alive(entry.maker):
                continue
            self._queue.give_back(entry)
            count += 1
        return count

    def leftovers(self, abandoned: Callable[[str], bool]) -> Iterator[tuple[str, Posting | None]]:
        """What dead runs left in `out/tmp`, with its envelope when it was written whole enough to have one."""
        for item in files.listing(self._queue.tmp):
            if abandoned(item.path):
                posting = read_head(files.read_head(item.path, HEAD))
                yield item.path, posting if isinstance(posting, Posting) else None

    def known(self) -> set[str]:
        """The keys of all entries in any state."""
        places = (self._layout.outgoing, self._layout.sent, self._layout.held, self._layout.failed)
        return {key for place in places for key in keys(place)}

    def entries(self, wanted: str = "") -> Iterator[Queued]:
        """All entries with their states, or those of one status, in no order."""
        for entry in (*self._queue.all_waiting(), *self._queue.claimed()):
            status: Status = "deferred" if entry.attempts else "pending"
            if wanted in ("", status):
                yield from self._shown(entry, status)
        for place, status in self._places():
            for folder in maildir(place)[1:] if wanted in ("", status) else ():
                for item in files.listing(folder):
                    yield from self._shown(entry_of(item.path), status)

    def _shown(self, entry: Entry, status: Status) -> Iterator[Queued]:
        try:
            posting = read_head(files.read_head(entry.path, HEAD))
        except NotFound:  # Moved on meanwhile.
            return
        if isinstance(posting, Posting):
            log = self.log(entry.key)
            upcoming = datetime.fromtimestamp(entry.not_before, UTC) if entry.not_before else None
            yield Queued(
                id=entry.key,
                status=status,
                posting=posting,
                attempts=len(log),
                next_attempt=upcoming if status == "deferred" else None,
                log=log,
                path=Path(entry.path),
            )

    def log(self, key: str) -> tuple[Attempt, ...]:
        """What the far end said to each attempt, oldest first."""
        try:
            data = files.read(self._layout.out_log / f"{key}.jsonl")
        except NotFound:
            return ()
        attempts: list[Attempt] = []
        for line in data.splitlines():
            try:
                attempts.append(msgspec.json.decode(line, type=Attempt))
            except msgspec.DecodeError:  # A line cut short by a crash; the others stand.
                continue
        return tuple(attempts)

    def states(self, wanted: Iterable[str]) -> dict[str, Status]:
        """What became of these entries; those that were never queued or were cleared away are missing."""
        found: dict[str, Status] = {}
        waiting: dict[str, Entry] | None = None
        for key in wanted:
            for place, status in self._places():
                if find(place, key) is not None:
                    found[key] = status
                    break
            else:
                if waiting is None:
                    waiting = {entry.key: entry for entry in (*self._queue.all_waiting(), *self._queue.claimed())}
                if key in waiting:
                    found[key] = "deferred" if waiting[key].attempts else "pending"
        return found

    def _places(self) -> tuple[tuple[Path, Status], ...]:
        return (self._layout.sent, "sent"), (self._layout.failed, "failed"), (self._layout.held, "held")

    def _path(self, key: str, *places: Path) -> Path | None:
        for place in places:
            path = find(place, key)
            if path is not None:
                return path
        entry = self._queue.find(key)
        return Path(entry.path) if entry else None

    def retry(self, key: str) -> None:
        """Send an entry that was not sent at the next run; the caller holds the lease `queue`. Raises `NotFound`."""
        path = self._path(key, self._layout.failed, self._layout.held)
        if path is None:
            raise NotFound(f"There is no entry {key} that could be tried again.")
        files.rename(path, self._queue.new / key)

    def forget(self, key: str) -> None:
        """Delete an entry, or what is kept of it; the caller holds the lease `queue`. Raises `NotFound`."""
        path = self._path(key, *(place for place, _ in self._places()))
        if path is None:
            raise NotFound(f"There is no entry {key} in the queue.")
        files.remove(path)
        files.remove(self._layout.out_log / f"{key}.jsonl")
