import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from eventum.errors import Busy
from eventum.transport import dialling, pacing, smtp
from eventum.transport.mailbox import Server, Timeouts, open_mailbox
from eventum.transport.pacing import Pace, Paced, TooSlow
from eventum.transport.smtp import Smtp
from tests.servers import scripted
from tests.servers.certificates import Certificates
from tests.servers.scripted import Talk

QUICK = Timeouts(connect=2, command=2, ending=2, answer=0.3, whole=5)


@contextmanager
def pair(answer: float, whole: float) -> Iterator[tuple[Paced, socket.socket]]:
    left, right = socket.socketpair()
    sock = Paced(fileno=left.detach())
    sock.settimeout(5)
    sock.pace = Pace(answer, whole)
    with sock, right:
        yield sock, right


def drips(talk: Talk) -> None:
    """A byte now and then, for ever: never silent for as long as a command may be."""
    while not talk.over.wait(0.02):
        talk.say(b"x")


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_mailbox_that_drips_is_given_up_though_it_is_never_silent(protocol: str) -> None:
    began = time.monotonic()
    with scripted.running(drips) as (port, _):
        server = Server(protocol=protocol, host="127.0.0.1", port=port, security="none", username="a", password="b")
        with pytest.raises(Busy, match="took too long while greeting"), open_mailbox(server, timeouts=QUICK):
            raise AssertionError("it was taken for a mailbox")
    assert time.monotonic() - began < 10


def test_a_far_end_of_sending_that_drips_is_given_up_too() -> None:
    with (
        scripted.running(drips) as (port, _),
        pytest.raises(Busy, match="took too long"),
        smtp.connect(Smtp(host="127.0.0.1", port=port), timeouts=QUICK),
    ):
        raise AssertionError("it was taken for a server")


def test_an_answer_may_take_as_long_as_its_bytes_need() -> None:
    with pair(0.05, 60) as (sock, far):
        far.sendall(b"x" * 4000)
        assert sock.recv_into(bytearray(4000)) == 4000
        assert sock.pace is not None
        assert sock.pace.left() > 3


def test_what_we_say_begins_another_answer_and_the_talk_ends_all_the_same() -> None:
    with pair(60, 0.05) as (sock, far):
        sock.sendall(b"hello")
        assert far.recv(5) == b"hello"
        with pytest.raises(TooSlow):
            sock.recv_into(bytearray(1))
        with pytest.raises(TooSlow):
            sock.sendall(b"still there?")


def test_the_timeout_of_a_socket_is_its_own_after_a_reading() -> None:
    with pair(60, 1) as (sock, far):
        far.sendall(b"x")
        sock.recv_into(bytearray(1))
        assert sock.gettimeout() == 5
        sock.settimeout(0)
        with pytest.raises(BlockingIOError):
            sock.recv_into(bytearray(1))


def test_the_clock_goes_on_under_tls(certificates: Certificates) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server)
    with pair(0.1, 60) as (sock, far):

        def serve() -> None:
            with context.wrap_socket(far, server_side=True) as server:
                server.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        tls = dialling.context(verify=False).wrap_socket(sock)
        pacing.carried_over(sock, tls)
        with tls:
            with pytest.raises(TooSlow):
                tls.recv_into(bytearray(1))
            tls.sendall(b"x")
        thread.join()
