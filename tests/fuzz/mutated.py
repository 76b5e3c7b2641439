"""Mails that were damaged on purpose, read until the time is over: `python tests/fuzz/mutated.py FOLDER`.

    --seconds 300    how long; --seed TEXT: the same mails again, in the same order; --workers 2

Each mail is one of the folder, or two, with bytes flipped, cut, doubled, exchanged, spliced, nested or sown with pieces
that were trouble to somebody.  It must be read without a fall behind the fence of `parse`, be shown, come back from
JSON, be read alike by both readers, and take no more time than its size allows.  Each worker is watched over by the
kernel, so that a hang is found as well.  What fails is made small and saved; its path is named.  Exit code 1 then.
"""

import argparse
import contextlib
import mmap
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eventum.mail.message import message_of, parse  # noqa: E402
from eventum.mail.parts import read_tree  # noqa: E402
from tests.fuzz.inputs import PIECES  # noqa: E402
from tests.mail.corpus_run import differ, show_all, survives_json  # noqa: E402

LARGEST = 100_000  # bytes of a mail that is damaged: many small ones find more than a few large ones
GROWN = 400_000  # bytes that a damaged one may have
HANGS = 10  # seconds of CPU after which the kernel ends a worker
SLEEPS = 300  # seconds after which it does so in any case
SLOWEST = 2.0  # seconds of CPU for reading and for showing one mail
ROOM = 1 << 30  # bytes of address space of a worker
SMALLER = 10.0  # seconds for making a mail small that fails
SPARE = 65536  # bytes shared with a worker: the mail's number, or the name of what went wrong

Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _place(rng: random.Random, raw: bytes) -> int:
    return rng.randint(0, len(raw))


def _span(rng: random.Random, raw: bytes) -> tuple[int, int]:
    start = _place(rng, raw)
    return start, min(len(raw), start + int(rng.paretovariate(0.5)))


def flip(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Some bytes with a bit turned over."""
    data = bytearray(raw)
    for _ in range(rng.randint(1, 20) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """A span taken out, or all behind it."""
    start, end = _span(rng, raw)
    return raw[:start] + (raw[end:] if rng.random() < 0.7 else b"")


def double(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """A span many times."""
    start, end = _span(rng, raw)
    end = min(end, start + 2000)
    return raw[:start] + raw[start:end] * rng.choice((2, 2, 3, 10, 100)) + raw[end:]


def exchange(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Two lines that changed places."""
    lines = raw.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def splice(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """The beginning of one mail and the end of another."""
    other = rng.choice(others)
    return raw[: _place(rng, raw)] + other[_place(rng, other) :]


def graft(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """A span of another mail in the midst of this one."""
    other = rng.choice(others)
    start, end = _span(rng, other)
    place = _place(rng, raw)
    return raw[:place] + other[start:end] + raw[place:]


def sow(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Pieces that were trouble to somebody, at some places."""
    for _ in range(rng.randint(1, 8)):
        place = _place(rng, raw[: rng.choice((2000, len(raw)))])
        raw = raw[:place] + rng.choice(PIECES) * rng.choice((1, 1, 1, 5, 200)) + raw[place:]
    return raw


def nest(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """The mail in a mail, or in a multipart, several times over."""
    for number in range(rng.choice((1, 2, 6, 30))):
        if len(raw) > GROWN:
            break
        boundary = b"b%d" % (0 if rng.random() < 0.1 else number)
        type_ = rng.choice((b"mixed", b"alternative", b"related", b"report", b"signed", b"digest"))
        head = b"Subject: %d\nContent-Type: multipart/%s; boundary=%s\n\n--%s\n" % (number, type_, boundary, boundary)
        inner = rng.choice((b"Content-Type: message/rfc822\n\n", b""))
        raw = head + inner + raw + b"\n--" + boundary + rng.choice((b"--\n", b"\n\nmore\n", b""))
    return raw


def ends(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Other line ends, everywhere or here and there."""
    new = rng.choice((b"\r\n", b"\r", b"\n", b"\n\r", b"\r\r\n", b"\0\n"))
    return raw.replace(b"\r\n", b"\n").replace(b"\n", new, rng.choice((1, 5, -1)))


CHANGES: tuple[Change, ...] = (flip, cut, double, exchange, splice, graft, sow, sow, nest, ends)


def damaged(seed: str, mails: Sequence[bytes]) -> bytes:
    """The mail of a seed."""
    rng = random.Random(seed)
    raw = rng.choice(mails)
    for _ in range(rng.choice((1, 1, 2, 2, 3, 5))):
        raw = rng.choice(CHANGES)(rng, raw, mails)[:GROWN]
    return raw


def trouble(raw: bytes) -> str:
    """What is wrong with how this mail is read, "" if nothing is."""
    began = time.process_time()
    try:
        message = message_of(read_tree(raw))
        if message != parse(raw):
            return "two readings differ"
        if not survives_json(message):
            return "does not come back from JSON"
        if differ(raw):
            return "the two readers differ"
        show_all(raw)
    except Exception as error:
        return repr(error)[:500]
    seconds = time.process_time() - began
    return f"took {seconds:.1f} s" if seconds > SLOWEST else ""


def work(mails: Sequence[bytes], seed: str, first: int, until: float, shared: mmap.mmap) -> None:
    """Read damaged mails in this process; what is being read stands in `shared`, so that a hang can be named."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    number = first
    while time.monotonic() < until:
        shared[:16] = b"%16d" % number
        signal.setitimer(signal.ITIMER_PROF, HANGS)
        signal.setitimer(signal.ITIMER_REAL, SLEEPS)
        said = trouble(damaged(f"{seed}-{number}", mails))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if said:
            data = said.encode("utf-8", "replace")[: SPARE - 32]
            shared[16:32] = b"%16d" % len(data)
            shared[32 : 32 + len(data)] = data
            os._exit(1)
        number += 1
    os._exit(0)


def smaller(raw: bytes, still: Callable[[bytes], bool]) -> bytes:
    """A smaller mail that fails as well, as far as some seconds lead."""
    until = time.monotonic() + SMALLER
    step = max(1, len(raw) // 2)
    while step and time.monotonic() < until:
        at = 0
        while at < len(raw) and time.monotonic() < until:
            less = raw[:at] + raw[at + step :]
            signal.setitimer(signal.ITIMER_PROF, HANGS)
            if still(less):
                raw = less
            else:
                at += step
        step //= 2
    signal.setitimer(signal.ITIMER_PROF, 0)
    return raw


class Worker:
    """A child that reads, and its number of the mail at hand."""

    def __init__(self, mails: Sequence[bytes], seed: str, until: float) -> None:
        self._mails, self._seed, self._until = mails, seed, until
        self._shared = mmap.mmap(-1, SPARE)
        self.done = 0
        self.start(0)

    def start(self, first: int) -> None:
        """Begin, or go on behind a mail that failed."""
        self._shared[:] = b"\0" * SPARE
        self._shared[:16] = b"%16d" % first
        self.pid = os.fork()
        if not self.pid:
            work(self._mails, self._seed, first, self._until, self._shared)

    def ended(self, status: int, folder: Path) -> str:
        """What the child found, and the path of the mail; "" when its time was over."""
        number = int(self._shared[:16])
        code = os.waitstatus_to_exitcode(status)
        self.done = number
        if not code:
            return ""
        raw = damaged(f"{self._seed}-{number}", self._mails)
        if code > 0:
            said = self._shared[32 : 32 + int(self._shared[16:32])].decode("utf-8", "replace")
            raw = smaller(raw, lambda less: _kind(trouble(less)) == _kind(said))
        else:
            said = "hangs" if code in (-signal.SIGALRM, -signal.SIGPROF) else f"ended by signal {-code}"
        path = folder / f"{self._seed}-{number}.eml"
        path.write_bytes(raw)
        self.start(number + 1)
        return f"{said}: {path}"


def _kind(said: str) -> str:
    return said.partition("(")[0]


def _give_up(number: int, frame: object) -> None:
    raise TimeoutError("took too long to make smaller")


def mails_of(folder: Path) -> list[bytes]:
    """The mails that are damaged."""
    paths = [path for path in sorted(folder.rglob("*.eml")) if 0 < path.stat().st_size <= LARGEST]
    return [path.read_bytes() for path in paths]


def run(folder: Path, seconds: float, seed: str, workers: int) -> int:
    """Read until the time is over; the number of mails that failed."""
    mails = mails_of(folder)
    saved = Path(tempfile.gettempdir()) / "eventum-fuzz"
    saved.mkdir(exist_ok=True)
    signal.signal(signal.SIGPROF, _give_up)
    until = time.monotonic() + seconds
    working = {worker.pid: worker for worker in (Worker(mails, f"{seed}-{n}", until) for n in range(workers))}
    done = bad = 0
    while working:
        pid, status = os.wait()
        worker = working.pop(pid)
        said = worker.ended(status, saved)
        if said:
            bad += 1
            print(said, flush=True)
            working[worker.pid] = worker
        else:
            done += worker.done
    with contextlib.suppress(OSError):
        saved.rmdir()  # when nothing lies in it
    print(f"{done} damaged mails, {bad} failed; seed {seed}, {len(mails)} mails of {folder}, {seconds:g} s")
    return bad


def main() -> int:
    """Read the options; the exit code."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--seed", default="")
    options.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = options.parse_args()
    return 1 if run(given.folder, given.seconds, given.seed or f"{time.time_ns():x}", given.workers) else 0


if __name__ == "__main__":
    sys.exit(main())
