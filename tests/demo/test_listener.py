"""The demo's SMTP server, called by smtplib, and by hand where a sender is odd or hostile."""

import smtplib
import socket
from collections.abc import Iterator

import pytest

from eventum.demo import listener
from eventum.demo.listener import Listener, listening
from eventum.errors import Busy

Kept = list[tuple[str, str, bytes]]


@pytest.fixture
def kept() -> Kept:
    return []


@pytest.fixture
def server(kept: Kept) -> Iterator[Listener]:
    """Takes mail for everybody but nobody@example.org; the disk of full@example.org is full."""

    def keep(sender: str, recipient: str, helo: str, raw: bytes) -> None:
        if recipient == "full@example.org":
            raise OSError(28, "No space left on device")
        kept.append((sender, recipient, raw))

    with listening(0, lambda to: "Not here" if to == "nobody@example.org" else "", keep) as running:
        yield running


def codes(server: Listener, words: bytes) -> list[bytes]:
    """The codes of the replies to all of this, sent at once and followed by QUIT."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as sock:
        sock.sendall(words + b"QUIT\r\n")
        return [line[:3] for line in sock.makefile("rb").read().splitlines()]


ODD = {
    "nothing": b"",
    "dots at line beginnings": b".\r\n..\r\n.x\r\n",
    "a line longer than any piece": b"y" * (3 * listener.LONGEST_LINE) + b"\r\n.\r\n",
    "a line that ends between two pieces": b"y" * (listener.LONGEST_LINE - 1) + b"\r\n",
    "lines that end in LF alone": b"a\n.\n..\nb\r\n",
    "bytes of eight bits": bytes(range(128, 256)) + b"\0\r\n",
}


@pytest.mark.parametrize("kind", ODD)
def test_a_mail_is_kept_byte_for_byte_once_a_recipient(server: Listener, kept: Kept, kind: str) -> None:
    raw = b"Subject: x\r\n\r\n" + ODD[kind]
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in raw.split(b"\r\n"))
    envelope = (
        b"EHLO me\r\nMAIL FROM:<Ana@example.org> SIZE=9\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<C@example.org>\r\n"
    )
    answers = codes(server, envelope + b"DATA\r\n" + stuffed + b".\r\n")
    assert answers == [b"220", *[b"250"] * 5, b"250", b"250", b"250", b"354", b"250", b"221"]
    assert kept == [("Ana@example.org", "b@example.org", raw), ("Ana@example.org", "c@example.org", raw)]


def test_several_mails_come_by_one_connection(server: Listener, kept: Kept) -> None:
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        for number in range(3):
            client.sendmail("", f"{number}@example.org", "Subject: x\n\nHello\n")
    assert [(sender, to) for sender, to, _ in kept] == [("", f"{number}@example.org") for number in range(3)]


def test_one_refused_recipient_leaves_the_others(server: Listener, kept: Kept) -> None:
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        refused = client.sendmail("a@example.org", ["nobody@example.org", "b@example.org"], "x")
    assert refused == {"nobody@example.org": (550, b"5.1.1 Not here")}
    assert [to for _, to, _ in kept] == ["b@example.org"]


def test_a_mail_that_cannot_be_kept_is_not_taken(server: Listener) -> None:
    with smtplib.SMTP("127.0.0.1", server.port) as client, pytest.raises(smtplib.SMTPDataError, match="No space left"):
        client.sendmail("a@example.org", "full@example.org", "x")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (b"RCPT TO:<a@example.org>\r\n", b"503"),
        (b"DATA\r\n", b"503"),
        (b"MAIL FROM:<a@example.org>\r\nDATA\r\n", b"503"),
        (b"MAIL a@example.org\r\n", b"501"),
        (b"MAIL FROM:<a@example.org>\r\nRCPT TO:<>\r\n", b"501"),
        (b"MAIL FROM:<a@example.org>\r\nRSET\r\nRCPT TO:<a@example.org>\r\n", b"503"),
        (b"STARTTLS\r\n", b"502"),
        (b"AUTH PLAIN AGEAYg==\r\n", b"502"),
        (b"\r\n", b"502"),
        (b"\xff\xfe\r\n", b"502"),
        (b"NOOP\r\n", b"250"),
        (b"VRFY ana\r\n", b"252"),
        (b"helo me\r\n", b"250"),
        (b"MAIL FROM:<a@example.org>\r\n" + b"RCPT TO:<b@example.org>\r\n" * 101, b"452"),
    ],
)
def test_each_command_has_its_answer(server: Listener, words: bytes, code: bytes) -> None:
    assert codes(server, words)[-2] == code


def test_a_line_without_end_ends_the_conversation(server: Listener) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5) as sock:
        sock.sendall(b"x" * listener.LONGEST_LINE)
        assert sock.makefile("rb").read().splitlines()[-1] == b"500 5.5.2 Line too long"


def test_a_mail_that_is_too_large_is_refused_and_the_next_one_taken(
    server: Listener, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MOST_BYTES", 1000)
    mail = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    answers = codes(server, mail + b"z" * 1000 + b"\r\n.\r\n" + mail + b"Hello\r\n.\r\n")
    assert answers == [b"220", b"250", b"250", b"354", b"552", b"250", b"250", b"354", b"250", b"221"]
    assert [raw for _, _, raw in kept] == [b"Hello\r\n"]


def test_a_mail_that_is_cut_off_is_not_kept(server: Listener, kept: Kept) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5) as sock:
        sock.sendall(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nHello\r\n")
        sock.shutdown(socket.SHUT_WR)
        assert sock.makefile("rb").read().splitlines()[-1].startswith(b"354")
    assert kept == []


def test_too_many_connections_are_told_to_come_later(server: Listener) -> None:
    held = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(listener.MOST_CONNECTIONS)]
    for sock in held:
        assert sock.recv(3) == b"220"
    with socket.create_connection(("127.0.0.1", server.port), 5) as late:
        assert late.makefile("rb").read().startswith(b"421")
    for sock in held:
        sock.close()


def test_a_port_that_is_taken_is_named(server: Listener) -> None:
    with pytest.raises(Busy, match=f"127.0.0.1:{server.port} cannot be listened on"):
        Listener(server.port, lambda to: "", lambda *mail: None)
