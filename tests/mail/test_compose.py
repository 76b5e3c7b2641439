import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Read
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from eventum.errors import Refused
from eventum.mail.address import Address
from eventum.mail.automatic import Origin
from eventum.mail.compose import Draft, compose
from eventum.mail.message import parse
from eventum.mail.threading import OurId, our_id, references_for
from eventum.mail.words import clean_line

NOW = datetime(2026, 11, 22, 15, 0, 53, tzinfo=UTC)
DRAFT = Draft(
    from_=Address("Printer support", "issue-42@tracker.example.org"),
    to=(Address("Anna Example", "anna@example.org"),),
    subject="[#42] New Issue: The printer burns",
    text="It burns.\n\nhttps://tracker.example.org/issues/42\n",
    message_id=our_id(OurId(42, 3, "anna@example.org"), b"secret", "tracker.example.org"),
    date=NOW,
    in_reply_to="<root@example.org>",
    references=("<root@example.org>", "<second@example.org>"),
    automatic="auto-generated",
)

anything = st.text(st.characters(), max_size=400)  # lone surrogates and controls too
names = anything | st.sampled_from(
    ["Müller, Anna", 'A "B" C', "障害対応センター" * 10, "x@y.example", "=?utf-8?q?a?=", ""]
)
mailboxes = st.builds(Address, names, st.sampled_from(["anna@example.org", "o'neil+x@mail.example", "a@b"]))
header_names = st.sampled_from(["Reply-To", "X-Eventum-Type", "List-Id", "Subject", "Bcc", "Content-Type", "bcc"])


def read(data: bytes) -> Read:
    return message_from_bytes(data)


def shown(header: object) -> str:
    return str(make_header(decode_header(re.sub(r"\r\n", "", str(header)))))


def one_line(text: str) -> str:
    return " ".join(word for word in clean_line(text, 4000).split(" ") if word)


def body(mail: Read) -> str:
    data = mail.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode("utf-8").replace("\r\n", "\n")


def header_block(data: bytes) -> list[bytes]:
    return data[: data.index(b"\r\n\r\n")].split(b"\r\n")


def assert_fit_for_the_wire(data: bytes) -> None:
    assert data.isascii()
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", data)
    assert b"\r" not in data.replace(b"\r\n", b"") and b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    for line in header_block(data):
        assert re.match(rb"[!-9;-~]+: ?| [!-~]", line), line
        assert b"=?" not in line or len(line) <= 76


def test_a_notice_says_who_what_when_and_of_which_thread():
    mail = read(compose(DRAFT))
    assert mail["From"] == "Printer support <issue-42@tracker.example.org>"
    assert mail["To"] == "Anna Example <anna@example.org>"
    assert mail["Cc"] is None
    assert mail["Subject"] == DRAFT.subject
    assert mail["Message-ID"] == DRAFT.message_id
    assert mail["In-Reply-To"] == "<root@example.org>"
    assert mail["References"].split() == list(DRAFT.references)
    assert parsedate_to_datetime(mail["Date"]) == NOW
    assert mail["MIME-Version"] == "1.0"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert body(mail) == DRAFT.text


def test_what_a_person_writes_carries_only_the_loop_mark():
    mail = read(compose(replace(DRAFT, automatic="no")))
    assert mail["X-Eventum-Loop"] and mail["Auto-Submitted"] is None and mail["Precedence"] is None


@given(
    st.builds(
        replace,
        st.just(DRAFT),
        from_=mailboxes,
        to=st.lists(mailboxes, max_size=4).map(tuple),
        cc=st.lists(mailboxes, max_size=4).map(tuple),
        subject=anything,
        text=anything,
        message_id=anything,
        in_reply_to=anything,
        references=st.lists(anything, max_size=5).map(tuple),
        extra=st.lists(st.tuples(header_names | anything, anything), max_size=5).map(tuple),
    )
)
def test_no_string_breaks_out_of_its_header(draft):
    data = compose(draft)
    assert_fit_for_the_wire(data)
    mail = read(data)
    assert not mail.defects
    counted = [name.lower() for name in mail]
    assert len(counted) == len(set(counted))
    allowed = {name.lower() for name, _ in draft.extra} - {"bcc"}
    assert (
        not set(counted)
        - allowed
        - {
            *("date", "from", "to", "cc", "subject", "message-id", "in-reply-to", "references", "mime-version"),
            *("content-type", "content-transfer-encoding"),
            *("auto-submitted", "precedence", "x-auto-response-suppress", "x-eventum-loop"),
        }
    )
    assert mail.get_content_type() == "text/plain"


@given(anything, st.lists(mailboxes, min_size=1, max_size=5).map(tuple), mailboxes)
def test_our_own_reader_reads_what_we_wrote(subject, to, sender):
    draft = replace(DRAFT, subject=subject, to=to, from_=sender)
    message = parse(compose(draft))
    assert message.subject == clean_line(one_line(subject), 998)
    assert [entry.address for entry in message.to] == [entry.address for entry in to]
    assert [entry.address for entry in message.from_] == [sender.address]
    assert message.message_id == draft.message_id
    assert message.in_reply_to == (draft.in_reply_to,)
    assert message.references == draft.references
    assert message.date == NOW
    assert message.automatic == "ours"
    assert not message.defects


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=300).map(str.strip))
def test_the_library_reads_the_subject_we_wrote(subject):
    assert shown(read(compose(replace(DRAFT, subject=f"[#42] {subject} end")))["Subject"]) == (
        one_line(f"[#42] {subject} end")
    )


@pytest.mark.parametrize(
    "subject",
    [
        "[#42] 障害: ネットワーク機器が再起動を繰り返しています。至急ご確認ください",
        "Ärger mit dem Drucker im Gebäude fünf, immer noch und schon wieder, seit Montag früh",
        "👩‍👩‍👧‍👦" * 30,
        "looks =?utf-8?q?like=20an?= encoded word",
        "x" * 3000,
        "short words " * 100,
        "é",
        "",
    ],
)
def test_a_long_or_foreign_subject_comes_back_whole(subject):
    data = compose(replace(DRAFT, subject=subject))
    assert_fit_for_the_wire(data)
    assert shown(read(data)["Subject"]) == one_line(subject)
    assert b"\r\nSubject:\r\n" not in data


def test_plain_words_beside_foreign_ones_stay_readable():
    data = compose(replace(DRAFT, subject="[#42] New Issue: 障害 (urgent)"))
    assert b"\r\nSubject: [#42] New Issue: =?utf-8?b?6Zqc5a6z?= (urgent)\r\n" in data


@given(st.lists(st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), max_size=60)))
def test_no_encoded_word_splits_a_character(parts):
    data = compose(replace(DRAFT, subject="".join(parts), from_=Address("".join(parts[:2]), "a@b")))
    for word in re.findall(rb"=\?utf-8\?b\?[^?]*\?=", data):
        assert len(word) <= 75
        ((text, charset),) = decode_header(word.decode("ascii"))
        text.decode(charset)


@pytest.mark.parametrize(
    "line_end", ["\n", "\r", "\r\n", "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\r\n\r\n", "\n "]
)
@pytest.mark.parametrize("field", ["subject", "name", "in_reply_to", "extra"])
def test_a_line_end_in_a_value_makes_no_header(field, line_end):
    evil = f"x{line_end}Bcc: victim@example.net"
    changes = {
        "subject": {"subject": evil},
        "name": {"to": (Address(evil, "anna@example.org"),)},
        "in_reply_to": {"in_reply_to": f"<{evil}>"},
        "extra": {"extra": (("X-Note", evil),)},
    }[field]
    mail = read(compose(replace(DRAFT, **changes)))
    assert mail["Bcc"] is None
    assert body(mail) == DRAFT.text


@pytest.mark.parametrize("unseen", ["\u202e", "\u2066", "\ufeff", "\x1b", "\x07"])
def test_unseen_signs_do_not_reach_a_header(unseen):
    mail = read(compose(replace(DRAFT, subject=f"pay{unseen}pal", to=(Address(f"A{unseen}B", "a@b"),))))
    assert unseen not in shown(mail["Subject"]) and unseen not in shown(mail["To"])


@pytest.mark.parametrize("address", ["", "a b@c", "-oQ/tmp@x", "a@b\r\nRCPT TO:<c@d>", "a", "a@b, c@d", "<a@b>", "ä@b"])
def test_an_odd_address_is_left_out_and_as_sender_refused(address):
    mail = read(compose(replace(DRAFT, to=(Address("Anna", address), Address("", "otto@example.org")))))
    assert mail["To"] == "otto@example.org"
    with pytest.raises(Refused, match="smtp.from"):
        compose(replace(DRAFT, from_=Address("x", address)))


def test_a_mail_to_nobody_names_an_empty_group():
    assert read(compose(replace(DRAFT, to=())))["To"] == "undisclosed-recipients:;"


@given(st.lists(st.from_regex(r"[a-z0-9.$%+=-]{1,250}@[a-z0-9.\[\]-]{1,80}", fullmatch=True), max_size=12))
def test_every_id_stands_whole_on_a_line_of_its_own(parts):
    ids = [f"<{part}>" for part in parts]
    references = references_for("<root@example.org>", ids)
    data = compose(replace(DRAFT, references=references, in_reply_to=references[-1]))
    lines = header_block(data)
    assert [line for line in lines if b"References" in line] == [b"References: <root@example.org>"]
    for one in references[1:]:
        assert f" {one}".encode() in lines
    assert f"In-Reply-To: {references[-1]}".encode() in lines
    assert parse(data).references == references


@given(anything)
def test_any_text_is_read_back_with_unseen_controls_left_out(text):
    data = compose(replace(DRAFT, text=text))
    expected = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", re.sub(r"\r\n?", "\n", text))
    expected = re.sub(r"[\ud800-\udfff]", "\ufffd", expected)
    assert body(read(data)) == (expected if expected.endswith("\n") else expected + "\n")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n", "7bit"),
        ("", "7bit"),
        (("x" * 900 + "\n") * 3, "7bit"),
        ("x" * 901, "quoted-printable"),
        ("Der Drucker im Gebäude fünf\n" * 20, "quoted-printable"),
        ("障害対応をお願いします\n" * 20, "base64"),
        ("ends with blanks   \nä\n.\nFrom here\n", "quoted-printable"),
    ],
)
def test_the_shortest_encoding_is_taken(text, encoding):
    data = compose(replace(DRAFT, text=text))
    assert_fit_for_the_wire(data)
    assert read(data)["Content-Transfer-Encoding"] == encoding
    assert body(read(data)).rstrip("\n") == text.rstrip("\n")
    if encoding != "7bit":
        assert max(map(len, data.split(b"\r\n"))) <= 76


def test_an_extra_header_never_stands_beside_one_of_ours():
    extra = (
        ("subject", "other"),
        ("X-Eventum-Type", "new_issue"),
        ("x-eventum-type", "again"),
        ("Auto-Submitted", "no"),
    )
    mail = read(compose(replace(DRAFT, extra=extra)))
    assert mail.get_all("Subject") == [DRAFT.subject]
    assert mail.get_all("X-Eventum-Type") == ["new_issue"]
    assert mail.get_all("Auto-Submitted") == ["auto-generated"]


@pytest.mark.parametrize("origin", ["auto-generated", "auto-replied", "no"])
def test_our_mail_is_known_when_it_comes_back(origin: Origin):
    known = "sent-on" if origin == "no" else "ours"
    assert parse(b"Return-Path: <>\r\n" + compose(replace(DRAFT, automatic=origin))).automatic == known
