"""The short form of the rows of the far end, in a process of its own: here threads of other tests may run."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TRIALS = re.compile(r"^([a-z0-9-]+): (\d+) [a-z ]+, (\d+) disturbed, (.*?),", re.MULTILINE)


def test_a_far_end_that_is_cut_odd_or_hostile_loses_and_doubles_nothing() -> None:
    words = [sys.executable, "tests/faults/run.py", "--short", "--row", "far"]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    found = {name: (trials == disturbed, faults) for name, trials, disturbed, faults in TRIALS.findall(run.stdout)}
    assert set(found.values()) == {(True, "0 faults")}, run.stdout
    assert {"cut-imap", "cut-pop3", "cut-smtp", "answers-imap", "hostile-smtp", "broken-far-cut"} <= set(found)
