"""Files beside the text of a mail of ours, and what our own reader makes of them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventum.mail.address import Address
from eventum.mail.compose import Draft, compose
from eventum.mail.enclosure import Enclosure
from eventum.mail.forward import forward
from eventum.mail.message import parse, part_bytes

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def draft(*files: Enclosure, text: str = "Dear Julia") -> Draft:
    to = (Address("Julia", "julia@customer.example"),)
    return Draft(
        from_=Address("Ana", "ana@example.org"),
        to=to,
        subject="Re: Leak",
        text=text,
        message_id="<1@example.org>",
        date=NOW,
        files=files,
    )


def test_a_mail_with_files_keeps_its_text_and_each_file() -> None:
    files = (Enclosure("photo.jpg", "image/jpeg", b"\xff\xd8" * 500), Enclosure("bericht.txt", "text/plain", b""))
    raw = compose(draft(*files))
    message = parse(raw)
    assert message.text.strip() == "Dear Julia" and message.defects == ()
    assert [(one.name, one.type, one.size) for one in message.attachments] == [
        ("photo.jpg", "image/jpeg", 1000),
        ("bericht.txt", "text/plain", 0),
    ]
    assert [part_bytes(raw, one.part) for one in message.attachments] == [one.data for one in files]
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_the_same_mail_is_composed_to_the_same_bytes() -> None:
    file = Enclosure("a.bin", "", b"x")
    assert compose(draft(file)) == compose(draft(file))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\bericht.pdf", "bericht.pdf"),
        ('a"b;c\r\nBcc: x.txt', "a b;c Bcc x.txt"),
        ("漏れ写真.jpg", "漏れ写真.jpg"),
        ("Übersicht über alles.pdf", "Übersicht über alles.pdf"),
        ("", "file"),
        ("..", "file"),
        ("a%20b'c.txt", "a%20b'c.txt"),
    ],
)
def test_a_name_is_a_label_and_never_a_path_or_a_header(name: str, kept: str) -> None:
    raw = compose(draft(Enclosure(name, "text/plain", b"x")))
    (attachment,) = parse(raw).attachments
    assert attachment.name == kept
    assert b"\r\nBcc:" not in raw


@pytest.mark.parametrize("type_", ["multipart/mixed", "message/rfc822", "nonsense", "a/b\r\nX: y", ""])
def test_a_type_that_would_change_the_mail_is_not_believed(type_: str) -> None:
    (attachment,) = parse(compose(draft(Enclosure("x", type_, b"--x")))).attachments
    assert (attachment.type, attachment.size) == ("application/octet-stream", 3)


def test_files_are_sent_on_with_the_mail() -> None:
    raw = compose(draft(Enclosure("漏れ.jpg", "image/jpeg", bytes(range(256)))))
    sent = forward(raw, draft())
    (attachment,) = parse(sent).attachments
    assert part_bytes(sent, attachment.part) == bytes(range(256)) and attachment.name == "漏れ.jpg"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.binary(max_size=200))
def test_any_name_and_content_can_be_read_by_others(name: str, data: bytes) -> None:
    raw = compose(draft(Enclosure(name, "image/png", data)))
    (part,) = message_from_bytes(raw, policy=policy.default).iter_attachments()
    (ours,) = parse(raw).attachments
    assert part.get_content() == data == part_bytes(raw, ours.part)
    assert part.get_filename() and "/" not in ours.name
