"""The guarded child of `tracker/reading`: paths on stdin, one a line; framed answers on stdout.

Started as `python -m eventum.tracker.reader CACHE MEMORY`. It has no secrets, opens only what it is told to, and may be
killed at any moment.
"""

import contextlib
import gc
import resource
import sys
from pathlib import Path

import msgspec

from eventum.tracker.reading import keep, readings_of


def main(cache: Path, memory: int) -> None:
    """Answer until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()
    encoder = msgspec.msgpack.Encoder()
    out = sys.stdout.buffer
    for answer in readings_of(line[:-1] for line in iter(sys.stdin.buffer.readline, b"")):
        if answer.message is not None:
            with contextlib.suppress(OSError):  # A cache that is full or gone costs time, never a mail.
                keep(cache, answer.message)
        frame = encoder.encode(answer)
        out.write(len(frame).to_bytes(4, "big") + frame)
        out.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
