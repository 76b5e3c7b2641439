"""One session with an IMAP server up to the open folder (RFC 3501), on `imaplib`: TLS, login, SELECT or EXAMINE.

In flow credentials, out flows a logged-in session or one of our errors with the server's own words. It must not send
a password where others can read it, nor let a server decide how much memory its answers take.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from eventum.errors import Busy, EventumError, NotFound, Refused
from eventum.transport import dialling, pacing
from eventum.transport.mailbox import OnStep, Server, Timeouts
from eventum.transport.utf7 import encode
from eventum.wording import N_, Phrase

# One command never brings more than this beside the bodies it asks for: 20 MB hold two million UIDs. A line counts as
# a hundred bytes at least, since that is the memory it takes: a million lines of ten bytes are refused too.
ANSWER = 20_000_000
LEAST = 100
GOODBYE = 5.0

# imaplib gives up at lines of a million bytes, which is the answer to SEARCH in a folder of 130,000 mails. Its limit
# is of the module and not of a connection; the budget below is what bounds each of ours.
imaplib._MAXLINE = ANSWER  # type: ignore[attr-defined]
# What imaplib compares: the word behind `*` or a tag, and the code in brackets.
SMALL = re.compile(
    rb"(?:\*|[A-Z]{4}\d+) (?:\d+ )?[A-Za-z-]*[a-z][A-Za-z-]*(?: \[[A-Za-z-]+)?|\* [A-Z]+ \[[A-Za-z-]*[a-z]"
)
# Answers that a later try may not get (RFC 5530 section 3).
PASSING = re.compile(rb"\[(?:UNAVAILABLE|INUSE|SERVERBUG|LIMIT|THROTTLED)\b", re.IGNORECASE)


class Dialogue(imaplib.IMAP4):
    """imaplib on a socket of ours, with a budget of bytes that a server may send in answer to one command."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self.dialled = sock
        self.budget = ANSWER
        super().__init__(server.host, server.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self.dialled

    def spend(self, size: int) -> None:
        """Counts bytes before they are read, so that a literal of 10 GB is refused and not allocated."""
        self.budget -= size
        if self.budget < 0:
            raise self.abort("the answer is larger than anything that was asked for")

    def read(self, size: int) -> bytes:
        self.spend(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self.spend(max(len(line), LEAST))
        return line

    def _get_line(self) -> bytes:
        # RFC 3501 section 9: words may come in any case, and imaplib knows only capitals.
        line: bytes = super()._get_line()  # type: ignore[misc]
        return SMALL.sub(lambda found: found[0].upper(), line, count=1) if SMALL.match(line) else line

    def leave(self) -> None:
        """LOGOUT and close. Good manners only: whatever goes wrong in saying good-bye changes nothing."""
        self.budget = ANSWER
        with suppress(imaplib.IMAP4.error, OSError):
            self.sock.settimeout(GOODBYE)
            self.logout()
        self.drop()

    def drop(self) -> None:
        """Closes without a word."""
        with suppress(OSError):
            self.shutdown()


def words(data: Sequence[object]) -> str:
    """What the server said, as one clean line."""
    line = next((item for item in reversed(data) if isinstance(item, bytes)), b"")
    return f'it said "{dialling.said(line)}"' if line else "it gave no reason"


@contextmanager
def talking(where: str, doing: str) -> Iterator[None]:
    """Turns what imaplib and the network raise into one of our errors."""
    try:
        yield
    except imaplib.IMAP4.readonly as error:
        raise Refused(
            N_("{where} lets nobody delete in this folder; leave a copy on the server."), where=where
        ) from error
    except imaplib.IMAP4.error as error:
        raise Busy(
            N_('{where} broke off while {doing}: "{reason}"; the next run tries again.'),
            where=where,
            doing=Phrase(doing),
            reason=dialling.said(str(error)),
        ) from error
    except OSError as error:
        raise dialling.trouble(where, doing, error) from error


def opened(server: Server, timeouts: Timeouts, on_step: OnStep) -> Dialogue:
    """A session that is encrypted as asked and logged in. Raises Busy or Refused."""
    trust = dialling.context(server.verify) if server.security != "none" else None
    at_once = trust if server.security == "ssl" else None
    sock = dialling.dial(server, tls=at_once, timeouts=timeouts, on_step=on_step)
    try:
        with talking(dialling.named(server.host, server.port), N_("greeting")):
            imap = Dialogue(sock, server)
    except EventumError:
        sock.close()
        raise
    done = False
    try:
        if trust is not None and at_once is None:
            start_tls(imap, server, trust, on_step)
        on_step("login", dialling.secured(imap.sock, server.verify))
        log_in(imap, server)
        done = True
    finally:
        if not done:
            imap.drop()
    return imap


def start_tls(imap: Dialogue, server: Server, trust: ssl.SSLContext, on_step: OnStep) -> None:
    """STARTTLS (RFC 3501 section 6.2.1); what came before it in clear text is forgotten. Raises Refused, Busy."""
    where = dialling.named(server.host, server.port)
    if "STARTTLS" not in imap.capabilities:
        if server.security == "starttls":
            raise Refused(N_("{where} offers no STARTTLS; use a type with ssl, or ask its administrator."), where=where)
        return
    on_step("certificate")
    with talking(where, N_("beginning TLS")):
        plain = imap.sock
        imap.starttls(trust)
        pacing.carried_over(plain, imap.sock)


def log_in(imap: Dialogue, server: Server) -> None:
    """Logs in by AUTHENTICATE PLAIN, which takes any characters, or else by LOGIN. Raises Refused or Busy."""
    where = dialling.named(server.host, server.port)
    if not dialling.may_show_password(imap.sock, server.security):
        raise Refused(
            N_(
                "{where} offers no TLS and is not this machine: the password is not sent in clear text. "
                "Use a type with ssl or tls, or one with notls if you accept that."
            ),
            where=where,
        )
    secret = f"\0{server.username}\0{server.password}".encode()
    try:
        if "AUTH=PLAIN" in imap.capabilities or not secret.isascii():
            imap.authenticate("PLAIN", lambda challenge: secret)
        elif "LOGINDISABLED" in imap.capabilities:
            raise Refused(N_("{where} takes no password without TLS; use a type with ssl or tls."), where=where)
        else:
            imap.login(quote(server.username), server.password)
    except imaplib.IMAP4.error as error:
        raise login_refused(where, server, error) from error
    except OSError as error:
        raise dialling.trouble(where, N_("logging in"), error) from error


def login_refused(where: str, server: Server, error: imaplib.IMAP4.error) -> EventumError:
    """Busy when the server ended the talk or calls it passing (RFC 5530), else Refused."""
    reply = dialling.said(str(error), hide=server.password)
    if isinstance(error, imaplib.IMAP4.abort) or PASSING.search(str(error).encode()):
        return Busy(N_('{where} takes no login now: "{reply}"; the next run tries again.'), where=where, reply=reply)
    return Refused(
        N_('{where} refused the login of {user}: "{reply}"; check user name and password.'),
        where=where,
        user=server.username,
        reply=reply,
    )


def select(imap: Dialogue, server: Server, removing: bool) -> int:
    """Opens the folder, to read only unless mails are to be removed; how many it holds. Raises NotFound, Refused."""
    where = dialling.named(server.host, server.port)
    with talking(where, N_("opening the folder")):
        status, data = imap.select(quote(encode(server.folder)), readonly=not removing)
    if status != "OK":
        if any(isinstance(line, bytes) and PASSING.search(line) for line in data):
            raise Busy(
                N_('{where} cannot open "{folder}" now ({data}); the next run tries again.'),
                where=where,
                folder=server.folder,
                data=words(data),
            )
        raise NotFound(
            N_('{where} has no folder "{folder}" for {user} ({data}); check its name.'),
            where=where,
            folder=server.folder,
            user=server.username,
            data=words(data),
        )
    exists = data[-1]
    if not (isinstance(exists, bytes) and exists.isdigit()):
        raise Busy(
            N_("{where} did not say how many mails the folder holds; the next run tries again."),
            where=where,
        )
    return int(exists)


def quote(text: str) -> str:
    """A quoted string of RFC 3501 section 4.3, on one line whatever the text holds."""
    line = text.replace("\r", "").replace("\n", "").replace("\0", "")
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
