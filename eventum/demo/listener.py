"""A small SMTP server on loopback: the demo's outside world, and its way in.

Flows in: connections from this machine. Flows out: mails, each handed to `keep` once a recipient before its sender is
told yes. It relays nothing, knows no login and no TLS, and bounds what one caller can take: connections, recipients,
bytes and time. RFC 5321, as far as a sender needs it.
"""

import contextlib
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from eventum.errors import Busy

MOST_CONNECTIONS = 8
MOST_RECIPIENTS = 100  # RFC 5321 section 4.5.3.1.8
MOST_BYTES = 10_000_000
LONGEST_LINE = 4096
PATIENCE = 60.0  # Seconds without a line from the caller.

_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>\s]{0,320})>", re.IGNORECASE)

Takes = Callable[[str], str]  # recipient -> why he is refused, "" when he is not
Keep = Callable[[str, str, str, bytes], None]  # (sender, recipient, name the caller gave, raw)


class Listener(socketserver.ThreadingTCPServer):
    """A server on 127.0.0.1; `port` 0 takes any that is free. Raises `Busy` when the port is taken."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, takes: Takes, keep: Keep) -> None:
        self.takes = takes
        self.keep = keep
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        try:
            super().__init__(("127.0.0.1", port), Conversation)
        except OSError as error:
            raise Busy(f"127.0.0.1:{port} cannot be listened on ({error.strerror}); name another --port.") from error

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, when there is a place for it."""
        if not self._places.acquire(blocking=False):
            with contextlib.suppress(OSError):
                request.sendall(b"421 4.3.2 Too many connections, try later\r\n")
            self.shutdown_request(request)
            return
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


@contextlib.contextmanager
def listening(port: int, takes: Takes, keep: Keep) -> Iterator[Listener]:
    """A listener that answers as long as the context. Raises `Busy` when the port is taken."""
    with Listener(port, takes, keep) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            listener.shutdown()
            thread.join()


class Conversation(socketserver.StreamRequestHandler):
    """One connection, from the greeting to QUIT."""

    server: Listener
    timeout: ClassVar[float | None] = PATIENCE

    def handle(self) -> None:
        """Talk until the caller leaves, falls silent or is cut off."""
        self.helo, self.sender = "unknown", None  # type: tuple[str, str | None]
        self.recipients: list[str] = []
        with contextlib.suppress(OSError):
            self._say("220 demo ESMTP Eventum demo")
            while line := self.rfile.readline(LONGEST_LINE):
                if not line.endswith(b"\n"):
                    self._say("500 5.5.2 Line too long")
                    return
                words = line.decode("utf-8", "replace").strip()
                if words[:4].upper() == "QUIT":
                    self._say("221 2.0.0 Bye")
                    return
                self._say(self._answer(words))

    def _say(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")

    def _answer(self, words: str) -> str:
        verb, _, rest = words.partition(" ")
        match verb.upper():
            case "EHLO" | "HELO":
                self.helo = re.sub(r"[^\w.:\[\]-]", "", rest)[:100] or "unknown"
                self._forget()
                if verb.upper() == "HELO":
                    return "250 demo"
                return f"250-demo\r\n250-SIZE {MOST_BYTES}\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 SMTPUTF8"
            case "MAIL":
                path = _PATH.match(rest)
                if path is None:
                    return "501 5.5.4 Say MAIL FROM:<address>"
                self._forget()
                self.sender = path[1]
                return "250 2.1.0 Ok"
            case "RCPT":
                return self._recipient(rest)
            case "DATA":
                return self._data()
            case "RSET":
                self._forget()
                return "250 2.0.0 Ok"
            case "NOOP":
                return "250 2.0.0 Ok"
            case "VRFY":
                return "252 2.0.0 Write, and see"
        return "502 5.5.1 Not here"

    def _forget(self) -> None:
        self.sender, self.recipients = None, []

    def _recipient(self, rest: str) -> str:
        path = _PATH.match(rest)
        if self.sender is None:
            return "503 5.5.1 MAIL first"
        if path is None or not path[1]:
            return "501 5.5.4 Say RCPT TO:<address>"
        if len(self.recipients) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        refusal = self.server.takes(path[1].lower())
        if refusal:
            return f"550 5.1.1 {refusal}"
        self.recipients.append(path[1].lower())
        return "250 2.1.5 Ok"

    def _data(self) -> str:
        if self.sender is None or not self.recipients:
            return "503 5.5.1 MAIL and RCPT first"
        self._say("354 End with a line of one dot")
        sender, recipients, raw = self.sender, self.recipients, self._mail()
        self._forget()
        if raw is None:
            return f"552 5.3.4 More than {MOST_BYTES} bytes"
        try:
            for recipient in recipients:
                self.server.keep(sender, recipient, self.helo, raw)
        except OSError as error:
            return f"451 4.3.0 {error.strerror}"
        return "250 2.0.0 Kept"

    def _mail(self) -> bytes | None:
        """The bytes up to the line of one dot, dots unstuffed; None when they are too many."""
        lines: list[bytes] = []
        size, before = 0, b"\r\n"
        while piece := self.rfile.readline(LONGEST_LINE):
            # Only CRLF ends a line (RFC 5321 section 2.3.8), and a long line comes in several pieces.
            begins, before = before == b"\r\n", (before + piece)[-2:]
            if begins and piece == b".\r\n":
                return b"".join(lines) if size <= MOST_BYTES else None
            size += len(piece)
            if size <= MOST_BYTES:
                lines.append(piece[1:] if begins and piece.startswith(b".") else piece)
        raise ConnectionError("the caller left in the middle of a mail")
