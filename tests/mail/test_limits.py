"""Each limit of reading: beyond it the mail is shown as far as it was read, and the limit is named."""

import time

import pytest

from eventum.mail import parts
from eventum.mail.containers import MAX_FILES
from eventum.mail.content import MAX_NAME, content_of
from eventum.mail.headers import MAX_FIELD_BYTES, MAX_FIELDS
from eventum.mail.html.text import MAX_HTML
from eventum.mail.message import MAX_ADDRESSES, Message, parse
from eventum.mail.parts import MAX_PARTS, fast_tree, prepared, rough_tree
from eventum.mail.reading import MAX_EVENTS, MAX_TEXT

HEAD = b"Message-ID: <a@x.example>\nDate: Mon, 16 Nov 2026 09:15:00 +0100\nFrom: a@x.example\n"
MIXED = HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n'


def limits(raw: bytes) -> tuple[str, ...]:
    return tuple(defect for defect in parse(raw).defects if defect.startswith("limit-"))


def to(count: int) -> bytes:
    return HEAD + b"To: " + b"b@x.example, " * count + b"\n\n"


def parts_of(count: int) -> bytes:
    return MIXED + b"--b\n\nx\n" * count + b"--b--\n"


def html(size: int) -> bytes:
    return HEAD + b"Content-Type: text/html\n\nHello" + b"<br>" * ((size - 5) // 4) + b" " * ((size - 5) % 4)


def named(name: bytes) -> bytes:
    return MIXED + b'--b\nContent-Type: image/png; name="' + name + b'"\n\nx\n--b--\n'


def calendar(count: int) -> bytes:
    return HEAD + b"Content-Type: text/calendar\n\n" + b"BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" * count


def files(count: int) -> bytes:
    return HEAD + b"\nHello\n" + b"begin 644 a.txt\n#0V%T\n`\nend\n" * count


@pytest.mark.parametrize(
    ("below", "beyond", "limit"),
    [
        (HEAD + b"X: y\n" * 900 + b"\nx", HEAD + b"X: y\n" * (MAX_FIELDS + 1) + b"\nx", "limit-headers"),
        (HEAD + b"Subject: x\n\n", HEAD + b"Subject: " + b"x" * MAX_FIELD_BYTES + b"\n\n", "limit-headers"),
        (to(MAX_ADDRESSES - 1), to(MAX_ADDRESSES), "limit-addresses"),
        (HEAD + b"Cc: " + b"x" * 60_000 + b"\n\n", HEAD + b"Cc: " + b"x" * 70_000 + b"\n\n", "limit-addresses"),
        (parts_of(MAX_PARTS), parts_of(MAX_PARTS + 1), "limit-parts"),
        (HEAD + b"\n" + b"x" * (MAX_TEXT - 1), HEAD + b"\n" + b"x" * (MAX_TEXT + 1), "limit-text"),
        (html(MAX_HTML), html(MAX_HTML + 1), "limit-text"),
        (named(b"x" * (MAX_NAME - 4) + b".png"), named(b"x" * (MAX_NAME - 3) + b".png"), "limit-names"),
        (calendar(MAX_EVENTS), calendar(MAX_EVENTS + 1), "limit-events"),
        (files(MAX_FILES), files(MAX_FILES + 1), "limit-attachments"),
    ],
)  # fmt: skip
def test_a_limit_is_named_when_it_is_reached_and_not_before(below: bytes, beyond: bytes, limit: str) -> None:
    assert limits(below) == ()
    assert limits(beyond) == (limit,)


def nested(depth: int) -> bytes:
    field = b'Content-Type: multipart/mixed; boundary="b%d"\n\n'
    inner = [b"--b%d\n" % level + field % (level + 1) for level in range(depth)]
    return HEAD + field % 0 + b"".join(inner) + b"--b%d\n\nbottom\n" % depth


def test_multiparts_beyond_all_depth_are_one_text() -> None:
    assert limits(nested(40)) == () and limits(nested(2_000)) == ("limit-depth",)
    assert "bottom" in parse(nested(2_000)).text


def test_a_mail_that_is_too_large_is_read_as_far_as_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = MIXED + b"--b\n\nHello\n--b\nContent-Type: image/png\n\n" + b"x" * 1_000 + b"\n--b--\n"
    monkeypatch.setattr(parts, "MAX_SIZE", 500)
    message = parse(raw)
    assert message.text == "Hello" and limits(raw) == ("limit-size",)
    assert len(message.attachments) == 1


def mail(kind: str, size: int) -> bytes:
    """A mail of about this size that is hostile, or only large, in one way."""
    match kind:
        case "base64":
            part = b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
            return MIXED + b"--b\n\nx\n--b\n" + part + (b"QUJD" * 19 + b"\n") * (size // 77) + b"--b--\n"
        case "odd fields":
            part = b"Content-Type: application/pdf\nX: a\rb\n\n"
            return MIXED + b"--b\n\nHi\n--b\n" + part + (b"x" * 76 + b"\n") * (size // 77) + b"--b--\n"
        case "text":
            return HEAD + b"\n" + b"The quick brown fox\n" * (size // 20)
        case "one line":
            return HEAD + b"\n" + b"x" * size
        case "parts":
            return MIXED + b"--b\n\nx\n" * (size // 7)
        case "like delimiters":
            return MIXED + b"--b\n\n" + b"--bx\n" * (size // 5)
        case "multiparts":
            return nested(size // 60)
        case "alternatives":
            html = b"\n--c\nContent-Type: text/html\n\n" + b"<p>x " * 500 + b"\n--c--\n"
            part = b'--b\nContent-Type: multipart/alternative; boundary="c"\n\n--c\n\nother' + html
            return MIXED + part * (size // 26_000)
        case "uuencode":
            return HEAD + b"\n" + b"begin 644 a\nM\n" * (size // 14)
        case _:
            return HEAD + b"\n" + b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" * (size // 36)


KINDS = (
    *("base64", "odd fields", "text", "one line", "parts", "like delimiters", "multiparts", "alternatives"),
    *("uuencode", "armour"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_time_of_reading_grows_no_faster_than_the_mail(kind: str) -> None:
    def seconds(raw: bytes) -> float:
        start = time.process_time()
        message = parse(raw)
        assert isinstance(message, Message) and "read-simply" not in message.defects
        return time.process_time() - start

    small, large = mail(kind, 400_000), mail(kind, 3_200_000)
    assert seconds(large) < 8 * 2.5 * min(seconds(small) for _ in range(2)) + 0.3


@pytest.mark.parametrize("body", [b"--b\n\none\n--b\n\ntwo\n--b--\n", b"--b\nX: y\n\none", b"--b\n--b\n\nx\n--b--"])
def test_the_rough_reader_reads_what_the_fast_one_reads(body: bytes) -> None:
    raw, block = prepared(MIXED + body)
    fast, rough = fast_tree(raw, block), rough_tree(raw, block, content_of(block.headers))
    if fast is not None:
        assert [(leaf.path, leaf.body) for leaf in fast.leaves] == [(leaf.path, leaf.body) for leaf in rough.leaves]
    assert rough.leaves


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b"--b\nno field\n\none\n--b--\n", [b"no field\n\none"]),
        (b"--b--\n--b\n\none\n--b--\n", [b"one"]),
        (b"--b\n--b\n\none", [b"", b"one"]),
        (b"nothing", [b"nothing"]),
        (b'--b\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\none\n--b--\n', [b"", b"one"]),
    ],
)
def test_the_rough_reader_makes_something_of_every_oddity(body: bytes, texts: list[bytes]) -> None:
    raw, block = prepared(MIXED + body)
    assert [leaf.body for leaf in rough_tree(raw, block, content_of(block.headers)).leaves] == texts
