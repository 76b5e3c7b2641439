"""`make faults`: every row of the plan in full, or one of them; numbers for each, and exit code 1 for any fault.

    python tests/faults/run.py [--row kill] [--trials 60] [--mails 200] [--seed 1]

A place is a call that changes a file. Rows: `broken` (the harness finds the faults of broken copies), `commit` (every
place of one new issue), `long` (an issue with hundreds of events), `verbs` (every place of what people do), `undone`
(every place of taking mail back), `kill` (random places), `kinds` (every kind of place), `full` (the disk is full at a
place), `together` (two runs at once, also when one is killed), `shut` (the data folder cannot be written). ROW in the
environment chooses too.
"""

import argparse
import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.faults import mailbox, rows, trials  # noqa: E402
from tests.faults.shim import Place  # noqa: E402
from tests.faults.trials import Scene, Trial  # noqa: E402

# What each broken copy lacks must be found in at least one trial of so many.
BROKEN_TRIALS = 8
# What people do to the one issue that there is then.
VERBS = (
    ("issues", "assign", "1", "all@example.org"),
    ("issues", "note", "1", "--text", "Only for us.", "--as", "dev@example.org"),
    ("issues", "reply", "1", "--text", "It is mended.", "--as", "dev@example.org"),
    ("issues", "close", "1", "--reason", "Done."),
)


@contextmanager
def scene(count: int, kinds: Sequence[str] = mailbox.KINDS) -> Iterator[Scene]:
    """A prepared scene in memory where there is room, else where temporary files go."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=memory if roomy else None))
    try:
        yield Scene(folder, count, kinds)
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
        seconds = time.monotonic() - began
        print(f"broken copy {name}: found out in {len(bad)} of {len(done)} trials, {seconds:.0f} s", flush=True)
        if bad:
            print(f"  for instance: {bad[0].faults[0]}", flush=True)
        self.is_well = self.is_well and bool(bad)


class Plan:
    """The rows, each by its name; the scenes are prepared when the first row asks for them."""

    def __init__(self, report: Report, given: argparse.Namespace) -> None:
        self._report = report
        self._given = given
        self._stack = ExitStack()

    def __enter__(self) -> "Plan":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def _in(self) -> tuple[Scene, list[Place], object]:
        made = self._stack.enter_context(scene(self._given.mails))
        places, golden = rows.golden_download(made)
        print(
            f"{rows.DOWNLOAD} of {self._given.mails} mails: {len(places)} places, seed {self._given.seed}", flush=True
        )
        return made, places, golden

    @cached_property
    def _out(self) -> tuple[Scene, list[Place]]:
        made = self._stack.enter_context(scene(self._given.mails))
        places = rows.golden_queue(made)
        print(f"{rows.QUEUE} after it: {len(places)} places", flush=True)
        return made, places

    def _some(self, places: Sequence[Place], part: str = "", count: int = 0) -> list[Place]:
        wanted = [place for place in places if part in place.step]
        return rows.chosen(wanted, count or self._given.trials, self._given.seed)

    def _do(self, name: str, work: Callable[[], list[Trial]]) -> None:
        began = time.monotonic()
        self._report.row(name, work(), began)

    def kill(self) -> None:
        """Kills at random places."""
        made, places, golden = self._in
        self._do(f"kill {rows.DOWNLOAD}", lambda: rows.download(made, self._some(places), golden))
        queue, sending = self._out
        self._do(f"kill {rows.QUEUE}", lambda: rows.queue(queue, self._some(sending)))

    def kinds(self) -> None:
        """Kills at the first, middle and last place of every kind."""
        made, places, golden = self._in
        self._do(f"kinds {rows.DOWNLOAD}", lambda: rows.download(made, rows.each_kind(places), golden))
        queue, sending = self._out
        self._do(f"kinds {rows.QUEUE}", lambda: rows.queue(queue, rows.each_kind(sending)))

    def full(self) -> None:
        """The disk is full at a random place."""
        made, places, golden = self._in
        self._do(f"full {rows.DOWNLOAD}", lambda: rows.download(made, self._some(places), golden, number=errno.ENOSPC))
        queue, sending = self._out
        self._do(f"full {rows.QUEUE}", lambda: rows.queue(queue, self._some(sending), number=errno.ENOSPC))

    def commit(self) -> None:
        """Kills at every place of one mail's way into a new issue and of its three notices."""
        with scene(1) as made:
            places, golden = rows.golden_download(made)
            told = sorted(notice.split()[2] for notice in golden["told"])
            if told != ["acknowledgement", "new_issue", "new_issue_assigned"]:
                raise RuntimeError(f"one new issue was told as {told}")
            deciding = places[: self._last(places, "state/intents/")][self._first(places, "state/hands/") :]
            self._do("commit of one new issue", lambda: rows.download(made, deciding, golden))

    def long(self) -> None:
        """Kills around the commit that moves events of a long issue to its history, just added ones among them."""
        with scene(self._given.mails, ["answer"]) as made:
            places, golden = rows.golden_download(made)
            history = [place for place in places if "/history" in place.step]
            if not history:
                raise RuntimeError("no event was moved to the history")
            near = places[places.index(history[0]) :]
            parts = ("history", "issues/.tmp/", "issue.json", "intents", "journal", "spool/out/new")
            some = [place for place in near if any(part in place.step for part in parts)]
            self._do("a long issue", lambda: rows.download(made, self._some(some), golden))

    def shut(self) -> None:
        """The data folder cannot be written."""
        with scene(1) as made:
            self._do("a folder that cannot be written", lambda: rows.shut(made))

    def verbs(self) -> None:
        """Kills at every place of what people do by command, each change with its notices."""
        with scene(1) as made:
            rows.golden_queue(made)
            for words in VERBS:
                places, before, after = rows.golden_verb(made, words)
                self._do(" ".join(words[:2]), lambda: rows.verb(made, words, places, before, after))  # noqa: B023

    def undone(self) -> None:
        """Kills at every place of taking mail back out of an issue, with notices that were not sent."""
        with scene(20) as made:
            rows.golden_queue(made)
            words = rows.filed_by_hand(made)
            places, before, after = rows.golden_verb(made, words)
            self._do("emails undo", lambda: rows.verb(made, words, places, before, after))

    def _first(self, places: Sequence[Place], part: str) -> int:
        return next(at for at, place in enumerate(places) if part in place.step)

    def _last(self, places: Sequence[Place], part: str) -> int:
        return 1 + max(at for at, place in enumerate(places) if part in place.step)

    def together(self) -> None:
        """Two runs at once; and two of which one is killed."""
        times = max(2, self._given.trials // 10)
        made, places, golden = self._in
        self._do(f"together {rows.DOWNLOAD}", lambda: rows.together(made, rows.DOWNLOAD, times, golden))
        queue, _ = self._out
        self._do(f"together {rows.QUEUE}", lambda: rows.together(queue, rows.QUEUE, times, None))
        some = self._some(places, count=self._given.trials // 2)
        self._do(f"one of two killed {rows.DOWNLOAD}", lambda: rows.taken_over(made, some, golden))

    def broken(self) -> None:
        """Copies of the product that lack something are found out."""
        made, places, golden = self._in
        queue, sending = self._out
        for name, part in (
            ("filed", "rename data/spool/in/cur/*:*, -> data/spool/done/"),
            ("untold", "rename data/issues/.tmp/* -> data/issues/"),
            ("claims", "data/issues/"),
        ):
            began, some = time.monotonic(), self._some(places, part, BROKEN_TRIALS)
            self._report.broken(name, rows.download(made, some, golden, broken=name), began)
        began, some = time.monotonic(), self._some(sending, "fsync data/spool/sent/", BROKEN_TRIALS)
        self._report.broken("believes", rows.queue(queue, some, broken="believes"), began)


ROWS = ("broken", "commit", "long", "verbs", "undone", "kill", "kinds", "full", "together", "shut")


def main() -> int:
    """Run the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", choices=ROWS)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--mails", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report, wanted = Report(), given.row or os.environ.get("ROW", "").split() or ROWS
    trials.warm()
    with Plan(report, given) as plan:
        for row in wanted:
            getattr(plan, row)()
    return 0 if report.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
