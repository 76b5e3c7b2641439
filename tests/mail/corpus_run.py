"""Read every mail of a folder, and say what that was like: `python tests/mail/corpus_run.py FOLDER`.

Counts mails that raise behind the fence of `parse`, that take too long, on which the two readers differ, and that do
not survive JSON.  Exit code 1 when there is any.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eventum.mail.message import Message, message_of, parse  # noqa: E402
from eventum.mail.parts import fast_tree, prepared, read_tree, tolerant_tree  # noqa: E402

LIMIT = 2.0  # seconds for one mail


def differ(raw: bytes) -> bool:
    """Whether the fast and the tolerant reader make two different values of this mail."""
    bytes_, block = prepared(raw)
    fast = fast_tree(bytes_, block)
    tolerant = tolerant_tree(bytes_, block)
    if fast is None or "kept-whole" in tolerant.defects or "too-many-parts" in fast.defects:
        return False
    return message_of(fast) != message_of(tolerant)


def survives_json(message: Message) -> bool:
    """Whether the value comes back from JSON and from msgpack as it was."""
    again = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    return again == message == msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Message)


def run(folder: Path, show: Callable[[str], None]) -> int:
    """Read all mails under `folder`; the number of those that broke a promise."""
    seconds: list[tuple[float, str]] = []
    defects: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    bad = 0
    for path in sorted(folder.rglob("*.eml")):
        raw = path.read_bytes()
        name = str(path.relative_to(folder))
        start = time.perf_counter()
        message = parse(raw)
        seconds.append((time.perf_counter() - start, name))
        troubles = []
        try:
            again = message_of(read_tree(raw))
        except Exception as error:
            troubles.append(f"raises {error!r}")
        else:
            troubles += [] if again == message else ["two readings differ"]
        troubles += ["the two readers differ"] if differ(raw) else []
        troubles += [] if survives_json(message) else ["does not survive JSON"]
        troubles += ["too slow"] if seconds[-1][0] > LIMIT else []
        for trouble in troubles:
            show(f"{name}: {trouble}")
        bad += bool(troubles)
        defects.update(message.defects)
        counts["read by the fast reader"] += fast_tree(*prepared(raw)) is not None
        counts["no clear sender"] += not message.sender
        counts["automatic"] += bool(message.automatic)
        counts["with attachments"] += bool(message.attachments)
    slowest, name = max(seconds, default=(0.0, "none"))
    total = sum(second for second, _ in seconds)
    show(f"{len(seconds)} mails, {bad} bad; slowest {slowest * 1000:.1f} ms ({name}); all {total:.2f} s")
    show(", ".join(f"{key} {value}" for key, value in counts.items()))
    show("defects: " + ", ".join(f"{key} {value}" for key, value in defects.most_common()))
    return bad


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: corpus_run.py FOLDER-WITH-EML-FILES")
    sys.exit(1 if run(Path(sys.argv[1]), print) else 0)
