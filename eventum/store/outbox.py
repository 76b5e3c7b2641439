"""Mail on its way out: one entry a recipient, its envelope in the trace headers, from `spool/out` to sent or failed.

Flows in: composed mail with its posting. Flows out: entries that are due. Nothing here speaks SMTP or decides who is
told. A key is made of issue, event and recipient, so telling again after a crash changes nothing.

An entry is durable in `out/tmp` before the record that owes it is written, and appears in `out/new` after. What the far
end said is appended to `out/log/<key>.jsonl`.
"""

import errno
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.mail.envelope import Posting, read_head, stamp
from eventum.mail.envelope import read as read_stamped
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.layout import Layout, maildir
from eventum.store.maildir import Entry, find, keys, name_of, settle, settled, settled_path
from eventum.store.maker import Maker
from eventum.store.records import ITS_OWN_FAULT
from eventum.store.sendings import HEAD, Attempt, Sendings, Status

# Seconds until the next attempt, by how many there were; the last one again and again.
BACK_OFF = (60, 300, 900, 3600, 7200, 14400)
MOST_HEARD = 20  # Later words of one entry that are noted: whoever got a mail may report of it again and again.
GIVE_UP_AFTER = 5 * 24 * 3600  # Seconds (RFC 5321 section 4.5.4.1: at least 4-5 days).


def key_of(issue: int, event: int, recipient: str) -> str:
    """The name of what one person is told of one event: 40 hex digits."""
    return hashlib.sha256(f"{issue}\0{event}\0{recipient}".encode()).hexdigest()[:40]


def back_off(attempts: int) -> int:
    """Seconds to wait after that many attempts."""
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1]


class Outbox(Sendings):
    """The mail that is to be sent, and what became of it."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        super().__init__(layout)
        self._maker = maker

    def prepare(self, flush: Flush, posting: Posting, data: bytes) -> tuple[str, str]:
        """Write an entry to `out/tmp`; durable when the flush ends. What to give to `publish`."""
        temporary = f"{self._queue.tmp}/{self._maker().name()}"
        flush.write(temporary, stamp(posting, data))
        # The record that owes it will be durable: so must be the name under which recovery finds it.
        flush.folder(self._queue.tmp)
        return temporary, posting.key

    def publish(self, prepared: Iterable[tuple[str, str]], delay: int = 0) -> None:
        """Let prepared entries be sent, after so many seconds: the record that owes them is durable."""
        not_before = int(time.time()) + delay if delay else 0
        with Flush() as flush:
            for temporary, key in prepared:
                files.move(temporary, f"{self._queue.new}/{name_of(Entry(temporary, key, not_before=not_before))}")
                flush.folder(self._queue.new)

    def hold(self, prepared: Iterable[tuple[str, str]]) -> None:
        """Lay prepared entries aside instead: they wait until `retry`."""
        with Flush() as flush:
            for temporary, key in prepared:
                folder = maildir(self._layout.held)[1]
                files.move(temporary, f"{folder}/{key}")
                flush.folder(folder)

    def withdraw(self, issue: int, events: range) -> list[tuple[str, str]]:
        """Take what waits of these events back to `out/tmp`; what to give to `drop`, or to `publish` after all.

        A run that dies in between leaves it to the recovery, which asks the issue's record whether it is owed.
        """
        found: list[tuple[str, str]] = []
        for entry in (*self._queue.all_waiting(), *settled(self._layout.held)):
            try:
                posting = read_head(files.read_head(entry.path, HEAD))
            except NotFound:  # A run has it in hand.
                continue
            if isinstance(posting, Posting) and posting.issue == issue and posting.event in events:
                temporary = f"{self._queue.tmp}/{self._maker().name()}"
                if files.rename(entry.path, temporary):
                    found.append((temporary, entry.key))
        with Flush() as flush:
            for folder in (self._queue.new, self._queue.tmp, *maildir(self._layout.held)[1:]):
                flush.folder(folder)
        return found

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

    def failures(self) -> int:
        """How many entries were refused for good."""
        return sum(1 for _ in keys(self._layout.failed))

    def claim(self, entry: Entry) -> Entry | None:
        """Take an entry for this run; None when another run was first, or what it was is sent or failed already.

        After a power cut, or in a copy of the store made meanwhile, an entry may have its old name beside its new one.
        """
        claimed = self._queue.claim(entry, self._maker().id)
        if claimed is not None and any(
            files.exists(settled_path(claimed, place)) for place in (self._layout.sent, self._layout.failed)
        ):
            files.remove(claimed.path)
            return None
        return claimed

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

    def heard(self, key: str, said: Attempt) -> None:
        """What the far end reported of an entry later: noted once, durable; one that failed goes from sent to failed.

        Of an entry that was cleared away nothing is noted. To be told again changes nothing.
        """
        if self.states([key]).get(key) is None:
            return
        heard = [(one.word, one.code, one.reply) for one in self.log(key) if one.report]
        if (said.word, said.code, said.reply) not in heard and len(heard) < MOST_HEARD:
            self._log(key, said, durable=True)
        path = find(self._layout.sent, key) if said.status == "failed" else None
        if path is not None:
            with Flush() as flush:
                files.rename(path, maildir(self._layout.failed)[2] / path.name)
                flush.folder(maildir(self._layout.failed)[2])
                flush.folder(path.parent)

    def _note(self, key: str, status: Status, reply: str) -> None:
        """Log what the far end said to an attempt."""
        self._log(key, Attempt(when=datetime.fromtimestamp(time.time(), UTC), status=status, reply=reply))

    def _log(self, key: str, said: Attempt, *, durable: bool = False) -> None:
        """Add a line. A log that cannot be written, which `verify` names, holds up no mail."""
        try:
            files.append(self._layout.out_log / f"{key}.jsonl", msgspec.json.encode(said) + b"\n", durable)
        except OSError as error:
            # A disk that fails is no fault of one file.
            if error.errno == errno.EIO or error.errno not in ITS_OWN_FAULT:
                raise

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

    def retry(self, key: str) -> None:
        """Send an entry that was not sent at the next run; the caller holds the lease `queue`. Raises `NotFound`."""
        path = self._path(key, self._layout.failed, self._layout.held)
        if path is None:
            raise NotFound(f"There is no entry {key} that could be tried again.")
        files.rename(path, self._queue.new / key)
        # What was said to a person holds, whenever the power goes.
        with Flush() as flush:
            flush.folder(self._queue.new)
            flush.folder(path.parent)

    def forget(self, key: str) -> None:
        """Delete an entry, or what is kept of it; the caller holds the lease `queue`. Raises `NotFound`."""
        path = self._path(key, *(place for place, _ in self._places()))
        if path is None:
            raise NotFound(f"There is no entry {key} in the queue.")
        files.remove(path)
        files.remove(self._layout.out_log / f"{key}.jsonl")
        with Flush() as flush:
            flush.folder(path.parent)
            flush.folder(self._layout.out_log)
