"""The short form of the rows about imports: a few kills of each, in a process of its own without threads."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LINE = re.compile(r"^([a-z-]+): (\d+) [a-z ]+, (\d+) disturbed, 0 faults", re.MULTILINE)


def test_an_import_killed_anywhere_is_gone_on_with_or_undone_and_a_broken_copy_is_found_out() -> None:
    names = ("imports-kill", "imports-undo", "imports-half", "broken-imports")
    words = [sys.executable, "tests/faults/run.py", "--short"]
    for name in names:
        words += ["--row", name]
    run = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert run.returncode == 0, run.stdout
    done = {name: (int(trials), int(disturbed)) for name, trials, disturbed in LINE.findall(run.stdout)}
    assert all(trials == disturbed for name, (trials, disturbed) in done.items() if name.startswith("imports"))
    assert sum(trials for trials, _ in done.values()) >= 12, run.stdout
