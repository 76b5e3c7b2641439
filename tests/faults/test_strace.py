"""The harness wraps calls where Python makes them; here the kernel kills, also in the middle of the index's own writes.

The counters of strace are per thread and per kind of call, so the places are other than those of the shim.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import checker, mailbox

ROOT = Path(__file__).parent.parent.parent
MAILS = mailbox.mails(40)


def flask(home: Path, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "EVENTUM_DATA": str(home / "data"),
        "EVENTUM_SECRET_FILE": str(home / "secret.json"),
        "EVENTUM_CACHE": str(home / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # The binary itself: what `python` names may be a script that starts it, and would be traced too.
    command = [*before, os.path.realpath(sys.executable), "-m", "flask", *arguments]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    mailbox.fill(tmp_path / "box", MAILS)
    for line in (
        ("init", "--admin-email", "admin@example.org"),
        ("projects", "add", "Help desk", "--sender-email", "desk@example.org"),
        ("users", "add", "dev@example.org", "--name", "Dee", "--member", "Help desk:developer"),
        ("accounts", "add", "--project", "Help desk", "--type", "maildir", "--folder", str(tmp_path / "box"))
        + ("--no-leave-copy", "--auto-create", "--assign", "dev@example.org", "--quiet-before", "never"),
    ):
        done = flask(tmp_path, *line)
        assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("rename", 7),
        ("fsync", 4),
        ("linkat", 20),
        ("unlink", 30),
        ("pwrite64", 25),
        ("pwrite64", 90),
    ],
)
def test_a_kill_from_outside_loses_nothing(home: Path, call: str, count: int) -> None:
    tracing = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}")
    killed = flask(home, "download-emails", before=(*tracing, "-e", f"inject={call}:signal=KILL:when={count}"))
    assert killed.returncode in (-9, 137), (killed.returncode, killed.stderr)
    again = flask(home, "download-emails")
    assert again.returncode == 0, again.stderr
    (account,) = (path.stem for path in (home / "data/settings/accounts").iterdir())
    given = {checker.key_of(account, mail.raw): mail.raw for mail in MAILS}
    assert checker.faults(home / "data", given) == []
    assert not list((home / "box/new").iterdir())
    verified = flask(home, "verify")
    assert verified.returncode == 0, verified.stdout
