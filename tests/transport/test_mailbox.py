"""One table for all mailboxes of a real server: protocol by security by behaviour, against Dovecot."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from eventum.errors import Busy, Damaged, NotFound, Refused
from eventum.transport.mailbox import Position, Server, open_mailbox
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot, free_ports

PROTOCOLS = ("imap", "pop3")
SECURITIES = ("none", "ssl", "starttls", "starttls-if-offered")
WAYS = [(protocol, security) for protocol in PROTOCOLS for security in SECURITIES]

every_way = pytest.mark.parametrize(("protocol", "security"), WAYS)
both = pytest.mark.parametrize("protocol", PROTOCOLS)


def mails(count: int) -> list[bytes]:
    return [b"Subject: mail %d\r\n\r\nBody %d\r\n" % (n, n) for n in range(1, count + 1)]


def fetched(server: Server, after: Position | None = None) -> list[bytes]:
    with open_mailbox(server) as mailbox:
        return [mail.raw for batch in mailbox.fetch(mailbox.new(after or Position())) for mail in batch]


@every_way
def test_every_mail_comes_once_and_in_order_and_stays_on_the_server(
    dovecot: Dovecot, trust: Certificates, protocol: str, security: str
) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(5))
    assert fetched(dovecot.server(user, protocol, security)) == mails(5)
    assert dovecot.left(user) == mails(5)


@every_way
def test_only_what_came_after_the_position_is_new(
    dovecot: Dovecot, trust: Certificates, protocol: str, security: str
) -> None:
    user = dovecot.user()
    server = dovecot.server(user, protocol, security)
    dovecot.deliver(user, *mails(3))
    with open_mailbox(server) as mailbox:
        position = mailbox.advanced(Position(), mailbox.new(Position()))
        assert mailbox.new(position) == ()
    dovecot.deliver(user, b"Subject: late\r\n\r\nlate\r\n")
    assert fetched(server, position) == [b"Subject: late\r\n\r\nlate\r\n"]


@every_way
def test_exactly_the_named_mails_are_removed(
    dovecot: Dovecot, trust: Certificates, protocol: str, security: str
) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(4))
    with open_mailbox(dovecot.server(user, protocol, security), removing=True) as mailbox:
        uids = mailbox.new(Position())
        mailbox.remove([uids[0], uids[2]])
        assert mailbox.commit()
    assert dovecot.left(user) == [mails(4)[1], mails(4)[3]]


@both
def test_mails_that_somebody_else_marked_as_deleted_survive(
    dovecot: Dovecot, trust: Certificates, protocol: str
) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(3))
    dovecot.flag(user, 2, r"\Deleted")
    with open_mailbox(dovecot.server(user, protocol), removing=True) as mailbox:
        mailbox.remove(mailbox.new(Position())[:1])
        assert mailbox.commit()
    assert dovecot.left(user) == mails(3)[1:]


@both
def test_removing_what_is_gone_already_is_no_error(dovecot: Dovecot, trust: Certificates, protocol: str) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(2))
    for _ in range(2):
        with open_mailbox(dovecot.server(user, protocol), removing=True) as mailbox:
            mailbox.remove(["4711"])
            assert mailbox.commit()


def test_a_pop3_session_that_is_not_committed_removes_nothing(dovecot: Dovecot, trust: Certificates) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(2))
    with open_mailbox(dovecot.server(user, "pop3"), removing=True) as mailbox:
        mailbox.remove(mailbox.new(Position()))
    assert dovecot.left(user) == mails(2)


def test_fetching_leaves_no_mark_on_an_imap_server(dovecot: Dovecot, trust: Certificates) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(2))
    fetched(dovecot.server(user, "imap"))
    assert dovecot.flags(user) == [set(), set()]


def test_unread_mail_is_known_by_imap_and_all_of_it_by_pop3(dovecot: Dovecot, trust: Certificates) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(3))
    dovecot.flag(user, 2, r"\Seen")
    with open_mailbox(dovecot.server(user, "imap")) as mailbox:
        assert mailbox.unseen() == ("1", "3")
    with open_mailbox(dovecot.server(user, "pop3")) as mailbox:
        assert len(mailbox.unseen()) == 3


@both
def test_starting_now_leaves_what_is_there_alone(dovecot: Dovecot, trust: Certificates, protocol: str) -> None:
    user = dovecot.user()
    server = dovecot.server(user, protocol)
    dovecot.deliver(user, *mails(2))
    with open_mailbox(server) as mailbox:
        now = mailbox.newest()
        assert mailbox.new(now) == ()
    dovecot.deliver(user, b"Subject: next\r\n\r\n")
    assert fetched(server, now) == [b"Subject: next\r\n\r\n"]


@both
def test_an_empty_mailbox_has_nothing_new(dovecot: Dovecot, trust: Certificates, protocol: str) -> None:
    with open_mailbox(dovecot.server(dovecot.user(), protocol)) as mailbox:
        assert (mailbox.count, mailbox.new(Position()), mailbox.unseen()) == (0, (), ())
        assert mailbox.new(mailbox.newest()) == ()


@pytest.mark.parametrize("folder", ["Archive", "障害 & α", 'with "quotes"', "back\\slash"])
def test_folders_may_have_any_name(dovecot: Dovecot, trust: Certificates, folder: str) -> None:
    user = dovecot.user()
    dovecot.deliver(user, b"Subject: inbox\r\n\r\n")
    dovecot.deliver(user, b"Subject: folder\r\n\r\n", folder=folder)
    assert fetched(dovecot.server(user, "imap", folder=folder)) == [b"Subject: folder\r\n\r\n"]


ODD = {
    "a line of 10,000 bytes": b"Subject: x\r\n\r\n" + b"y" * 10_000 + b"\r\n",
    "dots at line beginnings": b"Subject: x\r\n\r\n.\r\n..\r\n...\r\n.x\r\n\r\n..\r\n",
    "a dot first of all": b".Subject: x\r\n\r\n.\r\n",
    "bytes of eight bits": b"Subject: caf\xe9\r\n\r\n" + bytes(range(128, 256)) + b"\r\n",
    "no body": b"Subject: x\r\n\r\n",
    "three megabytes": b"Subject: x\r\n\r\n" + (b"z" * 76 + b"\r\n") * 40_000,
}


@both
@pytest.mark.parametrize("kind", ODD)
def test_odd_mails_come_byte_for_byte(dovecot: Dovecot, trust: Certificates, protocol: str, kind: str) -> None:
    user = dovecot.user()
    dovecot.deliver(user, ODD[kind], b"Subject: after\r\n\r\n")
    assert fetched(dovecot.server(user, protocol)) == [ODD[kind], b"Subject: after\r\n\r\n"]


@both
def test_batches_are_bounded_by_bytes_and_by_count(dovecot: Dovecot, trust: Certificates, protocol: str) -> None:
    user = dovecot.user()
    sizes = [100, 100, 100, 5000, 100, 900, 900]
    dovecot.deliver(user, *(b"Subject: x\r\n\r\n" + b"y" * (size - 16) + b"\r\n" for size in sizes))
    with open_mailbox(dovecot.server(user, protocol)) as mailbox:
        batches = mailbox.fetch(mailbox.new(Position()), max_bytes=1000, max_count=2)
        assert [[len(mail.raw) for mail in batch] for batch in batches] == [
            [100, 100],
            [100],
            [5000],
            [100, 900],
            [900],
        ]


@both
def test_a_mail_that_vanished_meanwhile_is_left_out(dovecot: Dovecot, trust: Certificates, protocol: str) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(3))
    with open_mailbox(dovecot.server(user, protocol)) as mailbox:
        uids = (*mailbox.new(Position()), "4711")
        got = [mail.uid for batch in mailbox.fetch(uids) for mail in batch]
    assert got == list(uids[:3])


def test_imap_tells_when_a_mail_arrived(dovecot: Dovecot, trust: Certificates) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(1), since=1_700_000_000)
    with open_mailbox(dovecot.server(user, "imap")) as mailbox:
        [[mail]] = mailbox.fetch(["1"])
    assert mail.date == datetime.fromtimestamp(1_700_000_001, UTC)


def test_another_uidvalidity_makes_everything_new(dovecot: Dovecot, trust: Certificates) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(2))
    with open_mailbox(dovecot.server(user, "imap")) as mailbox:
        assert mailbox.new(Position(validity="1", uid=2)) == ("1", "2")
        assert mailbox.new(Position(validity=mailbox.validity, uid=1)) == ("2",)
        assert mailbox.advanced(Position(validity="1", uid=9), ["1"]).uid == 1


@every_way
def test_a_wrong_password_is_refused_with_the_servers_words(
    dovecot: Dovecot, trust: Certificates, protocol: str, security: str
) -> None:
    server = dovecot.server(dovecot.user(), protocol, security, password="wr\u00f6ng pass")
    with pytest.raises(Refused) as caught, open_mailbox(server):
        pass
    sentence = str(caught.value)
    assert f"localhost:{server.port} refused the login of {server.username}" in sentence
    assert "Authentication failed" in sentence
    assert "wr\u00f6ng pass" not in sentence


ENCRYPTED = [(protocol, security) for protocol, security in WAYS if security != "none"]


@pytest.mark.parametrize(("protocol", "security"), ENCRYPTED)
def test_a_certificate_for_another_name_is_refused(
    dovecot: Dovecot, trust: Certificates, protocol: str, security: str
) -> None:
    server = dovecot.server(dovecot.user(), protocol, security, host="127.0.0.2")
    with pytest.raises(Refused, match="certificate that cannot be trusted.*novalidate-cert"), open_mailbox(server):
        pass


@pytest.mark.parametrize(("protocol", "security"), ENCRYPTED)
def test_a_certificate_of_an_unknown_authority_is_refused(dovecot: Dovecot, protocol: str, security: str) -> None:
    server = dovecot.server(dovecot.user(), protocol, security)
    with pytest.raises(Refused, match="certificate that cannot be trusted"), open_mailbox(server):
        pass


@pytest.mark.parametrize(("protocol", "security"), ENCRYPTED)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.2"])
def test_novalidate_accepts_any_certificate(dovecot: Dovecot, protocol: str, security: str, host: str) -> None:
    user = dovecot.user()
    dovecot.deliver(user, *mails(1))
    server = dovecot.server(user, protocol, security, host=host, verify=False)
    assert fetched(server) == mails(1)


def test_the_right_certificate_is_good_for_the_ip_address_as_well(dovecot: Dovecot, trust: Certificates) -> None:
    with open_mailbox(dovecot.server(dovecot.user(), "imap", host="127.0.0.1")) as mailbox:
        assert mailbox.secured.endswith("certificate verified")


@both
def test_a_closed_port_is_busy(protocol: str) -> None:
    port = free_ports(1)[0]
    server = Server(protocol=protocol, host="localhost", port=port, username="u", password="p")
    with pytest.raises(Busy, match=f"localhost:{port} refuses connections; check host and port"), open_mailbox(server):
        pass


@both
def test_a_host_that_does_not_exist_is_named(protocol: str) -> None:
    server = Server(protocol=protocol, host="a" * 64 + ".invalid", port=993, username="u", password="p")
    with pytest.raises(Busy, match="is not found"), open_mailbox(server):
        pass


@both
def test_tls_on_a_port_in_clear_text_is_refused(dovecot: Dovecot, protocol: str) -> None:
    port = dovecot.ports.imap if protocol == "imap" else dovecot.ports.pop3
    server = dovecot.server(dovecot.user(), protocol, "ssl", port=port)
    with (
        pytest.raises(Refused, match="does not speak TLS as expected.*check the type and the port"),
        open_mailbox(server),
    ):
        pass


def test_a_missing_folder_is_not_found(dovecot: Dovecot, trust: Certificates) -> None:
    with (
        pytest.raises(NotFound, match='has no folder "Nowhere"'),
        open_mailbox(dovecot.server(dovecot.user(), "imap", folder="Nowhere")),
    ):
        pass


@every_way
def test_the_steps_are_heard_in_their_order(
    dovecot: Dovecot, trust: Certificates, protocol: str, security: str
) -> None:
    steps: list[str] = []
    with open_mailbox(
        dovecot.server(dovecot.user(), protocol, security), on_step=lambda step, found="": steps.append(step)
    ) as mailbox:
        assert bool(mailbox.secured) is (security != "none")
    tls = [] if security == "none" else ["certificate"]
    assert steps == ["name", "connection", *tls, "login", "folder"]


def test_an_account_without_a_protocol_of_ours_is_damaged() -> None:
    with pytest.raises(Damaged, match='no protocol "gopher"'):
        open_mailbox(Server(protocol="gopher"))


def test_a_run_with_nothing_to_fetch_or_send_loads_no_network_code() -> None:
    code = "import sys, eventum.transport.mailbox, eventum.transport.smtp; print('socket' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"
