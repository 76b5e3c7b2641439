"""Mails a second of `flask import-mail` beside those of the plain fetch of the same mails from a Maildir account.

    PYTHONPATH=. python bench/import_mail.py [--mails 2000] [--rounds 3]

Both run in processes of their own on stores of their own, one after the other, round by round; the ratio of a round is
of neighbours, so a busy machine disturbs both alike. Prints each round and the median.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import mailbox

SEPARATOR = b"From somebody@example.org Mon Jan  5 10:00:00 2026\n"


def flask(root: Path, *words: str) -> str:
    """A command on a store; what it said."""
    env = {**os.environ, "EVENTUM_DATA": str(root / "data"), "EVENTUM_SECRET_FILE": str(root / "secret.json")}
    env["EVENTUM_CACHE"] = str(root / "cache")
    command = [sys.executable, "-m", "flask", "--app", "app", *words]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def store(place: Path) -> tuple[Path, str]:
    """A store with a Maildir account that opens issues; the account's id."""
    root = Path(tempfile.mkdtemp(dir=place))
    flask(root, "init", "--admin-email", "admin@example.org")
    flask(root, "projects", "add", "Help desk", "--sender-email", "desk@example.org")
    words = ("--project", "Help desk", "--type", "maildir", "--folder", str(root / "box"), "--auto-create")
    said = flask(root, "accounts", "add", *words, "--quiet-before", "2100-01-01", "--address", "help@example.org")
    return root, said.split()[1]


def seconds(root: Path, *words: str) -> float:
    """How long a command takes."""
    began = time.monotonic()
    flask(root, *words)
    return time.monotonic() - began


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    mails = mailbox.mails(given.mails)
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        for _ in range(given.rounds):
            fetched, account = store(Path(place))
            mailbox.fill(fetched / "box", mails)
            plain = given.mails / seconds(fetched, "download-emails", "--account", account)
            imported, account = store(Path(place))
            (imported / "old.mbox").write_bytes(b"".join(SEPARATOR + mail.raw + b"\r\n" for mail in mails))
            ours = given.mails / seconds(imported, "import-mail", str(imported / "old.mbox"), "--account", account)
            ratios.append(ours / plain)
            print(f"fetch {plain:.0f} mails/s, import {ours:.0f} mails/s, ratio {ours / plain:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f} of {given.rounds} rounds of {given.mails} mails")


if __name__ == "__main__":
    main()
