"""winmail.dat: its files and texts are found, and any bytes at all are read without an error."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.formats import tnef
from eventum.mail.formats.rebuilt import Packed, rebuilt
from eventum.mail.message import parse
from tests.mail import winmail as w


def read(*attributes: bytes, page: int = 1252) -> Packed:
    found = tnef.read(w.winmail(*attributes, page=page))
    assert found is not None
    return found


def test_what_does_not_begin_as_tnef_is_none() -> None:
    assert tnef.read(b"") is None
    assert tnef.read(b"%PDF-1.4") is None


def test_a_file_has_its_long_name_its_type_and_its_bytes() -> None:
    found = read(w.file(b"OFFER~1.PDF", b"data", w.text(w.LONG_NAME, "Angebot 山田.pdf"), w.text(w.MIME, "image/png")))
    assert [tuple(file) for file in found.files] == [("Angebot 山田.pdf", "image/png", b"data", "")]


def test_a_short_name_is_read_in_the_code_page_of_the_message() -> None:
    found = read(w.file("障害.txt".encode("cp932"), b"x"), page=932)
    assert (found.files[0].name, found.files[0].type) == ("障害.txt", "text/plain")


def test_an_empty_property_does_not_hide_what_the_old_attribute_says() -> None:
    found = read(w.file(b"A.TXT", b"data", w.binary(w.OBJECT, b""), w.text(w.LONG_NAME, "a.txt")))
    assert found.files[0].data == b"data"


def test_a_type_that_is_none_is_made_of_the_name() -> None:
    assert read(w.file(b"A.PNG", b"x", w.text(w.MIME, "multipart/mixed"))).files[0].type == "image/png"
    assert read(w.file(b"A", b"x", w.text(w.MIME, "a\r\nb"))).files[0].type == "application/octet-stream"


def test_the_subject_the_sender_and_the_texts_are_read() -> None:
    known = [w.text(w.SUBJECT, "Subject"), w.text(w.FROM_NAME, "Bob"), w.text(w.SMTP, "bob@x.example")]
    found = read(w.message(w.named("odd"), *known, w.old_text(w.BODY, b"caf\xe9\r\n"), w.binary(w.HTML, b"<p>caf\xe9")))
    assert (found.subject, found.sender, found.address) == ("Subject", "Bob", "bob@x.example")
    assert (found.text, found.html) == ("café\n", "<p>café")


def test_html_is_read_in_the_code_page_it_names() -> None:
    found = read(w.message(w.binary(w.HTML, "日本".encode("cp932")), w.number(0x3FDE, 932)))
    assert found.html == "日本"


def test_a_message_in_a_message_becomes_a_mail() -> None:
    inner = w.winmail(w.message(w.text(w.SUBJECT, "Größe"), w.text(w.BODY, "Text")), w.file(b"A.TXT", b"x"))
    found = read(w.file(b"", b"", w.text(w.LABEL, "inner"), w.thing(w.OBJECT, inner)))
    mail = parse(found.files[0].data)
    assert (found.files[0].type, mail.subject, mail.text) == ("message/rfc822", "Größe", "Text")
    assert [(file.part, file.name, file.size) for file in mail.attachments] == [("2", "A.TXT", 1)]


def test_messages_in_messages_are_opened_only_so_deep() -> None:
    inner = w.winmail(w.message(w.text(w.BODY, "bottom")))
    for _ in range(30):
        inner = w.winmail(w.file(b"", b"", w.text(w.LABEL, "inner"), w.thing(w.OBJECT, inner)))
    assert tnef.read(inner) is not None


def test_a_meeting_is_an_event_of_the_mail() -> None:
    kind = w.text(0x001A, "IPM.Schedule.Meeting.Request")
    when = w.time(0x0060, datetime(2026, 11, 16, 9, tzinfo=UTC))
    known = [kind, when, w.text(w.SUBJECT, "Visit"), w.text(w.FROM_NAME, "Bob"), w.text(w.SMTP, "bob@x.example")]
    found = read(w.message(*known)).event
    assert found is not None and (found.method, found.summary) == ("request", "Visit")
    assert found.start is not None and found.start.utc == datetime(2026, 11, 16, 9, tzinfo=UTC) and found.end is None
    assert found.organizer is not None and found.organizer.address == "bob@x.example"


def test_an_answer_to_a_meeting_says_who_comes() -> None:
    old = w.attribute(w.MESSAGE, 0x78008, b"IPM.Microsoft Schedule.MtgRespN\0")
    place = w.named_number(0x8208, "Room 7")
    found = read(old, w.message(place, w.text(w.FROM_NAME, "Bob"))).event
    assert found is not None and found.location == "Room 7"
    assert [(one.name, one.answer) for one in found.attendees] == [("Bob", "declined")]
    assert read(w.message(w.text(0x001A, "IPM.Note"))).event is None


def test_a_stream_that_ends_in_the_middle_gives_what_came_before() -> None:
    whole = w.winmail(w.file(b"A.TXT", b"first"), w.file(b"B.TXT", b"second" * 100))
    found = tnef.read(whole[:-300])
    assert found is not None and [file.name for file in found.files] == ["A.TXT", "B.TXT"]


def test_a_mail_that_is_made_twice_is_the_same() -> None:
    packed = Packed(subject="a\r\nBcc: eve@x.example", text="x", html="<p>x", sender="A, B", address="no address")
    assert rebuilt(packed) == rebuilt(packed)
    mail = parse(rebuilt(packed))
    assert mail.subject == "a Bcc: eve@x.example" and mail.html and mail.text == "x"


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_signature_are_read_without_an_error(data: bytes) -> None:
    assert tnef.read(tnef.SIGNATURE + data) is not None


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_damaged_stream_is_read_without_an_error(place: int, rubbish: bytes) -> None:
    data = w.winmail(w.message(w.named("x"), w.text(w.SUBJECT, "s"), w.binary(w.RTF, w.packed_rtf(b"{\\rtf1 x}"))))
    data += w.file(b"A.TXT", b"x", w.text(w.LONG_NAME, "a"), w.thing(w.OBJECT, w.winmail()))[6:]
    assert tnef.read(data[:place] + rubbish + data[place + len(rubbish) :]) is not None or place < 4
