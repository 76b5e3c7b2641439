"""Reports about mail: which mails are looked at, and what is read of those that hostile and odd programs write."""

import time

import pytest

from eventum.mail.headers import Headers
from eventum.mail.message import Message, parse
from eventum.mail.reports.answers import answer
from eventum.mail.reports.dsn import MAX_RECIPIENTS, Report, is_called_like_one

HEAD = b"From: MAILER-DAEMON@mx.example\r\nTo: help@tracker.example\r\nSubject: failure notice\r\nReturn-Path: <>\r\n"


def report_of(*parts: tuple[str, str], head: bytes = HEAD) -> Report | None:
    """What a mail of these parts (type, content) reports."""
    body = "".join(f"--b\r\nContent-Type: {type_}\r\n\r\n{content}\r\n" for type_, content in parts)
    kind = b"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    return parse(head + kind + body.encode() + b"--b--\r\n").report


def status_of(fields: str) -> list[tuple[str, str, str]]:
    """(address, action, status) of a delivery status with these fields."""
    report = report_of(("message/delivery-status", f"Reporting-MTA: dns; mx\r\n\r\n{fields}"))
    return [(one.address, one.action, one.status) for one in report.recipients] if report else []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            "Final-Recipient: rfc822; A@X.example\r\nAction: failed\r\nStatus: 5.1.1",
            [("a@x.example", "failed", "5.1.1")],
        ),
        ("Final-Recipient: a@x.example\r\nAction: FAILURE\r\nStatus: 5.0.0", [("a@x.example", "failed", "5.0.0")]),
        ("Final-Recipient: rfc822;a@x.example\r\nStatus: 4.4.7", [("a@x.example", "delayed", "4.4.7")]),
        # Given up though only for now: it failed.
        (
            "Final-Recipient: rfc822;a@x.example\r\nAction: failed\r\nStatus: 4.4.7",
            [("a@x.example", "failed", "4.4.7")],
        ),
        (
            "Final-Recipient: rfc822;a@x.example\r\nAction: expanded\r\nStatus: 2.0.0",
            [("a@x.example", "delivered", "2.0.0")],
        ),
        ("Final-Recipient: local; root\r\nAction: failed\r\nStatus: 5.1.1", [("", "failed", "5.1.1")]),
        # A fold with blanks in it, another field between, words in place of a code.
        (
            "Final-Recipient: rfc822;\r\n   a@x.example\r\nX-Y: z\r\nAction: failed\r\nStatus: failed\r\n"
            "Diagnostic-Code: smtp; 550 5.7.26 unauthenticated",
            [("a@x.example", "failed", "5.7.26")],
        ),
    ],
)
def test_the_fields_of_a_delivery_status(fields: str, expected: list[tuple[str, str, str]]) -> None:
    assert status_of(fields) == expected


def test_the_mail_that_is_given_back_names_itself_before_any_other_id() -> None:
    status = ("message/delivery-status", "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822;a@x\r\nAction: failed")
    head = HEAD + b"In-Reply-To: <other@x>\r\n"
    for type_ in ("message/rfc822", "text/rfc822-headers", "message/global-headers"):
        report = report_of(status, (type_, "Subject: x\r\nMessage-ID:\r\n <sent@tracker.example>\r\n\r\nx"), head=head)
        assert report is not None and report.original_id == "<sent@tracker.example>"
    report = report_of(status, head=head)
    assert report is not None and report.original_id == "<other@x>"


@pytest.mark.parametrize(
    "subject",
    [
        *("Undelivered Mail Returned to Sender", "failure notice", "Delivery Status Notification (Failure)"),
        *(
            "Warning: could not send message for past 4 hours",
            "[Postmaster] Email Delivery Failure",
            "メールエラー通知",
        ),
        *("Unzustellbar: Ihre Bestellung", "Mail delivery failed: returning message to sender", "*** Undeliverable: x"),
    ],
)
def test_mail_programs_call_what_they_give_back_so(subject: str) -> None:
    assert is_called_like_one(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Undelivered Mail Returned to Sender",
        "Fwd: failure notice",
        "My delivery has not come",
        "The mail is down",
        "",
    ],
)
def test_people_call_their_mails_otherwise(subject: str) -> None:
    assert not is_called_like_one(subject)


@pytest.mark.parametrize(
    ("subject", "text", "kind"),
    [
        ("Automatic reply: your order", "", "vacation"),
        ("Re: your order", "I'm away until May and will answer on my return.", "vacation"),
        ("Abwesenheitsnotiz", "Bin bis Montag nicht im Büro.", "vacation"),
        ("自動返信", "休暇をいただいております。", "vacation"),
        ("Ihre Nachricht", "Bitte bestätigen Sie Ihre Nachricht.", "challenge"),
        ("We got your request", "Your number is 17.", ""),
    ],
)
def test_what_programs_answer_in_the_name_of_people(subject: str, text: str, kind: str) -> None:
    assert answer(Headers({}), Message(message_id="<a@x>", automatic="auto-reply", subject=subject, text=text)) == kind


def test_a_report_that_a_person_sends_on_is_his_mail() -> None:
    status = "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822;a@x.example\r\nAction: failed\r\n"
    raw = (
        "From: Ana <ana@customer.example>\r\nSubject: Look at this\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nWhat is it?\r\n--b\r\n{status}--b--\r\n"
    )
    message = parse(raw.encode())
    assert (message.automatic, message.report) == ("", None)


FLOODS = {
    "words": b"\n".join([b"deliver to " * 90 + b"@"] * 5_000),
    "brackets": b"\n".join([b"<" * 900 + b"@"] * 5_000),
    "blanks": b"\n".join([b" " * 900 + b"@"] * 5_000),
    "addresses": b"\n".join([b"<u%d@x.example>: no" % n for n in range(50_000)]),
    "one line": b"x@y " * 300_000,
    "ids": b"\n".join([b"Message-ID: <" + b"a" * 899] * 5_000),
    "a zone": b"The following addresses had permanent fatal errors\n" + b"\n".join([b"x" * 500] * 5_000),
    "nested": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000)),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_is_read_within_bounds(flood: bytes) -> None:
    began = time.process_time()
    report = parse(HEAD + b"\r\n" + flood).report
    assert time.process_time() - began < 5
    assert report is None or len(report.recipients) <= MAX_RECIPIENTS


def test_of_a_status_with_thousands_of_recipients_the_first_are_read() -> None:
    groups = "\r\n".join(f"Final-Recipient: rfc822;u{n}@x.example\r\nAction: failed\r\n" for n in range(5_000))
    assert len(status_of(groups)) == MAX_RECIPIENTS


def test_what_flufl_stumbles_over_is_no_trouble_and_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    raw = "Return-Path: <>\r\nFrom: Jörg <mailer@x.example>\r\nSubject: failure notice\r\n\r\nNothing is said.\r\n"
    assert parse(raw.encode("latin-1")).report is None
    assert parse(b"Return-Path: <>\r\nSubject: failure notice\r\n\r\n").report is None
    assert caplog.records == []


def test_flufl_knows_what_our_table_does_not() -> None:
    head = "From: MAILER-DAEMON@aol.com\r\nSubject: failure notice\r\n\r\n"
    text = (
        "Your mail to the following recipients could not be delivered because they are not accepting mail from x@y.z:"
    )
    report = parse(f"{head}{text}\r\n\tscreenname\r\n\r\n".encode()).report
    assert report is not None and [one.address for one in report.recipients] == ["screenname@aol.com"]
