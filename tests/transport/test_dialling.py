"""What connections have in common: words of servers, loopback, clear text."""

import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Busy, Refused
from eventum.transport import dialling
from eventum.transport.mailbox import Server, Timeouts, open_mailbox
from tests.servers import scripted


@given(st.binary(max_size=2000))
def test_a_servers_words_are_one_short_printable_line(words: bytes) -> None:
    line = dialling.said(words)
    assert line.isprintable()
    assert len(line) <= 500


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (b"550 no\r\n550 such user\r\n", "550 no 550 such user"),
        (b"\x1b[31mred\x07\x00", "[31mred"),
        ("a\u202eb\u2028c".encode(), "a b c"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 10_000_000, "x" * 500),
    ],
)
def test_words_are_cleaned(words: bytes, line: str) -> None:
    assert dialling.said(words) == line


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::1%lo", True),
        ("0.0.0.0", False),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("2001:db8::1", False),
        ("localhost", False),
        ("127.0.0.1.example.org", False),
        ("", False),
    ],
)
def test_loopback_is_told_by_the_address_and_not_by_a_name(address: str, here: bool) -> None:
    assert dialling.is_loopback(address) is here


class Far(socket.socket):
    """A socket that says it is connected to another machine; nothing is sent."""

    def getpeername(self) -> tuple[str, int]:
        return ("192.0.2.1", 143)


@pytest.mark.parametrize(
    ("security", "may"), [("none", True), ("starttls-if-offered", False), ("starttls", False), ("ssl", False)]
)
def test_a_password_leaves_this_machine_in_clear_text_only_where_that_was_chosen(security: str, may: bool) -> None:
    with Far() as far:
        assert dialling.may_show_password(far, security) is may


def test_a_password_may_go_to_this_machine_and_through_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as here:
        assert dialling.may_show_password(here, "starttls-if-offered")
    left, right = socket.socketpair()
    with right, dialling.context(verify=False).wrap_socket(left, do_handshake_on_connect=False) as tls:
        assert dialling.may_show_password(tls, "ssl")


@pytest.mark.parametrize("player", [scripted.imap({}), scripted.pop3({})])
def test_a_plain_account_on_loopback_may_log_in_without_tls(player: scripted.Player) -> None:
    protocol = "imap" if player.__qualname__.startswith("imap") else "pop3"
    with scripted.running(player) as (port, _):
        server = Server(
            protocol=protocol,
            host="127.0.0.1",
            port=port,
            security="starttls-if-offered",
            username="ann",
            password="p",
        )
        with open_mailbox(server, timeouts=Timeouts(command=2)) as mailbox:
            assert mailbox.secured == ""


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (TimeoutError(), Busy, "did not answer within 3 seconds while greeting; check host and port"),
        (ConnectionRefusedError(), Busy, "refuses connections; check host and port"),
        (
            ConnectionResetError(104, "Connection reset by peer"),
            Busy,
            "broke while greeting (Connection reset by peer)",
        ),
        (ssl.SSLEOFError(8, "EOF occurred"), Busy, "broke while greeting"),
        (ssl.SSLError(1, "wrong version number"), Refused, "does not speak TLS as expected"),
        (socket.gaierror(-2, "Name or service not known"), Busy, "is not found (Name or service not known)"),
        (OSError(101, "Network is unreachable"), Busy, "Network is unreachable"),
    ],
)
def test_each_trouble_has_its_sentence(error: OSError, kind: type[Exception], words: str) -> None:
    found = dialling.trouble("mail.example:993", "greeting", error, 3)
    assert isinstance(found, kind)
    assert "mail.example:993" in str(found)
    assert words in str(found)


def test_an_ipv6_host_is_written_in_brackets() -> None:
    assert dialling.named("::1", 143) == "[::1]:143"
