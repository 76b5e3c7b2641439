"""Readings that are missing are made again where nothing can be hurt: in a guarded child, of which there are few.

Flows in: the digest and the place of a stored mail. Flows out: what it says, from the cache or read anew. A mail that
breaks its reader gives a stand-in without a text, marked `UNREAD`; that is remembered for a day, so that not every view
of a page breaks another child on it. Web processes ask from many threads and share two children a process, which end
by themselves when nobody asks for a while.
"""

import atexit
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from eventum.errors import Busy, Damaged, NotFound
from eventum.mail.message import Message
from eventum.store import files, records
from eventum.tracker.limits import Read
from eventum.tracker.reading import Reader, cached, cached_path, keep

if TYPE_CHECKING:
    from eventum.mail.html.markup import Markup

CHILDREN = 2  # At once in one process.
IDLE = 20.0  # Seconds a child waits for the next question.
PATIENCE = 30.0  # Seconds somebody waits for a child; what hangs is ended sooner.
AGAIN_AFTER = timedelta(days=1)  # A newer program may read what an older one could not.
UNREAD = "could-not-be-read"
"""The defect of a stand-in."""


class Unread(msgspec.Struct, frozen=True):
    """That a mail could not be read, when that was tried, and how it ended."""

    when: datetime
    reason: str


class Guard:
    """The children of one process."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._places = threading.BoundedSemaphore(CHILDREN)
        self._lock = threading.Lock()
        self._idle: list[tuple[Path, Reader]] = []

    def ask(self, cache: Path, path: Path, what: str = "read") -> Read:
        """The answer of a child. Raises `Busy` when all are busy for long."""
        if not self._places.acquire(timeout=PATIENCE):
            raise Busy("Other mail is being read just now; try again in a moment.")
        try:
            reader = self._take(cache)
            try:
                reader.ask(str(path), what)
                return reader.answer()
            finally:
                reader.forget()
                with self._lock:
                    self._idle.append((cache, reader))
        finally:
            self._places.release()

    def _take(self, cache: Path) -> Reader:
        with self._lock:
            found = next((one for one in reversed(self._idle) if one[0] == cache), None)
            if found is not None:
                self._idle.remove(found)
                return found[1]
            others, self._idle = self._idle, []
        for _, reader in others:  # Of another store; a process that serves several in turn is a test.
            reader.close()
        return Reader(cache, idle=IDLE)

    def close(self) -> None:
        """End the children that wait; a process that was forked off with a copy of this has none."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, reader in idle:
            if os.getpid() == self._process:
                reader.close()
            else:
                reader.disown()

    @property
    def is_ours(self) -> bool:
        """Whether it was made by this process."""
        return os.getpid() == self._process


_guards: list[Guard] = []


def ask(cache: Path, path: Path, what: str = "read") -> Read:
    """What a child says of a mail. Raises `Busy` when none is free for long."""
    if not _guards or not _guards[-1].is_ours:
        for other in _guards:
            other.close()
        _guards[:] = [Guard()]
    return _guards[-1].ask(cache, path, what)


@atexit.register
def close() -> None:
    """End all children; the next question starts one again."""
    while _guards:
        _guards.pop().close()


def reading(cache: Path, digest: str, stored: Path) -> Message:
    """What a stored mail says: from the cache, or read again; a stand-in for one that cannot be read.

    Raises `NotFound` when the mail is gone, `Busy` when it cannot be read for a reason that is not the mail's.
    """
    message = cached(cache, digest)
    if message is not None:
        return message
    if unread(cache, digest):
        return stand_in(digest)
    answer = _answer(cache, stored)
    if answer.message is None:
        _remember(cache, digest, answer.error)
        return stand_in(digest)
    if answer.message.digest != digest:
        keep(cache, answer.message, digest)  # A newer program sees another content; the record knows the mail by this.
    return answer.message


def inner(cache: Path, digest: str, stored: Path, inside: str) -> Message:
    """What a mail says that lies in a stored one, at this path; kept like any reading. Raises as `reading`, and
    `NotFound` when there is no mail at that path.
    """
    name = f"{digest}.{inside.replace('/', '-')}"
    message = cached(cache, name)
    if message is not None:
        return message
    if unread(cache, name):
        return stand_in(name)
    answer = _answer(cache, stored, f"read:{inside}")
    if answer.message is None:
        _remember(cache, name, answer.error)
        return stand_in(name)
    keep(cache, answer.message, name)
    return answer.message


def markup(cache: Path, digest: str, stored: Path, inside: str = "", *, remote: bool = False) -> "Markup | None":
    """What the HTML of a stored mail, or of one in it, can be shown as; None for a mail without any, or one that
    breaks who reads it.

    Raises as `inner`.
    """
    from eventum.mail.html.markup import Markup  # Few of those who read mail show its HTML.

    name = f"{digest}.{inside.replace('/', '-')}.html" if inside else f"{digest}.html"
    if unread(cache, name):
        return None
    answer = _answer(cache, stored, ("remote" if remote else "html") + (f":{inside}" if inside else ""))
    if answer.error:
        _remember(cache, name, answer.error)
        return None
    with records.MAKING:  # Two threads of a web server may be here at once.
        return msgspec.json.decode(answer.markup, type=Markup | None)


def _answer(cache: Path, stored: Path, what: str = "read") -> Read:
    if not files.exists(str(stored)):
        raise NotFound(f"{stored} is gone.")
    answer = ask(cache, stored, what)
    if answer.blameless:
        raise Busy(answer.error)
    if answer.absent:
        raise NotFound(answer.error)
    return answer


def stand_in(digest: str) -> Message:
    """A mail of which nobody knows what it says."""
    return Message(message_id="", digest=digest, defects=(UNREAD,))


def unread(cache: Path, digest: str) -> Unread | None:
    """Why a mail could not be read when that was tried last, unless that is a day ago."""
    try:
        found = records.decode(files.read(_mark(cache, digest)), Unread, digest)
    except (NotFound, Damaged):
        return None
    return found if found.when > datetime.now(UTC) - AGAIN_AFTER else None


def _remember(cache: Path, digest: str, reason: str) -> None:
    path = _mark(cache, digest)
    if not path.parent.is_dir():
        files.make_folders([path.parent], durable=False)
    files.atomic_write(path, msgspec.json.encode(Unread(datetime.now(UTC), reason)), durable=False)


def _mark(cache: Path, digest: str) -> Path:
    return cached_path(cache, digest).with_suffix(".unread")
