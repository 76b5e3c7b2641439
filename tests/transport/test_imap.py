"""IMAP servers that Dovecot is not: cut off, lying, without UIDPLUS; and the small readers of answers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Busy, NotFound, Refused
from eventum.transport.imap_answers import Untrusted, arrived, fetched, uid_set
from eventum.transport.mailbox import Mailbox, Position, Server, Timeouts, open_mailbox
from tests.servers import scripted
from tests.servers.scripted import Answer, Player, Talk

PATIENT = Timeouts(connect=5, command=5)
IMPATIENT = Timeouts(connect=5, command=0.1)
SIZES = b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n* 2 FETCH (UID 2 RFC822.SIZE 5)\r\nTAG OK done\r\n"
BODIES = b"* 1 FETCH (UID 1 BODY[] {5}\r\nfirst)\r\n* 2 FETCH (BODY[] {5}\r\nother FLAGS () UID 2)\r\nTAG OK done\r\n"


def serving(port: int, **different: object) -> Server:
    settings: dict[str, object] = {"security": "none", "username": "ann", "password": "p", "host": "127.0.0.1"}
    return Server(**(settings | {"protocol": "imap", "port": port} | different))  # type: ignore[arg-type]


def all_mails(mailbox: Mailbox, uids: tuple[str, ...] = ("1", "2")) -> list[bytes]:
    return [mail.raw for batch in mailbox.fetch(uids) for mail in batch]


def refusal(player: Player, timeouts: Timeouts = PATIENT, **different: object) -> Exception:
    """What opening the mailbox and fetching two mails raises."""
    with (
        scripted.running(player) as (port, _),
        pytest.raises((Busy, Refused, NotFound)) as caught,
        open_mailbox(serving(port, **different), timeouts=timeouts) as mailbox,
    ):
        all_mails(mailbox)
    return caught.value


def fetching(sizes: Answer = SIZES, bodies: Answer = BODIES, **more: Answer) -> dict[str, Answer]:
    table: dict[str, Answer] = {"UID FETCH 1:2 (UID RFC822.SIZE)": sizes, "UID FETCH 1:2 (UID INTERNALDATE": bodies}
    return table | {name.replace("_", " "): answer for name, answer in more.items()}


def test_a_uid_may_stand_before_or_after_the_body() -> None:
    with (
        scripted.running(scripted.imap(fetching())) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert all_mails(mailbox) == [b"first", b"other"]


def test_a_mail_that_vanishes_between_size_and_body_is_left_out() -> None:
    bodies = b"* 2 FETCH (UID 2 BODY[] {5}\r\nother)\r\n* 1 EXPUNGE\r\nTAG OK done\r\n"
    table = fetching(bodies=bodies) | {"UID SEARCH UID 1": b"* SEARCH\r\nTAG OK done\r\n"}
    with (
        scripted.running(scripted.imap(table)) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert all_mails(mailbox) == [b"other"]
        assert mailbox.passed_over == []


def test_new_mail_costs_no_command_when_the_server_says_there_is_none() -> None:
    with (
        scripted.running(scripted.imap({})) as (port, talks),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert mailbox.new(Position(validity="7", uid=3)) == ()
        assert not any(b"SEARCH" in line for line in talks[0].heard)


def test_the_last_mail_is_not_new_though_the_server_names_it() -> None:
    select = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nTAG OK open\r\n"
    with (
        scripted.running(scripted.imap({"EXAMINE": select, "UID SEARCH": b"* SEARCH 3\r\nTAG OK done\r\n"})) as (
            port,
            talks,
        ),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert mailbox.new(Position(validity="7", uid=3)) == ()
        assert talks[0].heard[-1].endswith(b"UID SEARCH UID 4:*")
        assert mailbox.newest() == Position(validity="7", uid=3)


def test_a_folder_is_opened_for_writing_only_to_remove() -> None:
    for removing, command in ((False, b"EXAMINE"), (True, b"SELECT")):
        with (
            scripted.running(scripted.imap({})) as (port, talks),
            open_mailbox(serving(port), removing=removing, timeouts=PATIENT),
        ):
            assert command in talks[0].heard[-1]


@pytest.mark.parametrize(
    ("marked", "expunged"), [(b"* SEARCH 1 2\r\nTAG OK done\r\n", True), (b"* SEARCH 1 2 9\r\nTAG OK done\r\n", False)]
)
def test_without_uidplus_a_plain_expunge_never_takes_the_mail_of_others(marked: bytes, expunged: bool) -> None:
    table: dict[str, Answer] = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n",
        "UID STORE": b"TAG OK done\r\n",
        "UID SEARCH DELETED": marked,
        "EXPUNGE": b"* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nTAG OK done\r\n",
    }
    with (
        scripted.running(scripted.imap(table)) as (port, talks),
        open_mailbox(serving(port), removing=True, timeouts=PATIENT) as mailbox,
    ):
        mailbox.remove(["1", "2"])
        assert any(line.endswith(b"EXPUNGE") for line in talks[0].heard) is expunged


@pytest.mark.parametrize("command", ["UID STORE", "UID EXPUNGE"])
def test_a_server_that_does_not_remove_is_busy(command: str) -> None:
    table: dict[str, Answer] = {
        "UID STORE": b"TAG OK done\r\n",
        "UID EXPUNGE": b"TAG OK done\r\n",
        command: b"TAG NO later\r\n",
    }
    with (
        scripted.running(scripted.imap(table)) as (port, _),
        open_mailbox(serving(port), removing=True, timeouts=PATIENT) as mailbox,
        pytest.raises(Busy, match='it said "later"'),
    ):
        mailbox.remove(["1"])


def test_a_folder_that_nobody_may_write_refuses_the_removal() -> None:
    select = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nTAG OK [READ-ONLY] open\r\n"
    with (
        scripted.running(scripted.imap({"SELECT": select})) as (port, _),
        pytest.raises(Refused, match="leave a copy on the server"),
        open_mailbox(serving(port), removing=True, timeouts=PATIENT),
    ):
        pass


def test_one_mail_that_the_server_cannot_give_stops_no_other() -> None:
    table = fetching(
        bodies=b"TAG NO cannot convert\r\n",
        UID_FETCH_1_=b"TAG NO broken \x1b[31mmail\r\n",
        UID_FETCH_2_=b"* 2 FETCH (UID 2 BODY[] {5}\r\nother)\r\nTAG OK done\r\n",
    )
    with (
        scripted.running(scripted.imap(table)) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert all_mails(mailbox) == [b"other"]
        [(uid, reason)] = mailbox.passed_over
        assert uid == "1"
        assert 'it said "broken [31mmail"' in reason


def test_a_mail_of_a_gigabyte_is_passed_over_and_named() -> None:
    sizes = b"* 1 FETCH (UID 1 RFC822.SIZE 1000000000)\r\n* 2 FETCH (UID 2 RFC822.SIZE 5)\r\nTAG OK done\r\n"
    table = fetching(sizes=sizes, UID_FETCH_2_=b"* 2 FETCH (UID 2 BODY[] {5}\r\nother)\r\nTAG OK done\r\n")
    with (
        scripted.running(scripted.imap(table)) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert all_mails(mailbox) == [b"other"]
        assert mailbox.passed_over[0][0] == "1"


def flood(talk: Talk, tag: bytes) -> None:
    for _ in range(1000):
        talk.say(b"* OK nothing of interest here\r\n" * 4000)


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param(b"* 1 FETCH (UID 1 BODY[] {10000000000}\r\nx", id="a literal of 10 GB"),
        pytest.param(flood, id="an answer without end"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[] {50}\r\nthis is cut o", id="cut in the body"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[] {5}\r\nfirst)\r\n", id="no tagged answer"),
        pytest.param(b"* BYE shutting down\r\n", id="bye"),
        pytest.param(b"TAG BAD what?\r\n", id="bad"),
        pytest.param(b"\xff\xfe\r\n\r\n", id="rubbish"),
        pytest.param(b"TAG NO [UNAVAILABLE] later\r\n", id="not now"),
    ],
)
def test_a_fetch_that_goes_wrong_is_busy(bodies: Answer) -> None:
    def answer(talk: Talk, tag: bytes) -> None:
        if isinstance(bodies, bytes):
            talk.say(bodies.replace(b"TAG", tag))
            if not bodies.startswith(b"TAG"):
                raise scripted.End
        else:
            bodies(talk, tag)

    table = fetching(bodies=answer, UID_FETCH_1_=answer)
    assert isinstance(refusal(scripted.imap(table)), Busy)


STEPS = [
    "CAPABILITY",
    "AUTHENTICATE PLAIN",
    "EXAMINE",
    "UID FETCH 1:2 (UID RFC822.SIZE)",
    "UID FETCH 1:2 (UID INTERNALDATE",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("answer", [scripted.hang, scripted.close])
def test_a_server_that_hangs_or_goes_at_any_step_is_busy(step: str, answer: Answer) -> None:
    assert isinstance(refusal(scripted.imap(fetching() | {step: answer}), IMPATIENT), Busy)


@pytest.mark.parametrize(
    "greeting", [b"* BYE too many\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b"", b"\x00" * 5000 + b"\r\n"]
)
def test_a_greeting_that_is_none_is_busy(greeting: bytes) -> None:
    def play(talk: Talk) -> None:
        talk.say(greeting)
        raise scripted.End

    assert isinstance(refusal(play), Busy)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] no\r\n", Refused),
        (b"TAG NO wrong\r\n", Refused),
        (b"TAG NO [UNAVAILABLE] directory is down\r\n", Busy),
        (b"* BYE too many failures\r\nTAG NO x\r\n", Busy),
    ],
)
def test_a_refused_login_is_told_from_one_that_may_work_later(words: bytes, error: type[Exception]) -> None:
    assert isinstance(refusal(scripted.imap({"AUTHENTICATE PLAIN": words})), error)


def test_a_server_that_echoes_the_password_does_not_spread_it() -> None:
    table: dict[str, Answer] = {"AUTHENTICATE PLAIN": b"TAG NO s3cr3t is wrong\r\n"}
    assert '"*** is wrong"' in str(refusal(scripted.imap(table), password="s3cr3t"))


def test_login_is_used_where_authenticate_plain_is_not_offered() -> None:
    table: dict[str, Answer] = {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n"}
    with (
        scripted.running(scripted.imap(table)) as (port, talks),
        open_mailbox(serving(port, username='a"n n', password="p\\w"), timeouts=PATIENT),
    ):
        assert any(line.endswith(b'LOGIN "a\\"n n" "p\\\\w"') for line in talks[0].heard)


def test_a_server_that_forbids_login_in_clear_text_is_heard_before_the_password_is_sent() -> None:
    table: dict[str, Answer] = {"CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nTAG OK done\r\n"}
    assert "takes no password without TLS" in str(refusal(scripted.imap(table)))


def test_starttls_that_is_not_offered_is_refused_before_the_password_is_sent() -> None:
    with (
        scripted.running(scripted.imap({})) as (port, talks),
        pytest.raises(Refused, match="offers no STARTTLS"),
        open_mailbox(serving(port, security="starttls"), timeouts=PATIENT),
    ):
        pass
    assert not any(b"AUTHENTICATE" in line or b"LOGIN" in line for line in talks[0].heard)


def test_a_server_that_claims_a_login_already_cannot_avoid_starttls() -> None:
    greeting = b"* PREAUTH welcome\r\n"
    table: dict[str, Answer] = {"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK done\r\n"}
    assert isinstance(refusal(scripted.imap(table, greeting), security="starttls"), Busy | Refused)


def test_an_error_of_the_caller_passes_through_unchanged() -> None:
    with (
        scripted.running(scripted.imap(fetching())) as (port, _),
        pytest.raises(OSError, match="disk full"),
        open_mailbox(serving(port), timeouts=PATIENT),
    ):
        raise OSError("disk full")


@given(st.lists(st.integers(1, 2**32 - 1), min_size=1, unique=True).map(sorted))
def test_a_set_of_uids_names_exactly_these(uids: list[int]) -> None:
    named: list[int] = []
    for part in uid_set([str(uid) for uid in uids]).split(","):
        first, _, last = part.partition(":")
        named += range(int(first), int(last or first) + 1)
    assert named == uids


@pytest.mark.parametrize(
    ("told", "time"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 1-Jan-2024 00:30:00 +0100", datetime(2023, 12, 31, 23, 30, tzinfo=UTC)),
        (b"31-Feb-2024 00:00:00 +0000", None),
        (b"01-Xxx-2024 00:00:00 +0000", None),
        (b"01-Jan-0001 00:00:00 +2359", None),
        (b"01-Jan-2024 00:00:00 +9999", None),
        (b"NIL", None),
    ],
)
def test_the_date_of_arrival_is_read_or_left_open(told: bytes, time: datetime | None) -> None:
    assert arrived(told) == time


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ([b'1 (UID 5 BODY[] "short \\"x\\"")'], [(b"5", b'short "x"')]),
        ([b"1 (UID 5 BODY[] NIL)"], [(b"5", b"")]),
        ([b"1 (FLAGS (\\Seen $x) MODSEQ (12))"], [(None, None)]),
        ([(b"1 (BODY[] {1}", b"x"), b")"], [(None, b"x")]),
        ([(b"1 (body[] {1}", b"x"), b" flags () uid 7)"], [(b"7", b"x")]),
        ([(b"1 (UID 7 X-NOTE {3}", b") ("), (b" BODY[] {2}", b"ab"), b")"], [(b"7", b"ab")]),
        ([None], []),
    ],
)
def test_what_a_server_says_of_mails_is_read_in_any_order_and_case(
    data: list[object], found: list[tuple[bytes | None, bytes | None]]
) -> None:
    assert [(one.get(b"UID"), one.get(b"BODY[]")) for one in fetched(data)] == found


@pytest.mark.parametrize(
    "data",
    [
        [(b"1 (UID 5 BODY[] {2}", b"ab"), b"the rest of it)"],
        [(b"1 (UID 5 BODY[] {2}", b"ab"), b""],
        [(b"1 (UID 5 BODY[] {2}", b"ab"), b"))"],
        [(b"1 (UID 5 BODY[] {9}", b"ab)\r\n* 2 F"), (b"ETCH (UID 6 BODY[] {2}", b"cd"), b")"],
        [(b"2 (UID 5 BODY[] {3}", b"abc"), (b") 2 FETCH (UID 6 BODY[] {2}", b"cd"), b")"],
    ],
)
def test_an_answer_whose_literals_are_shorter_or_longer_than_announced_is_not_believed(data: list[object]) -> None:
    with pytest.raises(Untrusted):
        list(fetched(data))


@pytest.mark.parametrize("body", [b"NIL", b'""', b"{0}\r\n"])
def test_nothing_in_place_of_a_mail_that_has_a_size_is_no_mail(body: bytes) -> None:
    answer = b"* 1 FETCH (UID 1 BODY[] " + body + b")\r\n* 2 FETCH (UID 2 BODY[] {5}\r\nother)\r\nTAG OK done\r\n"
    with (
        scripted.running(scripted.imap({"UID FETCH 1:2 (UID RFC": SIZES, "UID FETCH": answer})) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert all_mails(mailbox) == [b"other"]
        assert [uid for uid, _ in mailbox.passed_over] == ["1"]


def test_a_mail_that_is_left_out_of_an_answer_though_it_is_there_is_named() -> None:
    with (
        scripted.running(
            scripted.imap(
                {
                    "UID FETCH 1:2 (UID RFC": SIZES,
                    "UID FETCH": b"* 2 FETCH (UID 2 BODY[] {5}\r\nother)\r\nTAG OK done\r\n",
                    "UID SEARCH UID 1": b"* SEARCH 1\r\nTAG OK done\r\n",
                }
            )
        ) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert all_mails(mailbox) == [b"other"]
        assert [uid for uid, _ in mailbox.passed_over] == ["1"]


def test_a_folder_that_is_made_anew_under_our_hands_loses_no_mail() -> None:
    table: dict[str, Answer] = {"UID STORE": b"TAG OK done\r\n", "UID FETCH": SIZES}
    table["UID FETCH 1:2 (UID INT"] = b"* OK [UIDVALIDITY 8] new\r\n" + BODIES
    with scripted.running(scripted.imap(table)) as (port, talks):
        with (
            pytest.raises(Busy, match="made the folder anew"),
            open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
        ):
            all_mails(mailbox)
        assert not any(b"STORE" in line for line in talks[0].heard)


def test_an_answer_of_a_million_lines_is_given_up() -> None:
    with pytest.raises(Busy, match="larger than anything"):
        raise refusal(scripted.imap({"UID FETCH": b"* 1 EXISTS\r\n" * 1_000_000 + b"TAG OK done\r\n"}))


def test_a_listing_of_a_very_large_folder_is_read() -> None:
    uids = range(1_000_000, 1_300_000)
    answer = b"* SEARCH " + b" ".join(str(uid).encode() for uid in uids) + b"\r\nTAG OK done\r\n"
    with (
        scripted.running(scripted.imap({"UID SEARCH": answer})) as (port, _),
        open_mailbox(serving(port), timeouts=PATIENT) as mailbox,
    ):
        assert len(mailbox.new(Position())) == len(uids)
