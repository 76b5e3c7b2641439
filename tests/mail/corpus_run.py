"""Read every mail of a folder, each in a child of its own, and say what that was like.

    python tests/mail/corpus_run.py FOLDER    with GOLD.jsonl in it also what other projects state (gold.py)

Counted are mails that raise behind the fence of `parse`, that take more than 2 seconds or 200 MB to read, or to show
(their HTML cleaned, their pieces cut, every part and every mail inside opened), that end their process, on which the
fast and the tolerant reader differ, and whose reading does not come back from JSON.  Exit code 1 when there is any, or
when too little of the gold holds.  No mail is written anywhere.
"""

import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eventum.mail import message as reading  # noqa: E402
from eventum.mail.html.markup import markup  # noqa: E402
from eventum.mail.message import Message, message_of, parse, part_bytes  # noqa: E402
from eventum.mail.parts import fast_tree, prepared, read_tree, tolerant_tree  # noqa: E402
from eventum.mail.quotes.quoting import pieces  # noqa: E402

LIMIT = 2.0  # seconds of CPU for reading one mail, and for showing it
MEMORY = 200  # MB, of the whole process at its peak
HANGS = 10  # seconds of CPU after which the kernel ends a child
SLEEPS = 300  # seconds after which it does so in any case
OPENED = 100  # parts of one mail; each is asked for by itself, and takes the mail apart again
ROOM = 2 << 30  # bytes of address space of a child, so that the machine stays alive


class Found(msgspec.Struct, kw_only=True):
    """What one child found: CPU seconds, MB at the peak."""

    name: str
    troubles: list[str] = []
    read: float = 0.0
    shown: float = 0.0
    peak: float = 0.0
    defects: tuple[str, ...] = ()
    counts: dict[str, bool] = {}


def differ(raw: bytes) -> bool:
    """Whether the fast and the tolerant reader make two different values of this mail."""
    bytes_, block = prepared(raw)
    fast = fast_tree(bytes_, block)
    tolerant = tolerant_tree(bytes_, block)
    if fast is None or any(each.startswith(("limit-", "kept-whole")) for each in (*tolerant.defects, *fast.defects)):
        return False
    return message_of(fast) != message_of(tolerant)


def survives_json(message: Message) -> bool:
    """Whether the value comes back from JSON and from msgpack as it was."""
    again = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    return again == message == msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Message)


def show_all(raw: bytes, depth: int = 5) -> None:
    """Do what the pages do with a mail: its pieces, its HTML, every part, and the same with each mail inside."""
    message = parse(raw)
    pieces(message.text)
    markup(raw)
    for attachment in message.attachments[:OPENED]:
        data = part_bytes(raw, attachment.part)
        if len(data) != attachment.size:
            raise AssertionError(f"part {attachment.part} has {len(data)} bytes, not {attachment.size}")
        if attachment.kind == "mail" and depth:
            show_all(reading.embedded(raw, attachment.part), depth - 1)


def found_in(path: Path, name: str) -> Found:
    """Read one mail, in this process, in every way there is."""
    raw = path.read_bytes()
    found = Found(name=name)
    began = time.process_time()
    message = parse(raw)
    found.read = time.process_time() - began
    found.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for what, check in _CHECKS.items():
        began = time.process_time()
        try:
            found.troubles += [] if check(raw, message) else [what]
        except Exception as error:
            found.troubles.append(f"{what}: {error!r}")
        if what == _SHOWS:
            found.shown = time.process_time() - began
    found.defects = message.defects
    found.counts = {
        "read by the fast reader": fast_tree(*prepared(raw)) is not None,
        "no clear sender": not message.sender,
        "automatic": bool(message.automatic),
        "with attachments": bool(message.attachments),
    }
    return found


_SHOWS = "cannot be shown"
_CHECKS: dict[str, Callable[[bytes, Message], bool]] = {
    "raises, or reads differently a second time": lambda raw, message: (
        message_of(read_tree(raw)) == message == parse(raw) and "unreadable" not in message.defects
    ),
    _SHOWS: lambda raw, message: show_all(raw) is None,
    "the two readers differ": lambda raw, message: not differ(raw),
    "does not survive JSON": lambda raw, message: survives_json(message),
}


def guarded(path: Path, name: str) -> Found:
    """The same in a child that the kernel watches over."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, HANGS)
        signal.setitimer(signal.ITIMER_REAL, SLEEPS)
        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            data = msgspec.json.encode(found_in(path, name))
        except BaseException as error:
            data = msgspec.json.encode(Found(name=name, troubles=[f"the reading raises {error!r}"]))
        with os.fdopen(into, "wb") as pipe:
            pipe.write(data)
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        said = pipe.read()
    _, status, _ = os.wait4(child, 0)
    if status or not said:
        code = os.waitstatus_to_exitcode(status)
        what = "hangs" if code in (-signal.SIGALRM, -signal.SIGPROF) else f"ends its process ({code})"
        return Found(name=name, troubles=[what])
    found = msgspec.json.decode(said, type=Found)
    for what, value, most in (
        ("seconds to read", found.read, LIMIT),
        ("seconds to show", found.shown, LIMIT),
        ("MB", found.peak, MEMORY),
    ):
        if value > most:
            found.troubles.append(f"takes {value:.1f} {what}")
    return found


def all_found(mails: list[tuple[Path, str]], workers: int) -> Iterator[Found]:
    """What was found in each mail; several processes take every so manieth."""
    pipes = []
    for number in range(workers):
        out, into = os.pipe()
        if not os.fork():
            os.close(out)
            with os.fdopen(into, "wb") as pipe:
                for path, name in mails[number::workers]:
                    pipe.write(msgspec.json.encode(guarded(path, name)) + b"\n")
            os._exit(0)
        os.close(into)
        pipes.append(out)
    for out in pipes:
        with os.fdopen(out, "rb") as pipe:
            yield from (msgspec.json.decode(line, type=Found) for line in pipe)
    for _ in pipes:
        os.wait()


def run(folder: Path, show: Callable[[str], None], workers: int = 0) -> int:
    """Read all mails under `folder`; the number of those that broke a promise."""
    mails = [(path, str(path.relative_to(folder))) for path in sorted(folder.rglob("*.eml"))]
    defects: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    every: list[Found] = []
    for found in all_found(mails, workers or min(4, os.cpu_count() or 1)):
        every.append(found)
        for trouble in found.troubles:
            show(f"{found.name}: {trouble}")
        defects.update(found.defects)
        counts.update(key for key, value in found.counts.items() if value)
    bad = sum(bool(found.troubles) for found in every) + len(mails) - len(every)
    show(f"{len(every)} mails, {bad} bad (raise, take over {LIMIT:.0f} s or {MEMORY} MB, differ, or do not come back)")
    if every:
        show(_most("slowest to read", every, lambda found: found.read * 1000, "ms"))
        show(_most("slowest to show", every, lambda found: found.shown * 1000, "ms"))
        show(_most("most memory", every, lambda found: found.peak, "MB"))
    show(", ".join(f"{key} {value}" for key, value in sorted(counts.items())))
    show("defects: " + ", ".join(f"{key} {value}" for key, value in defects.most_common()))
    return bad


def _most(what: str, every: list[Found], value: Callable[[Found], float], unit: str) -> str:
    most = max(every, key=value)
    middle = sorted(map(value, every))[len(every) // 2]
    return f"{what}: {value(most):.1f} {unit} ({most.name}); half of all below {middle:.2f} {unit}"


def main(folder: Path) -> int:
    """Both runs; the exit code."""
    bad = run(folder, print)
    if (folder / "GOLD.jsonl").is_file():
        from tests.mail import gold

        print()
        bad += gold.run(folder, print)
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: corpus_run.py FOLDER-WITH-EML-FILES")
    sys.exit(main(Path(sys.argv[1])))
