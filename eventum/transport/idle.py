"""An IMAP folder that says when something comes (IDLE, RFC 2177): a hint to fetch now, never what is fetched.

In flows a Server, out flows "something may have come". It must not decide what is new, and nothing depends on a hint
that is lost: whoever listens here asks by position now and then all the same.
"""

import select
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from typing import cast

import msgspec

from eventum.transport import dialling, imap_dialogue, pacing
from eventum.transport.imap_dialogue import ANSWER, Dialogue, talking
from eventum.transport.mailbox import Server, Timeouts, silent
from eventum.wording import N_

# RFC 2177 section 3 allows 29 minutes; a router on the way forgets a silent connection earlier.
AGAIN = 540.0
DOING = N_("waiting for new mail")


class Listening:
    """An open folder of a server that has IDLE; one thread waits, another may `stop` it."""

    def __init__(self, imap: Dialogue, server: Server, timeouts: Timeouts) -> None:
        self._imap = imap
        self._where = dialling.named(server.host, server.port)
        self._command = timeouts.command
        self._tag = b""

    def wait(self, seconds: float = AGAIN) -> bool:
        """Whether something came within so many seconds. Raises `Busy` when the connection broke or was stopped."""
        with talking(self._where, DOING):
            came = self._begin()
            came = came or self._hears(seconds)
            return self._end() or came

    def stop(self) -> None:
        """Break the connection, from another thread: who waits gets `Busy` at once."""
        with suppress(OSError):
            self._imap.sock.shutdown(2)

    def _begin(self) -> bool:
        """Say IDLE; whether something came before the server was ready for it."""
        self._imap.budget = ANSWER
        self._tag = self._imap._new_tag()
        self._imap.send(self._tag + b" IDLE\r\n")
        came = False
        while not (line := self._line()).startswith(b"+"):
            if line.startswith(self._tag):
                raise self._imap.abort(f"IDLE was refused: {dialling.said(line)}")
            came = came or is_news(line)
        return came

    def _hears(self, seconds: float) -> bool:
        """Read until something came, or nothing did for so long."""
        while self._is_said_within(seconds):
            # We wanted the silence before it: its time is not the server's.
            pacing.begun_anew(self._imap.sock)
            if is_news(self._line()):
                return True
        return False

    def _end(self) -> bool:
        """Say DONE and hear the server out; whether something came meanwhile."""
        self._imap.budget = ANSWER
        self._imap.send(b"DONE\r\n")
        came = False
        while not (line := self._line()).startswith(self._tag):
            came = came or is_news(line)
        return came

    def _line(self) -> bytes:
        """One line, which has to come within the time of a command. Raises abort at the end of the connection."""
        line = self._imap.readline()
        if not line.endswith(b"\n"):
            raise self._imap.abort("the server ended the connection")
        if line.startswith(b"* BYE"):
            raise self._imap.abort(dialling.said(line[2:]))
        return line

    def _is_said_within(self, seconds: float) -> bool:
        """Whether there is something to read within so many seconds. Raises abort when there never will be."""
        sock, until, patience = self._imap.sock, time.monotonic() + seconds, 0.0
        while True:
            # What came together with an earlier line lies in a buffer already, where select does not see it.
            buffered = getattr(self._imap, "_readbuf", None)  # the one that imaplib has since Python 3.14
            can_read = bool(buffered) or bool(select.select([sock], [], [], patience)[0])
            begin = self._peek() if buffered is None else b"+" if can_read else None
            if begin:
                return True
            if can_read and begin is not None:
                raise self._imap.abort("the server ended the connection")
            patience = until - time.monotonic()
            if patience <= 0:
                return False

    def _peek(self) -> bytes | None:
        """The beginning of what can be read at once; None when that is only a matter of TLS."""
        sock = self._imap.sock
        pacing.begun_anew(sock)
        sock.settimeout(0)
        try:
            return cast("BufferedReader", self._imap.file).peek()
        except ssl.SSLWantReadError:
            return None
        finally:
            sock.settimeout(self._command)


def is_news(line: bytes) -> bool:
    """Whether an unasked line tells of mail in the folder: `* 23 EXISTS` (RFC 3501 section 7.3.1)."""
    words = line.upper().split()
    return len(words) == 3 and words[0] == b"*" and words[1].isdigit() and words[2] == b"EXISTS"


@contextmanager
def open_listening(server: Server, timeouts: Timeouts) -> Iterator[Listening | None]:
    """The folder, opened for reading only; None from a server without IDLE, and for a mailbox that is not IMAP.

    Raises as `mailbox.open_mailbox`.
    """
    if server.protocol != "imap":
        yield None
        return
    # A talk that mostly waits has no end.
    imap = imap_dialogue.opened(server, msgspec.structs.replace(timeouts, whole=float("inf")), silent)
    try:
        imap_dialogue.select(imap, server, removing=False)
        # Asked after the login, since many servers tell only then.
        with talking(dialling.named(server.host, server.port), N_("asking what it can")):
            told = imap.capability()[1]
        has_idle = any(b"IDLE" in line.upper().split() for line in told if isinstance(line, bytes))
        yield Listening(imap, server, timeouts) if has_idle else None
        imap.leave()
    finally:
        imap.drop()
