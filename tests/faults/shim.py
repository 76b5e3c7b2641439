"""What a child process of a trial wears: every file call that changes something is counted, and one of them is fatal.

In flow the place to die at, out flows a dead process, or the list of all calls of a run. The calls are wrapped where
Python makes them, over all threads; `test_strace.py` kills from outside, as a check that nothing goes past this. The
broken variants of the product that prove the harness live here and nowhere in the product.
"""

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# The numbers, keys, ids and names of hosts in a path, so that the same step of two mails has the same name.
_VARIABLE = re.compile(
    r"""
    [0-9a-z]+-[0-9]+-[0-9a-f]{8}(\.[0-9]+)?   # a maker, and a temporary name of his
    | [0-9a-f]{16,64}                         # keys, ids and digests
    | \b[0-9]+\b                              # numbers of issues, events, mails
    """,
    re.VERBOSE,
)
_MARKS = re.compile(r"(,[ANR]=[^,:/]*)+")


class Place(NamedTuple):
    """The n-th call of one kind: `step` is the call and what it is made on, `count` begins with 1."""

    step: str
    count: int


class Shim:
    """Counts the changing calls below a folder and acts before the chosen one."""

    def __init__(self, root: Path, place: Place | None, act: Callable[[str], None]) -> None:
        self._root = str(root) + "/"
        self._place = place
        self._act = act
        self._names: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._guard = threading.Lock()
        self.calls: list[Place] = []

    def install(self) -> None:
        """Wrap the calls; there is no way back."""
        real_open, real_close = os.open, os.close

        def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            if flags & os.O_CREAT:
                self._before("open", path)
            fd = real_open(path, flags, *rest, **more)
            self._names[fd] = os.fspath(path)
            return fd

        def closed(fd: int) -> None:
            self._names.pop(fd, None)
            real_close(fd)

        os.open, os.close = opened, closed
        for name in ("write", "pwrite", "fsync", "fdatasync", "ftruncate"):
            setattr(os, name, self._on_descriptor(name, getattr(os, name)))
        for name in ("rename", "replace", "link"):
            setattr(os, name, self._on_two(name, getattr(os, name)))
        for name in ("unlink", "remove", "mkdir", "rmdir", "truncate"):
            setattr(os, name, self._on_path(name, getattr(os, name)))

    def _on_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(fd: int, *rest: Any) -> Any:
            if fd in self._names:
                self._before(name, self._names[fd])
            return real(fd, *rest)

        return call

    def _on_two(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(source: Any, target: Any, **more: Any) -> Any:
            self._before(name, source, target)
            return real(source, target, **more)

        return call

    def _on_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **more: Any) -> Any:
            self._before(name, path)
            return real(path, *rest, **more)

        return call

    def _before(self, name: str, *paths: Any) -> None:
        texts = [os.fsdecode(os.fspath(path)) for path in paths]
        if not all(text.startswith(self._root) for text in texts):
            return
        said = " -> ".join(text.removeprefix(self._root) for text in texts)
        step = f"{name} {_VARIABLE.sub('*', _MARKS.sub('', said))}"
        with self._guard:
            self._counts[step] += 1
            here = Place(step, self._counts[step])
            self.calls.append(here)
        if here == self._place:
            self._act(f"{name} {said}")


def killing(report: Path) -> Callable[[str], None]:
    """Notes the call that is about to be made, then this process is dead."""
    write, opening = os.write, os.open

    def act(call: str) -> None:
        write(opening(report, os.O_WRONLY | os.O_CREAT, 0o600), call.encode())
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # It is the kernel that ends this, before the call.

    return act


def failing(report: Path, number: int) -> Callable[[str], None]:
    """Notes the call that is about to be made, then it fails with this error."""
    write, opening, close = os.write, os.open, os.close

    def act(call: str) -> None:
        fd = opening(report, os.O_WRONLY | os.O_CREAT, 0o600)
        write(fd, call.encode())
        close(fd)
        raise OSError(number, os.strerror(number))

    return act


# Broken copies of the product: each lacks one of the things that keep a promise.


def never_asks_what_is_filed() -> None:
    """Without the first question of a decision, and its other half in recovery."""
    from eventum.store.index import Index
    from eventum.store.recovery import Recovery

    Index.filed = lambda self, key: None  # type: ignore[method-assign]
    Recovery._bring_to_end = lambda self, intent: 0  # type: ignore[method-assign]


def forgets_the_duty_to_tell() -> None:
    """Drops what a dead run had ready to be sent."""
    from eventum.store.recovery import Recovery

    Recovery._is_owed = lambda self, posting: False  # type: ignore[method-assign]


def leaves_the_claims_of_the_dead() -> None:
    """Never takes back what a dead run had in hand."""
    from eventum.store.spool import Spool

    Spool.take_back = lambda self, alive: 0  # type: ignore[method-assign]


def believes_before_the_far_end() -> None:
    """Calls a mail sent before the server said so."""
    from eventum.runners.outgoing import Outgoing
    from eventum.transport.smtp import Connection
    from tests.faults.trials import REFUSED

    real = Outgoing._one

    def one(self: Any, connection: Connection, entry: Any) -> None:
        posting, data = self._tracker.outbox.read(entry)
        if posting.recipient == REFUSED:
            real(self, connection, entry)
            return
        self._tracker.outbox.sent(entry, "250 surely")
        connection.send(posting.sender, posting.recipient, data)
        self._result.sent += 1

    Outgoing._one = one  # type: ignore[method-assign]


BROKEN: dict[str, Callable[[], None]] = {
    "filed": never_asks_what_is_filed,
    "untold": forgets_the_duty_to_tell,
    "claims": leaves_the_claims_of_the_dead,
    "believes": believes_before_the_far_end,
}
