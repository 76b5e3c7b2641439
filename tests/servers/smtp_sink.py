"""The outside world of sending: an SMTP server inside the test's process, by aiosmtpd.

In flow mails, out flow what was received and, for recipients named beforehand, any answer a test wants. It offers
PIPELINING, SIZE, 8BITMIME and SMTPUTF8, and with a password STARTTLS and AUTH.
"""

import contextlib
import logging
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.certificates import Certificates
from tests.servers.dovecot import free_ports

DROP_AFTER_DOT = "drop after the dot"
DROP_AT_RCPT = "drop at RCPT"

logging.getLogger("mail.log").setLevel(logging.ERROR)


class Received(NamedTuple):
    """One mail as it came, and the parameters that stood behind MAIL FROM."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    options: tuple[str, ...]
    login: str


class Sink:
    """What was received, in order, and how to answer: recipient -> reply of RCPT, of the closing dot, or a drop."""

    def __init__(self, port: int) -> None:
        self.host = "localhost"
        self.port = port
        self.received: list[Received] = []
        self.at_rcpt: dict[str, str] = {}
        self.at_dot: dict[str, str] = {}
        self.commands: list[str] = []
        self.sessions = 0
        self.login: tuple[str, str] | None = None
        self.hidden: set[str] = set()
        self.auth: list[str] = []

    def forget(self) -> None:
        """Begins anew, for a server that serves many tests."""
        self.received.clear()
        self.at_rcpt.clear()
        self.at_dot.clear()
        self.commands.clear()
        self.hidden = set()
        self.auth = []
        self.sessions = 0

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = name
        offered = [*responses[:-1], "250-PIPELINING", responses[-1]]
        if self.auth:
            offered = ["250-AUTH " + " ".join(self.auth) if "AUTH" in line else line for line in offered]
        return [line for line in offered if not any(word in line for word in self.hidden)]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append("MAIL")
        if self.login is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append("RCPT")
        answer = self.at_rcpt.get(address, "250 2.1.5 Ok")
        if answer == DROP_AT_RCPT:
            assert server.transport is not None
            server.transport.abort()
        if answer.startswith("421"):
            await server.push(answer)
            assert server.transport is not None
            server.transport.close()
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.commands.append("RSET")
        return "250 2.0.0 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.commands.append("DATA")
        answer = next((self.at_dot[to] for to in envelope.rcpt_tos if to in self.at_dot), "250 2.0.0 Kept")
        if answer.startswith("2") or answer == DROP_AFTER_DOT:
            content = envelope.content
            self.received.append(
                Received(
                    (envelope.mail_from or "").removeprefix("<>"),
                    tuple(envelope.rcpt_tos),
                    content if isinstance(content, bytes) else str(content).encode(),
                    tuple(envelope.mail_options),
                    str(session.auth_data or ""),
                )
            )
        if answer == DROP_AFTER_DOT:
            assert server.transport is not None
            server.transport.abort()
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        if isinstance(data, LoginPassword) and self.login is not None:
            known = (data.login.decode(), data.password.decode()) == self.login
            return AuthResult(success=known, handled=False, auth_data=data.login.decode())
        return AuthResult(success=False, handled=False)


class Far(SMTP):
    """aiosmtpd with room for the long lines that real mail has."""

    line_length_limit = 1 << 20


class Running(Controller):
    """One listener; with a context for `ssl` it speaks TLS from the first byte."""

    def __init__(self, sink: Sink, tls: ssl.SSLContext | None, starttls: ssl.SSLContext | None) -> None:
        self.sink = sink
        self.starttls = starttls
        super().__init__(sink, hostname="127.0.0.1", port=sink.port, ssl_context=tls)

    def factory(self) -> SMTP:
        return Far(
            self.sink,
            hostname="sink.example",
            data_size_limit=64_000_000,
            enable_SMTPUTF8=True,
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            auth_require_tls=False,
            authenticator=self.sink.authenticate,
            auth_exclude_mechanism=None if self.sink.login else ["LOGIN", "PLAIN"],
            loop=self.loop,
        )


@contextlib.contextmanager
def running(
    certificates: Certificates | None = None,
    security: str = "none",
    login: tuple[str, str] | None = None,
    *,
    elsewhere: bool = False,
) -> Iterator[Sink]:
    """A listener with `security` none, starttls or tls; with `elsewhere` its certificate names another host."""
    context = None
    if security != "none":
        assert certificates is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.elsewhere if elsewhere else certificates.server)
    sink = Sink(free_ports(1)[0])
    sink.login = login
    controller = Running(sink, context if security == "tls" else None, context if security == "starttls" else None)
    controller.start()
    try:
        sink.forget()
        yield sink
    finally:
        controller.stop()
