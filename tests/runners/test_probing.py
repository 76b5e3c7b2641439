"""The test of an account, step by step."""

from pathlib import Path

import pytest

from eventum.runners.probing import probe
from eventum.transport.mailbox import Server, Timeouts
from tests.servers import scripted
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot, free_ports

NAMES = ["name found", "connected", "TLS and certificate", "logged in", "folder opened", "mails waiting"]


def verdicts(server: Server) -> list[bool | None]:
    steps = probe(server, Timeouts(connect=2, command=0.5))
    assert [step.name for step in steps] == NAMES
    assert all(step.milliseconds >= 0 for step in steps)
    return [step.ok for step in steps]


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_good_account_is_good_at_every_step(dovecot: Dovecot, trust: Certificates, protocol: str) -> None:
    user = dovecot.user()
    dovecot.deliver(user, b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n")
    steps = probe(dovecot.server(user, protocol))
    assert [step.ok for step in steps] == [True] * 6
    assert steps[2].detail.endswith("certificate verified")
    assert steps[5].detail == "2 mails"
    assert dovecot.flags(user) == [set(), set()]


def test_an_account_in_clear_text_needs_no_certificate(dovecot: Dovecot) -> None:
    assert verdicts(dovecot.server(dovecot.user(), "imap", "none")) == [True, True, None, True, True, True]


@pytest.mark.parametrize(
    ("different", "expected"),
    [
        ({"host": "a" * 64 + ".invalid"}, [False, None, None, None, None, None]),
        ({"host": "127.0.0.2"}, [True, True, False, None, None, None]),
        ({"password": "wrong"}, [True, True, True, False, None, None]),
        ({"folder": "Nowhere"}, [True, True, True, True, False, None]),
    ],
)
def test_the_first_step_that_fails_is_the_one_that_is_named(
    dovecot: Dovecot, trust: Certificates, different: dict[str, object], expected: list[bool | None]
) -> None:
    server = dovecot.server(dovecot.user(), "imap", **different)  # type: ignore[arg-type]
    assert verdicts(server) == expected
    steps = probe(server)
    [failed] = [step for step in steps if step.ok is False]
    assert failed.detail.endswith(".")
    assert {step.detail for step in steps if step.ok is None} <= {"not tried"}


def test_a_closed_port_fails_at_connecting() -> None:
    server = Server(protocol="pop3", host="127.0.0.1", port=free_ports(1)[0], username="u", password="p")
    assert verdicts(server) == [True, False, None, None, None, None]


def test_a_server_that_hangs_at_the_login_fails_there() -> None:
    with scripted.running(scripted.imap({"AUTHENTICATE PLAIN": scripted.hang})) as (port, _):
        server = Server(protocol="imap", host="127.0.0.1", port=port, security="none", username="u", password="p")
        assert verdicts(server) == [True, True, None, False, None, None]


def test_a_maildir_needs_neither_name_nor_login(tmp_path: Path) -> None:
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    (tmp_path / "new" / "1.host").write_bytes(b"Subject: x\n\n")
    assert verdicts(Server(protocol="maildir", folder=str(tmp_path))) == [None, None, None, None, True, True]
    assert verdicts(Server(protocol="maildir", folder=str(tmp_path / "no"))) == [None, None, None, None, False, None]
