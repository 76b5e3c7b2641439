"""Stores of the benchmark: made by the commands a person would use, counted from their files.

In flows a folder, out flows a store with one project, one administrator and an account that opens issues. What is
counted is read by nothing but `json`, so that a fault of our reading cannot hide a mail.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench import measure
from bench.measure import Usage
from bench.servers import program
from tests.servers.dovecot import Dovecot
from tests.servers.dovecot_settings import PASSWORD

ROOT = Path(__file__).resolve().parent.parent
# What makes Python slower than it is for those who use the program.
SLOWING = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONDEVMODE", "PYTHONWARNINGS")


class Store:
    """One store and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.environment = {name: value for name, value in os.environ.items() if name not in SLOWING}
        self.environment |= {
            "EVENTUM_DATA": str(self.data),
            "EVENTUM_CACHE": str(folder / "cache"),
            "EVENTUM_SECRET_FILE": str(folder / "secret.json"),
            "FLASK_APP": "app",
        }

    @classmethod
    def made(cls, folder: Path) -> "Store":
        """A new store with a project and people, ready for accounts."""
        template = cls(folder.parent / "template")
        if not template.folder.exists():
            template.folder.mkdir()
            template.flask("init", "--admin-email", "admin@example.org", "--password-stdin", text="correct horse\n")
            template.flask("projects", "add", "Help desk", "--sender-email", "support@example.org")
            template.flask("users", "add", "dee@example.org", "--name", "Dee", "--member", "Help desk:developer")
            for fuse in ("address", "new_issues", "domain", "issue", "acknowledgements"):
                template.flask("settings", "set", f"fuse.{fuse}", "0")  # Ten thousand mails within a minute are meant.
        return template.copied(folder)

    def copied(self, folder: Path) -> "Store":
        """Another store with the same content, the derived index included."""
        subprocess.run(["cp", "-a", str(self.folder), str(folder)], check=True)
        return Store(folder)

    def command(self, *arguments: str) -> list[str]:
        """A command of ours as a whole process."""
        return [sys.executable, "-m", "flask", *arguments]

    def flask(self, *arguments: str, text: str = "") -> str:
        """Run a command, untimed; what it printed."""
        done = subprocess.run(
            self.command(*arguments), env=self.environment, cwd=ROOT, input=text, capture_output=True, text=True
        )
        assert done.returncode == 0, f"flask {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def add_account(self, server: Dovecot, user: str, protocol: str = "imap") -> str:
        """An account that opens an issue for every mail of none, and acknowledges it; its id."""
        port = str(server.ports.imap if protocol == "imap" else server.ports.pop3)
        place = ("--type", f"{protocol}/notls", "--host", "127.0.0.1", "--port", port, "--username", user)
        return self._account(*place, "--password-stdin", "--quiet-before", "never", text=f"{PASSWORD}\n")

    def add_silent_maildir(self, folder: Path) -> str:
        """An account on a local Maildir that tells nobody of anything; its id."""
        return self._account("--type", "maildir", "--folder", str(folder), "--quiet-before", "2100-01-01")

    def _account(self, *options: str, text: str = "") -> str:
        options = (*options, "--auto-create", "--address", "support@example.org", "--json")
        added = json.loads(self.flask("accounts", "add", "--project", "Help desk", *options, text=text))
        return str(added["id"])

    def download(self, *options: str) -> Usage:
        """One measured `flask download-emails`."""
        return measure.run(self.command("download-emails", "--json", *options), self.environment, ROOT)

    def traced(self, calls: str, *arguments: str) -> list[str]:
        """A command of ours under strace; the lines it wrote."""
        log = self.folder / "strace"
        command = [program("strace"), "-f", "-qq", "-s", "40", "-e", f"trace={calls}", "-e", "signal=none"]
        measure.run([*command, "-o", str(log), *self.command(*arguments)], self.environment, ROOT)
        return log.read_text(errors="replace").splitlines()

    # What is in it

    def kept(self) -> Counter[str]:
        """How often each Message-ID is kept, over issues and pools together; only mails whose file is there count."""
        found: Counter[str] = Counter()
        for record in self.data.glob("issues/*/*/issue.json"):
            pieces = [record, *record.parent.glob("history/*.json")]
            filed = {mail["key"]: mail["message_id"] for piece in pieces for mail in _filed(piece)}
            there = {path.name.partition(":")[0] for path in (record.parent / "mail" / "cur").iterdir()}
            found.update(message_id for key, message_id in filed.items() if key in there)
        for record in self.data.glob("pool/*/*.json"):
            if any(record.parent.glob(f"*/cur/{record.stem}:*")):
                found[json.loads(record.read_bytes())["mail"]["message_id"]] += 1
        return found

    def waiting(self) -> int:
        """How many mails are not decided, or could not be."""
        return sum(
            1 for place in ("spool/in/new", "spool/in/cur", "spool/dead/cur") for _ in (self.data / place).glob("*")
        )

    def queued(self) -> int:
        """How many mails wait to be sent."""
        return sum(1 for _ in (self.data / "spool/out/new").iterdir())

    def issues(self) -> int:
        """How many issues there are."""
        return sum(1 for _ in self.data.glob("issues/*/*/issue.json"))


def _filed(record: Path) -> list[dict[str, str]]:
    events = json.loads(record.read_bytes())["events"]
    return [event["what"]["message"] for event in events if "message" in event["what"]]
