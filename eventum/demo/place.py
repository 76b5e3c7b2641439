"""The demo's folder: the store, the mailboxes that mail is fetched from, and what arrived in the outside world.

Flows in: raw mails with addresses. Flows out: the same as files of Maildirs that any mail reader opens. What the store
itself keeps is not touched here.

    data/ secret.json cache/      the store, as `flask init` makes it
    mailboxes/help/ orders/       Maildirs of the shop's addresses
    outside/<address>/            a Maildir for everybody who was sent something
    env                           for a shell: the variables with which `flask` works on this store
    password                      with which its people log in, made for this folder
"""

import itertools
import re
import secrets
import shlex
import shutil
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from eventum.config import Config
from eventum.errors import Refused

ADDRESSES = {"help@lighthouse.example": "help", "orders@lighthouse.example": "orders"}

_count = itertools.count(1)


class Place:
    """One folder in which a demo lives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = root / "env"
        self._password = root / "password"
        self.config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")

    def make(self) -> None:
        """The folders, and the file of variables. Raises `Refused` for a folder that holds something else."""
        self._check()
        for name in ADDRESSES.values():
            _maildir(self.mailbox(name))
        variables = {
            "EVENTUM_DATA": self.config.data,
            "EVENTUM_SECRET_FILE": self.config.secret_file,
            "EVENTUM_CACHE": self.config.cache,
        }
        self.env.write_text("".join(f"export {name}={shlex.quote(str(path))}\n" for name, path in variables.items()))

    def password(self) -> str:
        """The password of everybody who works here; made when it is asked for first."""
        if not self._password.exists():
            self._password.touch(mode=0o600)
            self._password.write_text(secrets.token_hex(6) + "\n")
        return self._password.read_text().strip()

    def remove(self) -> None:
        """Begin anew. Raises `Refused` for a folder that no demo made."""
        self._check()
        if self.root.exists():
            shutil.rmtree(self.root)

    def _check(self) -> None:
        if self.root.exists() and any(self.root.iterdir()) and not self.env.exists():
            raise Refused(f"{self.root} holds something else than a demo; move it away, or start from another folder.")

    def mailbox(self, name: str) -> Path:
        """The Maildir of one of the shop's addresses."""
        return self.root / "mailboxes" / name

    def outside(self, address: str) -> Path:
        """The Maildir of somebody outside; its name holds nothing that could lead out of the folder."""
        return self.root / "outside" / (re.sub(r"[^a-z0-9@._+-]", "_", address.lower()).lstrip(".") or "nobody")

    def letter(self, mailbox: str, name: str) -> bytes | None:
        """The mail that was put into a mailbox under this name; None when there is none yet."""
        for part in ("new", "cur"):
            for path in (self.mailbox(mailbox) / part).glob(f"{name}*"):
                return path.read_bytes()
        return None

    def put(self, mailbox: str, raw: bytes, name: str = "") -> None:
        """Put a mail into one of the shop's mailboxes."""
        _deliver(self.mailbox(mailbox), raw, name)

    def keep(self, address: str, raw: bytes) -> None:
        """Put a mail into the mailbox of somebody outside."""
        _deliver(self.outside(address), raw)


def traced(raw: bytes, sender: str, recipient: str, helo: str) -> bytes:
    """The mail with the headers that a server puts on top when it delivers it (RFC 5321 section 4.4)."""
    when = format_datetime(datetime.now(UTC))
    lines = [
        f"Return-Path: <{sender}>",
        f"Delivered-To: {recipient}",
        f"Received: from {helo} by mail.lighthouse.example with ESMTP; {when}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + raw


def _maildir(root: Path) -> None:
    for part in ("tmp", "new", "cur"):
        (root / part).mkdir(parents=True, exist_ok=True)


def _deliver(root: Path, raw: bytes, name: str = "") -> None:
    _maildir(root)
    # The mailbox is read in the order of the files' times, so two mails must not have the same.
    name = name or f"{time.time_ns()}.{next(_count)}.demo"
    path = root / "tmp" / name
    path.write_bytes(raw)
    path.rename(root / "new" / name)
