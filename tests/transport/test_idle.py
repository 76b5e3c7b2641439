import threading
import time

import pytest

from eventum.errors import Busy
from eventum.transport.idle import is_news, open_listening
from eventum.transport.mailbox import Server, Timeouts
from tests.house import mail
from tests.servers import scripted
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import Answer, Talk

QUICK = Timeouts(connect=5, command=5)


@pytest.mark.parametrize("security", ["ssl", "none"])
def test_a_mail_that_comes_is_said_within_a_moment(dovecot: Dovecot, trust: Certificates, security: str) -> None:
    user = dovecot.user()
    dovecot.deliver(user, mail("One"))
    with open_listening(dovecot.server(user, "imap", security), QUICK) as listening:
        assert listening is not None
        assert not listening.wait(0.05)
        later = threading.Timer(0.2, lambda: dovecot.deliver(user, mail("Two")))
        later.start()
        assert listening.wait(20)
        later.join()
        # The session goes on, and what is known is no news.
        assert not listening.wait(0.05)


def test_who_waits_is_stopped_from_elsewhere(dovecot: Dovecot, trust: Certificates) -> None:
    user = dovecot.user()
    dovecot.deliver(user, mail("One"))
    began = time.monotonic()
    with pytest.raises(Busy), open_listening(dovecot.server(user, "imap"), QUICK) as listening:  # noqa: PT012
        assert listening is not None
        threading.Timer(0.1, listening.stop).start()
        listening.wait(20)
    assert time.monotonic() - began < 5


def test_another_kind_of_mailbox_cannot_tell() -> None:
    with open_listening(Server(protocol="maildir", folder="/nowhere"), QUICK) as listening:
        assert listening is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"* 23 EXISTS\r\n", True),
        (b"* 23 exists\r\n", True),
        (b"* 23 EXPUNGE\r\n", False),
        (b"* 23 RECENT\r\n", False),
        (b"* OK Still here\r\n", False),
        (b"* 23 FETCH (FLAGS (\\Seen) EXISTS)\r\n", False),
        (b"", False),
    ],
)
def test_only_new_mail_is_news(line: bytes, said: bool) -> None:
    assert is_news(line) is said


CAPABLE = b"* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK done\r\n"


def idling(first: bytes, *more: bytes, done: bytes = b"TAG OK idled\r\n") -> Answer:
    """An answer to IDLE: said at once, then (after a moment each) more, then the answer to DONE."""

    def play(talk: Talk, tag: bytes) -> None:
        talk.say(first.replace(b"TAG", tag))
        for part in more:
            threading.Event().wait(0.05)
            talk.say(part)
        assert talk.line() == b"DONE"
        talk.say(done.replace(b"TAG", tag))

    return play


def heard(idle: Answer, seconds: float = 0.3, timeouts: Timeouts = QUICK) -> bool:
    player = scripted.imap({"CAPABILITY": CAPABLE, "IDLE": idle})
    with scripted.running(player) as (port, _):
        server = Server(protocol="imap", host="127.0.0.1", port=port, security="none", username="ann", password="p")
        with open_listening(server, timeouts) as listening:
            assert listening is not None
            return listening.wait(seconds)


@pytest.mark.parametrize(
    "idle",
    [
        idling(b"* 4 EXISTS\r\n+ idling\r\n"),
        idling(b"+ idling\r\n* 4 EXISTS\r\n"),
        idling(b"+ idling\r\n* 2 RECENT\r\n", b"* 4 EXISTS\r\n"),
        idling(b"+ idling\r\n", b"* 4 EX", b"ISTS\r\n"),
        idling(b"+ idling\r\n", done=b"* 4 EXISTS\r\nTAG OK idled\r\n"),
    ],
    ids=["before it is ready", "in one packet", "after something else", "in two packets", "while it ends"],
)
def test_news_is_heard_whenever_it_is_said(idle: Answer) -> None:
    assert heard(idle)


def test_silence_and_small_talk_are_no_news() -> None:
    assert not heard(idling(b"+ idling\r\n", b"* OK Still here\r\n", b"* 3 EXPUNGE\r\n"))


@pytest.mark.parametrize(
    ("idle", "said"),
    [
        (b"TAG BAD not now\r\n", "not now"),
        (scripted.close, "ended the connection"),
        (b"+ idling\r\n* BYE shutting down\r\n", "shutting down"),
        (idling(b"+ idling\r\n", done=b"TAG"), "did not answer"),
        (idling(b"+ idling\r\n* 4 EXI"), "did not answer"),
        (scripted.hang, "did not answer"),
    ],
    ids=["refused", "closed", "bye", "half an end", "half a line", "silence"],
)
def test_what_goes_wrong_is_busy(idle: Answer, said: str) -> None:
    with pytest.raises(Busy, match=said):
        heard(idle, timeouts=Timeouts(connect=5, command=0.2))


def test_a_server_that_cannot_idle_is_not_asked_to() -> None:
    with scripted.running(scripted.imap({})) as (port, talks):
        server = Server(protocol="imap", host="127.0.0.1", port=port, security="none", username="ann", password="p")
        with open_listening(server, QUICK) as listening:
            assert listening is None
        assert not any(b"IDLE" in line for line in talks[0].heard)
