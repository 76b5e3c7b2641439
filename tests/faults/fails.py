"""Errors instead of kills: a call fails with ENOSPC, EDQUOT, EIO or EMFILE, once or from there on; then all is well.

The rows: `fail-<mailbox>`, `fail-process-queue` and `fail-<what somebody does>`, with every such error at every place
at which it can come; `fail-looking-*`, in which files cannot be opened to be read; `fail-many` (a mailbox of 200,
chosen places); `shut` (the data folder cannot be written at all); and `broken-fails`: a copy that ends with 0 although
it failed is found out. After the failure a normal run finishes all. Ending with 0, or answering as if all were well,
with work left undone is silent.
"""

import ctypes
import os
import random
from collections.abc import Callable, Sequence
from typing import Any

from tests.faults import kills, posts, record, rows, trials
from tests.faults.given import Given
from tests.faults.kills import FARS, KINDS, MAILS, MANY
from tests.faults.record import Result, Trial
from tests.faults.rows import DOWNLOAD, QUEUE, Download, Queue, Run
from tests.faults.trials import Far, Scene, scene

WHAT = "failing calls"
HOWS = ("ENOSPC", "ENOSPC+", "EIO", "EIO+", "EDQUOT+", "EMFILE", "EMFILE+")
WRITING = (
    (DOWNLOAD,),
    (QUEUE,),
    ("users", "add", "x@example.org", "--name", "X"),
    ("projects", "add", "Another"),
    ("settings", "set", "smtp.host", "mail.example.org"),
)


def tried(row: str, run: Run, given: Given, short: int, hows: Sequence[str] = HOWS) -> Result:
    """Every error at every place."""
    return kills.tried(row, run, given.some(rows.jobs(run.all, *hows), short), given, WHAT)


def everywhere(name: str, far: Far) -> Callable[[Given], list[Result]]:
    """A row: a download with a call that fails."""

    def row(given: Given) -> list[Result]:
        with scene(MAILS, KINDS, far=far) as made:
            return [tried(f"fail-{name}", Download(made), given, 4)]

    return row


def queue(given: Given) -> list[Result]:
    """The sending, with a call that fails."""
    with scene(MAILS, KINDS) as made:
        return [tried("fail-process-queue", Queue(made), given, 4)]


def looking(name: str, kind: type[Download] | type[Queue]) -> Callable[[Given], list[Result]]:
    """A row: a file or folder cannot be opened to be read."""

    def row(given: Given) -> list[Result]:
        with scene(MAILS, KINDS) as made:
            run = kind(made, looks=True)
            run.all = [place for place in run.all if place.call in ("look", "list")]
            return [tried(f"fail-looking-{name}", run, given, 2, ("EMFILE", "EMFILE+"))]

    return row


def many(given: Given) -> list[Result]:
    """The run of a large mailbox, with a full disk."""
    with scene(MANY) as made:
        run = Download(made)
        run.all = random.Random(given.seed).sample(run.all, 60)
        return [tried("fail-many", run, given, 2, ("ENOSPC",))]


def done_by_people(name: str) -> Callable[[Given], list[Result]]:
    """A row: what somebody does, with a call that fails."""

    def row(given: Given) -> list[Result]:
        with scene(MAILS, KINDS) as made:
            posts.stored(made)
            return [tried(f"fail-{name}", posts.deed(made, name), given, 1)]

    return row


def broken(given: Given) -> list[Result]:
    """A copy that says nothing of its failures is found out."""
    with scene(MAILS, KINDS) as made:
        run = Download(made)

        def one(name: str) -> Trial:
            return kills.found_out(name, run, rows.jobs(run.all, "ENOSPC+"), given)

        return [record.run("broken-fails", "broken copies", ["silent"], one, keep=given.keep)]


def shut(given: Given) -> list[Result]:
    """The data folder cannot be written: every command that writes says so in one line, and nothing is changed."""
    with scene(1) as made:
        jobs = [" ".join(words) for words in WRITING]

        def one(job: str) -> Trial:
            return Trial(True, tuple(shut_for(made, next(words for words in WRITING if " ".join(words) == job))))

        return [record.run("shut", WHAT, jobs, one, keep=given.keep)]


def shut_for(made: Scene, words: Sequence[str]) -> list[str]:
    """What is wrong with a command that cannot write."""
    with made.copy() as root:
        paths = [root, *root.rglob("*")]
        for path in paths:
            if path.is_dir() and (path == root / "data" or root / "data" in path.parents):
                path.chmod(0o500)
        before = sorted((str(path), path.stat().st_mtime_ns) for path in paths)
        elsewhere = made.folder / f"answers-{os.getpid()}"
        elsewhere.mkdir(exist_ok=True)
        ran = trials.forked(lambda: as_ordinary_user(lambda: trials.flask(root, *words)), elsewhere)
        said = ran.result["err"] if ran.result else (elsewhere / "output.txt").read_text()
        wrong = [f"silent: {' '.join(words)} ended with {ran.code}: {said}"] if ran.code != 78 else []
        if said.count("\n") != 1 or str(root / "data") not in said:
            wrong.append(f"silent: {' '.join(words)} said: {said}")
        if sorted((str(path), path.stat().st_mtime_ns) for path in [root, *root.rglob("*")]) != before:
            wrong.append(f"other: {' '.join(words)} changed something")
        for path in paths:
            path.chmod(0o700)
        return wrong


def as_ordinary_user(body: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """As somebody whom the modes of files bind: root without its capabilities stays their owner.

    The user is not changed, because the folders above, Python's own among them, need not let another one in.
    """
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
        if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
            raise OSError(ctypes.get_errno(), "capset")
    return body()


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    **{f"fail-{name}": everywhere(name, far) for name, far in FARS.items() if not far.leaves},
    "fail-process-queue": queue,
    "fail-looking-maildir": looking("maildir", Download),
    "fail-looking-process-queue": looking("process-queue", Queue),
    "fail-many": many,
    **{f"fail-{name}": done_by_people(name) for name in (*posts.POSTS, *posts.COMMANDS)},
    "shut": shut,
    "broken-fails": broken,
}
