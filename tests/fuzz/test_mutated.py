"""Damaged mails are read as any mail; a short run of what `make fuzz` does for minutes."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import mutated

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def test_damaged_mails_of_the_corpus_are_read_and_shown() -> None:
    # By itself: it forks, and this process has threads.
    command = [sys.executable, mutated.__file__, str(CORPUS), "--seconds", "2", "--seed", "house"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    assert " 0 failed; seed house" in ran.stdout


def test_a_seed_gives_the_same_mail_again() -> None:
    mails = [b"Subject: one\n\n1", b"Subject: two\n\n2"]
    assert len({mutated.damaged(f"a-{number}", mails) for number in range(50)}) > 25
    assert mutated.damaged("a-7", mails) == mutated.damaged("a-7", mails)


@pytest.mark.parametrize("change", mutated.CHANGES, ids=lambda change: change.__name__)
def test_every_change_takes_any_mail_and_stays_in_bounds(change: mutated.Change) -> None:
    rng = random.Random(change.__name__)
    for raw in (b"", b"\n", b"Subject: one\n\ntext", b"x" * mutated.GROWN):
        assert len(change(rng, raw, [b"", b"Subject: two\n\n"])) < 110 * (mutated.GROWN + 10_000)


def test_what_fails_is_made_small() -> None:
    raw = b"a" * 5000 + b"fault" + b"b" * 5000
    assert mutated.smaller(raw, lambda less: b"fault" in less) == b"fault"
