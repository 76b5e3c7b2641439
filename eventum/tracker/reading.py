"""What a mail says, read once, in a guarded child with limits of time and memory.

Flows in: paths of stored mails. Flows out: envelope and message of each, in the order in which they were asked for, or
why one could not be read. The reading is kept in the cache by digest; views and lists use only that, and make it again
when it is missing. Nothing here decides about a mail.

The child (`python -m eventum.tracker.reader`) works ahead on another core while its parent decides. When it dies or
hangs on a mail, that mail alone is accused, and a new child goes on with the next.
"""

import contextlib
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.mail.envelope import Envelope, Posting, read
from eventum.mail.message import Message, parse
from eventum.store import files, records

TIME_LIMIT = 30.0  # Seconds for one mail.
MEMORY_LIMIT = 1 << 30  # Bytes of address space of the child.
PIPE = 1 << 20  # Bytes: questions and answers of a whole batch, so that neither side waits for the other.
AHEAD = 200  # Mails asked for at most before one answer is taken: more of the longest paths could fill the pipe.
# For glibc: what one large mail needed is kept for the next; to ask the kernel each time is a third of all the work.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "67108864"}


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What the child answers: the mail, or why it could not be read. `blameless`: it was the disk, not the mail."""

    envelope: Envelope | None = None
    message: Message | None = None
    error: str = ""
    blameless: bool = False


class Reader:
    """A guarded child that reads mails; started when the first one is asked for."""

    def __init__(self, cache: Path, time_limit: float = TIME_LIMIT, memory_limit: int = MEMORY_LIMIT) -> None:
        self._cache = cache
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._asked: deque[str] = deque()
        self._sent = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._buffer = bytearray()
        self._decoder = msgspec.msgpack.Decoder(Read)

    def ask(self, path: str) -> None:
        """Let a mail be read; its answer comes after those of the mails asked for before."""
        self._asked.append(path)
        self._send()

    def _send(self) -> None:
        while self._sent < min(len(self._asked), AHEAD):
            child = self._started()
            assert child.stdin is not None
            try:
                child.stdin.write(os.fsencode(self._asked[self._sent]) + b"\n")
                child.stdin.flush()
            except BrokenPipeError:  # It died; `answer` finds out on which mail.
                return
            self._sent += 1

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            command = [sys.executable, "-m", "eventum.tracker.reader", str(self._cache), str(self._memory_limit)]
            root = str(Path(__file__).parent.parent.parent)
            path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **KEEP_MEMORY, "PYTHONPATH": path},
                bufsize=0,
                pipesize=PIPE,
            )
            self._buffer.clear()
        return self._child

    def answer(self) -> Read:
        """The answer for the mail that was asked for longest ago."""
        self._send()
        try:
            frame = self._frame()
        except (TimeoutError, EOFError) as error:
            self._end()
            path = self._asked.popleft()
            self._sent = 0
            self._send()
            return Read(error=f"{error} while reading {Path(path).name}")
        self._asked.popleft()
        self._sent = max(0, self._sent - 1)
        self._send()
        return self._decoder.decode(frame)

    def _frame(self) -> bytes:
        """The next answer's bytes. Raises `TimeoutError` when the child hangs, `EOFError` when it is dead."""
        deadline = time.monotonic() + self._time_limit
        child = self._started()
        assert child.stdout is not None
        fd = child.stdout.fileno()
        while True:
            if len(self._buffer) >= 4:
                length = int.from_bytes(self._buffer[:4], "big")
                if len(self._buffer) >= 4 + length:
                    frame = bytes(self._buffer[4 : 4 + length])
                    del self._buffer[: 4 + length]
                    return frame
            ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the reader took longer than {self._time_limit:g} s")
            data = os.read(fd, 1 << 18)
            if not data:
                raise EOFError(f"the reader died ({child.wait()})")
            self._buffer += data

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # What was not sent is sent to the next child.
                    pipe.close()

    def forget(self) -> None:
        """Take back all questions that were not answered."""
        if self._asked:
            self._asked.clear()
            self._sent = 0
            self._end()

    def close(self) -> None:
        """End the child."""
        self._asked.clear()
        if self._child is not None:
            self._end()


def cached_path(cache: Path, digest: str) -> Path:
    """Where the reading of a mail with this digest is kept."""
    return cache / "readings" / digest[:2] / f"{digest}.json"


def keep(cache: Path, message: Message) -> None:
    """Keep a reading in the cache."""
    path = cached_path(cache, message.digest)
    if not path.parent.is_dir():
        files.make_folders([path.parent], durable=False)
    files.atomic_write(path, msgspec.json.encode(message), durable=False)


def cached(cache: Path, digest: str) -> Message | None:
    """What a mail says, if it was read before."""
    try:
        return records.decode(files.read(cached_path(cache, digest)), Message, digest)
    except (NotFound, Damaged):
        return None


def reading(cache: Path, digest: str, stored: Path) -> Message:
    """What a stored mail says: from the cache, or read again. Raises `NotFound` when the mail is gone."""
    message = cached(cache, digest)
    if message is None:
        message = parse(raw_bytes(stored))
        keep(cache, message)
    return message


def raw_bytes(stored: Path) -> bytes:
    """The bytes of a stored mail as they were received, without our trace headers. Raises `NotFound`."""
    return read(files.read(stored))[1]


def readings_of(requests: Iterator[bytes]) -> Iterator[Read]:
    """The child's work: the envelope and message of each path."""
    for path in requests:
        try:
            data = files.read(os.fsdecode(path))
        except (NotFound, OSError) as error:
            yield Read(error=str(error), blameless=True)
            continue
        trace, raw = read(data)
        envelope = None if isinstance(trace, Posting) else trace
        yield Read(envelope=envelope, message=parse(raw))
