"""A private Dovecot with IMAP and POP3 on high ports of loopback: clear or STARTTLS, and TLS.

In flows a folder, out comes a running server whose users need no set-up: any name is a mailbox, its password is
`PASSWORD`. 127.0.0.1 shows the right certificate, 127.0.0.2 one for another name.
"""

import contextlib
import imaplib
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from eventum.transport.mailbox import Server
from eventum.transport.utf7 import encode
from tests.servers.certificates import Certificates
from tests.servers.dovecot_settings import PASSWORD, Ports, configuration_23, configuration_24

MISSING = "these tests need Dovecot: apt-get install dovecot-imapd dovecot-pop3d"


class Dovecot:
    """A running server, and the way to put mails into its mailboxes and to see what is left there."""

    def __init__(self, folder: Path, ports: Ports, owner: tuple[int, int]) -> None:
        self.folder = folder
        self.ports = ports
        self.owner = owner
        self.users = 0

    def user(self) -> str:
        """A name nobody used yet, with an empty mailbox."""
        self.users += 1
        return f"user{self.users}@example.org"

    def server(self, user: str, protocol: str, security: str = "ssl", **different: object) -> Server:
        """How to reach this user's mailbox."""
        port = {
            ("imap", True): self.ports.imaps,
            ("imap", False): self.ports.imap,
            ("pop3", True): self.ports.pop3s,
            ("pop3", False): self.ports.pop3,
        }[protocol, security == "ssl"]
        settings: dict[str, object] = {
            "protocol": protocol,
            "host": "localhost",
            "port": port,
            "security": security,
            "username": user,
            "password": PASSWORD,
        }
        return Server(**(settings | different))  # type: ignore[arg-type]

    def maildir(self, user: str) -> Path:
        return self.folder / "users" / user / "Maildir"

    def deliver(self, user: str, *mails: bytes, folder: str = "INBOX", since: int | None = None) -> None:
        """Puts mails into a folder, byte for byte and in this order.

        They come a second apart, from this moment on in seconds since 1970; without one from a quarter of an hour ago.
        """
        began = int(time.time()) - 900 if since is None else since
        box = self.maildir(user)
        if folder != "INBOX":
            box = box / ("." + encode(folder))
        for part in ("tmp", "new", "cur"):
            (box / part).mkdir(parents=True, exist_ok=True)
        for path in (box.parent, box, *(box / part for part in ("tmp", "new", "cur"))):
            os.chown(path, *self.owner)
        os.chown(self.folder / "users" / user, *self.owner)
        before = len(list((box / "new").iterdir())) + len(list((box / "cur").iterdir()))
        for number, mail in enumerate(mails, before + 1):
            staged = box / "tmp" / f"{1_700_000_000 + number}.M{number:06}.test"
            staged.write_bytes(mail)
            os.chown(staged, *self.owner)
            os.utime(staged, (began + number,) * 2)
            staged.rename(box / "new" / staged.name)

    @contextlib.contextmanager
    def session(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A mail reader of somebody else on the same mailbox."""
        imap = imaplib.IMAP4("127.0.0.1", self.ports.imap)
        try:
            imap.login(user, PASSWORD)
            assert imap.select(f'"{encode(folder)}"')[0] == "OK"
            yield imap
        finally:
            imap.logout()

    def left(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The mails that lie in a folder now, oldest first."""
        with self.session(user, folder) as imap:
            answer = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
        return [item[1] for item in answer if isinstance(item, tuple)]

    def flags(self, user: str) -> list[set[str]]:
        """The flags of each mail in the INBOX but \\Recent, oldest first."""
        with self.session(user) as imap:
            answer = imap.uid("FETCH", "1:*", "(FLAGS)")[1]
        lines = [line for line in answer if isinstance(line, bytes)]
        return [{str(f.decode()) for f in imaplib.ParseFlags(line)} - {"\\Recent"} for line in lines]

    def flag(self, user: str, uid: int, flag: str) -> None:
        """Sets one flag of one mail of the INBOX, as another mail reader would."""
        with self.session(user) as imap:
            assert imap.uid("STORE", str(uid), "+FLAGS", f"({flag})")[0] == "OK"


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on at this moment.

    They lie below those that the system gives to outgoing connections, so that none of these takes one meanwhile.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = random.randrange(20_000, 32_000)
            one = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
    return found


def mail_owner() -> tuple[str, int, int]:
    """Who owns the mailboxes: Dovecot serves no mail of root, so root lends them to nobody."""
    person = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return person.pw_name, person.pw_uid, person.pw_gid


def version() -> tuple[int, ...]:
    """The first two numbers of the installed version. Fails with what to install when there is none."""
    if shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") is None:
        raise AssertionError(MISSING)
    told = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in told.split()[0].split(".")[:2])


def program() -> str:
    """The path of dovecot, which lies outside the search path of ordinary users."""
    found = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise AssertionError(MISSING)
    return found


@contextlib.contextmanager
def running(certificates: Certificates) -> Iterator[Dovecot]:
    """A server that runs as long as the context. Fails when it is not installed or does not start."""
    release = version()
    # Its sockets lie there, whose names may have about 100 bytes; and the owner of the mails must get in.
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    name, uid, gid = mail_owner()
    (folder / "users").mkdir()
    os.chown(folder / "users", uid, gid)
    ports = Ports(*free_ports(4))
    settings = folder / "dovecot.conf"
    template = configuration_24 if release >= (2, 4) else configuration_23
    settings.write_text(template(folder, ports, certificates, (name, uid, gid)))
    with open(folder / "said", "wb") as said:
        process = subprocess.Popen([program(), "-F", "-c", str(settings)], stderr=said)
    try:
        for port in ports:
            wait_for(port, process, folder)
        yield Dovecot(folder, ports, (uid, gid))
    finally:
        process.terminate()
        process.wait()
        remove(folder)


def remove(folder: Path) -> None:
    """Removes the folder; helpers of the server may still write to it for a moment after it has ended."""
    pause = threading.Event()
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        pause.wait(0.01)


def wait_for(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Returns when the port answers; fails with the server's own words when it never will."""
    pause = threading.Event()
    for _ in range(1000):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 5):
            return
        if process.poll() is not None:
            said = [path.read_text(errors="replace") for path in (folder / "said", folder / "log") if path.exists()]
            raise AssertionError(f"Dovecot did not start ({MISSING}): {' '.join(said)}")
        pause.wait(0.01)
    raise AssertionError("Dovecot did not listen within ten seconds.")
