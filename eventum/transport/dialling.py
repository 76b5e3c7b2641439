"""From a host name to a connected, and where wanted encrypted, socket; and the sentences for what goes wrong there.

In flow host, port and what to demand of the certificate; out flows a socket or one of our errors. It must not speak
any mail protocol, and it never lets a server's words through uncleaned.
"""

import ipaddress
import socket
import ssl
from typing import Protocol

from eventum.errors import Busy, EventumError, Refused
from eventum.transport import pacing
from eventum.transport.mailbox import OnStep, Timeouts
from eventum.transport.reachable import Reach
from eventum.wording import N_, Phrase

WORDS = 500


def said(words: bytes | str, *, hide: str = "") -> str:
    """A server's words as one printable line of at most 500 characters, without the password should it echo it."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if hide:
        text = text.replace(hide, "***")
    # A terminal, a log and a page show this line: escapes, line ends and direction marks become blanks.
    printable = "".join(character if character.isprintable() else " " for character in text[: 8 * WORDS])
    return " ".join(printable.split())[:WORDS]


def named(host: str, port: int) -> str:
    """`host:port` as people write it, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(address: str) -> bool:
    """Whether an IP address cannot leave this machine; a name, or anything that is no address, is not one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def stays_here(sock: socket.socket) -> bool:
    """Whether the far end of this socket is on this machine, by the address it is really connected to."""
    peer = sock.getpeername()
    return isinstance(peer, tuple) and is_loopback(str(peer[0]))


def context(verify: bool) -> ssl.SSLContext:
    """TLS settings that check certificate and host name, or neither; OpenSSL's `SSL_CERT_FILE` is honoured."""
    made = ssl.create_default_context()
    made.sslsocket_class = pacing.PacedTls
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def trouble(where: str, doing: str, error: OSError, timeout: float = 0.0) -> EventumError:
    """The sentence for a failure of the network or of TLS: Refused when waiting will not help, else Busy."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(
            N_(
                "{where} shows a certificate that cannot be trusted ({reason}); use the name that stands "
                "in the certificate or have it mended, or accept any certificate with a novalidate-cert "
                "type."
            ),
            where=where,
            reason=said(error.verify_message),
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        reason = said(getattr(error, "reason", "") or str(error))
        return Refused(
            N_("{where} does not speak TLS as expected ({reason}); check the type and the port."),
            where=where,
            reason=reason,
        )
    if isinstance(error, socket.gaierror):
        return Busy(
            N_("The host of {where} is not found ({reason}); check its name."),
            where=where,
            reason=said(error.strerror or str(error)),
        )
    if isinstance(error, pacing.TooSlow):
        return Busy(
            N_("{where} took too long while {doing}, so the talk was ended; the next run goes on."),
            where=where,
            doing=Phrase(doing),
        )
    if isinstance(error, TimeoutError) and timeout:
        return Busy(
            N_(
                "{where} did not answer within {seconds} seconds while {doing}; check host and port, or try again "
                "later."
            ),
            where=where,
            seconds=f"{timeout:g}",
            doing=Phrase(doing),
        )
    if isinstance(error, TimeoutError):
        return Busy(
            N_("{where} did not answer while {doing}; check host and port, or try again later."),
            where=where,
            doing=Phrase(doing),
        )
    if isinstance(error, ConnectionRefusedError):
        return Busy(
            N_("{where} refuses connections; check host and port, and that the server is running."), where=where
        )
    reason = said(error.strerror or str(error) or type(error).__name__)
    return Busy(
        N_("The connection to {where} broke while {doing} ({reason}); the next run tries again."),
        where=where,
        doing=Phrase(doing),
        reason=reason,
    )


class Place(Protocol):
    """What there is to connect to: a mailbox's server or the one our mail leaves by."""

    @property
    def host(self) -> str:
        """A name or an address."""

    @property
    def port(self) -> int:
        """Its port."""

    @property
    def reach(self) -> Reach | None:
        """What it may be; None for anything."""


def dial(place: Place, *, tls: ssl.SSLContext | None, timeouts: Timeouts, on_step: OnStep) -> socket.socket:
    """A connected socket whose timeout is that of one command; every address of the name is tried in turn.

    Raises Busy, or Refused when the place is out of reach: of the very address that is connected to next.
    """
    host, port = place.host, place.port
    where = named(host, port)
    on_step("name")
    if place.reach is not None:
        place.reach.check_port(port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error if isinstance(error, OSError) else socket.gaierror(str(error))
        raise trouble(where, N_("looking up its name"), reason) from error
    on_step("connection", ", ".join(list(dict.fromkeys(str(address[0]) for *_, address in found))[:3]))
    last: OSError = ConnectionRefusedError()
    for family, kind, protocol, _, address in found:
        if place.reach is not None:
            place.reach.check(host, str(address[0]))
        sock = pacing.Paced(family, kind, protocol)
        try:
            sock.settimeout(timeouts.connect)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
            continue
        sock.pace = pacing.Pace(timeouts.answer, timeouts.whole)
        return encrypted(sock, host, port, tls=tls, timeouts=timeouts, on_step=on_step)
    raise trouble(where, N_("connecting"), last, timeouts.connect) from last


def encrypted(
    sock: socket.socket, host: str, port: int, *, tls: ssl.SSLContext | None, timeouts: Timeouts, on_step: OnStep
) -> socket.socket:
    """The same connection under TLS, if a context is given; the socket is closed when that fails."""
    # Requests and answers are small and alternate; without this each would wait for an acknowledgement.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls is not None:
        on_step("certificate")
        plain = sock
        try:
            sock = tls.wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            raise trouble(named(host, port), N_("beginning TLS"), error, timeouts.connect) from error
        pacing.carried_over(plain, sock)
    sock.settimeout(timeouts.command)
    return sock


def may_show_password(sock: socket.socket, security: str) -> bool:
    """Whether a password may go over this socket: under TLS, to this machine, or where `none` was chosen for it."""
    return isinstance(sock, ssl.SSLSocket) or security == "none" or stays_here(sock)


def secured(sock: socket.socket, verify: bool) -> str:
    """What protects this connection, in words; empty when nothing does."""
    if not isinstance(sock, ssl.SSLSocket):
        return ""
    return f"{sock.version()}, certificate {'verified' if verify else 'not checked'}"
