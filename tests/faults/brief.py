"""The short form of the rows of `company`, `clocks`, `disks` and `nfs`: a few trials of each, on one prepared store.

    python -m tests.faults.brief company|disks

Out flows a line of JSON a trial: its name, whether it was disturbed, and its faults. A trial of a broken copy has the
word "broken" in its name, and must have faults.
"""

import json
import sys
from collections.abc import Callable

from tests.faults import clocks, company, disks, edits, halts, nfs, trials
from tests.faults.office import Office, office
from tests.faults.record import Trial

COMPANY: dict[str, Callable[[Office], Trial]] = {
    "edits by verbs": lambda made: edits.edited(made, "verbs on 1 issues, 0", 20),
    "edits in browsers": lambda made: edits.edited(made, "web on 1 issues, 1", 3, many=2),
    "broken revision": lambda made: edits.edited(made, "verbs on 1 issues, 2", 20, broken="revision"),
    "runs at once": lambda made: company.at_once(made, None, "2 both, seed 5"),
    "a run that outlasts": lambda made: company.outlasted(made, "download at 3, 2 starts, 1"),
    "lock files removed": lambda made: halts.halted(made, "edit at 6 lost its locks"),
    "order, an hour back": lambda made: clocks.told(made, "order: an hour back"),
}
DISKS: dict[str, Callable[[Office], Trial]] = {
    "full for a download": lambda made: disks.tried(made, "download with 24 kB", disks.filled),
    "full for a note": lambda made: disks.tried(made, "note with 4 kB", disks.filled),
    "read-only": lambda made: disks.tried(made, "data web", disks.only_read),
    "spool elsewhere": lambda made: disks.tried(made, "spool apart", disks.spread),
    "done, and said to be failed": lambda made: nfs.answered(made, "download rename 9"),
}


def main() -> int:
    """Try all of one part."""
    part = {"company": COMPANY, "disks": DISKS}[sys.argv[1]]
    trials.warm()
    with office(16) as made:
        if part is DISKS and (reason := disks.why_not(made.folder)):
            print(json.dumps(["not possible", not disks.is_administrator(), [reason]]))
            return 0
        for name, one in part.items():
            trial = one(made)
            print(json.dumps([name, trial.disturbed, trial.faults]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
