"""One session with a POP3 server up to the login (RFC 1939, STLS of RFC 2595, CAPA of RFC 2449), on `poplib`.

In flow credentials, out flow answers as blocks of bytes. Messages are read in blocks and not line by line: that is
many times faster, keeps every byte, has no longest line, and takes a message for whole only when its last line has
really come.
"""

import io
import poplib
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from eventum.errors import Busy, EventumError, Refused
from eventum.transport import dialling
from eventum.transport.mailbox import OnStep, Server, Timeouts
from eventum.wording import N_, Phrase

LINE = 4096
BLOCK = 1 << 18
END = b"\r\n.\r\n"
# RFC 2449 section 8 and RFC 3206: the mailbox is in use, or the server is in trouble; neither is the password's fault.
PASSING = re.compile(rb"\[(?:IN-USE|LOGIN-DELAY|SYS/TEMP)\]", re.IGNORECASE)


class Dialogue(poplib.POP3):
    """poplib on a socket of ours, with answers of many lines read in blocks."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self.dialled = sock
        super().__init__(server.host, server.port)
        self.widen()

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self.dialled

    def widen(self) -> None:
        """Reads in large blocks from here on; what a server sent unasked before is dropped with the old buffer."""
        self.file.close()
        self.reader = cast(io.BufferedReader, self.sock.makefile("rb", BLOCK))
        # poplib closes what it calls its file, and reads no line of its own after the greeting.
        self.file = cast(BinaryIO, self.reader)

    def drop(self) -> None:
        """Closes without a word."""
        with suppress(OSError):
            self.close()

    def start_tls(self, trust: ssl.SSLContext, timeouts: Timeouts, on_step: OnStep) -> None:
        """STLS (RFC 2595 section 4). Raises poplib.error_proto, OSError or one of our errors."""
        self.tell(["STLS"])
        self.answer()
        self.sock = dialling.encrypted(self.sock, self.host, self.port, tls=trust, timeouts=timeouts, on_step=on_step)
        self.widen()

    def offers(self) -> dict[str, list[str]]:
        """What the server can do (CAPA, RFC 2449), by name; nothing where it does not know the question."""
        self.tell(["CAPA"])
        try:
            self.answer()
        except poplib.error_proto:
            return {}
        lines = self.block(65_536).decode("ascii", "replace").upper().splitlines()
        return {line.split()[0]: line.split()[1:] for line in lines if line.strip()}

    def tell(self, commands: Sequence[str]) -> None:
        """Sends commands in one write; their answers are read by `answer` and `block` in this order."""
        self.sock.sendall("".join(f"{command}\r\n" for command in commands).encode())

    def answer(self) -> bytes:
        """The server's answer of one line. Raises poplib.error_proto with its words when it is -ERR.

        What is neither ends the talk (ConnectionAbortedError): the lines behind it may answer something else.
        """
        line = self.reader.readline(LINE)
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError("it ended in the middle of a line")
        if line[:1] == b"-":
            raise poplib.error_proto(line.rstrip())
        if line[:1] != b"+":
            raise ConnectionAbortedError(f'it said "{dialling.said(line)}", which is no answer')
        return line

    def block(self, limit: int) -> bytes:
        """The lines after an answer, dots unstuffed, up to the line of one dot (RFC 1939 section 3).

        Raises OSError when the connection ended before that line, or when more than `limit` bytes came without it.
        """
        parts: list[bytes] = []
        size = 0
        # The line end of the answer counts: an empty block is the closing dot alone.
        carried = b"\r\n"
        while size <= limit:
            chunk = self.reader.peek()
            if not chunk:
                raise ConnectionAbortedError("it ended in the middle of an answer")
            seen = carried + chunk
            end = seen.find(END)
            if end >= 0:
                parts.append(self.reader.read(end + len(END) - len(carried)))
                return unstuffed(b"".join(parts))
            parts.append(self.reader.read(len(chunk)))
            size += len(chunk)
            carried = seen[-4:]
        raise ConnectionAbortedError("the answer is larger than anything that was asked for")


def unstuffed(block: bytes) -> bytes:
    """The lines without the closing dot and without the dots that were put before dots."""
    body = block[:-3].replace(b"\r\n..", b"\r\n.")
    return body[1:] if body.startswith(b"..") else body


def words(error: poplib.error_proto) -> str:
    """What the server said, as one clean line."""
    reply = error.args[0] if error.args else b""
    return f'it said "{dialling.said(reply)}"'


@contextmanager
def talking(where: str, doing: str) -> Iterator[None]:
    """Turns what poplib and the network raise into one of our errors."""
    try:
        yield
    except poplib.error_proto as error:
        raise Busy(
            N_("{where} broke off while {doing} ({error}); the next run tries again."),
            where=where,
            doing=Phrase(doing),
            error=words(error),
        ) from error
    except OSError as error:
        raise dialling.trouble(where, doing, error) from error


def opened(server: Server, timeouts: Timeouts, on_step: OnStep) -> tuple[Dialogue, bool]:
    """A session that is encrypted as asked and logged in, and whether it pipelines. Raises Busy or Refused."""
    where = dialling.named(server.host, server.port)
    trust = dialling.context(server.verify) if server.security != "none" else None
    at_once = trust if server.security == "ssl" else None
    sock = dialling.dial(server, tls=at_once, timeouts=timeouts, on_step=on_step)
    try:
        with talking(where, N_("greeting")):
            pop = Dialogue(sock, server)
    except EventumError:
        sock.close()
        raise
    done = False
    try:
        with talking(where, N_("asking what it can")):
            offers = pop.offers()
        if trust is not None and at_once is None and must_start_tls(where, server, "STLS" in offers):
            with talking(where, N_("beginning TLS")):
                pop.start_tls(trust, timeouts, on_step)
                offers = pop.offers()
        on_step("login", dialling.secured(pop.sock, server.verify))
        log_in(pop, server, offers)
        with talking(where, N_("asking what it can")):
            # Some servers name PIPELINING only to who has logged in.
            pipelining = "PIPELINING" in (offers | pop.offers())
        done = True
    finally:
        if not done:
            pop.drop()
    return pop, pipelining


def must_start_tls(where: str, server: Server, offered: bool) -> bool:
    """Whether to ask for TLS now. Raises Refused where it is wanted and not offered."""
    if not offered and server.security == "starttls":
        raise Refused(N_("{where} offers no STARTTLS; use a type with ssl, or ask its administrator."), where=where)
    return offered


def log_in(pop: Dialogue, server: Server, offers: dict[str, list[str]]) -> None:
    """Logs in by USER and PASS, or by AUTH PLAIN where a server takes only that. Raises Refused or Busy."""
    where = dialling.named(server.host, server.port)
    if not dialling.may_show_password(pop.sock, server.security):
        raise Refused(
            N_(
                "{where} offers no TLS and is not this machine: the password is not sent in clear text. "
                "Use a type with ssl or tls, or one with notls if you accept that."
            ),
            where=where,
        )
    if not (server.username + server.password).isprintable():
        raise Refused(N_("The user name or password for {where} holds a control character; set it again."), where=where)
    plain = "USER" not in offers and "PLAIN" in offers.get("SASL", [])
    secret = b64encode(f"\0{server.username}\0{server.password}".encode()).decode()
    try:
        for command in [f"AUTH PLAIN {secret}"] if plain else [f"USER {server.username}", f"PASS {server.password}"]:
            pop.tell([command])
            pop.answer()
    except poplib.error_proto as error:
        reply = dialling.said(error.args[0], hide=server.password)
        if PASSING.search(error.args[0]):
            raise Busy(
                N_('{where} takes no login now: "{reply}"; the next run tries again.'), where=where, reply=reply
            ) from error
        raise Refused(
            N_('{where} refused the login of {user}: "{reply}"; check user name and password.'),
            where=where,
            user=server.username,
            reply=reply,
        ) from error
    except OSError as error:
        raise dialling.trouble(where, N_("logging in"), error) from error
