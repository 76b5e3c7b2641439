"""A child that reads mail, forked before it is wanted: a trial that starts Python anew takes twice as long.

In flow a process of a trial that has no threads yet, out flows a stand-in for `subprocess.Popen` that hands the spare
child to the first who wants one; it runs what the real one runs. Children that a row makes evil are started as usual.
"""

import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

MOST = 1024  # Descriptors that a trial has at most.


class Spare:
    """A forked child that waits to be told what to read; to who uses it, it looks like a Popen."""

    def __init__(self) -> None:
        asked, asking = os.pipe()
        told, telling = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.dup2(asked, 0)
                os.dup2(telling, 1)
                os.closerange(3, MOST)  # Somebody may wait for the end of a pipe that this child would hold open.
                serve()
                code = 0
            finally:
                os._exit(code)
        os.close(asked)
        os.close(telling)
        self.stdin, self.stdout = os.fdopen(asking, "wb", buffering=0), os.fdopen(told, "rb", buffering=0)

    def kill(self) -> None:
        """End it."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """How it ended."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def serve() -> None:
    """The child: read what is wanted of it, then be the reader; nothing is wanted when whoever made it ends."""
    import msgspec

    from eventum.tracker import reader
    from eventum.tracker.limits import Limits

    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return
        line += byte
    cache, given, idle = msgspec.json.decode(line, type=tuple[str, str, str])
    reader.main(Path(cache), msgspec.json.decode(given, type=Limits), float(idle))


def prepare() -> None:
    """Have one ready for this process, in place of the first that it starts."""
    import msgspec

    from eventum.tracker import reading

    ready = [Spare()]

    def popen(command: list[str], **more: Any) -> Any:
        if not ready or "evil" in more["env"]["PYTHONPATH"]:
            return subprocess.Popen(command, **more)
        spare = ready.pop()
        spare.stdin.write(msgspec.json.encode(command[-3:]) + b"\n")
        return spare

    reading.subprocess = SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE)  # type: ignore[assignment]
