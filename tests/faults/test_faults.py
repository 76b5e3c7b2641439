"""The short form of `make faults`: the same rows with fewer trials, each in a process of its own without threads."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TRIALS = re.compile(r"^(.*): (\d+) trials, (\d+) disturbed, (\d+) recovered, (\d+) faults", re.MULTILINE)


def row(name: str, *more: str) -> str:
    """What the runner says of a row, in which no trial had a fault and each was disturbed."""
    run = subprocess.run(
        [sys.executable, "tests/faults/run.py", "--row", name, *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def counts(said: str) -> dict[str, int]:
    """How many trials each part of a row had."""
    return {name: int(trials) for name, trials, *_ in TRIALS.findall(said)}


def test_the_harness_finds_the_faults_of_broken_copies() -> None:
    said = row("broken", "--mails", "60", "--trials", "3")
    assert re.findall(r"broken copy (\w+)", said) == ["filed", "untold", "claims", "believes"]


def test_a_run_that_is_killed_anywhere_loses_nothing_and_does_nothing_twice() -> None:
    assert counts(row("kill", "--trials", "10")) == {"kill download-emails": 10, "kill process-queue": 10}


def test_a_full_disk_loses_nothing_and_lets_nothing_be_done_twice() -> None:
    done = counts(row("full", "--mails", "60", "--trials", "6"))
    assert done == {"full download-emails": 6, "full process-queue": 6}


def test_two_runs_started_together_do_nothing_twice_also_when_one_is_killed() -> None:
    said = row("together", "--mails", "80", "--trials", "10")
    assert list(counts(said).values()) == [2, 2, 5]


def test_a_kill_between_any_two_steps_of_a_new_issue_tells_all_and_nothing_twice() -> None:
    (trials,) = counts(row("commit")).values()
    # Fewer would mean that steps are passed over.
    assert trials > 40


def test_what_people_do_is_done_and_told_or_not_done_at_all() -> None:
    done = counts(row("verbs"))
    assert set(done) == {"issues assign", "issues note", "issues reply", "issues close"}
    assert all(trials > 15 for trials in done.values())


def test_what_is_taken_back_is_back_and_untold_or_as_it_was() -> None:
    (trials,) = counts(row("undone")).values()
    assert trials > 25


def test_a_kill_while_events_go_to_the_history_tells_all_and_nothing_twice() -> None:
    assert counts(row("long", "--mails", "120", "--trials", "6")) == {"a long issue": 6}


def test_a_data_folder_that_cannot_be_written_is_one_clear_line() -> None:
    assert counts(row("shut")) == {"a folder that cannot be written": 5}
