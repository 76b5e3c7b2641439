"""What a mail says, read once, in a guarded child with limits of time and memory.

Flows in: paths of stored mails. Flows out: envelope and message of each, in the order in which they were asked for, or
why one could not be read. The reading is kept in the cache by digest; views and lists use only that, and have it made
again, by a child too, when it is missing (`guard`). Nothing here decides about a mail.

The child (`python -m eventum.tracker.reader`) works ahead on another core while its parent decides. When it dies or
hangs on a mail, or answers what nobody can read, that mail alone is accused, and a new child goes on with the next. A
child that cannot be started at all accuses nobody.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.mail.envelope import read
from eventum.mail.message import READING, Message
from eventum.store import files, records
from eventum.tracker.limits import END, HELLO, LIMITS, Limits, Read

PIPE = 1 << 20  # Bytes: questions and answers of a whole batch, so that neither side waits for the other.
AHEAD = 200  # Mails asked for at most before one answer is taken: more of the longest paths could fill the pipe.
# For glibc: what one large mail needed is kept for the next; to ask the kernel each time is a third of all the work.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "67108864"}
_decoder = msgspec.msgpack.Decoder(Read)  # Made at once: see `records.MAKING`.


class _NotStarted(Exception):
    """The child never said that it is ready."""


class Reader:
    """A guarded child that reads mails; started when the first one is asked for."""

    def __init__(self, cache: Path, limits: Limits | None = None, *, idle: float = 0.0) -> None:
        self._cache = cache
        self._limits = limits or LIMITS
        self._idle = idle  # Seconds after which a child that is asked nothing ends by itself; 0: never.
        self._used = 0.0
        self._asked: deque[bytes] = deque()
        self._sent = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._answered = 0  # by this child
        self._missing = ""  # Why no child can be started, for the questions that were asked.
        self._buffer = bytearray()

    def ask(self, path: str, what: str = "read") -> None:
        """Let a mail be read; its answer comes after those of the mails asked for before.

        `what` else: see `reader.answer_to`.
        """
        if not self._asked:
            self._missing = ""
            if self._idle and time.monotonic() - self._used > self._idle / 2:
                self._end()  # It may be about to end by itself.
        self._asked.append(what.encode() + b"\t" + os.fsencode(path))
        self._send()

    def _send(self) -> None:
        while self._sent < min(len(self._asked), AHEAD) and not self._missing:
            try:
                child = self._started()
                assert child.stdin is not None
                child.stdin.write(self._asked[self._sent] + END)
                child.stdin.flush()
            except BrokenPipeError:  # It died; `answer` finds out on which mail.
                return
            except OSError as error:  # No memory or no process to be had just now.
                self._missing = f"The reader cannot be started: {error.strerror or error}; mail waits."
                return
            self._sent += 1

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            given = msgspec.json.encode(self._limits).decode()
            command = [sys.executable, "-m", "eventum.tracker.reader", str(self._cache), given, str(self._idle)]
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
            self._ready = False
            self._answered = 0
        return self._child

    def answer(self) -> Read:
        """The answer for the mail that was asked for longest ago."""
        self._send()
        try:
            if self._missing:
                raise _NotStarted(self._missing)
            found = _decoder.decode(self._frame())
            if found.number != self._answered:
                raise msgspec.ValidationError("an answer to another question")
        except _NotStarted as error:
            # Every mail would be accused of it, and buried three runs later.
            self._missing = str(error)
            self._end()
            self._asked.popleft()
            self._sent = 0
            return Read(error=self._missing, blameless=True)
        except (TimeoutError, EOFError, msgspec.MsgspecError) as error:
            said = "the reader answered nonsense" if isinstance(error, msgspec.MsgspecError) else str(error)
            self._end()
            name = Path(os.fsdecode(self._asked.popleft())).name.partition(",")[0].partition(":")[0]
            self._sent = 0
            self._send()
            return Read(error=f"{said} while reading {name}")
        self._used = time.monotonic()
        self._answered += 1
        self._asked.popleft()
        self._sent = max(0, self._sent - 1)
        self._send()
        return found

    def _frame(self) -> bytes:
        """The next answer's bytes. Raises `TimeoutError` when the child hangs, `EOFError` when it is dead or mad."""
        self._started()
        if not self._ready:
            try:
                hello = self._bytes(len(HELLO), self._limits.start)
            except (TimeoutError, EOFError) as error:
                raise _NotStarted(f"The reader cannot be started ({error}); mail waits until it can.") from None
            if hello != HELLO:
                raise _NotStarted("The reader cannot be started: something else answers; mail waits until it can.")
            self._ready = True
        deadline = time.monotonic() + self._limits.wait
        length = int.from_bytes(self._bytes(4, self._limits.wait), "big")
        if length > self._limits.answer:
            raise EOFError(f"the reader gave an answer of {length} bytes, or nonsense,")
        return self._bytes(length, deadline - time.monotonic())

    def _bytes(self, count: int, seconds: float) -> bytes:
        """So many bytes of what the child says."""
        deadline = time.monotonic() + seconds
        child = self._started()
        assert child.stdout is not None
        fd = child.stdout.fileno()
        while len(self._buffer) < count:
            ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the reader took longer than {seconds:.3g} s")
            data = os.read(fd, 1 << 18)
            if not data:
                raise EOFError(f"the reader {_ended(child.wait())}")
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

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
        self._sent = 0
        if self._child is not None:
            self._end()

    def disown(self) -> None:
        """Forget a child that is another process's: this one was forked off with a copy of what it holds."""
        child, self._child = self._child, None
        if child is not None:
            child.returncode = 0  # It is not ours to wait for.
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()


def _ended(code: int) -> str:
    """How a child ended, in words."""
    if code == -signal.SIGPROF:
        return "worked longer than it may"
    if code < 0:
        return f"died ({signal.Signals(-code).name if -code in signal.valid_signals() else -code})"
    return f"died ({code})"


def cached_path(cache: Path, digest: str) -> Path:
    """Where the reading of a mail with this digest is kept."""
    return cache / "readings" / digest[:2] / f"{digest}.json"


def keep(cache: Path, message: Message, digest: str = "") -> None:
    """Keep a reading in the cache, under the digest by which a record knows the mail."""
    path = cached_path(cache, digest or message.digest)
    if not path.parent.is_dir():
        files.make_folders([path.parent], durable=False)
    files.atomic_write(path, msgspec.json.encode(message), durable=False)


def cached(cache: Path, digest: str) -> Message | None:
    """What a mail says, if it was read before, by a reader of this edition."""
    try:
        found = records.decode(files.read(cached_path(cache, digest)), Message, digest)
    except (NotFound, Damaged):
        return None
    return found if found.reading == READING else None


def raw_bytes(stored: Path) -> bytes:
    """The bytes of a stored mail as they were received, without our trace headers. Raises `NotFound`."""
    return read(files.read(stored))[1]
