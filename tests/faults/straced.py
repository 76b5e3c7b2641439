"""Kills from outside: the kernel ends a command before the n-th system call of a kind, also in the index's writes.

The other harness wraps calls where Python makes them; this one shows that nothing goes past it. The counters of strace
are per thread and per kind of call, so the places are other than those of the shim. Row: `strace`. The program is
started as a person starts it, so a trial takes a second or two.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults import record, trials
from tests.faults.given import Given
from tests.faults.kills import KINDS, MAILS
from tests.faults.record import Result, Trial
from tests.faults.rows import DOWNLOAD, QUEUE, Download, Queue, Run
from tests.faults.trials import scene

CALLS = ("rename", "fsync", "linkat", "unlink", "mkdir", "pwrite64", "write", "ftruncate", "fdatasync")
MOST = 20  # of a kind of call and a command in a whole row, evenly spread
# Places that every run comes to, with no run to count them first.
SHORT = (
    "download-emails rename 7",
    "download-emails pwrite64 25",
    "download-emails unlink 12",
    "process-queue rename 5",
)
PER_CALL = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


def traced(root: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    """`flask command` under strace."""
    environment = {
        **os.environ,
        "EVENTUM_DATA": str(root / "data"),
        "EVENTUM_SECRET_FILE": str(root / "secret.json"),
        "EVENTUM_CACHE": str(root / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    # The binary itself: what `python` names may be a script that starts it, and would be traced too.
    words = ["strace", "-f", "-qq", *options, os.path.realpath(sys.executable), "-m", "flask", command]
    return subprocess.run(words, cwd=record.ROOT, env=environment, capture_output=True, text=True, check=False)


def counts(root: Path, command: str) -> dict[str, int]:
    """How often a thread makes each of these calls at most, in an undisturbed run."""
    log = root / "strace.txt"
    done = traced(root, command, "-o", str(log), "-e", f"trace={','.join(CALLS)}")
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    made = Counter(PER_CALL.findall(log.read_text()))
    return {name: max((count for (_, one), count in made.items() if one == name), default=0) for name in CALLS}


def strace(given: Given) -> list[Result]:
    """Kills at the n-th call of each kind, of a download and of the sending."""
    with both(counted=not given.short) as runs:
        jobs = [job for command, (_, most) in runs.items() for job in spread(command, most)]
        jobs = list(SHORT) if given.short else jobs

        def one(job: str) -> Trial:
            command, call, count = job.split()
            run, _ = runs[command]
            return killed(run, command, call, int(count))

        return [record.run("strace", "kills from outside", given.some(jobs, 4), one, keep=given.keep)]


@contextmanager
def both(counted: bool) -> Iterator[dict[str, tuple[Run, dict[str, int]]]]:
    """The runs by the names of their commands, and how many calls they make."""
    with scene(MAILS, KINDS) as made, scene(MAILS, KINDS) as full:
        runs: dict[str, tuple[Run, dict[str, int]]] = {}
        for command, run in ((DOWNLOAD, Download(made)), (QUEUE, Queue(full))):
            with run.ready() as root:
                runs[command] = run, counts(root, command) if counted else {}
            run.close()
        yield runs


def spread(command: str, most: dict[str, int]) -> list[str]:
    """Places over the whole run, of each kind of call."""
    return [
        f"{command} {call} {1 + at * count // min(count, MOST)}"
        for call, count in most.items()
        for at in range(min(count, MOST))
    ]


def killed(run: Run, command: str, call: str, count: int) -> Trial:
    """One trial: the command is killed, then all goes on."""
    with run.ready() as root:
        options = ("-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={count}")
        ended = traced(root, command, *options)
        # Threads race, so a run may end before one of them makes so many calls.
        is_killed = ended.returncode in (-9, 137)
        wrong = [] if is_killed or ended.returncode in (0, 1) else [f"other: {ended.stderr[-500:]}"]
        if isinstance(run, Download):
            wrong += run.scene.lost(root)
        trials.time_passes(root / "data")
        wrong += trials.afterwards(root, (command,))
        found, twice = run.after(root)
        if not is_killed and not wrong and count > 1:
            return killed(run, command, call, count // 2)
        return Trial(is_killed, (*wrong, *found), twice)


ROWS: dict[str, Callable[[Given], list[Result]]] = {"strace": strace}
