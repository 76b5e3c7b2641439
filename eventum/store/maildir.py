"""A Maildir whose entries are worked off: who waits, who is claimed by whom, until when, after how many attempts.

Flows in: names. Flows out: entries, moved from folder to folder by single renames; the place of the file is its state.
Nothing here reads a mail. mutt and Dovecot open the folders (https://cr.yp.to/proto/maildir.html).

A name is `<key>` and then marks, each after a comma: `A=2` attempts that ended badly, `N=1764000000` not before that
second, `R=<maker>` claimed by that run. In `cur` the Maildir flags follow behind `:2,`.
"""

import contextlib
import itertools
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from eventum.store import files
from eventum.store.layout import maildir

LONGEST_PAUSE = 6 * 3600  # Seconds; more than any attempt is put off.
_KEY = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z_.-]*", re.ASCII)
FLAGS = "DFPRST"  # What mail readers append to a name in `cur`, in this order.


class Entry(msgspec.Struct, frozen=True):
    """One mail in a Maildir: where it lies and what its name says."""

    path: str
    key: str
    attempts: int = 0
    not_before: int = 0  # seconds since 1970
    maker: str = ""
    arrival_ns: int = 0  # time of last change of the file: when the mail came


def name_of(entry: Entry) -> str:
    """The name that says what the entry says, without Maildir flags."""
    name = entry.key
    if entry.attempts:
        name += f",A={entry.attempts}"
    if entry.not_before:
        name += f",N={entry.not_before}"
    if entry.maker:
        name += f",R={entry.maker}"
    return name


def entry_of(path: str, arrival_ns: int = 0) -> Entry:
    """The entry a path names; marks that cannot be read count as absent."""
    key, *marks = path.rpartition("/")[2].partition(":")[0].split(",")
    values = {mark[:2]: mark[2:] for mark in marks}

    def number(mark: str) -> int:
        value = values.get(mark, "")
        return int(value) if value.isascii() and value.isdigit() else 0

    return Entry(path, key, number("A="), number("N="), values.get("R=", ""), arrival_ns)


def is_mail(item: "os.DirEntry[str]") -> bool:
    """Whether this is a mail and not a stranger in a Maildir: links and pipes are none, whoever made them.

    Hidden names are not mail by the Maildir format: a network file system makes such of removed files.
    """
    return not item.name.startswith(".") and item.is_file(follow_symlinks=False)


class Queue:
    """The Maildir `root` as a queue: waiting in `new`, claimed in `cur`."""

    def __init__(self, root: Path) -> None:
        self.tmp, self.new, self.cur = maildir(root)

    def waiting(self, now: float | None = None) -> list[Entry]:
        """What may be worked on now, in the order in which it came."""
        limit = time.time() if now is None else now
        # A time that no pause of ours reaches was written by a clock that was ahead.
        return [entry for entry in self.all_waiting() if not limit < entry.not_before <= limit + LONGEST_PAUSE]

    def all_waiting(self) -> list[Entry]:
        """All of `new`, in the order in which it came."""
        return sorted(self._entries(self.new), key=lambda entry: (entry.arrival_ns, entry.key))

    def claimed(self) -> list[Entry]:
        """All of `cur`, in the order in which it came."""
        return sorted(self._entries(self.cur), key=lambda entry: (entry.arrival_ns, entry.key))

    def _entries(self, folder: Path) -> Iterator[Entry]:
        for item in files.listing(folder):
            if not is_mail(item):
                continue
            try:
                arrival_ns = item.stat(follow_symlinks=False).st_mtime_ns
            except FileNotFoundError:  # Moved on by another run.
                continue
            yield entry_of(item.path, arrival_ns)

    def claim(self, entry: Entry, maker: str) -> Entry | None:
        """Take a waiting entry for this run; None when another run was first."""
        taken = msgspec.structs.replace(entry, maker=maker, not_before=0)
        target = f"{self.cur}/{name_of(taken)}:2,"
        # The same name came a second time while the first is in hand: it waits until that one is done.
        if files.exists(target) or not files.rename(entry.path, target):
            return None
        return msgspec.structs.replace(taken, path=target)

    def find(self, key: str) -> Entry | None:
        """The entry with that key, claimed or not; both folders are listed."""
        return next((entry for entry in (*self.all_waiting(), *self.claimed()) if entry.key == key), None)

    def give_back(self, entry: Entry, attempts: int | None = None, not_before: int = 0) -> Entry:
        """Let a claimed entry wait again, with what is to be known of it in its name."""
        free = msgspec.structs.replace(
            entry, maker="", not_before=not_before, attempts=entry.attempts if attempts is None else attempts
        )
        target = f"{self.new}/{name_of(free)}"
        files.rename(entry.path, target)
        return msgspec.structs.replace(free, path=target)


def settled_path(entry: Entry, root: Path, mark: str = "") -> str:
    """Where `settle` puts an entry."""
    return f"{maildir(root)[2]}/{entry.key}{mark}:2,S"


def settle(entry: Entry, root: Path, mark: str = "") -> str:
    """Move an entry to its last place, the Maildir `root`, as a mail that was seen; its new path."""
    target = settled_path(entry, root, mark)
    if not files.rename(entry.path, target):
        # A mail reader marked it as read, or as something else, meanwhile: it lies beside its old name.
        folder, _, name = entry.path.rpartition("/")
        same = name.partition(":")[0] + ":"
        for item in files.listing(folder):
            if item.name.startswith(same):
                files.rename(item.path, target)
    return target


def settled(root: Path) -> Iterator[Entry]:
    """All mails in `new` and `cur` of a Maildir with their times, in no order."""
    for folder in maildir(root)[1:]:
        for item in files.listing(folder):
            if is_mail(item):
                with contextlib.suppress(FileNotFoundError):  # Moved on meanwhile.
                    yield entry_of(item.path, item.stat(follow_symlinks=False).st_mtime_ns)


def find(root: Path, key: str) -> Path | None:
    """The settled mail with that key in a Maildir, whatever flags a mail reader gave it; no folder is listed."""
    if not _KEY.fullmatch(key):
        return None  # What a browser sent; it would name another folder, or this one.
    _, new, cur = maildir(root)
    for path in (cur / f"{key}:2,S", cur / f"{key}:2,", new / key):
        if files.is_plain(path):
            return path
    base = f"{cur}/{key}:2,"
    for count in range(1, len(FLAGS) + 1):
        for flags in itertools.combinations(FLAGS, count):
            if files.is_plain(base + "".join(flags)):
                return Path(base + "".join(flags))
    return None


def search(root: Path, key: str) -> Path | None:
    """As `find`, and at last by listing: mail readers may append letters that only they know (Dovecot's keywords)."""
    found = find(root, key)
    if found is not None:
        return found
    for folder in maildir(root)[1:]:
        for item in files.listing(folder):
            if is_mail(item) and entry_of(item.path).key == key:
                return Path(item.path)
    return None


def keys(root: Path) -> Iterator[str]:
    """The keys of all mails in `new` and `cur` of a Maildir, in no order."""
    _, new, cur = maildir(root)
    for folder in (new, cur):
        for item in files.listing(folder):
            if is_mail(item):
                yield entry_of(item.path).key
