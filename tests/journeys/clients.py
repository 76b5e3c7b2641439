"""Answers as people's mail programs write them: what each puts into the headers that say what is answered.

In flow what is answered, who answers, and when; out flow raw mails. The shapes are those of real mails of these
programs; only names and hosts are made up.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from email.utils import format_datetime, parseaddr
from typing import NamedTuple


class Answered(NamedTuple):
    """The mail that is answered, as its reader's program knows it; `sender` is where an answer goes."""

    message_id: str
    references: tuple[str, ...]
    subject: str
    sender: str


class Answer(NamedTuple):
    """Who answers, and the Message-ID of the answer."""

    sender: str
    message_id: str


def answered(raw: bytes) -> Answered:
    """What a program takes from a mail that it answers."""
    mail = message_from_bytes(raw, policy=default)
    sender = parseaddr(str(mail["Reply-To"] or mail["From"]))[1]
    references = tuple(re.findall(r"<[^>]+>", str(mail["References"] or "")))
    return Answered(str(mail["Message-ID"]), references, str(mail["Subject"]), sender)


def plain(*headers: str, body: str = "Thank you, it works now.") -> bytes:
    """A mail of these header lines and this text."""
    return "\r\n".join([*headers, "", body, ""]).encode("ascii")


def letter(sender: str, to: str, subject: str, message_id: str, *more: str) -> bytes:
    """A mail that answers nothing, with further header lines."""
    return plain(
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {now()}",
        f"Message-ID: {message_id}",
        *more,
        body="The printer on the second floor prints nothing.",
    )


def now() -> str:
    return format_datetime(datetime.now(UTC))


def gmail(to: Answered, by: Answer) -> bytes:
    """References of the whole conversation on one line, a text in two forms."""
    return plain(
        "MIME-Version: 1.0",
        f"References: {' '.join((*to.references, to.message_id))}",
        f"In-Reply-To: {to.message_id}",
        f"From: {by.sender}",
        f"Date: {now()}",
        f"Message-ID: {by.message_id}",
        f"Subject: Re: {to.subject}",
        f"To: Help desk <{to.sender}>",
        'Content-Type: multipart/alternative; boundary="00000000000063f1"',
        body="--00000000000063f1\r\n"
        'Content-Type: text/plain; charset="UTF-8"\r\n\r\nThank you, it works now.\r\n\r\n'
        f"On Sun, Nov 22, 2026 at 9:00 AM <{to.sender}> wrote:\r\n> Is there paper in it?\r\n"
        "--00000000000063f1\r\n"
        'Content-Type: text/html; charset="UTF-8"\r\n\r\n<div dir="ltr">Thank you, it works now.</div>\r\n'
        "--00000000000063f1--",
    )


def outlook(to: Answered, by: Answer) -> bytes:
    """No References; ids on lines of their own, and a thread index that only Exchange understands."""
    return plain(
        f"From: {by.sender}",
        f'To: "{to.sender}" <{to.sender}>',
        f"Subject: RE: {to.subject}",
        f"Thread-Topic: {to.subject}",
        "Thread-Index: AdlZ1xyzAbCdEfGhIjKlMnOpQrStUvAAAMk8",
        f"Date: {now()}",
        f"Message-ID:\r\n {by.message_id}",
        f"In-Reply-To:\r\n {to.message_id}",
        "Accept-Language: de-DE, en-US",
        "X-MS-Has-Attach:",
        "X-MS-TNEF-Correlator:",
        'Content-Type: text/plain; charset="us-ascii"',
        "Content-Transfer-Encoding: quoted-printable",
        "MIME-Version: 1.0",
        body="Thank you, it works now.\r\n\r\n________________________________\r\n"
        f"From: {to.sender}\r\nSubject: {to.subject}\r\n\r\nIs there paper in it?",
    )


def apple_mail(to: Answered, by: Answer) -> bytes:
    """`Message-Id` and `Mime-Version` so written, the version with a comment."""
    return plain(
        f"From: {by.sender}",
        "Content-Type: text/plain;\r\n\tcharset=us-ascii",
        "Content-Transfer-Encoding: 7bit",
        "Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3826.500.181\\))",
        f"Subject: Re: {to.subject}",
        f"Date: {now()}",
        f"In-Reply-To: {to.message_id}",
        f"To: Help desk <{to.sender}>",
        "References: " + "\r\n ".join((*to.references, to.message_id)),
        f"Message-Id: {by.message_id}",
        "X-Mailer: Apple Mail (2.3826.500.181)",
        body=f"Thank you, it works now.\r\n\r\n> On 22 Nov 2026 {to.sender} wrote:\r\n>\r\n> Is there any?",
    )


def thunderbird(to: Answered, by: Answer) -> bytes:
    """References folded, an id a line; In-Reply-To below the From."""
    return plain(
        f"Message-ID: {by.message_id}",
        f"Date: {now()}",
        "MIME-Version: 1.0",
        "User-Agent: Mozilla Thunderbird",
        f"Subject: Re: {to.subject}",
        "Content-Language: en-GB",
        f"To: Help desk <{to.sender}>",
        "References: " + "\r\n ".join((*to.references, to.message_id)),
        f"From: {by.sender}",
        f"In-Reply-To: {to.message_id}",
        "Content-Type: text/plain; charset=UTF-8; format=flowed",
        "Content-Transfer-Encoding: 7bit",
        body=f"{to.sender} wrote:\r\n> Is there paper in it?\r\n\r\nThank you, it works now.",
    )


def folding(to: Answered, by: Answer) -> bytes:
    """A program, or a server on the way, that breaks lines at a width, whatever stands there."""

    def folded(line: str) -> str:
        return "\r\n\t".join(line[at : at + 40] for at in range(0, len(line), 40))

    return plain(
        f"From: {by.sender}",
        f"To: {to.sender}",
        f"Subject: Re: {to.subject}",
        f"Date: {now()}",
        f"Message-ID: {by.message_id}",
        folded(f"In-Reply-To: {to.message_id}"),
        folded(f"References: {' '.join((*to.references, to.message_id))}"),
    )


def lower_casing(to: Answered, by: Answer) -> bytes:
    """An old gateway that writes every id in small letters."""
    return plain(
        f"From: {by.sender}",
        f"To: {to.sender}",
        f"Subject: RE: {to.subject.upper()}",
        f"Date: {now()}",
        f"Message-ID: {by.message_id.lower()}",
        f"In-Reply-To: {to.message_id.lower()}",
    )


CLIENTS: Mapping[str, Callable[[Answered, Answer], bytes]] = {
    "gmail": gmail,
    "outlook": outlook,
    "apple-mail": apple_mail,
    "thunderbird": thunderbird,
    "folding": folding,
    "lower-casing": lower_casing,
}


def undelivered(message_id: str, recipient: str, reply: str) -> bytes:
    """The report that Postfix sends back for a mail that its next server refused."""
    boundary = "4AB12.1763280900/mx.customer.example"
    parts = (
        plain(
            "Content-Description: Notification",
            "Content-Type: text/plain; charset=us-ascii",
            body=f"This is the mail system at host mx.customer.example.\r\n\r\n<{recipient}>: host said: {reply}",
        ),
        plain(
            "Content-Description: Delivery report",
            "Content-Type: message/delivery-status",
            body="Reporting-MTA: dns; mx.customer.example\r\nX-Postfix-Queue-ID: 4AB12\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nOriginal-Recipient: rfc822;{recipient}\r\n"
            f"Action: failed\r\nStatus: {reply.split()[1]}\r\nDiagnostic-Code: smtp; {reply}\r\n",
        ),
        plain(
            "Content-Description: Undelivered Message Headers",
            "Content-Type: text/rfc822-headers",
            body=f"To: {recipient}\r\nMessage-ID: {message_id}",
        ),
    )
    head = plain(
        "Return-Path: <>",
        "From: MAILER-DAEMON@mx.customer.example (Mail Delivery System)",
        "To: help@example.org",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {now()}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "Message-ID: <20261116081500.4AB12@mx.customer.example>",
        body="This is a MIME-encapsulated message.",
    )
    ends = [f"--{boundary}\r\n".encode("ascii") + part for part in parts]
    return head + b"\r\n".join([b"", *ends, f"--{boundary}--\r\n".encode("ascii")])
