"""One look over a store: what was looked at, what is wrong, and how that can be mended.

Flows in: files and folders, from the parts of `verify`. Flows out: findings, each with its file, and what mends those
that are derived. Nothing is changed by looking; what is wrong with a kind of record is known by its part.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.mail import envelope
from eventum.store import files, records
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maildir import Entry, entry_of
from eventum.store.maker import ID
from eventum.store.spool import key_of

Record = TypeVar("Record", bound=msgspec.Struct)
Mend = Callable[[], object]
KEY = re.compile(r"[0-9a-f]{64}")

BACKUP = "put back a copy from a backup"
BY_REPAIR = "`flask verify --repair` removes it"
BY_NEXT_RUN = "the next `flask process-queue` brings it to an end"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: which file, what, and what mends it."""

    path: str
    problem: str
    repair: str


class Known(NamedTuple):
    """A finding and, when it concerns only what is derived or left over, what mends it."""

    finding: Finding
    mend: Mend | None


class Inspection:
    """A look over a store while it may be in use."""

    def __init__(self, layout: Layout, locks: Locks) -> None:
        self.layout = layout
        self.checked = 0
        self.found: dict[tuple[str, str], Known] = {}
        self.unusable: set[type[msgspec.Struct]] = set()  # kinds of records of which one could not be used
        self._locks = locks
        self._dead: dict[str, bool] = {}

    def note(self, path: Path | str, problem: str, repair: str, mend: Mend | None = None) -> None:
        """Something is wrong."""
        self.found[str(path), problem] = Known(Finding(str(path), problem, repair), mend)

    def left_over(self, path: Path | str, problem: str) -> None:
        """A file that nobody needs any more."""
        place = Path(path)
        self.note(place, problem, BY_REPAIR, lambda: remove(place))

    def derived(self, path: Path, kind: type[Record]) -> Record | None:
        """As `record`, of a note that is made anew when it is missing; nothing stands on what it says."""
        return self._record(path, kind, BY_REPAIR + "; it is made anew", lambda: remove(path))

    def stranger(self, path: Path | str) -> None:
        """A file or folder that is none of ours."""
        self.note(path, "this does not belong here", "look at it and move it away")

    def record(self, path: Path, kind: type[Record]) -> Record | None:
        """What a file of JSON holds, None when it cannot be used, which is a finding then."""
        return self._record(path, kind, "mend it by hand or " + BACKUP, None)

    def _record(self, path: Path, kind: type[Record], repair: str, mend: Mend | None) -> Record | None:
        self.checked += 1
        try:
            return records.load(path, kind).value
        except NotFound:
            self.note(path, "the file is missing", BACKUP)
        except Damaged as error:
            self.note(path, _problem_of(str(error), path), repair, mend)
        self.unusable.add(kind)
        return None

    def mail(self, path: Path | str, key: str, destination: str | None = None) -> None:
        """The bytes of a received mail must make its key; where it came is known, or stands in its envelope."""
        data = self.bytes_of(path)
        if data is None:
            return
        trace, raw = envelope.read(data)
        if destination is None and isinstance(trace, envelope.Envelope):
            destination = trace.destination
        if destination is None:
            if KEY.fullmatch(key):  # A person gives a file another name.
                self.note(path, "the envelope it came with is lost", BACKUP)
        elif key_of(destination, raw) != key and KEY.fullmatch(key):
            self.note(path, "its bytes are not those that came in", BACKUP)

    def lines(self, path: Path | str) -> None:
        """A file that is read line by line: what cannot be used of it is passed over, if it can be read at all."""
        with contextlib.suppress(NotFound):
            try:
                files.read_head(path, 1)
            except OSError as error:
                self._unreadable(path, error)

    def bytes_of(self, path: Path | str) -> bytes | None:
        """The content of a file, None when it cannot be read, which is a finding then."""
        try:
            return files.read(path)
        except NotFound:  # Moved on meanwhile.
            return None
        except OSError as error:
            self._unreadable(path, error)
            return None

    def _unreadable(self, path: Path | str, error: OSError) -> None:
        remedy = "give this user the right to read it, or look at the disk"
        self.note(path, f"it cannot be read: {error.strerror}", remedy)

    def entries(self, folder: Path) -> Iterator["os.DirEntry[str]"]:
        """What lies in a folder, in order of names; a missing one, and what belongs to somebody else, is a finding."""
        if not folder.is_dir():
            self.note(folder, "the folder is missing", "`flask verify --repair` makes it", lambda: make(folder))
            return
        try:
            found = sorted(files.listing(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._unreadable(folder, error)
            return
        for entry in found:
            try:
                owner = entry.stat(follow_symlinks=False).st_uid
            except FileNotFoundError:  # Moved on meanwhile.
                continue
            if owner != os.geteuid():
                self.note(entry.path, f"it belongs to user {owner}", f"chown it to user {os.geteuid()}")
            yield entry

    def plain_files(self, folder: Path, *others: str) -> Iterator["os.DirEntry[str]"]:
        """The files of a folder; what is no file, or hidden, and not among `others`, is a stranger."""
        for entry in self.entries(folder):
            if entry.name in others:
                continue
            if entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                self.checked += 1
                yield entry
            elif entry.name.startswith(".") and entry.name.rpartition(".")[2].isdigit():
                if not files.is_running(int(entry.name.rpartition(".")[2])):
                    self.left_over(entry.path, "a run that died left this half written")
            else:
                self.stranger(entry.path)

    def mails(self, folder: Path) -> Iterator[Entry]:
        """The mails in one folder of a Maildir."""
        for entry in self.plain_files(folder):
            yield entry_of(entry.path)

    def temporary(self, folder: Path) -> None:
        """Nothing lies in a folder for temporary names but what living runs are making."""
        for entry in self.entries(folder):
            maker = entry.name.partition(".")[0]
            if not ID.fullmatch(maker):
                self.stranger(entry.path)
            elif self.is_dead(maker):
                self.note(entry.path, "a run that died left this half done", BY_NEXT_RUN)

    def is_dead(self, maker: str) -> bool:
        """Whether that run has ended without clearing up."""
        if maker not in self._dead:
            # Asking for a lease makes its file, and who has none is dead anyway.
            is_there = files.exists(self.layout.locks / "leases" / f"{maker}.lock")
            lease = self._locks.lease(maker) if is_there and ID.fullmatch(maker) else None
            self._dead[maker] = lease is not None or not is_there
            if lease is not None:
                # The file stays as it was found: looking changes nothing.
                lease.release()
        return self._dead[maker]


def remove(path: Path) -> None:
    """Take away what is left over."""
    if path.is_dir() and not path.is_symlink():
        files.remove_tree(path)
    else:
        files.remove(path)


def make(folder: Path) -> None:
    """Make a folder that every store has."""
    files.make_folders([folder])


def _problem_of(complaint: str, path: Path) -> str:
    """What an error says of a file, without the file's name and the remedy, which a finding has apart."""
    said = complaint.removeprefix(f"{path} ")
    for remedy in (": mend it", "; mend it", ": give this", ": update"):
        said = said.partition(remedy)[0]
    return said.rstrip(".")
