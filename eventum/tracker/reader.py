"""The guarded child of `tracker/reading`: questions on stdin, framed answers on stdout.

Started as `python -m eventum.tracker.reader CACHE LIMITS IDLE`. A question is what is wanted, a tab, a path and `END`.
It has no secrets, opens only what it is told to, and may be killed at any moment.

The kernel watches over it: a timer of CPU seconds is wound up before each mail and ends it also within C code, and so
does the limit of the address space, unless Python can still say MemoryError; then the mail is read in a simpler way.
"""

import contextlib
import gc
import os
import resource
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from eventum.errors import NotFound
from eventum.mail.envelope import Posting, read
from eventum.mail.message import embedded, parse
from eventum.mail.parts import MAX_SIZE
from eventum.store import files
from eventum.tracker.limits import END, HELLO, Limits, Read
from eventum.tracker.reading import keep

ROOM = 128 << 20  # Bytes of memory for the program itself, and for what no mail's size explains.
FACTOR = 6  # Memory that reading takes at most, in sizes of the mail; measured 5.5.
MOST = MAX_SIZE + (
    1 << 20
)  # Bytes of a stored mail that are looked at: what is read of a mail, and our trace above it.
A_SECOND = 16 << 20  # Bytes of a mail that may take a second of CPU more; measured 0.1.


def main(cache: Path, limits: Limits, idle: float) -> None:
    """Answer until stdin ends."""
    out = os.dup(1)
    os.dup2(2, 1)  # What anything below prints must not stand between two answers.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()
    encoder = msgspec.msgpack.Encoder()
    _write(out, HELLO)
    for number, question in enumerate(questions(0, idle)):
        what, _, path = question.partition(b"\t")
        _bound(limits, min(_size(path), MOST))
        answer = msgspec.structs.replace(answer_to(what.decode(), path), number=number)
        frame = encoder.encode(answer)
        if what == b"read" and answer.message is not None and len(frame) <= limits.answer:
            with contextlib.suppress(OSError):  # A cache that is full or gone costs time, never a mail.
                keep(cache, answer.message)
        if len(frame) > limits.answer:
            frame = encoder.encode(Read(error=f"what it says is too much: {len(frame)} bytes", number=number))
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(out, len(frame).to_bytes(4, "big") + frame)


def questions(fd: int, idle: float) -> Iterator[bytes]:
    """The questions that come in, until there are no more or none came for so many seconds (0: for ever)."""
    waiting = b""
    while True:
        while END in waiting:
            question, _, waiting = waiting.partition(END)
            yield question
        if idle and not select.select([fd], [], [], idle)[0]:
            return
        data = os.read(fd, 1 << 16)
        if not data:
            return
        waiting += data


def answer_to(what: str, path: bytes) -> Read:
    """What is wanted of one mail: "read", "html" or "remote" (HTML with remote pictures); with ":3/2" behind it of the
    mail that lies in this one at that path.
    """
    try:
        # Of a huge mail only as much as anybody would look at.
        data = files.read(os.fsdecode(path)) if _size(path) <= MOST else files.read_head(os.fsdecode(path), MOST)
    except (NotFound, OSError) as error:
        return Read(error=str(error), blameless=True)
    trace, raw = read(data)
    wanted, _, inside = what.partition(":")
    try:
        if wanted != "read":
            from eventum.mail.html.markup import markup  # Few children are ever asked for it.

            return Read(markup=msgspec.json.encode(markup(raw, inside, remote=wanted == "remote")))
        if inside:
            return Read(message=parse(embedded(raw, inside)))
    except NotFound as error:
        return Read(error=str(error), absent=True)
    envelope = None if isinstance(trace, Posting) else trace
    return Read(envelope=envelope, message=parse(raw))


def _size(path: bytes) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _bound(limits: Limits, size: int) -> None:
    """Let the kernel end this process when the next mail takes too much; the timer is not caught, so C code obeys."""
    signal.setitimer(signal.ITIMER_PROF, limits.work + size / A_SECOND)
    memory = max(limits.memory, ROOM + FACTOR * size)
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


if __name__ == "__main__":
    main(Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Limits), float(sys.argv[3]))
