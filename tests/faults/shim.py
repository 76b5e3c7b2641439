"""What a child process of a trial wears: every file call that changes something is counted, and one of them fails.

In flow the fault and its place, out flows a dead process or one whose call failed, or the list of all calls of a run.
The calls are wrapped where Python makes them, over all threads; `straced` kills from outside, as a check that nothing
goes past this. Calls that only look (`look` a file is opened to read, `list` a folder) count when somebody asks. The
broken variants of the product that prove the harness live here and nowhere in the product.
"""

import builtins
import errno
import io
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


# What cannot fail for want of room, and what alone needs a descriptor.
FREEING = ("unlink", "remove", "rmdir", "ftruncate", "truncate")
OPENING = ("open", "look", "list")


class Place(NamedTuple):
    """The n-th call of one kind: `step` is the call and what it is made on, `count` begins with 1."""

    step: str
    count: int

    @property
    def call(self) -> str:
        """The name of the call."""
        return self.step.partition(" ")[0]


class Fault(NamedTuple):
    """What happens at a place: `how` is KILL, or an error as in `errno`, with a + behind it for "from there on"."""

    how: str
    place: Place

    @property
    def job(self) -> str:
        """The fault as the name of a trial."""
        return f"{self.how} {self.place.count} {self.place.step}"

    @staticmethod
    def of(job: str) -> "Fault":
        """The fault of that name."""
        how, count, step = job.split(" ", 2)
        return Fault(how, Place(step, int(count)))

    def at(self, count: int) -> "Fault":
        """The same at an earlier or later place of its kind."""
        return Fault(self.how, Place(self.place.step, count))

    def is_possible(self) -> bool:
        """Whether that call can fail so."""
        number = self.how.rstrip("+")
        if self.place.call in ("look", "list"):
            return number in ("EMFILE", "EIO")
        return not (
            (number in ("ENOSPC", "EDQUOT") and self.place.call in FREEING)
            or (number == "EMFILE" and self.place.call not in OPENING)
        )


class Shim:
    """Counts the changing calls below a folder and lets the chosen one fail, or kills this process before it."""

    def __init__(self, root: Path, fault: Fault | None = None, *, looks: bool = False) -> None:
        self._root = str(root) + "/"
        self._fault = fault
        self._looks = looks or (fault is not None and fault.place.call in ("look", "list"))
        self._is_on = False
        self._names: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._guard = threading.Lock()
        self._real = os.open, os.write, os.close
        self.calls: list[Place] = []
        self.report = root / "report.txt"

    def install(self) -> None:
        """Wrap the calls; there is no way back."""
        real_open, _, real_close = self._real

        def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            self._before("open" if flags & os.O_CREAT else "look", path)
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
        os.scandir = self._on_path("list", os.scandir)
        builtins.open = io.open = self._on_path("look", builtins.open)

    def rest(self) -> None:
        """From now on nothing fails."""
        self._fault, self._is_on = None, False

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
        def call(path: Any = ".", *rest: Any, **more: Any) -> Any:
            if not isinstance(path, int):
                self._before(name, path)
            return real(path, *rest, **more)

        return call

    def _before(self, name: str, *paths: Any) -> None:
        texts = [os.fsdecode(os.fspath(path)) for path in paths]
        if not all(text.startswith(self._root) for text in texts):
            return
        if name in ("look", "list") and not (self._looks or self._is_on):
            return
        said = " -> ".join(text.removeprefix(self._root) for text in texts)
        step = f"{name} {_VARIABLE.sub('*', _MARKS.sub('', said))}"
        with self._guard:
            self._counts[step] += 1
            here = Place(step, self._counts[step])
            self.calls.append(here)
        if self._fault is None:
            return
        if here == self._fault.place:
            self._note(f"{name} {said}")
            if self._fault.how == "KILL":
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)  # It is the kernel that ends this, before the call.
            self._is_on = self._fault.how.endswith("+")
            self._fail()
        elif self._is_on and Fault(self._fault.how, here).is_possible():
            self._fail()

    def _note(self, call: str) -> None:
        opening, writing, close = self._real
        fd = opening(self.report, os.O_WRONLY | os.O_CREAT, 0o600)
        writing(fd, call.encode())
        close(fd)

    def _fail(self) -> None:
        assert self._fault is not None
        number = getattr(errno, self._fault.how.rstrip("+"))
        raise OSError(number, os.strerror(number))


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


def deletes_before_it_keeps() -> None:
    """Tells the server before the mail is durable."""
    from eventum.runners.account_fetch import AccountFetch

    real = AccountFetch._keep

    def keep(self: Any, mailbox: Any, batch: list[Any], position: Any) -> Any:
        if not self._account.leave_copy:
            mailbox.remove([mail.uid for mail in batch])
        return real(self, mailbox, batch, position)

    AccountFetch._keep = keep  # type: ignore[method-assign]


def says_nothing_of_failures() -> None:
    """Ends with 0 whatever happened."""
    from eventum.commands import edge

    edge.FAILED = edge.SET_UP = 0


BROKEN: dict[str, Callable[[], None]] = {
    "filed": never_asks_what_is_filed,
    "untold": forgets_the_duty_to_tell,
    "claims": leaves_the_claims_of_the_dead,
    "believes": believes_before_the_far_end,
    "early": deletes_before_it_keeps,
    "silent": says_nothing_of_failures,
}
