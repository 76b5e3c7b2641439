"""A test mail by the outgoing server: five steps, the server's own words, and limits of time and place."""

import socket
import time

import pytest

from eventum.errors import Refused
from eventum.mail.message import parse
from eventum.runners import probing, trial_mail
from eventum.runners.trial_mail import Trial, sent
from eventum.tracker.general import Outgoing
from eventum.transport.mailbox import Server, Timeouts
from eventum.transport.smtp import Smtp
from tests.house import NOW, House
from tests.servers.dovecot import free_ports
from tests.servers.smtp_sink import Sink

TRIAL = Trial(
    sender="Support <support@example.org>", recipient="ana@customer.example", subject="Test", text="It works.", when=NOW
)
NAMES = ["name found", "connected", "TLS and certificate", "logged in", "mail accepted"]


def outgoing(port: int, host: str = "127.0.0.1", **more: str) -> Outgoing:
    given = {"security": "none", "username": "", "password": "", "sender": TRIAL.sender, **more}
    return Outgoing(host=host, port=port, **given)


def test_each_step_of_a_mail_that_is_taken(sink: Sink) -> None:
    steps = sent(Smtp(host=sink.host, port=sink.port), TRIAL)
    assert [step.name for step in steps] == NAMES
    assert [step.ok for step in steps] == [True, True, None, None, True]
    assert "250" in steps[-1].detail
    (received,) = sink.received
    mail = parse(received.data)
    assert (received.sender, received.recipients) == ("support@example.org", ("ana@customer.example",))
    assert mail.subject == "Test" and b"Auto-Submitted: auto-generated" in received.data


@pytest.mark.parametrize("reply", ["550 5.1.1 No such user here", "450 4.7.1 Greylisted, try later"])
def test_what_the_server_says_to_the_mail_is_told_in_its_words(sink: Sink, reply: str) -> None:
    sink.at_rcpt["ana@customer.example"] = reply
    steps = sent(Smtp(host=sink.host, port=sink.port), TRIAL)
    assert steps[-1].ok is False and reply in steps[-1].detail


def test_a_server_that_is_away_fails_at_connecting() -> None:
    steps = sent(Smtp(host="127.0.0.1", port=free_ports(1)[0]), TRIAL)
    assert [step.ok for step in steps] == [True, False, None, None, None]
    assert {step.detail for step in steps[2:]} == {"not tried"}


def test_from_the_browser_only_what_is_in_reach_is_tried(house: House, sink: Sink) -> None:
    letter = (TRIAL.recipient, TRIAL.subject, TRIAL.text)
    steps = trial_mail.from_browser(house.tracker, outgoing(sink.port), letter, str)
    assert "no port of mail servers" in steps[0].detail
    steps = trial_mail.from_browser(house.tracker, outgoing(25), letter, str)
    assert "not an address of the public internet" in steps[1].detail
    assert sink.sessions == 0


@pytest.mark.parametrize(("sender", "recipient"), [("", "ana@x.example"), ("a@b.example", "ana"), ("a@b.example", "")])
def test_without_a_sender_or_a_recipient_nothing_is_tried(house: House, sender: str, recipient: str) -> None:
    with pytest.raises(Refused):
        trial_mail.from_browser(house.tracker, outgoing(25, sender=sender), (recipient, "x", "y"), str)


def test_a_name_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = socket.socketpair()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: slow[0].recv(1) and [])
    began = time.monotonic()
    server = Server(protocol="imap", host="slow.example", port=993, username="u", password="p")
    steps = probing.probe(server, Timeouts(connect=0.3, command=0.3, whole=5))
    assert time.monotonic() - began < 2
    assert steps[0].ok is False and "no answer within 0.3 seconds" in steps[0].detail
    assert [step.ok for step in steps[1:]] == [None] * 5
    for end in slow:
        end.close()
