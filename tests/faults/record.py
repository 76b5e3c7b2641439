"""What trials found, kept on disk: a row that was stopped goes on where it was, and all rows stand in one table.

In flow a row's jobs and how one of them is tried, out flow its numbers. Each trial is one line of `.faults/<row>.jsonl`
as soon as it is done, under the digest of the program it was made with; lines of another program are not counted. The
numbers of a whole row are `tests/faults/results/<row>.json`, with the commit's id. `python -m tests.faults.table`
writes them into docs/reliability.md.
"""

import hashlib
import json
import os
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
LINES, RESULTS = ROOT / ".faults", Path(__file__).parent / "results"
# What can be wrong; each fault of a trial is "<one of these>: <a sentence>".
KINDS = ("lost", "doubled", "half", "early", "silent", "stuck", "other")


class Trial(NamedTuple):
    """What came of one trial; `disturbed`: what was meant to happen did. One that was not disturbed counts nothing."""

    disturbed: bool
    faults: tuple[str, ...] = ()
    twice: int = 0  # mails delivered a second time within the one documented window
    seconds: float = 0.0


class Result(NamedTuple):
    """The numbers of a row, and the first faults it found."""

    row: str
    what: str  # kills, power cuts, failing calls, cut connections, damaged files, edits, ...
    commit: str
    program: str  # the digest of the program the trials were made with
    trials: int
    disturbed: int
    faults: dict[str, int]
    twice: int
    seconds: float
    slowest: float
    found: list[str]

    @property
    def is_well(self) -> bool:
        """Whether every trial was disturbed, and none had a fault."""
        return self.trials > 0 and self.disturbed == self.trials and not any(self.faults.values())


def program() -> str:
    """The digest of all that is run: a change of it makes earlier trials worthless."""
    digest = hashlib.sha256()
    paths = [ROOT / "app.py", *ROOT.glob("eventum/**/*.py"), *ROOT.glob("templates/**/*.*")]
    for path in sorted(paths):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def commit() -> str:
    """The id of the commit in the work tree, with a + when something of it was changed since."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*", "--abbrev=10"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "no commit"


def run(
    row: str, what: str, jobs: Sequence[str], one: Callable[[str], Trial], *, workers: int = 2, keep: bool = True
) -> Result:
    """Try every job that was not tried with this program yet, in forked workers; `keep` False: leave no files.

    A job is a text of its own among those of the row. This process must have no threads.
    """
    began, with_ = time.monotonic(), program()
    LINES.mkdir(exist_ok=True)
    path = LINES / (f"{row}.jsonl" if keep else f"{row}-{os.getpid()}.jsonl")
    known = {job for job, _ in _lines(path, with_)} if keep else set()
    left = [job for job in jobs if job not in known]
    _in_workers(left, one, path, with_, workers)
    wanted = set(jobs)
    done = {job: trial for job, trial in _lines(path, with_) if job in wanted}
    if not keep:
        path.unlink(missing_ok=True)
    faults = Counter(fault.partition(":")[0] for trial in done.values() for fault in trial.faults)
    unknown = set(faults) - set(KINDS)
    if unknown:
        raise ValueError(f"faults of no known kind: {unknown}")
    result = Result(
        row=row,
        what=what,
        commit=commit(),
        program=with_,
        trials=len(done),
        disturbed=sum(trial.disturbed for trial in done.values()),
        faults={kind: faults[kind] for kind in KINDS},
        twice=sum(trial.twice for trial in done.values()),
        seconds=round(sum(trial.seconds for trial in done.values()), 1),
        slowest=round(max((trial.seconds for trial in done.values()), default=0.0), 2),
        found=[f"{job}: {'; '.join(trial.faults[:4])}" for job, trial in done.items() if trial.faults][:10],
    )
    say(result, time.monotonic() - began)
    if keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{row}.json").write_text(json.dumps(result._asdict(), indent=1) + "\n")
    return result


def say(result: Result, took: float) -> None:
    """One line of numbers, then the first faults."""
    bad = ", ".join(f"{count} {kind}" for kind, count in result.faults.items() if count) or "0 faults"
    print(
        f"{result.row}: {result.trials} {result.what}, {result.disturbed} disturbed, {bad}, "
        f"{result.twice} delivered twice within the window, {took:.0f} s",
        flush=True,
    )
    for line in result.found:
        print(f"  {line}", flush=True)


def _in_workers(jobs: Sequence[str], one: Callable[[str], Trial], path: Path, with_: str, workers: int) -> None:
    children = []
    for at in range(min(workers, len(jobs))):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for job in jobs[at::workers]:
                    began = time.monotonic()
                    trial = one(job)._replace(seconds=round(time.monotonic() - began, 3))
                    line = json.dumps([with_, job, trial]) + "\n"
                    with path.open("a") as file:  # One write of one line: workers append to the same file.
                        file.write(line)
                code = 0
            except BaseException:  # The one way out of a fork is os._exit.
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    if any([os.waitpid(child, 0)[1] for child in children]):  # Wait for all, then look.
        raise RuntimeError("a worker failed; see above")


def _lines(path: Path, with_: str) -> Iterator[tuple[str, Trial]]:
    if not path.exists():
        return
    seen = set()
    for line in path.read_text().splitlines():
        made_with, job, (disturbed, faults, *rest) = json.loads(line)
        if made_with == with_ and job not in seen:
            seen.add(job)
            yield job, Trial(disturbed, tuple(faults), *rest)
