"""A private Postfix on a high port of loopback: it takes mail for `DOMAIN`, and delivers it where Dovecot reads it.

In flows the folder of Dovecot's users, out comes a running server. Only the people named to it have a mailbox; it also
takes mail for others of its domain, and sends it back afterwards, as servers do that find out late.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.servers.dovecot import Dovecot, free_ports

DOMAIN = "postfix.example"
PROGRAM = "/usr/sbin/postfix"
DAEMONS = "/usr/lib/postfix/sbin"

# Service, private, unprivileged, chroot, wake-up, most processes, command; see master(5).
SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def settings(folder: Path, boxes: Path, owner: tuple[int, int], people: Sequence[str]) -> str:
    """The main.cf; see postconf(5)."""
    mailboxes = " ".join(f"{{ {one} = {one}/Maildir/ }}" for one in people)
    return f"""\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {DAEMONS}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.{DOMAIN}
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_reject_unlisted_recipient = no
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {boxes}
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{owner[0]}
virtual_gid_maps = static:{owner[1]}
virtual_minimum_uid = 1
"""


def until(true: Callable[[], bool], what: str) -> None:
    """Returns when it is true; fails when it is not within a minute."""
    pause = threading.Event()
    for _ in range(3000):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError(f"{what} did not happen within a minute.")


@contextlib.contextmanager
def running(dovecot: Dovecot, people: Sequence[str]) -> Iterator[int]:
    """The port of a server that runs as long as the context. Fails when it is not installed or does not start."""
    if not Path(PROGRAM).exists():
        raise AssertionError("this test needs Postfix: apt-get install postfix")
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    for part in ("etc", "queue", "data"):
        (folder / part).mkdir()
    os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
    [port] = free_ports(1)
    (folder / "etc" / "main.cf").write_text(settings(folder, dovecot.folder / "users", dovecot.owner, people))
    (folder / "etc" / "master.cf").write_text(SERVICES.format(port=port))
    called = [PROGRAM, "-c", str(folder / "etc"), "start-fg"]
    process = subprocess.Popen(called, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = folder / "log"
    try:
        until(lambda: answers(port) or process.poll() is not None, "The start of Postfix")
        if process.poll() is not None:
            raise AssertionError(f"Postfix did not start: {log.read_text() if log.exists() else 'it says nothing'}")
        yield port
    finally:
        stop(folder, process)
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False


def stop(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    """End the master, whose children end with it; what was started is only the script that waits for it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(int((folder / "queue" / "pid" / "master.pid").read_text()), signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
