r"""What changed: lines that say which record got which revision, so that an index can keep up.

Flows in: (record, revision) pairs, durable before the record is replaced. Flows out: the same pairs, from a position.
One file has one writer at a time: a writer leases the first free `journal/<slot>.jsonl` and appends to it.

A line is `<length> <crc32> <json>\n`. A writer that died in the middle leaves a torn line; the next one on that slot
ends it with a newline, and readers pass over what does not check out.
"""

import errno
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from eventum.errors import Busy
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.layout import Layout
from eventum.store.locks import Locks

SLOTS = 1000

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


class JournalWriter:
    """One writer's file of the journal."""

    def __init__(self, layout: Layout, locks: Locks) -> None:
        for slot in range(SLOTS):
            lease = locks.lease(f"journal-{slot}")
            if lease is not None:
                self._lease = lease
                self._open(layout.journal, layout.journal / f"{slot}.jsonl")
                return
        raise Busy(f"All {SLOTS} journal files are in use; wait until other runs end, then try again.")

    def _open(self, folder: Path, path: Path) -> None:
        self._torn = False
        is_new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, files.FILE_MODE)
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")
        if is_new:
            with Flush() as flush:
                flush.folder(folder)

    def append(self, lines: Sequence[tuple[str, int]]) -> None:
        """Add lines; durable when this returns. Raises `OSError` when the disk does not take them."""
        data = b"".join(line(record, revision) for record, revision in lines)
        # After a write that a full disk cut short, the newline keeps the next line apart from the torn one.
        data = b"\n" + data if self._torn else data
        self._torn = True  # Until it is known to be whole.
        self._torn = os.write(self._fd, data) < len(data)
        if self._torn:
            raise OSError(errno.ENOSPC, "the journal could not be written")
        files.sync(self._fd)

    def close(self) -> None:
        """Leave the file to the next writer."""
        os.close(self._fd)
        self._lease.release()


def positions(layout: Layout) -> dict[str, int]:
    """How long each journal file is now, by its name."""
    return {
        entry.name: entry.stat().st_size for entry in files.listing(layout.journal) if entry.name.endswith(".jsonl")
    }


def read_from(layout: Layout, name: str, position: int) -> Iterator[tuple[int, tuple[str, int] | None]]:
    """The lines of one file from a position on, each with the position behind it; the last, unfinished one is left."""
    with open(layout.journal / name, "rb") as file:
        file.seek(position)
        while (data := file.readline()).endswith(b"\n"):
            position += len(data)
            yield position, parse(data[:-1])
