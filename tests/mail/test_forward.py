import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message as Read

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from eventum.mail.address import Address
from eventum.mail.compose import Draft, header_lines
from eventum.mail.forward import forward
from eventum.mail.message import parse
from eventum.mail.parts import prepared

DRAFT = Draft(
    from_=Address("Anna Example", "issue-42@tracker.example.org"),
    to=(Address("Otto", "otto@example.net"),),
    subject="[#42] The printer burns",
    message_id="<eventum.42.3.tag.mac@tracker.example.org>",
    date=datetime(2026, 11, 22, 15, 0, 53, tzinfo=UTC),
    references=("<root@example.org>",),
)

MULTIPART = (
    b"Received: from a by b; Sun, 22 Nov 2026 14:00:00 +0000\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; b=abc\r\n"
    b"From: Anna <anna@example.org>\r\n"
    b"Sender: office@example.org\r\n"
    b"Reply-To: elsewhere@example.org\r\n"
    b"To: support@tracker.example.org\r\n"
    b"Bcc: hidden@example.org\r\n"
    b"Subject: The printer burns\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"Auto-Submitted: no\r\n"
    b"X-Eventum-Loop: sent-on\r\n"
    b"Disposition-Notification-To: anna@example.org\r\n"
    b"Content-Length: 12345\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed;\r\n\tboundary=\"=_a  b; c\"\r\n"
    b"\r\n"
    b"preamble\r\n"
    b"--=_a  b; c\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"It burns. \xe7\x81\xab\r\n"
    b"--=_a  b; c\r\n"
    b"Content-Type: application/pdf; name=bill.pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename=bill.pdf\r\n\r\n"
    b"JVBERi0xLjQK\r\n"
    b"--=_a  b; c--\r\n"
)  # fmt: skip


def read(data: bytes) -> Read:
    return message_from_bytes(data, policy=policy.compat32)


def body_of(raw: bytes) -> bytes:
    raw, block = prepared(raw)
    return raw[block.body :]


def original_in(data: bytes) -> bytes:
    (part,) = [part for part in read(data).walk() if part.get_filename() == "original.eml"]
    boundary = read(data).get_boundary()
    assert part.get_content_type() == "message/rfc822" and boundary
    inner = data.split(f"--{boundary}".encode())[2]
    return inner.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")


@pytest.mark.parametrize("raw", [MULTIPART, MULTIPART.replace(b"\r\n", b"\n")], ids=["crlf", "lf"])
def test_text_and_attachments_arrive_as_they_were_sent(raw):
    sent = forward(raw, DRAFT)
    assert sent.endswith(b"\r\n\r\n" + body_of(raw))
    text, pdf = read(sent).get_payload()
    assert "It burns. 火" in text.get_payload(decode=True).decode("utf-8")
    assert pdf.get_filename() == "bill.pdf" and pdf.get_payload(decode=True) == b"%PDF-1.4\n"
    before, after = parse(raw), parse(sent)
    assert after.text == before.text
    assert after.attachments == before.attachments
    assert after.automatic == "sent-on"


def test_only_headers_about_the_body_are_kept():
    mail = read(forward(MULTIPART, DRAFT))
    assert mail["From"] == "Anna Example <issue-42@tracker.example.org>"
    assert mail["To"] == "Otto <otto@example.net>"
    assert mail["Message-ID"] == DRAFT.message_id
    assert sorted(name.lower() for name in mail) == [
        *("content-transfer-encoding", "content-type", "date", "from", "message-id", "mime-version"),
        *("references", "subject", "to", "x-eventum-loop"),
    ]


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\n\nbody\n", b"\nbody\n"),
        (b"Subject: only headers", b""),
        (b"Subject: only headers\r\n", b""),
        (b"Subject: x\r\n\r\n", b""),
        (b"Subject: x\n\nbody", b"body"),
        (b"no header at all, only text", b"no header at all, only text"),
        (b"From anna@example.org Sun Nov 22 15:00:00 2026\nSubject: x\n\nFrom here\n", b"From here\n"),
        (b"Subject: x\r\n\r\n\r\n.\r\n..\r\nX-Evil: y\r\n", b"\r\n.\r\n..\r\nX-Evil: y\r\n"),
        (b"Subject: x\r\n\r\nbare\rcr\0nul", b"bare\rcr\0nul"),
        (b"Subject: of an old Mac\r\rbody\r", b"body\n"),
    ],
)
def test_the_body_is_untouched_whatever_stands_above_it(raw, body):
    sent = forward(raw, DRAFT)
    head, _, after = sent.partition(b"\r\n\r\n")
    assert after == body
    assert head.startswith(header_lines(DRAFT))
    assert read(sent).get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"Content-Type: text/html; charset=iso-2022-jp", {"Content-Type": "text/html; charset=iso-2022-jp"}),
        (b"content-type : text/html", {"Content-Type": "text/html"}),
        (b"Content-Type: text/html\r\nContent-Type: text/html", {"Content-Type": "text/html"}),
        (b"Content-Type:\r\nContent-Type: text/html", {"Content-Type": "text/html"}),
        (b"Content-Type: text", {"Content-Type": "text"}),
        (b"Content-Transfer-Encoding: BASE64", {"Content-Transfer-Encoding": "base64"}),
        (b"Content-Transfer-Encoding: binary", {"Content-Transfer-Encoding": "8bit"}),
        (b"Content-Disposition: attachment; filename=a.pdf", {"Content-Disposition": "attachment; filename=a.pdf"}),
        (b"Content-ID: <a@b>\r\nContent-Language: ja", {"Content-ID": "<a@b>", "Content-Language": "ja"}),
        (b"Content-ID: <a@b>\r\nContent-ID: <c@d>", {"Content-ID": "<a@b>"}),
        (b"Content-Description: \xe9", {"Content-Description": None}),
        (b"Content-Type: text/html;\r\n charset=utf-8\rBcc: a@b", None),
        (b"Content-Type: text/html\r\nContent-Type: text/plain", None),
        (b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit", None),
        (b"Content-Transfer-Encoding: x-uuencode", None),
        (b"Content-Type: multipart/mixed", None),
        (b'Content-Type: multipart/mixed; boundary=""', None),
        (b"Content-Type: application/pdf; name=\xe8\xab\x8b\xe6\xb1\x82.pdf", None),
        (b"Content-Disposition: attachment; filename=\xe9.pdf", None),
        (b"Content-Type: text/html\0", None),
        (b"Content-Type: text/html; x=" + b"y" * 2000, None),
        (b"Content-Type: text/html" + b"; a=b" * 5000, None),
    ],
)
def test_content_headers_are_kept_clean_or_the_mail_is_attached_whole(content, kept):
    raw = b"From: anna@example.org\r\n" + content + b"\r\n\r\nbody\r\n"
    sent = forward(raw, DRAFT)
    mail = read(sent)
    assert mail["Bcc"] is None
    if kept is None:
        assert original_in(sent) == raw
        assert not mail.defects
    else:
        assert {name: mail[name] for name in kept} == kept
        assert sent.endswith(b"\r\n\r\nbody\r\n")


def test_a_mail_that_is_attached_whole_is_told_so_in_words():
    raw = b"Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\nbody"
    lead, attached = read(forward(raw, DRAFT)).get_payload()
    assert "attached as it was received" in lead.get_payload()
    assert attached.get_content_type() == "message/rfc822"
    lead, _ = read(forward(raw, replace(DRAFT, text="Siehe Anhang, bitte schön"))).get_payload()
    assert lead.get_payload(decode=True).decode("utf-8") == "Siehe Anhang, bitte schön\r\n"
    message = parse(forward(raw, DRAFT))
    assert "attached as it was received" in message.text
    assert len(message.attachments) == 1


@pytest.mark.parametrize(
    ("body", "charset"), [("Ärger".encode(), "utf-8"), ("Ärger".encode("latin-1"), "unknown-8bit"), (b"plain", None)]
)
def test_a_body_of_eight_bits_is_declared_where_the_sender_did_not(body, charset):
    sent = forward(b"Subject: x\r\n\r\n" + body, DRAFT)
    mail = read(sent)
    assert mail.get_content_charset() == charset
    assert mail["Content-Transfer-Encoding"] == ("8bit" if charset else "7bit")
    assert parse(sent).text == parse(b"Subject: x\r\n\r\n" + body).text


def test_a_long_content_type_is_folded_between_its_parameters_alone():
    value = b'multipart/related; type="text/html";\r\n boundary="' + b"-" * 60 + b'; x";\r\n start="<a@b>"'
    sent = forward(b"Content-Type: " + value + b"\r\n\r\nbody", DRAFT)
    assert read(sent).get_boundary() == "-" * 60 + "; x"
    assert max(map(len, sent.split(b"\r\n"))) < 100


contents = st.sampled_from(
    [
        b"Content-Type: text/plain",
        b"Content-Type: multipart/mixed; boundary=b",
        b'Content-Type: multipart/mixed; boundary="a b"',
        b"Content-Type:",
        b"Content-Transfer-Encoding: 8bit",
        b"Content-Disposition: inline",
        b"Subject: x",
        b" folded",
        b"junk",
        b"From anna@example.org Sun Nov 22 15:00:00 2026",
        b"X-Eventum-Loop: x",
    ]
)
lines = st.lists(contents | st.binary(max_size=40), max_size=8)
raws = st.binary(max_size=200) | st.builds(
    lambda head, end, body: end.join([*head, b"", body]), lines, st.sampled_from([b"\n", b"\r\n"]), st.binary()
)


@given(raws)
def test_any_bytes_are_sent_on_whole_under_clean_headers(raw):
    sent = forward(raw, DRAFT)
    ours = header_lines(DRAFT)
    assert sent.startswith(ours)
    content, _, rest = sent[len(ours) :].partition(b"\r\n\r\n")
    for line in content.split(b"\r\n"):
        assert re.fullmatch(rb"(?:MIME-Version|Content-[A-Za-z-]+): [\t -~]+|[ \t]+[!-~][\t -~]*", line), line
        assert len(line) <= 998
    assert rest == body_of(raw) or original_in(sent) == prepared(raw)[0]


@given(lines, st.text())
def test_our_reader_reads_the_same_text_before_and_after(head, text):
    raw = b"\r\n".join([*head, b"", text.encode()])
    sent = forward(raw, DRAFT)
    if sent.endswith(b"\r\n\r\n" + body_of(raw)):
        before, after = parse(raw), parse(sent)
        assert after.text.strip() == before.text.strip()
        assert after.attachments == before.attachments
