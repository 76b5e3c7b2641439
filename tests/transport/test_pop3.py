"""POP3 servers that Dovecot is not: cut off, lying, old; and the reader of messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Busy, Refused
from eventum.transport.mailbox import Position, Server, Timeouts, open_mailbox
from eventum.transport.pop3_dialogue import unstuffed
from tests.servers import scripted
from tests.servers.scripted import Answer, Talk

PATIENT = Timeouts(connect=5, command=5)
IMPATIENT = Timeouts(connect=5, command=0.1)
MAIL = b"Subject: x\r\n\r\n..dots\r\n..\r\nlast\r\n.\r\n"
READ = b"Subject: x\r\n\r\n.dots\r\n.\r\nlast\r\n"


def serving(port: int, **different: object) -> Server:
    settings: dict[str, object] = {"security": "none", "username": "ann", "password": "p", "host": "127.0.0.1"}
    return Server(**(settings | {"protocol": "pop3", "port": port} | different))  # type: ignore[arg-type]


def cut(words: bytes) -> Answer:
    """An answer of these bytes, after which the connection ends."""

    def answer(talk: Talk, tag: bytes) -> None:
        talk.say(words)
        raise scripted.End

    return answer


def fetched(table: dict[str, Answer], timeouts: Timeouts = PATIENT, **different: object) -> list[bytes]:
    with (
        scripted.running(scripted.pop3(table)) as (port, _),
        open_mailbox(serving(port, **different), timeouts=timeouts) as mailbox,
    ):
        return [mail.raw for batch in mailbox.fetch(mailbox.new(Position())) for mail in batch]


def test_dots_are_unstuffed() -> None:
    assert fetched({"RETR": b"+OK\r\n" + MAIL}) == [READ]


@pytest.mark.parametrize("end", range(len(MAIL)))
def test_a_message_that_is_cut_at_any_byte_is_not_taken_for_whole(end: int) -> None:
    with pytest.raises(Busy, match="ended in the middle"):
        fetched({"RETR": cut(b"+OK\r\n" + MAIL[:end])})


@pytest.mark.parametrize("rest", [b"Subject: x\r\n\r\n..", b"x\r\n.\r", b"x\r\n..\r\n", b"x\n.\n", b"", b"."])
def test_a_message_without_its_closing_line_is_not_taken_for_whole(rest: bytes) -> None:
    with pytest.raises(Busy, match="ended in the middle"):
        fetched({"RETR": cut(b"+OK\r\n" + rest)})


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_message_that_arrives_in_small_pieces_is_whole(size: int) -> None:
    def drip(talk: Talk, tag: bytes) -> None:
        whole = b"+OK\r\n" + MAIL
        for start in range(0, len(whole), size):
            talk.say(whole[start : start + size])

    assert fetched({"RETR": drip}) == [READ]


def test_a_message_may_be_empty_when_it_has_no_size() -> None:
    empty: dict[str, Answer] = {"RETR": b"+OK\r\n.\r\n"}
    assert fetched({**empty, "LIST": b"+OK\r\n1 0\r\n.\r\n"}) == [b""]
    assert fetched(empty) == []


def test_answers_that_are_out_of_step_give_no_mail_another_name() -> None:
    with pytest.raises(Busy, match="do not belong to what was asked"):
        fetched({"RETR": b"+OK\r\n" + MAIL + b"+OK\r\n" + MAIL})


def test_mails_of_the_same_id_are_fetched_each_and_never_known_by_it() -> None:
    table: dict[str, Answer] = {
        "UIDL": b"+OK\r\n1 same\r\n2 other\r\n3 same\r\n.\r\n",
        "LIST": b"+OK\r\n1 20\r\n2 20\r\n3 20\r\n.\r\n",
        "RETR": b"+OK\r\n" + MAIL,
        "UIDL 2": b"+OK 2 other\r\n",
        "UIDL 3": b"+OK 3 same\r\n",
    }
    with (
        scripted.running(scripted.pop3(table | {"UIDL 1": b"+OK 1 same\r\n"})) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert mailbox.new(Position()) == ("same", "other", "same 2")
        assert len([mail for batch in mailbox.fetch(mailbox.new(Position())) for mail in batch]) == 3
        assert mailbox.shared == {"same", "same 2"}


@pytest.mark.parametrize("listing", [b"1 one", b"1 " + b"x" * 300 + b"\r\n2 two", b"1 one\r\n2"])
def test_a_mail_that_is_counted_but_not_named_is_said(listing: bytes) -> None:
    with pytest.raises(Busy, match="holds 2 mails and names 1 of them"):
        fetched({"STAT": b"+OK 2 40\r\n", "UIDL": b"+OK\r\n" + listing + b"\r\n.\r\n"})


def test_a_message_without_end_is_given_up() -> None:
    def flood(talk: Talk, tag: bytes) -> None:
        talk.say(b"+OK\r\n")
        for _ in range(1000):
            talk.say(b"more and more and more\r\n" * 4000)

    with pytest.raises(Busy, match="larger than anything"):
        fetched({"RETR": flood})


def test_one_message_that_the_server_cannot_give_stops_no_other() -> None:
    table: dict[str, Answer] = {
        "CAPA": b"+OK\r\nUSER\r\nPIPELINING\r\n.\r\n",
        "UIDL": b"+OK\r\n1 one\r\n2 two\r\n3 three\r\n.\r\n",
        "LIST": b"+OK\r\n1 20\r\n2 20\r\n3 999999999\r\n.\r\n",
        "RETR 1": b"-ERR broken\r\n",
        "RETR 2": b"+OK\r\n" + MAIL,
        "UIDL 2": b"+OK 2 two\r\n",
    }
    with (
        scripted.running(scripted.pop3(table)) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert [mail.raw for batch in mailbox.fetch(("one", "two", "three")) for mail in batch] == [READ]
        assert [uid for uid, _ in mailbox.passed_over] == ["three", "one"]


@pytest.mark.parametrize("step", ["CAPA", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR"])
@pytest.mark.parametrize("answer", [scripted.hang, scripted.close])
def test_a_server_that_hangs_or_goes_at_any_step_is_busy(step: str, answer: Answer) -> None:
    with pytest.raises(Busy):
        fetched({"RETR": b"+OK\r\n" + MAIL, step: answer}, IMPATIENT)


@pytest.mark.parametrize("greeting", [b"-ERR too many\r\n", b"HTTP/1.1 400 Bad\r\n", b"\x00" * 9000 + b"\r\n"])
def test_a_greeting_that_is_none_is_busy(greeting: bytes) -> None:
    with (
        scripted.running(scripted.pop3({}, greeting)) as (port, _),
        pytest.raises(Busy),
        open_mailbox(serving(port), timeouts=PATIENT),
    ):
        pass


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (b"-ERR [AUTH] no\r\n", Refused),
        (b"-ERR wrong\r\n", Refused),
        (b"-ERR [IN-USE] somebody reads it\r\n", Busy),
        (b"-ERR [SYS/TEMP] later\r\n", Busy),
    ],
)
def test_a_refused_login_is_told_from_one_that_may_work_later(words: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        fetched({"PASS": words})


def test_a_server_without_unique_ids_is_refused() -> None:
    with pytest.raises(Refused, match="no unique ids.*use IMAP"):
        fetched({"UIDL": b"-ERR unknown command\r\n"})


def test_a_server_that_knows_no_capa_is_asked_for_user_and_password() -> None:
    assert fetched({"CAPA": b"-ERR what?\r\n", "RETR": b"+OK\r\n" + MAIL}) == [READ]


def test_a_server_without_user_is_asked_by_auth_plain() -> None:
    table: dict[str, Answer] = {"CAPA": b"+OK\r\nSASL LOGIN PLAIN\r\n.\r\n", "AUTH PLAIN": b"+OK\r\n"}
    assert fetched(table | {"USER": b"-ERR\r\n", "RETR": b"+OK\r\n" + MAIL}) == [READ]


def test_starttls_that_is_not_offered_is_refused_before_the_password_is_sent() -> None:
    with (
        scripted.running(scripted.pop3({})) as (port, talks),
        pytest.raises(Refused, match="offers no STARTTLS"),
        open_mailbox(serving(port, security="starttls"), timeouts=PATIENT),
    ):
        pass
    assert talks[0].heard == [b"CAPA"]


def test_a_password_cannot_carry_another_command() -> None:
    with pytest.raises(Refused, match="control character"):
        fetched({}, password="p\r\nDELE 1")


@pytest.mark.parametrize(
    ("quit_answer", "confirmed"), [(b"+OK\r\n", True), (b"-ERR not all\r\n", False), (scripted.close, False)]
)
def test_only_the_servers_yes_to_quit_confirms_a_removal(quit_answer: Answer, confirmed: bool) -> None:
    with (
        scripted.running(scripted.pop3({"QUIT": quit_answer})) as (port, talks),
        open_mailbox(serving(port), removing=True, timeouts=PATIENT) as mailbox,
    ):
        mailbox.remove(["one", "gone"])
        assert mailbox.commit() is confirmed
        assert talks[0].heard[-2:] == [b"DELE 1", b"QUIT"]


def test_a_session_with_open_removals_ends_without_quit() -> None:
    with scripted.running(scripted.pop3({})) as (port, talks):
        with open_mailbox(serving(port), removing=True, timeouts=PATIENT) as mailbox:
            mailbox.remove(["one"])
        assert talks[0].heard[-1] == b"DELE 1"


def test_a_removal_that_is_refused_is_busy() -> None:
    with (
        scripted.running(scripted.pop3({"DELE": b"-ERR no\r\n"})) as (port, _),
        open_mailbox(serving(port), removing=True, timeouts=PATIENT) as mailbox,
        pytest.raises(Busy, match='it said "-ERR no"'),
    ):
        mailbox.remove(["one"])


def test_ids_that_the_server_no_longer_has_are_forgotten() -> None:
    with (
        scripted.running(scripted.pop3({})) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        before = Position(known=frozenset({"one", "gone"}))
        assert mailbox.advanced(before, []) == Position(known=frozenset({"one"}))


@given(st.lists(st.text("ab.\r", max_size=4).map(str.encode).filter(lambda line: not line.endswith(b"\r"))))
def test_what_a_server_stuffs_is_unstuffed(lines: list[bytes]) -> None:
    stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    assert unstuffed(stuffed + b".\r\n") == b"".join(line + b"\r\n" for line in lines)
