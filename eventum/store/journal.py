r"""What changed: lines that say which record got which revision, so that an index can keep up.

Flows in: (record, revision) pairs, durable before the record is replaced. Flows out: the same pairs, from a position.
One file has one writer at a time: a writer leases the first free slot and appends to that slot's newest file.

A line is `<length> <crc32> <json>\n`. A writer that died in the middle leaves a torn line; the next one on that slot
ends it with a newline, and readers pass over what does not check out.

A file that has grown to `FULL` bytes is never written to again: the slot goes on in `<slot>-<n>.jsonl`, and of those
before it only the last is kept, for readers who are a little behind. The first line of the new file says how long the
one before it was, so whoever missed the end of a file that is gone knows that he did, and reads the whole store anew.
"""

import contextlib
import errno
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from eventum.errors import Busy
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.layout import Layout
from eventum.store.locks import Locks

SLOTS = 1000
FULL = 1 << 20  # Bytes after which a slot goes on in another file: some 30,000 changes.
KEPT = 1  # Full files of a slot that stay.
# What one file is to blame for: another slot may do.
UNUSABLE = (errno.EACCES, errno.EPERM, errno.EISDIR, errno.ELOOP, errno.ENXIO)
BEFORE = "journal/"  # The record a first line names: the file before this one; its "revision" is that file's length.

_NAME = re.compile(r"(\d{1,3})(?:-(\d{1,9}))?\.jsonl", re.ASCII)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[str, int])


def line(record: str, revision: int) -> bytes:
    """The line for one change."""
    body = _encoder.encode((record, revision))
    return b"%d %08x %s\n" % (len(body), zlib.crc32(body), body)


def parse(data: bytes) -> tuple[str, int] | None:
    """The change a line (without its newline) tells of; None when it is torn or damaged."""
    length, _, rest = data.partition(b" ")
    checksum, _, body = rest.partition(b" ")
    if not length.isdigit() or len(length) > 9 or int(length) != len(body) or checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        return None


class Mark(NamedTuple):
    """How long a file is, and which: one that was put back from a backup is another one under the same name."""

    length: int
    inode: int


def name_of(slot: int, count: int) -> str:
    """The name of a slot's file after `count` full ones."""
    return f"{slot}-{count}.jsonl" if count else f"{slot}.jsonl"


def parts_of(name: str) -> tuple[int, int] | None:
    """The slot, and how many full files came before this one; None for a name that is no journal's."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2] or 0)) if match else None


class JournalWriter:
    """One writer's part of the journal."""

    def __init__(self, layout: Layout, locks: Locks, temporary: Callable[[], Path] | None = None) -> None:
        """`temporary` gives names for files that are being made; without it they lie hidden in the journal."""
        self._folder = layout.journal
        self._temporary = temporary
        for slot in range(SLOTS):
            lease = locks.lease(f"journal-{slot}")
            if lease is not None:
                self._lease, self._slot = lease, slot
                self._count = max(self._counts(), default=0)
                self._fd = -1
                try:
                    self._open()
                except OSError as error:
                    lease.release()
                    if error.errno not in UNUSABLE:
                        raise
                else:
                    return
        raise Busy(f"All {SLOTS} journal files are in use; wait until other runs end, then try again.")

    def _counts(self) -> list[int]:
        """Which files this slot has."""
        found = (parts_of(entry.name) for entry in files.listing(self._folder))
        return [parts[1] for parts in found if parts is not None and parts[0] == self._slot]

    def _open(self) -> None:
        path = self._folder / name_of(self._slot, self._count)
        is_new = not path.exists()
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, files.FILE_MODE)
        self._torn = False
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            os.write(fd, b"\n")
        if is_new:
            with Flush() as flush:
                flush.folder(self._folder)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd

    def append(self, lines: Sequence[tuple[str, int]]) -> None:
        """Add lines; durable when this returns. Raises `OSError` when the disk does not take them."""
        if os.fstat(self._fd).st_size >= FULL:
            # Where there is no room for another file there may be some in this one.
            with contextlib.suppress(OSError):
                self._go_on()
        data = b"".join(line(record, revision) for record, revision in lines)
        # After a write that a full disk cut short, the newline keeps the next line apart from the torn one.
        data = b"\n" + data if self._torn else data
        self._torn = True  # Until it is known to be whole.
        self._torn = os.write(self._fd, data) < len(data)
        if self._torn:
            raise OSError(errno.ENOSPC, "the journal could not be written")
        files.sync(self._fd)

    def _go_on(self) -> None:
        """Begin this slot's next file; whole with its first line, or not there."""
        length = os.fstat(self._fd).st_size
        before, after = name_of(self._slot, self._count), name_of(self._slot, self._count + 1)
        temporary = self._temporary() if self._temporary else None
        files.atomic_write(self._folder / after, line(BEFORE + before, length), tmp=temporary)
        self._count += 1
        self._open()
        for count in self._counts():
            if count < self._count - KEPT:
                files.remove(self._folder / name_of(self._slot, count))

    def close(self) -> None:
        """Leave the file to the next writer."""
        os.close(self._fd)
        self._lease.release()


def standing(layout: Layout) -> dict[str, Mark]:
    """The journal's files as they are now, by their names."""
    found: dict[str, Mark] = {}
    for entry in files.listing(layout.journal):
        if parts_of(entry.name) is not None and entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):  # A full file that was removed just now.
                status = entry.stat(follow_symlinks=False)
                found[entry.name] = Mark(status.st_size, status.st_ino)
    return found


def is_missed(layout: Layout, marks: Mapping[str, Mark], read: Mapping[str, Mark]) -> bool:
    """Whether lines are gone that a reader who has read so far does not know. Raises `FileNotFoundError` as it changes.

    So it is after a restore too: a file is shorter than it was, or another one.
    """
    for name, mark in read.items():
        if name in marks:
            if mark.length > marks[name].length or mark.inode != marks[name].inode:
                return True
        elif (after := _after(name)) not in marks or _before(layout, after) != mark.length:
            return True
    for name in marks.keys() - read.keys():
        slot, count = parts_of(name) or (0, 0)
        if count and (before := name_of(slot, count - 1)) not in marks and before not in read:
            return True
    return False


def _after(name: str) -> str:
    slot, count = parts_of(name) or (0, 0)
    return name_of(slot, count + 1)


def _before(layout: Layout, name: str) -> int:
    """How long the file before this one was, as its first line says; -1 when that cannot be read."""
    try:
        with open(layout.journal / name, "rb") as file:
            first = parse(file.readline().rstrip(b"\n"))
    except PermissionError:
        return -1
    return first[1] if first is not None and first[0].startswith(BEFORE) else -1


def read_from(layout: Layout, name: str, position: int) -> Iterator[tuple[int, tuple[str, int] | None]]:
    """The lines of one file from a position on, each with the position behind it; None for what says nothing.

    The last, unfinished line is left. Raises `FileNotFoundError` when the file was full and is gone now.
    """
    with open(layout.journal / name, "rb") as file:
        file.seek(position)
        while (data := file.readline()).endswith(b"\n"):
            position += len(data)
            yield position, parse(data[:-1])
