"""What a network file system says: done, and yet an error, for it asked twice; a stale handle; no locks.

In flow the number of a call of a run, out flows what the run and the usual runs after it make of the answer. An answer
of `rename` or `link` that tells of a failure although the call was done is what a client hears that lost the first
answer; ESTALE is what a reader hears whose file was replaced by another host. The row: `nfs`.
"""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults import checker, hands, record, trials
from tests.faults.edits import history
from tests.faults.given import Given
from tests.faults.hands import Task
from tests.faults.office import Office, office
from tests.faults.record import Result, Trial
from tests.faults.trials import FarEnd

DOWNLOAD, QUEUE = "download-emails", "process-queue"
# What is said of a call that was done, by its name.
SAID = {"rename": errno.ENOENT, "link": errno.EEXIST, "unlink": errno.ENOENT, "mkdir": errno.EEXIST}
WHATS = ("download", "queue", "edits")


def nfs(given: Given) -> list[Result]:
    """Calls that were done and failed, files that are stale, locks that there are none of."""
    with office(30) as made:
        jobs: list[str] = []
        for what in WHATS:
            counts = _counted(made, what)
            for name, many in counts.items():
                wanted = min(many, 40 if name in ("rename", "link") else 14)
                jobs += [f"{what} {name} {1 + many * at // wanted}" for at in range(wanted)]
            jobs.append(f"{what} flock 1")
        if given.short:
            jobs = ["download rename 9", "download link 3", "queue rename 5", "edits rename 4"]
        return [
            record.run(
                "nfs", "odd answers", given.some(jobs, len(jobs)), lambda job: answered(made, job), keep=given.keep
            )
        ]


def _act(root: Path, what: str) -> dict[str, Any]:
    if what == "edits":
        done = hands.work("verbs", root, Task(1, 0, 6, [1]))
        return {"code": 0, "err": "", "done": done["done"]}
    return trials.flask(root, DOWNLOAD if what == "download" else QUEUE)


def _worn(root: Path, name: str, place: int) -> dict[str, int]:
    """Let the n-th call of this name below the store answer oddly; how many calls of each there were."""
    counts = dict.fromkeys((*SAID, "open"), 0)
    for one in ("rename", "replace", "link", "unlink", "mkdir", "open"):
        setattr(
            os,
            one,
            _odd(getattr(os, one), "rename" if one == "replace" else one, str(root / "data"), counts, name, place),
        )
    if name == "flock":
        real = fcntl.flock

        def flock(fd: int, operation: int) -> None:
            if operation & fcntl.LOCK_UN:
                real(fd, operation)
                return
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        fcntl.flock = flock
    return counts


def _odd(  # noqa: PLR0913 - it is put together in one place
    real: Callable[..., Any], one: str, root: str, counts: dict[str, int], name: str, place: int
) -> Callable[..., Any]:
    def call(*given: Any, **more: Any) -> Any:
        ours = isinstance(given[0], str | os.PathLike) and os.fspath(given[0]).startswith(root)
        if one == "open" and ours:
            ours = not given[1] & (os.O_CREAT | os.O_DIRECTORY) and os.path.isfile(given[0])
        if not ours:
            return real(*given, **more)
        counts[one] += 1
        if one != name or counts[one] != place:
            return real(*given, **more)
        if one == "open":
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), given[0])
        real(*given, **more)
        raise OSError(SAID[one], os.strerror(SAID[one]), given[0])

    return call


def _counted(made: Office, what: str) -> dict[str, int]:
    with made.copy(1) as root:

        def body() -> dict[str, int]:
            counts = _worn(root, "", 0)
            _act(root, what)
            return counts

        if what == "queue":
            trials.forked(lambda: trials.flask(root, DOWNLOAD), root)
            far = FarEnd(made.folder)
            try:
                with made.copy(far.port) as sending:
                    trials.forked(lambda: trials.flask(sending, DOWNLOAD), sending)

                    def send() -> dict[str, int]:
                        counts = _worn(sending, "", 0)
                        _act(sending, what)
                        return counts

                    return dict(trials.forked(send, sending).result)
            finally:
                far.close()
        return dict(trials.forked(body, root).result)


def answered(made: Office, job: str) -> Trial:
    """One trial: `<what> <call> <n>`."""
    what, name, place = job.split()
    far = FarEnd(made.folder)
    try:
        with made.copy(far.port) as root:
            if what == "queue":
                trials.forked(lambda: trials.flask(root, DOWNLOAD), root)

            def body() -> dict[str, Any]:
                counts = _worn(root, name, int(place))
                try:
                    return {**_act(root, what), "counts": counts}
                except OSError as error:
                    return {"code": 0, "err": str(error), "done": [], "counts": counts}

            ran, wrong = trials.forked(body, root), []
            if ran.result is None:
                wrong.append(f"other: it ended with {ran.code}: {(root / 'output.txt').read_text()[-1500:]}")
            elif ran.code not in (0, 1, 75, 78) or (ran.code and not ran.result["err"].strip()):
                wrong.append(f"silent: it ended with {ran.code}: {ran.result}")
            elif name == "flock" and what != "edits" and not ran.code:
                wrong.append(f"silent: without locks it ended with {ran.code}: {ran.result}")
            came = name == "flock" or (ran.result or {}).get("counts", {}).get(name, 0) >= int(place)
            trials.time_passes(root / "data")
            wrong += trials.afterwards(root, [DOWNLOAD, QUEUE])
            wrong += checker.faults(root / "data", None) + made.lost(root) + made.left(root)
            wrong += checker.in_order(root / "data", made.parents)
            done = [hands.Change(*one) for one in (ran.result or {}).get("done", ())]
            wrong += history(root / "data", done, [])
            never, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
            return (
                Trial(came, (*wrong, *never), len(twice))
                if len(twice) <= 1
                else Trial(came, (*wrong, *never, f"doubled: {twice}"))
            )
    finally:
        far.close()


ROWS: dict[str, Callable[[Given], list[Result]]] = {"nfs": nfs}
