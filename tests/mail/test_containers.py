"""Which text of a mail is read, and what lies in what: paths into mails and boxes, and how far they are followed."""

import binascii

import pytest

from eventum.errors import NotFound
from eventum.mail.message import embedded, parse, part_bytes
from eventum.mail.parts import read_tree
from eventum.mail.reading import files, shown
from tests.mail import winmail as w

HEAD = b"Message-ID: <a@x.example>\nSubject: s\n"


def multipart(kind: str, *parts: bytes, boundary: str = "b") -> bytes:
    mark = f"--{boundary}".encode()
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
    return head + b"".join(mark + b"\n" + part + b"\n" for part in parts) + mark + b"--\n"


def text(kind: str, body: bytes, *fields: bytes) -> bytes:
    return b"Content-Type: text/" + kind.encode() + b"\n" + b"".join(each + b"\n" for each in fields) + b"\n" + body


def packed(data: bytes) -> bytes:
    return b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n" + binascii.b2a_base64(data)


@pytest.mark.parametrize(
    ("body", "read", "is_html"),
    [
        (multipart("alternative", text("plain", b"a"), text("html", b"<p>a <b>b")), "a", True),
        (multipart("alternative", text("html", b"<p>rich"), text("plain", b"plain")), "plain", True),
        (multipart("alternative", text("plain", b" "), text("html", b"<p>rich")), "rich", True),
        (multipart("alternative", text("plain", b"one"), text("plain", b"two")), "one\n\ntwo", False),
        (multipart("alternative", text("plain", b"one"), text("plain", b"one")), "one", False),
        (multipart("mixed", text("html", b"<p>one"), text("html", b"<p>two")), "one\n\ntwo", True),
        (multipart("mixed", text("html", b"<p>one"), text("plain", b"two")), "one\n\ntwo", True),
        (multipart("mixed", text("plain", b"one"), text("html", b"<p>one")), "one", True),
        (multipart("related", text("plain", b"one"), text("html", b"<p>o<b>n</b>e")), "one", True),
        (multipart("odd", text("plain", b"one"), text("plain", b"two")), "one\n\ntwo", False),
    ],
)
def test_of_alternatives_one_is_read_and_else_all(body: bytes, read: str, is_html: bool) -> None:
    message = parse(HEAD + body)
    assert (message.text, message.html) == (read, is_html)


def test_alternatives_in_a_mixed_in_a_mixed_are_each_chosen_from() -> None:
    both = multipart("alternative", text("plain", b"one"), text("html", b"<p>one"), boundary="c")
    again = multipart("alternative", text("plain", b"two"), text("html", b"<p>two"), boundary="d")
    inner = multipart("mixed", again, text("plain", b"three"), boundary="e")
    assert parse(HEAD + multipart("mixed", both, inner)).text == "one\n\ntwo\n\nthree"


def test_a_short_answer_is_no_stub_though_the_html_quotes_much() -> None:
    html = b"<p>Yes, Friday.</p><blockquote>" + b"<p>Shall we come on Monday?</p>" * 100
    raw = HEAD + multipart("alternative", text("plain", b"Yes, Friday."), text("html", html))
    assert parse(raw).text == "Yes, Friday."


def test_all_texts_and_pictures_to_be_seen_come_in_their_order() -> None:
    picture = b"Content-Type: image/png\nContent-Disposition: inline\n\nx"
    attached = picture.replace(b"inline", b"attachment")
    rich = multipart("mixed", text("html", b"1"), picture, text("html", b"2"), attached, boundary="c")
    raw = HEAD + multipart("alternative", text("plain", b"12"), rich)
    seen, everything = shown(read_tree(raw))
    assert [item.leaf.path for item in seen] == ["2.1", "2.2", "2.3"] and len(everything) == 5


def test_html_from_winmail_counts_where_the_mail_has_none() -> None:
    data = w.winmail(w.message(w.binary(w.HTML, b"<p>packed")))
    raw = HEAD + multipart("mixed", text("plain", b"plain"), packed(data))
    assert (parse(raw).text, parse(raw).html) == ("plain", True)
    assert [item.leaf.path for item in shown(read_tree(raw))[0]] == ["2/0"]
    raw = HEAD + multipart("mixed", text("html", b"<p>own"), packed(data))
    assert parse(raw).text == "own"


def test_a_part_in_a_mail_in_a_winmail_has_one_path() -> None:
    inner = w.winmail(w.message(w.text(w.SUBJECT, "inner"), w.text(w.BODY, "x")), w.file(b"A.TXT", b"data"))
    data = w.winmail(w.file(b"", b"", w.text(w.LABEL, "inner"), w.thing(w.OBJECT, inner)))
    raw = HEAD + multipart("mixed", text("plain", b"x"), b"Content-Type: message/rfc822\n\n" + HEAD + packed(data))
    assert part_bytes(raw, "2/1/1/2") == b"data"
    assert parse(embedded(raw, "2/1/1")).subject == "inner"


def test_what_is_no_mail_is_not_opened_as_one() -> None:
    raw = HEAD + multipart("mixed", text("plain", b"x"), b"Content-Type: image/png\n\nx")
    for part in ("2", "2/1", "3", "", "/", "2/", "../1"):
        with pytest.raises(NotFound):
            embedded(raw, part)


def test_mails_in_mails_are_opened_only_so_deep() -> None:
    raw = HEAD + b"\nbottom"
    for _ in range(10):
        raw = HEAD + b"Content-Type: message/rfc822\n\n" + raw
    assert parse(embedded(raw, "1/1")).subject == "s"
    with pytest.raises(NotFound):
        part_bytes(raw, "/".join("1" * 9))


def test_signatures_in_signatures_are_opened_only_so_deep() -> None:
    entity = b"Content-Type: text/plain\n\nbottom"
    for _ in range(8):
        octets = b"\x04\x84" + len(entity).to_bytes(4, "big") + entity
        data = bytes.fromhex("0609 2a864886f70d010701") + b"\xa0\x80" + octets + b"\0\0"
        data = b"\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" + data + b"\0\0" * 4
        data = b"\x30\x80" + bytes.fromhex("0609 2a864886f70d010702") + data
        field = b"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n"
        entity = field + binascii.b2a_base64(data)
    message = parse(HEAD + entity)
    assert message.seals == ("smime-signed",) and "limit-depth" in message.defects
    assert len(message.attachments) == 6 and message.text == ""


def test_signatures_reports_and_boxes_are_no_files_to_a_person() -> None:
    signature = b"Content-Type: application/pgp-signature\n\nx"
    data = w.winmail(w.file(b"A.TXT", b"x"))
    message = parse(HEAD + multipart("mixed", text("plain", b"x"), signature, packed(data), HEAD + text("csv", b"1")))
    assert [one.kind for one in message.attachments] == ["signature", "tnef", "", ""]
    assert [one.name for one in files(message.attachments)] == ["A.TXT", "part-4.csv"]
