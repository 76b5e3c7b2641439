"""The commands and answers of one SMTP session; `smtplib` does EHLO, STARTTLS and AUTH.

In flows what is to be said, out flow reply codes as outcomes. It must not open a connection (`smtp_session` does) or
try anything twice.
"""

import re
import smtplib
import socket
from contextlib import suppress
from typing import Any

from eventum.transport import dialling
from eventum.transport.mailbox import Timeouts
from eventum.transport.smtp import Deferred, Delivered, Failed, Outcome, Smtp

LINE = 4096
LINES = 200
PIECE = 1 << 16
GOODBYE = 5.0
EIGHT_BIT = re.compile(rb"[\x80-\xff]")
# "Authentication required" and its like are about our settings, never about this mail: it waits until they are mended.
SETTINGS = frozenset({530, 534, 535, 538})

Reply = tuple[int, bytes]


class Dialogue(smtplib.SMTP):
    """smtplib on a socket of ours, with bounded replies and one mail's commands in a single write."""

    def __init__(self, server: Smtp, timeouts: Timeouts) -> None:
        # Without a name smtplib asks the resolver who we are, which can take longer than all mails together.
        super().__init__(local_hostname=own_name())
        self.server = server
        self.timeouts = timeouts
        self.where = dialling.named(server.host, server.port)
        self.lost = False
        self.stale = False
        self.clean = True
        self.heard = 0
        self.early = b""

    def getreply(self) -> Reply:
        """One reply of at most 200 lines. Raises SMTPServerDisconnected at the end, and for what is no reply.

        What is no reply ends the talk: taken for one, every answer after it would belong to another question.
        """
        texts: list[bytes] = []
        codes: set[bytes] = set()
        for _ in range(LINES):
            line = self.line()
            code, more, text = line[:3], line[3:4], line[4:].strip()
            if not (code.isdigit() and len(code) == 3 and more in b"- \r\n"):
                raise smtplib.SMTPServerDisconnected(f'it said "{dialling.said(line)}", which is no reply')
            texts.append(text)
            codes.add(code)
            if more != b"-":
                if len(codes) > 1:
                    raise smtplib.SMTPServerDisconnected(f"a reply that contradicts itself: {dialling.said(line)}")
                return int(code), b"\n".join(texts)
        raise smtplib.SMTPServerDisconnected("the reply has no end")

    def line(self) -> bytes:
        """The next line of a reply. Raises SMTPServerDisconnected."""
        while b"\n" not in self.early:
            if len(self.early) > LINE:
                raise smtplib.SMTPServerDisconnected("a line of the reply has no end")
            room = bytearray(LINE)
            size = self.far_end().recv_into(room)
            if not size:
                raise smtplib.SMTPServerDisconnected("the connection ended in the middle of a reply")
            self.early += room[:size]
        line, end, self.early = self.early.partition(b"\n")
        return line + end

    def tell(self, words: bytes) -> None:
        """Say it. Raises SMTPServerDisconnected when the server has answered already: it is out of step with us."""
        if self.early:
            raise smtplib.SMTPServerDisconnected(f'it said "{dialling.said(self.early)}" before it was asked')
        self.far_end().sendall(words)

    def send(self, s: Any) -> None:
        """What smtplib says goes the same way."""
        self.tell(s.encode("ascii") if isinstance(s, str) else bytes(s))

    def far_end(self) -> socket.socket:
        """The open socket. Raises SMTPServerDisconnected."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("there is no connection")
        return self.sock

    def transact(self, sender: str, recipient: str, wire: bytes) -> Outcome:
        """One mail, its bytes ready for DATA. Never raises; `stale` says that the session had ended before it."""
        self.heard = 0
        try:
            return self.commands(sender, recipient, wire)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            self.drop()
            self.stale = self.heard == 0
            return Deferred(f"421 4.4.2 {self.where} broke off before it had the mail ({reason(error)}).")

    def commands(self, sender: str, recipient: str, wire: bytes) -> Outcome:
        """MAIL, RCPT and DATA, together where the server allows it (RFC 2920), then the mail."""
        options = self.options(sender, recipient, wire)
        if options is None:
            return Failed(f"553 5.6.7 {self.where} takes no address with letters beyond ASCII; nothing was sent.")
        steps = [f"MAIL FROM:<{sender}>{options}\r\n", f"RCPT TO:<{recipient}>\r\n", "DATA\r\n"]
        if not self.clean:
            steps.insert(0, "RSET\r\n")
        together = self.has_extn("pipelining")
        if together:
            self.tell("".join(steps).encode())
        refused: Reply | None = None
        reply: Reply = (0, b"")
        for step in steps:
            if not together:
                self.tell(step.encode())
            reply = self.getreply()
            if reply[0] == 421:
                self.drop()
                self.stale = self.heard == 0
                return outcome(reply)
            self.heard += 1
            expected = 3 if step == "DATA\r\n" else 2
            if reply[0] // 100 not in (expected, 4, 5):
                # Above all a yes to DATA: the mail was not even sent, so the answer belongs to something else.
                raise smtplib.SMTPServerDisconnected(f"it said {said_as(reply)} to {step.split()[0]}")
            if reply[0] // 100 != expected:
                refused = refused or reply
                if not together:
                    break
        self.clean = refused is None
        if refused is None:
            return self.content(wire)
        if reply[0] == 354:
            # RFC 2920 section 3.1: a server may say 354 though it refused the only recipient; an empty mail ends that.
            self.tell(b".\r\n")
            self.getreply()
        return outcome(refused)

    def options(self, sender: str, recipient: str, wire: bytes) -> str | None:
        """What stands behind MAIL FROM; None when an address needs SMTPUTF8 (RFC 6531) and the server lacks it."""
        said = f" SIZE={len(wire)}" if self.has_extn("size") else ""
        eight_bit = EIGHT_BIT.search(wire) is not None
        if eight_bit and self.has_extn("8bitmime"):
            said += " BODY=8BITMIME"
        addresses = (sender + recipient).isascii()
        header = wire[: wire.find(b"\r\n\r\n")] if eight_bit else b""
        if self.has_extn("smtputf8") and not (addresses and header.isascii()):
            return said + " SMTPUTF8"
        return said if addresses else None

    def content(self, wire: bytes) -> Outcome:
        """The mail itself and the answer to its closing dot; when that does not come, nobody knows."""
        self.tell(b"")
        view = memoryview(wire)
        # sendall bounds the time of the whole call: in pieces a slow line is silence only when nothing moves.
        for start in range(0, len(wire), PIECE):
            self.far_end().sendall(view[start : start + PIECE])
        self.far_end().settimeout(self.timeouts.ending)
        try:
            reply = self.getreply()
            self.far_end().settimeout(self.timeouts.command)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            self.drop()
            why = reason(error)
            return Deferred(f"421 4.4.2 {self.where} gave no answer after the mail ({why}): unknown.", unknown=True)
        if reply[0] == 421:
            self.drop()
        if reply[0] // 100 not in (2, 4, 5):
            self.drop()
            return Deferred(f"{self.where} answered the mail with {said_as(reply)}: unknown.", unknown=True)
        return outcome(reply)

    def drop(self) -> None:
        """Closes without a word; the next mail needs a new session."""
        self.lost = True
        with suppress(OSError):
            self.close()

    def leave(self) -> None:
        """QUIT and close; a server that has already gone does not matter."""
        if not self.lost:
            with suppress(OSError, smtplib.SMTPException):
                self.far_end().settimeout(GOODBYE)
                self.tell(b"QUIT\r\n")
                self.getreply()
        self.drop()


def outcome(reply: Reply) -> Outcome:
    """The reply as what it means for this mail: 2xx, 5xx, and everything else to be tried again."""
    code = reply[0]
    words = said_as(reply)
    if code // 100 == 2:
        return Delivered(words)
    if code // 100 == 5 and code not in SETTINGS:
        return Failed(words)
    return Deferred(words)


def said_as(reply: Reply) -> str:
    """A reply with its code, as one clean line."""
    return dialling.said(f"{reply[0]} ".encode() + reply[1])


def reason(error: Exception) -> str:
    """Why a connection ended, in a few words."""
    return dialling.said(str(error)) or type(error).__name__


def own_name() -> str:
    """What we call ourselves in EHLO: the machine's full name if it has one (RFC 5321 section 4.1.4)."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
