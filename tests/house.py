"""A small store with one project and its people, and mail that comes in: what tests of verbs and runners stand on.

Nothing of the product is replaced: mail goes through the real spool, the real guarded reader and the real rules.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from eventum.config import Config
from eventum.issues.accounts import Account, AutoCreation, validate
from eventum.issues.issue import Issue
from eventum.issues.people import User
from eventum.mail.envelope import Envelope
from eventum.mail.message import Message, parse
from eventum.runners.incoming import Incoming
from eventum.store.room import Room, measured
from eventum.store.sendings import Queued
from eventum.tracker import founding, membership
from eventum.tracker.disposition import Disposition
from eventum.tracker.membership import ProjectForm, UserForm
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class House:
    """One store, its tracker, and a clock that stands still until a test moves it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = NOW
        self.config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.room: Room | None = None  # What the disk says; None for the disk itself.
        self.tracker = Tracker(self.config, clock=lambda: self.now, disk=lambda path: self.room or measured(path))
        founding.found(self.tracker, UserForm(email="admin@example.org", name="Ada"))
        self.tracker.open()
        form = ProjectForm(title="Help desk", sender_email="help@example.org")
        self.project = membership.save_project(self.tracker, None, form)
        self.dev = self.user("dev")
        self.account = self.add_account()

    def user(self, name: str, role: str = "developer", **more: Any) -> User:
        """A member of the project called name@example.org."""
        form = UserForm(
            email=f"{name}@example.org", name=name.title(), members=(("Help desk", role),) if role else (), **more
        )
        return membership.save_user(self.tracker, None, form)

    def add_account(self, **fields: Any) -> Account:
        """An account that opens issues and assigns them to dev; nothing is too old to be told."""
        values: dict[str, Any] = {
            "type": "maildir",
            "folder": str(self.root / f"box-{len(self.tracker.settings.accounts())}"),
            "addresses": ("help@example.org",),
            "auto_create": AutoCreation(enabled=True, priority="High", assign=(self.dev.id,)),
            "quiet_before": "never",
            **fields,
        }
        account = Account(id="", project=self.project.id, created=self.now, **values)
        return self.tracker.settings.save_account(validate(account))

    def set_account(self, **fields: Any) -> None:
        """Change the first account."""
        changed = msgspec.structs.replace(self.tracker.settings.account(self.account.id), **fields)
        self.account = self.tracker.settings.save_account(changed)

    def arrive(self, *mails: bytes, account: Account | None = None) -> list[Disposition]:
        """Mails come in by an account and are decided; what became of them, in their order."""
        destination = (account or self.account).id
        told: list[Disposition] = []
        envelopes = [(Envelope(destination=destination, received=self.now), raw) for raw in mails]
        self.tracker.spool.accept(envelopes)
        Incoming(self.tracker, told.append).work()
        return told

    def issue(self, number: int) -> Issue:
        """An issue as it is now."""
        return self.tracker.issues.load(number)

    def queued(self) -> list[Queued]:
        """The mail that waits to be sent, in order of issue, event and recipient."""
        found = [entry for entry in self.tracker.outbox.entries() if entry.status in ("pending", "deferred")]
        return sorted(found, key=lambda entry: (entry.posting.issue, entry.posting.event, entry.posting.recipient))

    def told(self) -> list[tuple[str, str]]:
        """(notice, recipient) of the mail that waits to be sent."""
        return [(entry.posting.type, entry.posting.recipient) for entry in self.queued()]

    def sent_to(self, recipient: str, notice: str) -> Message:
        """The one mail of that kind that waits for somebody, read."""
        (entry,) = (e for e in self.queued() if (e.posting.type, e.posting.recipient) == (notice, recipient))
        return parse(raw_bytes(entry.path))


def mail(subject: str = "The printer is on fire", text: str = "Please come.", **headers: str | None) -> bytes:
    """A mail from Ana to the help desk; headers named here replace or (None) remove the usual ones."""
    usual: Mapping[str, str | None] = {
        "From": "Ana <ana@customer.example>",
        "To": "help@example.org",
        "Subject": subject,
        "Message-ID": f"<{abs(hash((subject, text))):x}@customer.example>",
        "Date": "Sun, 22 Nov 2026 11:00:00 +0000",
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}\r\n" for name, value in {**usual, **given}.items() if value is not None]
    return "".join([*lines, "\r\n", text, "\r\n"]).encode()
