"""Sending over SMTP: against aiosmtpd for the usual, against a scripted server for the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Busy, Refused
from eventum.transport.mailbox import Timeouts
from eventum.transport.smtp import Deferred, Delivered, Failed, Outcome, Smtp, connect, on_the_wire
from tests.servers import scripted, smtp_sink
from tests.servers.certificates import Certificates
from tests.servers.dovecot import free_ports
from tests.servers.scripted import Talk
from tests.servers.smtp_sink import DROP_AFTER_DOT, DROP_AT_RCPT, Sink

PATIENT = Timeouts(connect=5, command=5, ending=5)
IMPATIENT = Timeouts(connect=5, command=0.1, ending=0.1)
MAIL = b"Subject: x\r\n\r\nhello\r\n"


def to(sink: Sink, **different: object) -> Smtp:
    return Smtp(**({"host": sink.host, "port": sink.port} | different))  # type: ignore[arg-type]


def sent(
    sink: Sink, recipient: str = "bob@example.org", data: bytes = MAIL, sender: str = "ann@example.org"
) -> Outcome:
    with connect(to(sink), timeouts=PATIENT) as connection:
        return connection.send(sender, recipient, data)


def test_a_mail_arrives_with_its_envelope_and_its_bytes(sink: Sink) -> None:
    assert sent(sink) == Delivered("250 2.0.0 Kept")
    [mail] = sink.received
    assert mail[:3] == ("ann@example.org", ("bob@example.org",), MAIL)


@pytest.mark.parametrize(
    ("data", "arrived"),
    [
        (b".\r\n..\r\n.x\r\n", b".\r\n..\r\n.x\r\n"),
        (b"bare\nlf\rcr\r\ncrlf\r\n", b"bare\r\nlf\r\ncr\r\ncrlf\r\n"),
        (b"end\r\n.\n\r\nMAIL FROM:<eve@example.org>\r\n", b"end\r\n.\r\n\r\nMAIL FROM:<eve@example.org>\r\n"),
        (b"no end of line", b"no end of line\r\n"),
        (b"x" * 20_000 + b"\r\n", b"x" * 20_000 + b"\r\n"),
        (b"\xff\x00\x80\r\n", b"\xff\x00\x80\r\n"),
        (b"z" * 70 + b"\r\n" + (b"y" * 76 + b"\r\n") * 30_000, b"z" * 70 + b"\r\n" + (b"y" * 76 + b"\r\n") * 30_000),
    ],
)
def test_bytes_arrive_as_they_are_but_for_line_ends(sink: Sink, data: bytes, arrived: bytes) -> None:
    assert isinstance(sent(sink, data=data), Delivered)
    assert [mail.data for mail in sink.received] == [arrived]


@given(st.binary(max_size=200) | st.text("a.\r\n", max_size=30).map(str.encode))
def test_what_goes_on_the_wire_has_one_end_and_only_crlf(data: bytes) -> None:
    wire = on_the_wire(data)
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - 3
    assert wire.count(b"\r\n") == wire.count(b"\r") == wire.count(b"\n")


ANSWERS = [
    ("450 4.2.0 later", Deferred("450 4.2.0 later")),
    ("550 5.1.1 nobody", Failed("550 5.1.1 nobody")),
    ("421 4.3.2 closing", Deferred("421 4.3.2 closing")),
    ("530 5.7.0 Must issue STARTTLS", Deferred("530 5.7.0 Must issue STARTTLS")),
]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("place", ["at_rcpt", "at_dot"])
@pytest.mark.parametrize(("answer", "outcome"), ANSWERS)
def test_each_answer_has_its_outcome_and_the_next_mail_goes_on(
    sink: Sink, pipelining: bool, place: str, answer: str, outcome: Outcome
) -> None:
    sink.hidden = set() if pipelining else {"PIPELINING"}
    getattr(sink, place)["odd@example.org"] = answer
    with connect(to(sink), timeouts=PATIENT) as connection:
        assert connection.send("ann@example.org", "odd@example.org", MAIL) == outcome
        assert connection.send("ann@example.org", "bob@example.org", MAIL) == Delivered("250 2.0.0 Kept")
    assert [mail.recipients for mail in sink.received] == [("bob@example.org",)]


def test_a_connection_is_kept_for_the_next_mail(sink: Sink) -> None:
    with connect(to(sink), timeouts=PATIENT) as connection:
        for n in range(20):
            assert isinstance(connection.send("", f"r{n}@example.org", MAIL), Delivered)
    assert (sink.sessions, len(sink.received), sink.received[0].sender) == (1, 20, "")


def test_a_connection_that_ends_after_the_dot_leaves_the_outcome_unknown(sink: Sink) -> None:
    sink.at_dot["odd@example.org"] = DROP_AFTER_DOT
    with connect(to(sink), timeouts=PATIENT) as connection:
        outcome = connection.send("ann@example.org", "odd@example.org", MAIL)
        assert isinstance(outcome, Deferred) and outcome.unknown
        assert len(sink.received) == 1
        assert isinstance(connection.send("ann@example.org", "bob@example.org", MAIL), Delivered)
    assert sink.sessions == 2


def test_a_connection_that_ends_before_the_mail_is_a_known_outcome(sink: Sink) -> None:
    sink.at_rcpt["odd@example.org"] = DROP_AT_RCPT
    outcome = sent(sink, "odd@example.org")
    assert isinstance(outcome, Deferred) and not outcome.unknown
    assert sink.received == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_and_login_work_together(trust: Certificates, security: str) -> None:
    with smtp_sink.running(trust, security, ("ann", "pä ss")) as sink:
        server = to(sink, security=security, username="ann", password="pä ss")
        with connect(server, timeouts=PATIENT) as connection:
            assert isinstance(connection.send("ann@example.org", "bob@example.org", MAIL), Delivered)
        assert sink.received[0].login == "ann"


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_wrong_password_is_refused_and_not_spread(trust: Certificates, security: str) -> None:
    with (
        smtp_sink.running(trust, security, ("ann", "right")) as sink,
        pytest.raises(Refused, match="refused the login of ann.*535.*check smtp.username and smtp.password") as caught,
        connect(to(sink, security=security, username="ann", password="wrong"), timeouts=PATIENT),
    ):
        pass
    assert "wrong" not in str(caught.value)


def test_login_is_used_where_plain_is_not_offered(trust: Certificates) -> None:
    with smtp_sink.running(trust, "none", ("ann", "secret")) as sink:
        sink.hidden = {"PIPELINING"}
        sink.auth = ["LOGIN"]
        with connect(to(sink, username="ann", password="secret"), timeouts=PATIENT) as connection:
            assert isinstance(connection.send("ann@example.org", "bob@example.org", MAIL), Delivered)


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_certificate_of_another_name_or_authority_is_refused(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, security: str, elsewhere: bool
) -> None:
    if elsewhere:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    with (
        smtp_sink.running(certificates, security, elsewhere=elsewhere) as sink,
        pytest.raises(Refused, match="certificate that cannot be trusted"),
        connect(to(sink, security=security), timeouts=PATIENT),
    ):
        pass


@pytest.mark.parametrize(("security", "words"), [("starttls", "offers no STARTTLS"), ("tls", "does not speak TLS")])
def test_encryption_that_is_not_there_is_refused(sink: Sink, security: str, words: str) -> None:
    with pytest.raises(Refused, match=words), connect(to(sink, security=security), timeouts=PATIENT):
        pass


def test_login_on_a_server_without_login_is_refused(sink: Sink) -> None:
    with (
        pytest.raises(Refused, match="offers no login"),
        connect(to(sink, username="ann", password="p"), timeouts=PATIENT),
    ):
        pass


def test_a_server_that_is_away_is_busy_at_once_or_at_the_first_mail() -> None:
    server = Smtp(host="localhost", port=free_ports(1)[0])
    with pytest.raises(Busy, match="refuses connections"), connect(server):
        pass
    with connect(server, at_once=False) as connection, pytest.raises(Busy, match="refuses connections"):
        connection.send("a@b", "c@d", MAIL)


ADDRESSES = ["a\r\nRCPT TO:<eve@example.org>", "a b@c", "<x@y>", "x@y>", "\x00@y", "x" * 400, "a\u2028b@c"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_cannot_carry_another_command(sink: Sink, address: str) -> None:
    for sender, recipient in (("ann@example.org", address), (address, "bob@example.org")):
        assert isinstance(sent(sink, recipient, sender=sender), Failed)
    assert sink.commands == []


def test_a_recipient_is_needed_and_a_sender_is_not(sink: Sink) -> None:
    assert isinstance(sent(sink, "", sender=""), Failed)
    assert isinstance(sent(sink, "bob@example.org", sender=""), Delivered)


EIGHT_BIT = b"Subject: x\r\n\r\n\xc3\xbc\r\n"
EIGHT_BIT_HEADER = b"Subject: \xc3\xbc\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    ("hidden", "recipient", "data", "options"),
    [
        (set(), "bob@example.org", MAIL, {"SIZE=25"}),
        (set(), "bob@example.org", EIGHT_BIT, {"SIZE=21", "BODY=8BITMIME"}),
        (set(), "bob@example.org", EIGHT_BIT_HEADER, {"SIZE=22", "BODY=8BITMIME", "SMTPUTF8"}),
        (set(), "böb@example.org", MAIL, {"SIZE=25", "SMTPUTF8"}),
        ({"SMTPUTF8", "8BITMIME", "SIZE"}, "bob@example.org", EIGHT_BIT_HEADER, set()),
    ],
)
def test_what_a_mail_needs_is_declared_where_it_is_offered(
    sink: Sink, hidden: set[str], recipient: str, data: bytes, options: set[str]
) -> None:
    sink.hidden = hidden
    assert isinstance(sent(sink, recipient, data), Delivered)
    declared = set(sink.received[0].options)
    assert {option for option in declared if not option.startswith("SIZE")} == {
        option for option in options if not option.startswith("SIZE")
    }
    assert any(option.startswith("SIZE") for option in declared) is any(o.startswith("SIZE") for o in options)


def test_an_address_beyond_ascii_fails_where_the_server_lacks_it(sink: Sink) -> None:
    sink.hidden = {"SMTPUTF8"}
    outcome = sent(sink, "böb@example.org")
    assert isinstance(outcome, Failed)
    assert "letters beyond ASCII" in outcome.reply


def talk_smtp(
    talk: Talk, after_ehlo: dict[bytes, bytes], offers: bytes = b"250-far\r\n250-PIPELINING\r\n250 x\r\n"
) -> None:
    """Plays SMTP; each command is answered by its first four letters, the mail by `DOT`."""
    talk.say(b"220 hello\r\n")
    table = {b"EHLO": offers, b"RSET": b"250 ok\r\n", b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n"}
    table |= {b"DATA": b"354 go\r\n", b"DOT": b"250 kept\r\n", b"QUIT": b"221 bye\r\n"} | after_ehlo
    while True:
        command = talk.line()[:4].upper()
        talk.say(table[command])
        if command == b"DATA" and table[command].startswith(b"354"):
            talk.mail()
            talk.say(table[b"DOT"])


def test_a_354_without_a_recipient_is_ended_and_nothing_is_sent() -> None:
    def play(talk: Talk) -> None:
        talk_smtp(talk, {b"RCPT": b"550 nobody\r\n", b"DOT": b"554 no recipients\r\n"})

    with (
        scripted.running(play) as (port, talks),
        connect(Smtp(host="127.0.0.1", port=port), timeouts=PATIENT) as connection,
    ):
        for _ in range(2):
            assert connection.send("ann@example.org", "bob@example.org", MAIL) == Failed("550 nobody")
        assert [line[:4] for line in talks[0].heard] == [
            b"ehlo",
            b"MAIL",
            b"RCPT",
            b"DATA",
            b"RSET",
            b"MAIL",
            b"RCPT",
            b"DATA",
        ]


def test_a_refused_sender_is_the_outcome_though_the_rest_is_refused_too() -> None:
    def play(talk: Talk) -> None:
        talk_smtp(talk, {b"MAIL": b"550 not you\r\n", b"RCPT": b"503 first mail\r\n", b"DATA": b"503 first rcpt\r\n"})

    with (
        scripted.running(play) as (port, _),
        connect(Smtp(host="127.0.0.1", port=port), timeouts=PATIENT) as connection,
    ):
        assert connection.send("ann@example.org", "bob@example.org", MAIL) == Failed("550 not you")


ODD_DOTS = [
    pytest.param(b"250-kept\r\n250 as 1234\r\n", Delivered("250 kept as 1234"), id="two lines"),
    pytest.param(b"250 \x1b[1mkept\r\n", Delivered("250 [1mkept"), id="escapes"),
    pytest.param(b"552 " + b"x" * 4000 + b"\r\n", Failed("552 " + "x" * 496), id="a long line"),
]


@pytest.mark.parametrize(("answer", "outcome"), ODD_DOTS)
def test_a_reply_is_cleaned_and_capped(answer: bytes, outcome: Outcome) -> None:
    def play(talk: Talk) -> None:
        talk_smtp(talk, {b"DOT": answer})

    with (
        scripted.running(play) as (port, _),
        connect(Smtp(host="127.0.0.1", port=port), timeouts=PATIENT) as connection,
    ):
        assert connection.send("ann@example.org", "bob@example.org", MAIL) == outcome


@pytest.mark.parametrize("answer", [b"what?\r\n", b"", b"250-" + b"x\r\n250-" * 5000, b"250 " + b"y" * 100_000])
def test_an_answer_to_the_mail_that_is_none_leaves_the_outcome_unknown(answer: bytes) -> None:
    def play(talk: Talk) -> None:
        talk_smtp(talk, {b"DOT": answer})

    with (
        scripted.running(play) as (port, _),
        connect(Smtp(host="127.0.0.1", port=port), timeouts=IMPATIENT) as connection,
    ):
        outcome = connection.send("ann@example.org", "bob@example.org", MAIL)
        assert isinstance(outcome, Deferred) and outcome.unknown


@pytest.mark.parametrize("step", [b"MAIL", b"RCPT", b"DATA"])
@pytest.mark.parametrize("answer", [b"", b"no reply at all\r\n"])
def test_a_server_that_hangs_or_babbles_at_any_step_defers(step: bytes, answer: bytes) -> None:
    def play(talk: Talk) -> None:
        talk_smtp(talk, {step: answer}, b"250 x\r\n")

    with (
        scripted.running(play) as (port, _),
        connect(Smtp(host="127.0.0.1", port=port), timeouts=IMPATIENT) as connection,
    ):
        outcome = connection.send("ann@example.org", "bob@example.org", MAIL)
        assert isinstance(outcome, Deferred) and not outcome.unknown


def test_a_kept_connection_that_the_server_has_ended_is_opened_again() -> None:
    conversations = 0

    def play(talk: Talk) -> None:
        nonlocal conversations
        conversations += 1
        if conversations > 1:
            talk_smtp(talk, {})
        talk.say(b"220 hello\r\n")
        for answer in (b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            talk.line()
            talk.say(answer)
        talk.mail()
        talk.say(b"250 first\r\n421 4.4.2 idle for too long\r\n")
        raise scripted.End

    with (
        scripted.running(play) as (port, _),
        connect(Smtp(host="127.0.0.1", port=port), timeouts=PATIENT) as connection,
    ):
        assert connection.send("ann@example.org", "bob@example.org", MAIL) == Delivered("250 first")
        assert connection.send("ann@example.org", "bob@example.org", MAIL) == Delivered("250 kept")


@pytest.mark.parametrize(
    "greeting", [b"554 go away\r\n", b"421 too many\r\n", b"HTTP/1.1 400\r\n", b"", b"220-x\r\n" * 300]
)
def test_a_greeting_that_is_none_is_busy(greeting: bytes) -> None:
    def play(talk: Talk) -> None:
        talk.say(greeting)
        if not greeting:
            talk.hang()
        talk.line()

    with (
        scripted.running(play) as (port, _),
        pytest.raises(Busy),
        connect(Smtp(host="127.0.0.1", port=port), timeouts=IMPATIENT),
    ):
        pass


def test_what_was_said_before_tls_is_forgotten(certificates: Certificates) -> None:
    def play(talk: Talk) -> None:
        talk.say(b"220 hello\r\n")
        talk.line()
        talk.say(b"250-x\r\n250 STARTTLS\r\n")
        talk.line()
        talk.say(b"220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n")
        raise scripted.End

    with (
        scripted.running(play) as (port, talks),
        pytest.raises((Busy, Refused)),
        connect(Smtp(host="127.0.0.1", port=port, security="starttls", username="u", password="p"), timeouts=PATIENT),
    ):
        pass
    assert not any(line.upper().startswith(b"AUTH") for line in talks[0].heard)


def answering(**odd: bytes) -> scripted.Player:
    """A server without PIPELINING that says something else to some commands; `dot` is the end of a mail."""
    table = {
        "EHLO": b"250 x\r\n",
        "MAIL": b"250 x\r\n",
        "RCPT": b"250 x\r\n",
        "DATA": b"354 go\r\n",
        "QUIT": b"221 x\r\n",
    }
    table |= {"RSET": b"250 x\r\n", "dot": b"250 kept\r\n"} | odd

    def play(talk: Talk) -> None:
        talk.say(odd.get("greeting", b"220 ready\r\n"))
        while True:
            name = talk.line().split(b" ")[0].decode().upper()
            talk.say(table[name])
            if name == "DATA" and table[name].startswith(b"354"):
                talk.mail()
                talk.say(table["dot"])

    return play


def one_mail(player: scripted.Player, times: int = 1) -> list[Outcome]:
    with scripted.running(player) as (port, _), connect(Smtp(host="127.0.0.1", port=port), timeouts=PATIENT) as far:
        return [far.send("a@example.org", "b@example.org", MAIL) for _ in range(times)]


@pytest.mark.parametrize(
    "odd",
    [
        {"DATA": b"250 thank you\r\n"},
        {"MAIL": b"354 go on\r\n"},
        {"RCPT": b"999 what\r\n"},
        {"RCPT": b"hello?\r\n"},
        {"RCPT": b"\r\n250 x\r\n"},
        {"MAIL": b"250-fine\r\n550 not fine\r\n"},
        {"MAIL": b"250 x\r\n250 x\r\n"},
        {"DATA": b"354 go\r\n250 kept\r\n"},
    ],
)
def test_answers_that_belong_to_nothing_are_no_yes_and_no_final_no(odd: dict[str, bytes]) -> None:
    [outcome] = one_mail(answering(**odd))
    assert isinstance(outcome, Deferred)
    assert not outcome.unknown


@pytest.mark.parametrize("dot", [b"354 go on\r\n", b"what?\r\n", b"250-kept\r\n550 not kept\r\n"])
def test_an_odd_answer_to_the_mail_says_nothing_of_it(dot: bytes) -> None:
    [outcome] = one_mail(answering(dot=dot))
    assert isinstance(outcome, Deferred)
    assert outcome.unknown


def test_an_answer_too_many_is_not_taken_for_that_of_the_next_mail() -> None:
    first, second = one_mail(answering(dot=b"250 kept\r\n250 kept\r\n"), times=2)
    assert isinstance(first, Delivered)
    assert second == Delivered("250 kept")


@pytest.mark.parametrize("at", ["greeting", "EHLO"])
def test_a_session_that_is_out_of_step_from_its_beginning_sends_nothing(at: str) -> None:
    words = b"220 ready\r\n250 x\r\n" if at == "greeting" else b"250 x\r\n250 x\r\n"
    try:
        [outcome] = one_mail(answering(**{at: words}))
    except Busy:
        return
    assert isinstance(outcome, Deferred)


def test_what_stands_behind_the_answer_to_starttls_is_not_the_server_s() -> None:
    def play(talk: Talk) -> None:
        talk.say(b"220 ready\r\n")
        talk.line()
        talk.say(b"250-x\r\n250 STARTTLS\r\n")
        talk.line()
        talk.say(b"220 go\r\n250-AUTH PLAIN\r\n250 injected\r\n")
        talk.hang()

    with (
        scripted.running(play) as (port, _),
        pytest.raises(Busy, match="before it was asked"),
        connect(Smtp(host="127.0.0.1", port=port, security="starttls"), timeouts=PATIENT),
    ):
        pass
