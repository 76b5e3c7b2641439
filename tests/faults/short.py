"""The short form of rows, for `make test`: run by the runner itself, in a process without the threads of other tests.

A fork of a process with threads may wait for ever for a lock that one of them held.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LONGEST = 400  # Seconds; then it hangs.
RESULT = re.compile(r"^([a-z0-9-]+): (\d+) [^,\n]+, (\d+) disturbed, (\d+) (\w+)", re.MULTILINE)


def said(*names: str) -> str:
    """What the runner says of these rows; each was well: every trial disturbed, no fault, a broken copy found out."""
    asked = [word for name in names for word in ("--row", name)]
    run = subprocess.run(
        [sys.executable, "tests/faults/run.py", "--short", *asked],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def rows(*names: str) -> dict[str, int]:
    """The trials of each row and part of a row."""
    lines = RESULT.findall(said(*names))
    found = {name: (int(trials), int(disturbed), faults) for name, trials, disturbed, *faults in lines}
    assert all(trials == disturbed and faults == ["0", "faults"] for trials, disturbed, faults in found.values()), found
    return {name: trials for name, (trials, _, _) in found.items()}
