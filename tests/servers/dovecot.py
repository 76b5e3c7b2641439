"""A private Dovecot with IMAP and POP3 on high ports of loopback: clear or STARTTLS, and TLS.

In flows a folder, out comes a running server whose users need no set-up: any name is a mailbox, its password is
`PASSWORD`. 127.0.0.1 shows the right certificate, 127.0.0.2 one for another name.
"""

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from eventum.transport.mailbox import Server
from eventum.transport.utf7 import encode
from tests.servers.certificates import Certificates

PASSWORD = "correct-horse-7"
MISSING = "these tests need Dovecot: apt-get install dovecot-imapd dovecot-pop3d"


class Ports(NamedTuple):
    imap: int
    imaps: int
    pop3: int
    pop3s: int


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

    def deliver(self, user: str, *mails: bytes, folder: str = "INBOX") -> None:
        """Puts mails into a folder, byte for byte and in this order; their times are a second apart."""
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
            os.utime(staged, (1_700_000_000 + number,) * 2)
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
    """Ports of 127.0.0.1 that nobody listens on at this moment."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


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
        wait_for(ports.pop3s, process, folder)
        yield Dovecot(folder, ports, (uid, gid))
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


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


def listeners(ports: Ports, off: str) -> str:
    """The login services; without root they change neither their user nor their root folder."""
    return f"""
service imap-login {{
  {off}
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
    ssl = yes
  }}
  service_count = 0
}}
service pop3-login {{
  {off}
  inet_listener pop3 {{
    port = {ports.pop3}
  }}
  inet_listener pop3s {{
    port = {ports.pop3s}
    ssl = yes
  }}
  service_count = 0
}}
service anvil {{
  {off}
  # Else each wrong password makes the next login from this machine wait, up to 15 seconds.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  {off}
}}
"""


def unprivileged(name: str, gid: int) -> tuple[str, str]:
    """The settings that let a user who is not root run all of it, and those for each login service."""
    if os.geteuid() == 0:
        return "", ""
    return (
        f"default_internal_user = {name}\ndefault_login_user = {name}\ndefault_internal_group = {grp.getgrgid(gid).gr_name}",
        "chroot =",
    )


def configuration_23(folder: Path, ports: Ports, certificates: Certificates, owner: tuple[str, int, int]) -> str:
    """For Dovecot 2.3."""
    name, uid, gid = owner
    users, off = unprivileged(name, gid)
    return f"""
protocols = imap pop3
listen = 127.0.0.1, 127.0.0.2
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
{users}
ssl = yes
ssl_cert = <{certificates.server}
ssl_key = <{certificates.server}
local 127.0.0.2 {{
  ssl_cert = <{certificates.elsewhere}
  ssl_key = <{certificates.elsewhere}
}}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/users/%u
}}
{listeners(ports, off)}
"""


def configuration_24(folder: Path, ports: Ports, certificates: Certificates, owner: tuple[str, int, int]) -> str:
    """For Dovecot 2.4, whose settings have other names."""
    name, uid, gid = owner
    users, off = unprivileged(name, gid)
    return f"""
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap pop3
listen = 127.0.0.1, 127.0.0.2
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
{users}
ssl = yes
ssl_server_cert_file = {certificates.server}
ssl_server_key_file = {certificates.server}
local 127.0.0.2 {{
  ssl_server_cert_file = {certificates.elsewhere}
  ssl_server_key_file = {certificates.elsewhere}
}}
auth_allow_cleartext = yes
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_driver = maildir
mail_path = ~/Maildir
mail_max_userip_connections = 100
namespace inbox {{
  inbox = yes
}}
passdb static {{
  password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {folder}/users/%{{user}}
  }}
}}
{listeners(ports, off)}
"""
