"""`make faults`: every row of the plan in full, or one of them; numbers for each, and exit code 1 for any fault.

    python tests/faults/run.py [--row kill] [--trials 60] [--mails 200] [--seed 1]

Rows: `broken` (the harness finds the faults of broken copies), `kill`, `kinds` (every kind of call), `full` (the disk
is full at a call), `together` (two runs at once). ROW in the environment chooses too.
"""

import argparse
import errno
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.faults import rows, trials  # noqa: E402
from tests.faults.trials import Scene, Trial  # noqa: E402

ROWS = ("broken", "kill", "kinds", "full", "together")
# What each broken copy lacks must be found in at least one trial of so many.
BROKEN_TRIALS = 8


@contextmanager
def scene(count: int) -> Iterator[Scene]:
    """A prepared scene in memory where there is room, else where temporary files go."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=memory if roomy else None))
    try:
        yield Scene(folder, count, 9)
    finally:
        shutil.rmtree(folder)


class Report:
    """Prints the numbers of each row and remembers whether all is well."""

    def __init__(self) -> None:
        self.is_well = True

    def row(self, name: str, done: Sequence[Trial], began: float) -> None:
        """A line of numbers, then the first faults."""
        fired = sum(1 for trial in done if trial.call or trial.place is None)
        bad = [trial for trial in done if trial.faults]
        print(
            f"{name}: {len(done)} trials, {fired} disturbed, {len(done) - len(bad)} recovered, "
            f"{sum(len(trial.faults) for trial in bad)} faults in {len(bad)} trials, "
            f"{sum(trial.twice for trial in done)} delivered twice within the window, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        for trial in bad[:10]:
            print(f"  {trial.place} ({trial.call})")
            for fault in trial.faults[:6]:
                print(f"    {fault}")
        self.is_well = self.is_well and not bad and fired == len(done)

    def broken(self, name: str, done: Sequence[Trial], began: float) -> None:
        """A broken copy: well when it was found out."""
        bad = [trial for trial in done if trial.faults]
        print(f"broken copy {name}: found out in {len(bad)} of {len(done)} trials, {time.monotonic() - began:.0f} s")
        if bad:
            print(f"  for instance: {bad[0].faults[0]}")
        self.is_well = self.is_well and bool(bad)


def main() -> int:
    """Run the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", default=os.environ.get("ROW", ""), choices=("", *ROWS))
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--mails", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report, wanted = Report(), (given.row,) if given.row else ROWS
    trials.warm()
    with scene(given.mails) as incoming, scene(given.mails) as outgoing:
        places, golden = rows.golden_download(incoming)
        sending = rows.golden_queue(outgoing)
        print(f"{rows.DOWNLOAD}: {len(places)} places; {rows.QUEUE}: {len(sending)} places; seed {given.seed}")
        for row in wanted:
            few = min(given.trials, BROKEN_TRIALS)
            some, queued = (rows.chosen(p, given.trials, given.seed) for p in (places, sending))
            began = time.monotonic()
            if row == "broken":
                late = [place for place in places if place.step.startswith("rename issues/.tmp/* -> issues/")]
                for name in ("filed", "untold", "claims"):
                    began = time.monotonic()
                    at = rows.chosen(late if name == "untold" else places, few, given.seed)
                    report.broken(name, rows.download(incoming, at, golden, broken=name), began)
                began = time.monotonic()
                done = [place for place in sending if "spool/sent" in place.step]
                report.broken("believes", rows.queue(outgoing, rows.chosen(done, few, given.seed), broken="believes"), began)
            elif row == "kill":
                report.row(f"kill {rows.DOWNLOAD}", rows.download(incoming, some, golden), began)
                began = time.monotonic()
                report.row(f"kill {rows.QUEUE}", rows.queue(outgoing, queued), began)
            elif row == "kinds":
                report.row(f"kinds {rows.DOWNLOAD}", rows.download(incoming, rows.each_kind(places), golden), began)
                began = time.monotonic()
                report.row(f"kinds {rows.QUEUE}", rows.queue(outgoing, rows.each_kind(sending)), began)
            elif row == "full":
                report.row(f"full {rows.DOWNLOAD}", rows.download(incoming, some, golden, number=errno.ENOSPC), began)
                began = time.monotonic()
                report.row(f"full {rows.QUEUE}", rows.queue(outgoing, queued, number=errno.ENOSPC), began)
            else:
                times = max(2, given.trials // 10)
                report.row(f"together {rows.DOWNLOAD}", rows.together(incoming, rows.DOWNLOAD, times, golden), began)
                began = time.monotonic()
                report.row(f"together {rows.QUEUE}", rows.together(outgoing, rows.QUEUE, times, None), began)
    return 0 if report.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
