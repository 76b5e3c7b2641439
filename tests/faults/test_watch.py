"""The short form of the rows of `watch`, in a process of its own without threads."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COUNTS = re.compile(r"^(\S+): (\d+) .*, (\d+) disturbed, 0 faults", re.MULTILINE)


def test_mail_that_comes_while_a_watch_dies_or_a_server_breaks_off_is_there_once() -> None:
    run = subprocess.run(
        [sys.executable, "tests/faults/run.py", "--row", "watch", "--row", "watch-ear", "--short"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert COUNTS.findall(run.stdout) == [("watch", "3", "3"), ("watch-ear", "2", "2")], run.stdout
