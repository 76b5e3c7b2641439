"""The short form of the rows `company` and `clocks`: many at once, and a clock that jumps."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def brief(part: str) -> dict[str, tuple[bool, list[str]]]:
    """What came of each trial, in a process of its own: it has no threads, and forks."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.faults.brief", part],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("[")]
    return {name: (disturbed, faults) for name, disturbed, faults in lines}


def test_many_at_once_and_a_clock_that_jumps_lose_nothing_and_broken_copies_are_found() -> None:
    found = brief("company")
    assert len(found) == 7
    assert {name: faults for name, (_, faults) in found.items() if bool(faults) != name.startswith("broken")} == {}
    assert [name for name, (disturbed, _) in found.items() if not disturbed and "broken" not in name] == []
