"""Where somebody at a browser may make us connect to: public addresses and the ports of mail, and what was listed."""

import ipaddress
import socket
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Busy, EventumError, Refused
from eventum.transport import dialling
from eventum.transport.mailbox import Server, Timeouts, open_mailbox, silent
from eventum.transport.reachable import PORTS, Reach, is_public
from eventum.transport.smtp import Smtp
from tests.servers.dovecot import free_ports

QUICK = Timeouts(connect=2, command=0.5)
INSIDE = [
    *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255"),
    *("192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("64:ff9b:1::a00:1", "2001:0:a00:1::1"),
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_on_the_public_internet_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="not an address of the public internet"):
        Reach().check("mail.example.org", address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_internet_is_in_reach(address: str) -> None:
    Reach().check("mail.example.org", address)


@given(st.ip_addresses(v=4))
def test_an_address_in_the_clothes_of_another_is_what_it_leads_to(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    assert is_public(mapped) == is_public(address)
    if not is_public(address):
        for dressed in (f"64:ff9b::{address}", f"::{address}"):
            assert not is_public(ipaddress.IPv6Address(dressed))


@pytest.mark.parametrize(
    ("listed", "host", "address"),
    [
        (("mail.lan",), "Mail.LAN.", "10.0.0.1"),
        (("10.0.0.1",), "mail.lan", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "10.0.0.1"),
        (("127.0.0.1",), "x", "::ffff:127.0.0.1"),
        (("::1",), "[::1]", "::1"),
        (("fd00::/8",), "x", "fd00::7%eth0"),
    ],
)
def test_what_an_administrator_listed_is_in_reach(listed: tuple[str, ...], host: str, address: str) -> None:
    Reach(hosts=listed).check(host, address)
    with pytest.raises(Refused):
        Reach(hosts=("other.lan", "10.9.9.9")).check(host, address)


def test_a_name_like_a_listed_one_is_not_listed() -> None:
    with pytest.raises(Refused):
        Reach(hosts=("mail.lan",)).check("evil-mail.lan", "10.0.0.1")


@pytest.mark.parametrize("port", [1, 22, 80, 443, 2525, 6379, 11211])
def test_a_port_that_no_mail_server_has_is_refused_unless_listed(port: int) -> None:
    with pytest.raises(Refused, match=f"Port {port} "):
        Reach().check_port(port)
    Reach(ports=(port,)).check_port(port)


def test_the_ports_of_mail_are_in_reach() -> None:
    for port in PORTS:
        Reach().check_port(port)


def reached(host: str, port: int, reach: Reach) -> list[str]:
    """The steps that were begun on the way to a place, which is refused or not there."""
    steps: list[str] = []
    with pytest.raises(EventumError):
        place = Smtp(host=host, port=port, reach=reach)
        dialling.dial(place, tls=None, timeouts=QUICK, on_step=lambda step, _found="": steps.append(step)).close()
    return steps


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "::1", "0"]
)
def test_no_way_of_writing_an_address_gets_past_the_check(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        listening.settimeout(0.2)
        reached(host, port, Reach(ports=(port,)))
        with pytest.raises(TimeoutError):
            listening.accept()


def test_a_port_is_refused_before_its_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("it was looked up"))
    assert reached("mail.example.org", 22, Reach()) == ["name"]


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that is checked is the one that is connected to: a second answer of the name is never asked for."""
    answers = iter(["127.0.0.2", "127.0.0.1"])
    asked = []

    def rebinding(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        reached("evil.example", port, Reach(hosts=("127.0.0.2",), ports=(port,)))
        listening.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listening.accept()
    assert asked == ["evil.example"]


def test_of_a_name_with_several_addresses_none_inside_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    [closed] = free_ports(1)
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", closed)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", closed)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Refused, match=r"x \(127.0.0.1\) is not"):
        place = Smtp(host="x", port=closed, reach=Reach(hosts=("127.0.0.2",), ports=(closed,)))
        dialling.dial(place, tls=None, timeouts=QUICK, on_step=silent)


def test_without_a_reach_anything_may_be_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = Smtp(host="127.0.0.1", port=listening.getsockname()[1])
        dialling.dial(place, tls=None, timeouts=QUICK, on_step=silent).close()


def test_a_server_that_keeps_talking_is_left_when_the_whole_takes_too_long() -> None:
    """A byte now and then never meets the timeout of a command; `whole` ends it."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"*")
                    except OSError:
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        server = Server(
            protocol="imap",
            host="127.0.0.1",
            port=listening.getsockname()[1],
            security="none",
            username="u",
            password="p",
        )
        limits = Timeouts(connect=2, command=2, whole=0.6)
        with pytest.raises(Busy), open_mailbox(server, timeouts=limits):
            pass
        assert time.monotonic() - began < 2
        stop.set()
        dripping.join()
