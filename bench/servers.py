"""The far ends of the benchmark: a Dovecot of our own with mailboxes, and Postfix's smtp-sink.

In flows a folder, out flow running servers on loopback that end with their context; nothing of the machine's own mail
system is touched. Dovecot is the one of the tests.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import generate
from tests.servers import certificates
from tests.servers.dovecot import Dovecot, free_ports, running, wait_for
from tests.servers.dovecot_settings import PASSWORD


@contextlib.contextmanager
def dovecot(folder: Path) -> Iterator[Dovecot]:
    """A private Dovecot; any user name is a mailbox."""
    certificates_folder = folder / "certificates"
    certificates_folder.mkdir()
    with running(certificates.make(certificates_folder)) as server:
        yield server


def fill(server: Dovecot, user: str, mails: Iterable[bytes], first: int = 0) -> None:
    """Put mails into a user's INBOX and let the server index them, so that no run pays for that."""
    box = server.maildir(user)
    paths = generate.write(box, iter(mails), first)
    for path in (box.parent, box, *(box / name for name in ("tmp", "new", "cur")), *paths):
        os.chown(path, *server.owner)
    with server.session(user) as imap:
        status, _ = imap.fetch("1:*", "(UID RFC822.SIZE INTERNALDATE FLAGS)")
        assert status == "OK"


@contextlib.contextmanager
def smtp_sink() -> Iterator[int]:
    """A server that takes every mail and forgets it; its port."""
    port = free_ports(1)[0]
    command = [program("smtp-sink"), "-c", f"127.0.0.1:{port}", "1000"]
    if os.geteuid() == 0:
        command[1:1] = ["-u", "nobody"]
    # With -c it writes a running count, which nobody reads.
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process, Path(os.devnull))
        yield port
    finally:
        process.terminate()
        process.wait()


def program(name: str) -> str:
    """The path of a program of another package. Raises `AssertionError` when it is not installed."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed; tests/setup.sh installs what the benchmark needs."
    return found


def mbsync(server: Dovecot, user: str, folder: Path) -> list[str]:
    """The command that downloads a user's INBOX into a new Maildir under `folder`; its fsync is as by default."""
    folder.mkdir()
    settings = folder / "mbsyncrc"
    settings.write_text(f"""
IMAPAccount account
Host 127.0.0.1
Port {server.ports.imap}
User {user}
Pass {PASSWORD}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account account

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX

Channel both
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState {folder}/state-
""")
    return [program("mbsync"), "-q", "-c", str(settings), "both"]
