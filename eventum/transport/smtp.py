"""Sending one mail to one recipient over a kept SMTP connection (RFC 5321), and what the far end made of it.

In flow the server's credentials, an envelope and bytes; out flows Delivered, Deferred or Failed. It must not compose,
choose recipients or remember anything: trying again, and when, is the queue's business.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from eventum.transport import mailbox
from eventum.transport.mailbox import OnStep, Timeouts, silent
from eventum.transport.reachable import Reach

if TYPE_CHECKING:
    from eventum.transport.smtp_dialogue import Dialogue

BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
# Nothing of an address may end the command it stands in, or begin another one (RFC 5321 section 4.1.2).
UNUSABLE = re.compile(r"[\x00-\x20<>\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """The outgoing server; `security` is `none`, `starttls` (or failure) or `tls` (from the first byte).

    With a `reach` only what it allows is connected to.
    """

    host: str
    port: int = 25
    security: str = "none"
    username: str = ""
    password: str = ""
    reach: Reach | None = None


class Delivered(msgspec.Struct, frozen=True):
    """The server took responsibility for the mail."""

    reply: str


class Deferred(msgspec.Struct, frozen=True):
    """Not now; `unknown` when the whole mail was sent and no answer came, so that it may arrive twice."""

    reply: str
    unknown: bool = False


class Failed(msgspec.Struct, frozen=True):
    """Never: this recipient, or this mail, was refused for good."""

    reply: str


Outcome = Delivered | Deferred | Failed


class Connection:
    """A session that is opened before the first mail, kept for the next ones, and opened again when it was lost."""

    def __init__(self, server: Smtp, timeouts: Timeouts, on_step: OnStep) -> None:
        self.server = server
        self.timeouts = timeouts
        self.on_step = on_step
        self.dialogue: Dialogue | None = None

    def open(self) -> "Dialogue":
        """The open session. Raises Busy when the server is away, Refused for certificate, TLS or login."""
        if self.dialogue is None:
            from eventum.transport import smtp_session

            self.dialogue = smtp_session.opened(self.server, self.timeouts, self.on_step)
        return self.dialogue

    @property
    def secured(self) -> str:
        """What protects the open session, in words; "" when nothing does."""
        from eventum.transport import dialling

        return dialling.secured(self.dialogue.far_end(), verify=True) if self.dialogue is not None else ""

    def send(self, sender: str, recipient: str, data: bytes) -> Outcome:
        """What became of one mail; `sender` is empty for the null sender. Raises Busy or Refused as `open` does."""
        for address in (sender, recipient):
            if UNUSABLE.search(address) or len(address) > 320 or (not address and address is recipient):
                return Failed(f"501 5.1.3 {address!r} cannot be used as an address; nothing was sent.")
        kept = self.dialogue is not None
        dialogue = self.open()
        wire = on_the_wire(data)
        outcome = dialogue.transact(sender, recipient, wire)
        if kept and dialogue.stale:
            # Servers end a session that was quiet for a while; that says nothing about the mail, so it is asked anew.
            self.dialogue = None
            dialogue = self.open()
            outcome = dialogue.transact(sender, recipient, wire)
        if dialogue.lost:
            self.dialogue = None
        return outcome

    def close(self) -> None:
        """Says good-bye; what goes wrong now changes nothing."""
        if self.dialogue is not None:
            self.dialogue.leave()
            self.dialogue = None


def on_the_wire(data: bytes) -> bytes:
    """The mail as DATA sends it: every line ends in CRLF, dots are stuffed, the closing dot is there.

    RFC 5321 sections 2.3.8 and 4.5.2. A bare CR or LF would let one mail be read as two (SMTP smuggling).
    """
    lines = BARE.sub(b"\r\n", data) if BARE.search(data) else data
    stuffed = lines.replace(b"\r\n.", b"\r\n..")
    first = b"." if stuffed.startswith(b".") else b""
    last = b"" if stuffed.endswith(b"\r\n") or not stuffed else b"\r\n"
    return first + stuffed + last + b".\r\n"


@contextmanager
def connect(
    server: Smtp, *, timeouts: Timeouts | None = None, on_step: OnStep = silent, at_once: bool = True
) -> Iterator[Connection]:
    """A connection for many mails. Raises Busy or Refused at once, or only at the first mail if not `at_once`."""
    connection = Connection(server, timeouts or mailbox.USUAL, on_step)
    try:
        if at_once:
            connection.open()
        yield connection
    finally:
        connection.close()
