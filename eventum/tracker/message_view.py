"""One message of an issue as a page shows it: who, how far he is proven, what he wrote in pieces, files, why, delivery.

Flows in: a message as the record holds it. Flows out: the same with its text, from the reading in the cache; a mail is
read again only where there is none. A mail whose file is gone is shown with what the record knows of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from eventum.errors import NotFound
from eventum.issues.events import Event, Opened
from eventum.issues.handling import REPORTED, may_leave
from eventum.issues.issue import Held, Issue
from eventum.issues.notices import BLOCKED
from eventum.issues.people import People
from eventum.issues.why import Reason, headline, reasons
from eventum.mail.address import Address
from eventum.mail.formats.calendar import Invitation
from eventum.mail.message import Message as Mail
from eventum.mail.quotes.quoting import Piece, is_answer, pieces
from eventum.mail.reading import Attachment
from eventum.tracker import report_view
from eventum.tracker.delivery import Line
from eventum.tracker.guard import UNREAD, reading
from eventum.tracker.reading import cached
from eventum.tracker.report_view import Given
from eventum.tracker.shortcomings import Shortcoming, seals, shortcomings
from eventum.tracker.tracker import Tracker
from eventum.wording import Say

LONGEST = 100_000
"""Characters of a text that an issue's page shows; the mail's own page has the rest."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `number` is that of the event that filed it first.

    `kind` is "description" for what was typed when the issue was opened; such a message has no key and no mail.
    `verified` is as in `Filing`. `blocked` says why in words of the table `notices.BLOCKED`; `waits` while nobody
    decided about it, else `ignored_by` says who let it be. `label` says what a program's mail is, `report` what it
    reports; `is_report`: that is about a mail of ours, and shows there too. `may_leave`: a person may take it out of
    the issue. `was_shortened`: the text goes on in the mail. `has_html`: it can be shown as it was laid out, too.
    `is_unread`: it breaks whoever reads it, so there is no text. `events`, `seals` and `troubles` are as on the page of
    the mail.
    """

    number: int
    kind: Literal["email", "note", "draft", "description"]
    key: str = ""
    name: str
    address: str
    is_staff: bool = False
    verified: str = ""
    automatic: str = ""
    label: str = ""
    report: Given | None = None
    is_report: bool = False
    outgoing: bool = False
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    when: datetime
    pieces: tuple[Piece, ...] = ()
    was_shortened: bool = False
    has_html: bool = False
    attachments: tuple[Attachment, ...] = ()
    blocked: str = ""
    waits: bool = False
    ignored_by: str = ""
    duplicate: bool = False
    may_leave: bool = False
    missing: bool = False
    is_unread: bool = False
    events: tuple[Invitation, ...] = ()
    seals: tuple[str, ...] = ()
    troubles: tuple[Shortcoming, ...] = ()
    why: str = ""
    reasons: tuple[Reason, ...] = ()
    delivery: tuple[Line, ...] = ()


def shown(
    tracker: Tracker, issue: Issue, one: Held, *, people: People, delivery: tuple[Line, ...], say: Say
) -> Message:
    """A message of an issue."""
    message, first = one.message, one.events[0]
    mail = read(tracker, issue.number, message.key, message.digest)
    text = mail.text if mail else ""
    return Message(
        number=first.number,
        kind=message.kind,
        key=message.key,
        name=message.from_.name,
        address=message.from_.address,
        is_staff=message.outgoing and people.is_staff(people.by_address(message.from_.address), issue.project),
        verified=message.verified,
        automatic=message.automatic,
        label=report_view.label(mail, message.automatic, say),
        report=report_view.shown(tracker, mail, issue.number, say),
        is_report=message.handled == REPORTED,
        outgoing=message.outgoing,
        to=message.to,
        cc=message.cc,
        subject=message.subject,
        # A clock that is ahead, or a liar's, must not put a mail into the future.
        when=min(message.date or message.received, message.received),
        pieces=pieces_of(mail, LONGEST) if mail else (),
        was_shortened=len(text) > LONGEST,
        has_html=mail is not None and mail.html,
        # What its reading says now; the record knows what was read when it came.
        attachments=message.attachments if mail is None or UNREAD in mail.defects else mail.attachments,
        blocked=say(BLOCKED.get(message.blocked, message.blocked)),
        waits=message.waits,
        ignored_by=_ignored_by(one, people),
        duplicate=bool(message.duplicate_of),
        may_leave=may_leave(one),
        missing=mail is None,
        is_unread=mail is not None and UNREAD in mail.defects,
        events=mail.events if mail else (),
        seals=seals(mail.seals) if mail else (),
        troubles=shortcomings(mail.defects) if mail else (),
        why=headline(message.trace, say),
        reasons=reasons(message.trace, say),
        delivery=delivery,
    )


def _ignored_by(one: Held, people: People) -> str:
    if not one.message.handled:
        return ""
    user = people.who(one.events[-1].who)
    return user.name or user.email if user else ""


def described(issue: Issue, events: Sequence[Event], people: People) -> Message | None:
    """What was typed when the issue was opened by hand, None for an issue that a mail opened or that says nothing."""
    first = events[0] if events else None
    if first is None or not isinstance(first.what, Opened) or first.what.by_mail or not issue.description:
        return None
    user = people.who(first.who)
    return Message(
        number=first.number,
        kind="description",
        name=user.name if user else "",
        address=user.email if user else first.who,
        is_staff=people.is_staff(user, issue.project),
        verified="user",
        when=first.when,
        pieces=pieces(issue.description[:LONGEST], answers=False),
        was_shortened=len(issue.description) > LONGEST,
    )


def pieces_of(mail: Mail, longest: int) -> tuple[Piece, ...]:
    """The text of a mail in its pieces, at most so many characters of it."""
    answers = is_answer(mail.subject, bool(mail.in_reply_to or mail.references))
    return pieces(mail.text[:longest], answers)


def read(tracker: Tracker, number: int, key: str, digest: str) -> Mail | None:
    """What a mail of an issue says; None when its file is gone."""
    try:
        # Asked before the Maildir: where the mail lies has to be searched for.
        return cached(tracker.cache, digest) or reading(tracker.cache, digest, tracker.issues.mail_path(number, key))
    except NotFound:
        return None
