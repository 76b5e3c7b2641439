"""`flask watch-emails` killed at any call, and servers that break off while it listens: the rows `watch`.

In flow a scene whose mailbox is on the tests' own IMAP server, out flow trials: mail comes while the process watches,
it dies before its n-th changing call (over all of its threads), another one goes on until nothing waits any more, and
ends when it is asked to. `watch-ear`: the server answers IDLE in an odd way, and all mail comes nevertheless.
"""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults import checker, record, rows, trials
from tests.faults.given import Given
from tests.faults.mailserver import ODD_IDLE
from tests.faults.record import Result, Trial
from tests.faults.shim import Shim
from tests.faults.trials import Far, FarEnd, Scene, scene

MAILS = 12
KINDS = ("new", "answer", "staff", "stranger", "machine", "copy", "new")
FAR = Far("imap")
READY = "ready"  # A file that says that a process can be asked to end.
LONGEST = 30.0  # Seconds after which a watch that has not come to rest never will.
PLACES = range(4, 754, 3)  # Changing calls; a whole run has about eight hundred.


class Dying(Shim):
    """Kills this process before its n-th changing call."""

    def __init__(self, root: Path, nth: int) -> None:
        super().__init__(root)
        self._nth = nth

    def _before(self, name: str, *paths: Any) -> None:
        super()._before(name, *paths)
        if len(self.calls) >= self._nth:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # It is the kernel that ends this, before the call.


def watched(root: Path, wear: Shim | None = None) -> dict[str, Any]:
    """`watch-emails` in this process, at a pace for which a test has time."""
    from eventum.config import Config
    from eventum.runners.watching import Pace, Watch
    from eventum.tracker.tracker import Tracker

    config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
    pace = Pace(look=0.05, ask=0.4, ask_heard=1.0, calm=0.0, mend=(0.05, 0.2))
    watch = Watch(lambda: Tracker(config).open(), print, pace)
    signal.signal(signal.SIGTERM, lambda number, frame: watch.stop())
    (root / READY).write_text("")
    if wear:
        wear.install()
    watch.run()
    return {"code": 0, "err": ""}


class Watched:
    """The trials on one scene; each worker has a far end of its own."""

    def __init__(self, made: Scene) -> None:
        self._scene = made
        self._far: FarEnd | None = None

    def kill(self, job: str) -> Trial:
        """It dies, and another goes on; runs differ, and one that is done before its place dies at an earlier one."""
        nth = int(job.removeprefix("KILL "))
        tried = (self._killed(at) for at in (nth, nth // 2, nth // 4))
        return next((trial for trial in tried if trial.disturbed or trial.faults), Trial(False))

    def _killed(self, nth: int) -> Trial:
        with self._ready() as (root, far):
            first = trials.begun(lambda: watched(root, Dying(root, nth)), root)
            killed = self._mail_comes(root, first)
            os.kill(first, signal.SIGTERM)
            trials.ended(first, root)
            (root / READY).unlink()
            wrong = self._scene.lost(root)
            return self._ended(root, far, trials.begun(lambda: watched(root), root), wrong, killed)

    def ear(self, job: str) -> Trial:
        """The server answers IDLE in an odd way."""
        with self._ready() as (root, far):
            (root / "box/idle").write_text(job.partition(" ")[0])
            child = trials.begun(lambda: watched(root), root)
            died = self._mail_comes(root, child)
            return self._ended(root, far, child, ["other: it died"] if died else [], True)

    def _ready(self) -> "_Ready":
        if self._far is None:
            self._far = FarEnd(self._scene.folder)
        self._far.forget()
        return _Ready(self._scene, self._far)

    def _mail_comes(self, root: Path, child: int) -> bool:
        """Mails come, a third at a time, each when the one before was decided; whether the process died meanwhile."""
        hidden = sorted((root / "later").iterdir(), key=lambda path: int(path.name.partition(".")[0]))
        third = -(-len(hidden) // 3)
        until = time.monotonic() + LONGEST
        while not (over := has_ended(child)) and (hidden or not is_at_rest(root)) and time.monotonic() < until:
            if hidden and is_at_rest(root):
                for path in hidden[:third]:
                    path.rename(root / "box" / path.name)
                del hidden[:third]
            threading.Event().wait(0.02)
        for path in hidden:
            path.rename(root / "box" / path.name)
        return over

    def _ended(self, root: Path, far: FarEnd, child: int, wrong: list[str], disturbed: bool) -> Trial:
        """Wait until nothing waits, end it, and look at everything."""
        rested = comes_true(lambda: (is_at_rest(root) and (root / READY).exists()) or has_ended(child))
        if not rested:
            wrong.append("stuck: it did not come to rest")
        os.kill(child, signal.SIGTERM)
        ran = trials.ended(child, root)
        if ran.code != 0:
            wrong.append(f"stuck: asked to end it ended with {ran.code}: {(root / 'output.txt').read_text()[-800:]}")
        wrong += trials.afterwards(root, (rows.DOWNLOAD, rows.QUEUE))
        wrong += [*self._scene.left(root), *checker.faults(root / "data", self._scene.given), *self._scene.lost(root)]
        wrong += checker.in_order(root / "data", self._scene.parents)
        never, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
        if len(twice) > 1:
            never.append(f"doubled: {twice} were delivered twice")
        return Trial(disturbed, (*wrong, *never), len(twice))


class _Ready:
    """A copy of the scene, most of whose mail comes later."""

    def __init__(self, made: Scene, far: FarEnd) -> None:
        self._copy = made.copy(far.port)
        self._far = far

    def __enter__(self) -> tuple[Path, FarEnd]:
        root = self._copy.__enter__()
        (root / "later").mkdir()
        for path in (root / "box").glob("*.eml"):
            if int(path.stem) > 2:
                shutil.move(path, root / "later" / path.name)
        return root, self._far

    def __exit__(self, *error: Any) -> None:
        self._copy.__exit__(*error)


def is_at_rest(root: Path) -> bool:
    """Whether all mail that came is decided and all that is due is sent."""
    places = [*(root / "box").glob("*.eml*")]
    places += [
        path for part in ("in/new", "in/cur", "out/new", "out/cur") for path in (root / "data/spool" / part).iterdir()
    ]
    places += [*(root / "data/state/intents").iterdir()]
    return not places and (root / "data/state/runs/download-emails.json").exists()


def has_ended(child: int) -> bool:
    """Whether a process is dead, without taking notice of it."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def comes_true(is_so: Callable[[], bool]) -> bool:
    """Whether it is so within the longest time there is."""
    until = time.monotonic() + LONGEST
    while not is_so():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.02)
    return True


def kills(given: Given) -> list[Result]:
    """Kills of a process that watches."""
    with scene(MAILS, KINDS, far=FAR) as made:
        jobs = given.some([f"KILL {nth}" for nth in PLACES], 3)
        return [record.run("watch", "kills", jobs, Watched(made).kill, keep=given.keep)]


def ears(given: Given) -> list[Result]:
    """Servers that break off while it listens."""
    with scene(MAILS, KINDS, far=FAR) as made:
        jobs = given.some([f"{how} {time}" for how in ODD_IDLE for time in range(4)], 2)
        return [record.run("watch-ear", "odd answers", jobs, Watched(made).ear, keep=given.keep)]


ROWS = {"watch": kills, "watch-ear": ears}
