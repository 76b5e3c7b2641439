"""Mail in files on this machine, as one takes it out of another program: an mbox, a Maildir, .eml files.

In flows a path, out flow the bytes of its mails in the order of their dates, so that questions come before answers. Of
each mail only place and date are held in memory, some fifty bytes. Nothing is changed there; no link is followed out of
a folder; what cannot be read is named in `problems` and stops nothing.
"""

import hashlib
import os
import re
import stat
from array import array
from collections.abc import Iterator
from typing import BinaryIO

from eventum.errors import NotFound, Refused
from eventum.mail.dates import read_date, received_date
from eventum.transport import mbox
from eventum.transport.mailbox import LARGEST_MAIL
from eventum.wording import N_

HEAD = 65536  # So many first bytes of a mail are looked at for its date.
MAILS, MBOXES = (".eml", ".msg.eml"), (".mbox", ".mbx")
MOST_PROBLEMS = 1000
_FIELD = re.compile(rb"^(received|date)[ \t]*:((?:[^\r\n]*(?:\r?\n[ \t])?)+)", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"\r?\n\r?\n")
# Some mails lack the one or the other of these; what has none of them is a text, a list, a picture or empty.
_OF_A_MAIL = re.compile(
    rb"^(from|to|cc|bcc|sender|reply-to|subject|date|received|message-id|return-path|delivered-to|mime-version"
    rb"|content-type|in-reply-to|references)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)


class Archive:
    """The mails of a path, by their number in the order of their dates."""

    def __init__(self, path: str, *, recursive: bool = False) -> None:
        """Look through everything once. Raises `NotFound` without the path, `Refused` when it holds no mail."""
        self.path = os.path.realpath(path)
        self.problems: list[tuple[str, str]] = []
        self.unreadable = 0
        self._recursive = recursive
        self._paths: list[str] = []
        self._boxes: set[int] = set()  # those of the paths that are an mbox
        self._file, self._offset, self._size = array("L"), array("q"), array("q")
        self._dates = array("d")
        self._open: tuple[str, BinaryIO] | None = None
        about = hashlib.sha256()
        for found in self._files():
            about.update(f"{found}\0{_about(found)}\0".encode("utf-8", "surrogateescape"))
            self._take(found)
        self.close()
        self.fingerprint = about.hexdigest()[:32]
        dates = self._dates
        self._order = array("L", sorted(range(len(dates)), key=dates.__getitem__))
        if not self._order and not self.unreadable:
            raise Refused(
                N_("{path} holds no mail: name an mbox, a Maildir, a folder of .eml files or one of these."),
                path=self.path,
            )

    def __len__(self) -> int:
        return len(self._order)

    def date(self, number: int) -> float:
        """By which time the mail is ordered, in seconds since 1970; 0 when nobody knows."""
        return self._dates[self._order[number]]

    def place(self, number: int) -> str:
        """Where the mail is, for a person: its file, in an mbox with the offset."""
        at = self._order[number]
        path = os.path.relpath(self._paths[self._file[at]], os.path.dirname(self.path) or "/")
        return f"{path}@{self._offset[at]}" if self._file[at] in self._boxes else path

    def read(self, number: int) -> bytes | None:
        """The bytes of a mail; None when it cannot be read any more, which is a problem then."""
        at = self._order[number]
        path = self._paths[self._file[at]]
        try:
            file = self._opened(path)
            file.seek(self._offset[at])
            raw = file.read(self._size[at])
        except OSError as error:
            self._problem(self.place(number), f"cannot be read: {error.strerror}")
            return None
        if len(raw) < self._size[at]:
            self._problem(self.place(number), "was cut short while it was read")
            return None
        return mbox.unquoted(raw) if self._file[at] in self._boxes else raw

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _opened(self, path: str) -> BinaryIO:
        if self._open is None or self._open[0] != path:
            self.close()
            self._open = path, _opened(path)
        return self._open[1]

    def _problem(self, place: str, reason: str) -> None:
        self.unreadable += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((place, reason))

    def _files(self) -> Iterator[str]:
        if not os.path.exists(self.path):
            raise NotFound(N_("There is no file or folder {path}."), path=self.path)
        if not os.path.isdir(self.path):
            yield self.path
            return
        yield from self._folder(self.path)

    def _folder(self, folder: str) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._problem(folder, f"cannot be read: {error.strerror}")
            return
        folders = {entry.name: entry.path for entry in entries if entry.is_dir(follow_symlinks=False)}
        is_maildir = "cur" in folders and "new" in folders
        if is_maildir:
            for part in ("cur", "new"):
                yield from sorted(
                    entry.path
                    for entry in os.scandir(folders[part])
                    if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
                )
            folders = {name: path for name, path in folders.items() if name not in ("cur", "new", "tmp")}
        else:
            # Of a Maildir these are indexes and lists of its server; elsewhere a file that begins like an mbox is one.
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and (_is_named(entry.name) or _begins_like_mbox(entry.path)):
                    yield entry.path
        if self._recursive:
            for path in folders.values():
                yield from self._folder(path)

    def _take(self, path: str) -> None:
        """Note the mails of one file."""
        try:
            file = self._opened(path)
            size, changed = os.fstat(file.fileno()).st_size, os.fstat(file.fileno()).st_mtime
            is_box = mbox.is_mbox(file)
            head = b"" if is_box else os.pread(file.fileno(), HEAD, 0)
        except OSError as error:
            self._problem(path, f"cannot be read: {error.strerror or error}")
            return
        if not is_box and not _is_mail(head):
            if path != self.path:  # The path itself is refused as a whole.
                self._problem(path, "is no mail: nothing in it is the head of one")
            return
        self._paths.append(path)
        here = len(self._paths) - 1
        if not is_box:
            self._note(here, 0, size, _dated(head) or changed)
            return
        self._boxes.add(here)
        last = 0.0
        for offset, length, line in mbox.pieces(file):
            # A mail without a date of its own stands behind the one it lies behind.
            last = _dated(os.pread(file.fileno(), min(HEAD, length), offset)) or _date(line) or last
            self._note(here, offset, length, last)

    def _note(self, file: int, offset: int, size: int, date: float) -> None:
        if size > LARGEST_MAIL:
            self._problem(f"{self._paths[file]}@{offset}", f"is larger than {LARGEST_MAIL} bytes")
            return
        self._file.append(file)
        self._offset.append(offset)
        self._size.append(size)
        self._dates.append(date)


def _opened(path: str) -> BinaryIO:
    # Without O_NONBLOCK a pipe in place of a mail would stop the run for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no file")
    return open(descriptor, "rb", buffering=1 << 16)


def _about(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _is_named(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith((*MAILS, *MBOXES))


def _begins_like_mbox(path: str) -> bool:
    try:
        with _opened(path) as file:
            return mbox.is_mbox(file)
    except OSError:
        return False


def _is_mail(head: bytes) -> bool:
    end = _END.search(head)
    return _OF_A_MAIL.search(head, 0, end.start() + 1 if end else len(head)) is not None


def _dated(head: bytes) -> float:
    """When a mail came: by the last server it went through, else by its own Date; 0 when nothing says it."""
    end = _END.search(head)
    dates = {"received": 0.0, "date": 0.0}
    for found in _FIELD.finditer(head, 0, end.start() + 1 if end else len(head)):
        name = found[1].decode().lower()
        if not dates[name]:
            text = " ".join(found[2].decode("utf-8", "replace").split())
            when = received_date(text) if name == "received" else read_date(text)
            dates[name] = when.timestamp() if when else 0.0
            if name == "received" and dates[name]:
                break
    return dates["received"] or dates["date"]


def _date(line: bytes) -> float:
    when = read_date(line.decode("utf-8", "replace"))
    return when.timestamp() if when else 0.0
