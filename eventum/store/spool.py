"""Mail on its way in: `spool/in`, where a mail is ours before anything is known about it, and where it goes from there.

Flows in: received bytes under their trace headers. Flows out: entries in the order of their arrival; each ends in
`done` (for a day) or in `dead` (kept for a person). `kept` has a second name of each, so that a copy of the store made
at any moment holds every mail. Nothing here parses a mail.

A key is made of destination and bytes, so a mail fetched or delivered twice has the same name. Only the one mail in
hand is accused when a run dies: its key stands in `state/hands/<maker>`, written just before the mail is read and
cleared after. The third accusation buries it.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.mail.envelope import HEAD, Envelope, read_head, stamp
from eventum.store import files, kept, records
from eventum.store.flush import Flush
from eventum.store.layout import Layout, maildir
from eventum.store.maildir import Entry, Queue, entry_of, find, is_mail, keys, settle
from eventum.store.maker import Maker

MAX_ATTEMPTS = 3
RETRY_AFTER = 60  # Seconds until a mail that had to wait for a disk or a lock is tried again.
PAUSES = (60, 600)  # Seconds after its first and second failure; what ails this machine may be over by then.
DONE_FOR = 24 * 3600  # Seconds a handled mail is kept.


def key_of(destination: str, raw: bytes) -> str:
    """The name of a mail: sha256 in hex over where it was to go and its bytes as received."""
    digest = hashlib.sha256(destination.encode() + b"\0")
    digest.update(raw)
    return digest.hexdigest()


class Dead(msgspec.Struct, frozen=True, kw_only=True):
    """Why a mail lies in `dead`."""

    key: str
    when: datetime
    reason: str
    attempts: int = 0


class Spool:
    """The mail that came in and is not decided."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker
        self._queue = Queue(layout.incoming)
        self._hand: int | None = None
        self._newest: int | None = None

    def accept(self, mails: Sequence[tuple[Envelope, bytes]]) -> list[str]:
        """Keep a batch of mails, durable when this returns; their keys. Raises `OSError` when the disk does not."""
        maker = self._maker()
        taken: list[tuple[str, str]] = []
        if self._newest is None:  # Once a run: a maker's own times rise by themselves.
            # The clock may have been set back: what waits came before, whatever it says.
            waiting = (*self._queue.all_waiting(), *self._queue.claimed())
            self._newest = max((entry.arrival_ns for entry in waiting), default=0)
        with Flush() as flush:
            for envelope, raw in mails:
                key = key_of(envelope.destination, raw)
                temporary = f"{self._queue.tmp}/{maker.name()}"
                flush.write(temporary, stamp(envelope, raw), maker.arrival_ns(self._newest))
                taken.append((temporary, key))
            flush.contents()
            for temporary, key in taken:
                # The same mail may wait already; its place in the order of arrival is the earlier one.
                if files.exists(f"{self._queue.new}/{key}"):
                    files.remove(temporary)
                else:
                    kept.keep(self._layout, temporary, key)
                    files.move(temporary, f"{self._queue.new}/{key}")
            flush.folder(self._queue.new)
            flush.folder(maildir(self._layout.kept)[2])
        return [key for _, key in taken]

    def waiting(self) -> list[Entry]:
        """What may be decided now, in the order in which it came."""
        return self._queue.waiting()

    def backlog(self) -> int:
        """How many mails are not decided."""
        return len(self._queue.all_waiting()) + len(self._queue.claimed())

    def oldest(self) -> datetime | None:
        """When the mail came that waits longest to be decided; None when nothing waits."""
        first = min((one.arrival_ns for one in (*self._queue.all_waiting(), *self._queue.claimed())), default=None)
        return None if first is None else datetime.fromtimestamp(first / 1e9, UTC)

    def claim(self, entries: Iterable[Entry]) -> list[Entry]:
        """Take waiting mails for this run; those another run took first are missing."""
        maker = self._maker().id
        return [claimed for entry in entries if (claimed := self._queue.claim(entry, maker))]

    def destination(self, entry: Entry) -> str:
        """Where the mail was to go, "" when its envelope does not say."""
        try:
            envelope = read_head(files.read_head(entry.path, HEAD))
        except (NotFound, OSError):
            return ""
        return envelope.destination if isinstance(envelope, Envelope) else ""

    def is_left_claimed(self) -> bool:
        """Whether another run has mail in hand."""
        own = self._maker().id
        return any(entry.maker != own for entry in self._queue.claimed())

    def hold(self, key: str) -> None:
        """Note the one mail in hand, `""` for none."""
        if self._hand is None:
            path = self._layout.hands / self._maker().id
            self._hand = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, files.FILE_MODE)
        os.pwrite(self._hand, key.ljust(64).encode(), 0)

    def finish(self, entries: Iterable[Entry]) -> None:
        """These mails are where they belong."""
        with Flush() as flush:
            for entry in entries:
                settle(entry, self._layout.done)
            flush.folder(maildir(self._layout.done)[2])

    def give_back(self, entry: Entry) -> None:
        """Let a claimed mail wait for the next batch; it is not accused of anything."""
        self._queue.give_back(entry)

    def wait(self, entry: Entry) -> None:
        """Try this mail again a little later; it is not accused of anything."""
        self._queue.give_back(entry, not_before=int(time.time()) + RETRY_AFTER)

    def defer(self, entry: Entry, reason: str) -> bool:
        """Try this mail again a little later, or bury it at its third attempt; True when it was buried."""
        attempts = entry.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            self.bury(entry, reason, attempts)
            return True
        self._queue.give_back(entry, attempts, int(time.time()) + PAUSES[attempts - 1])
        return False

    def bury(self, entry: Entry, reason: str, attempts: int = 0) -> None:
        """Lay a mail aside for a person, with the reason."""
        record = Dead(key=entry.key, when=datetime.now(UTC), reason=reason, attempts=attempts or entry.attempts)
        with Flush() as flush:
            self._maker().replace(self._layout.dead / f"{entry.key}.json", records.encode(record))
            settle(entry, self._layout.dead)
            flush.folder(maildir(self._layout.dead)[2])

    def release(self) -> None:
        """The run ends: no mail is in hand any more."""
        if self._hand is not None:
            os.close(self._hand)
            files.remove(self._layout.hands / self._maker().id)
            self._hand = None

    def take_back(self, alive: Callable[[str], bool]) -> int:
        """Let the claims of dead runs wait again, the mail a run died on one attempt older; how many there were."""
        count = 0
        for entry in self._queue.claimed():
            if entry.maker and alive(entry.maker):
                continue
            count += 1
            if entry.maker and self._in_hand(entry.maker) == entry.key:
                if entry.attempts + 1 >= MAX_ATTEMPTS:
                    self.bury(entry, "the run that read it died, three times", entry.attempts + 1)
                else:
                    self._queue.give_back(entry, entry.attempts + 1)
            else:
                self._queue.give_back(entry)
        return count

    def _in_hand(self, maker: str) -> str:
        try:
            return files.read(self._layout.hands / maker).decode("ascii", "replace").strip()
        except NotFound:
            return ""

    def prune(self, before: float | None, now: float) -> None:
        """Forget handled mails that came to rest before this moment (seconds since 1970; None: none did)."""
        kept.prune(self._layout, before, now)
        for item in files.listing(maildir(self._layout.done)[2]):
            with contextlib.suppress(FileNotFoundError):
                if kept.rests_since(item, now) < (before or 0.0):
                    files.remove(item.path)

    def dead(self) -> list[tuple[Dead, Path]]:
        """What lies in `dead`, oldest first."""
        found: list[tuple[Dead, Path]] = []
        for item in files.listing(maildir(self._layout.dead)[2]):
            if is_mail(item):
                found.append((self._reason(entry_of(item.path).key), Path(item.path)))
        return sorted(found, key=lambda pair: pair[0].when)

    def buried(self) -> int:
        """How many mails lie in `dead`."""
        return sum(1 for _ in keys(self._layout.dead))

    def _reason(self, key: str) -> Dead:
        try:
            return records.load(self._layout.dead / f"{key}.json", Dead).value
        except (NotFound, Damaged):
            return Dead(key=key, when=datetime.fromtimestamp(0, UTC), reason="its reason was lost")

    def retry(self, key: str) -> None:
        """Let a dead mail be tried again; durable. Raises `NotFound`."""
        path = self._dead_path(key)
        files.rename(path, self._queue.new / key)
        files.remove(self._layout.dead / f"{key}.json")
        with Flush() as flush:
            for folder in (self._queue.new, path.parent, self._layout.dead):
                flush.folder(folder)

    def forget(self, key: str) -> None:
        """Delete a dead mail for good; durable. Raises `NotFound`."""
        path = self._dead_path(key)
        files.remove(path)
        files.remove(self._layout.dead / f"{key}.json")
        kept.let_go(self._layout, [key])
        with Flush() as flush:
            for folder in (path.parent, self._layout.dead, maildir(self._layout.kept)[2]):
                flush.folder(folder)

    def _dead_path(self, key: str) -> Path:
        path = find(self._layout.dead, key)
        if path is None:
            raise NotFound(f"There is no dead mail {key}.")
        return path
