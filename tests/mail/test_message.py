"""parse() is total, deterministic and linear, and what it says of a mail can be relied on."""

import base64
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventum.errors import NotFound
from eventum.mail.address import is_address
from eventum.mail.message import Message, message_of, parse, part_bytes
from eventum.mail.parts import fast_tree, prepared, read_tree, tolerant_tree

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
SMALL = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml")) if path.stat().st_size < 5_000]
HEAD = b"From: Alice <alice@customer.example>\nTo: support@tracker.example\nSubject: Printer\n"
MULTIPART = HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n'


def is_sound(message: Message) -> bool:
    """Whether the value keeps the promises of its docstring."""
    again = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    lines = (message.subject, message.message_id, *(entry.name for entry in message.from_))
    labels = [attachment.name for attachment in message.attachments]
    return (
        again == message
        and all(len(line.splitlines()) <= 1 for line in (*lines, *labels))
        and (message.sender == "" or is_address(message.sender))
        and not any("/" in label or "\\" in label for label in labels)
        and "unreadable" not in message.defects
        and len(message.digest) == 64
    )


@given(st.binary(max_size=500))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    assert is_sound(message_of(read_tree(raw)))
    assert parse(raw) == parse(raw)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_mail_is_still_a_mail(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(SMALL)))
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        patch = data.draw(
            st.sampled_from([b"", b"\n", b"\r", b"\0", b'"', b"--", b"=?", b";", b"\xff", b"<", b"\x1b$B"])
        )
        raw[position : position + data.draw(st.integers(0, 30))] = patch
    tree, block = prepared(bytes(raw))
    fast = fast_tree(tree, block)
    tolerant = message_of(tolerant_tree(tree, block))
    assert is_sound(tolerant)
    if fast is not None:
        assert message_of(fast) == tolerant


def test_a_mail_without_a_usable_id_gets_one_from_its_content() -> None:
    one, other = parse(HEAD + b"\nbody"), parse(HEAD + b"\nanother body")
    assert one.message_id_made and one.message_id != other.message_id
    assert one.message_id == parse(b"Received: by a relay\n" + HEAD + b"\nbody\n").message_id
    local, _, host = one.message_id.strip("<>").partition("@")
    assert host == "content.invalid" and len(local) == len("eventum-made.") + 32


@pytest.mark.parametrize(
    ("field", "message_id"),
    [
        (b"<a@b>", "<a@b>"),
        (b"a@b", "<a@b>"),
        (b"<a\n b@c>", "<ab@c>"),
        (b"<a@b> (comment)", "<a@b>"),
        (b"<no-at-sign>", "<no-at-sign>"),
        (b"", None),
        (b"<>", None),
        (b"nothing", None),
        (b"<" + b"a" * 2000 + b"@b>", None),
        (b"<\xe4@b>", None),
    ],
)
def test_an_id_is_taken_when_an_answer_could_name_it(field: bytes, message_id: str | None) -> None:
    message = parse(b"Message-ID: " + field + b"\n" + HEAD + b"\nbody")
    assert (None if message.message_id_made else message.message_id) == message_id


def test_of_a_very_long_thread_the_root_and_the_newest_are_kept() -> None:
    ids = b" ".join(b"<%d@x>" % number for number in range(500))
    references = parse(HEAD + b"References: " + ids + b"\n\nbody").references
    assert len(references) == 100 and references[0] == "<0@x>" and references[-1] == "<499@x>"


@pytest.mark.parametrize(
    ("field", "path"),
    [
        (b"Return-Path: <>\n", ""),
        (b"Return-Path: <A@B>\n", "a@b"),
        (b"Return-Path: a@b\n", "a@b"),
        (b"Return-Path: <MAILER-DAEMON>\n", ""),
        (b"Return-Path: <not an address>\n", None),
        (b"", None),
    ],
)
def test_the_return_path_is_an_address_the_null_sender_or_absent(field: bytes, path: str | None) -> None:
    assert parse(field + HEAD + b"\nbody").return_path == path


def test_the_digest_is_of_what_the_sender_wrote_and_not_of_how_it_came() -> None:
    text = HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\xc3\xbc\n"
    quoted = HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=BC\n"
    assert parse(text).digest == parse(quoted).digest == parse(b"Delivered-To: a@b\n" + text).digest
    changes = [text.replace(b"\xbc", b"\xbd"), text.replace(b"Printer", b"Mouse"), text.replace(b"alice@", b"eve@")]
    assert len({parse(raw).digest for raw in (text, *changes, b"Message-ID: <a@b>\n" + text)}) == 5


def test_the_digest_counts_attachments() -> None:
    def mail(data: bytes) -> bytes:
        part = b"--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(data)
        return MULTIPART + b"--b\n\ntext\n" + part + b"--b--\n"

    assert parse(mail(b"one")).digest != parse(mail(b"two")).digest


def test_plain_text_is_preferred_to_html_and_html_is_read_when_there_is_none() -> None:
    html = b"--b\nContent-Type: text/html\n\n<p>rich</p>\n"
    alternative = MULTIPART.replace(b"mixed", b"alternative")
    both = parse(alternative + b"--b\n\nplain\n" + html + b"--b--\n")
    rich = parse(alternative + b"--b\n\n   \n" + html + b"--b--\n")
    assert (both.text, both.html) == ("plain", True)
    assert (rich.text, rich.html) == ("rich", True)


def test_the_content_of_a_part_is_what_was_attached() -> None:
    data = bytes(range(256)) * 10
    part = b"--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(data)
    raw = MULTIPART + b"--b\n\ntext\n" + part + b"--b--\n"
    assert part_bytes(raw, "2") == data
    with pytest.raises(NotFound, match="no part '3'"):
        part_bytes(raw, "3")


def hostile(kind: str, size: int) -> bytes:
    """A mail of about `size` bytes that some reader of mail has been slow on."""
    typed = {
        "nested": b"".join(
            b'--b%d\nContent-Type: multipart/mixed; boundary="b%d"\n\n' % (level - 1, level)
            for level in range(1, size // 55)
        ),
        "parts": b"--b0\n\nx\n" * (size // 8),
        "odd parts": b"--b0\nx\n" * (size // 7),
        "near delimiters": b"--b0x\n" * (size // 6),
        "bare CR": b"--b0\r\rx\r" * (size // 8),
        "parts with 8-bit text": b"--b0\n\n\xe9\xa0\xff\n" * (size // 10),
    }
    coded = {
        "base64 padding": b"A=" * (size // 2),
        "uuencode": b"begin 644 x\n" + b"M\n" * (size // 2),
        "quoted-printable": b"=\n" * (size // 2),
    }
    fields = {
        "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * (size // 14),
        "folded": b"Subject: " + b"a\n " * (size // 3),
        "brackets": b"References: " + b"<" * size,
        "bare ids": b"References: " + b"a@" * (size // 2),
        "addresses": b"To: " + b"a@b, " * (size // 5),
        "parameters": b"Content-Type: text/plain" + b'; a="\\' * (size // 6),
        "blank lines": b" \n" * (size // 2),
        "From lines": b"From x\n" * (size // 7),
    }
    bodies = {"JIS": b"\x1b$(D" + b"!!" * (size // 2), "8-bit": b"\xe9\xa0" * (size // 2), "line ends": b"\r" * size}
    if kind in typed:
        return HEAD + b'Content-Type: multipart/mixed; boundary="b0"\n\n' + typed[kind]
    if kind in coded:
        name = kind.split()[0].encode()
        return HEAD + b"Content-Type: text/plain\nContent-Transfer-Encoding: " + name + b"\n\n" + coded[kind]
    return fields[kind] + b"\n" + HEAD + b"\nx" if kind in fields else HEAD + b"\n" + bodies[kind]


KINDS = ["nested", "parts", "odd parts", "near delimiters", "bare CR", "parts with 8-bit text", "base64 padding"]
KINDS += ["uuencode", "quoted-printable", "encoded words", "folded", "brackets", "bare ids", "addresses", "parameters"]
KINDS += ["blank lines", "From lines", "JIS", "8-bit", "line ends"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_time_for_a_hostile_mail_grows_no_faster_than_its_size(kind: str) -> None:
    def seconds(size: int) -> float:
        raw = hostile(kind, size)
        start = time.process_time()
        parse(raw)
        return time.process_time() - start

    short, long = (min(seconds(size) for _ in range(3)) for size in (100_000, 1_000_000))
    assert long < 30 * short + 0.1 and long < 2


ALARM = b"From: ups@plant.example\r\nSubject: Battery low\r\n\r\nUPS 3 runs on battery.\r\n"
FORM = b"Reply-To: %s\r\nFrom: www@shop.example\r\nSubject: Contact form\r\n\r\nPlease call me.\r\n"


def received(when: bytes, by: bytes = b"mx") -> bytes:
    return b"Received: from plant by " + by + b" with SMTP;\r\n " + when + b"\r\n"


def test_the_same_alarm_of_next_week_is_another_mail() -> None:
    first = parse(received(b"Mon, 16 Nov 2026 08:00:00 +0000") + ALARM)
    later = parse(received(b"Mon, 23 Nov 2026 08:00:00 +0000") + ALARM)
    assert first.digest != later.digest and first.message_id != later.message_id


def test_one_alarm_on_two_ways_is_one_mail() -> None:
    raw = received(b"Mon, 16 Nov 2026 08:00:00 +0000") + ALARM
    assert parse(received(b"Mon, 16 Nov 2026 08:00:09 +0000", b"list") + raw).digest == parse(raw).digest


def test_two_people_who_write_the_same_into_a_form_are_two_mails() -> None:
    assert parse(FORM % b"ana@a.example").digest != parse(FORM % b"bob@b.example").digest
