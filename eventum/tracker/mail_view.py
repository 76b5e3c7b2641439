"""One mail as a screen shows it: what it says, what came with it, why it is where it is; also a mail inside a mail.

Flows in: a user and an id from an address line. Flows out: values, or `NotFound` with the same words for what is not
there and what this user may not see. An id is looked up before a path is made of it.
"""

import re
from pathlib import Path

import msgspec

from eventum.errors import NotFound
from eventum.issues.access import may_read_notes, may_see
from eventum.issues.events import Filing
from eventum.issues.issue import messages
from eventum.issues.people import User
from eventum.issues.why import Reason, headline, reasons
from eventum.mail.address import Address
from eventum.mail.formats.calendar import Invitation
from eventum.mail.headers import split_block
from eventum.mail.html.markup import Markup
from eventum.mail.message import Message, embedded
from eventum.mail.quotes.quoting import Piece
from eventum.mail.reading import Attachment
from eventum.tracker import guard, report_view
from eventum.tracker.counts import scope_of
from eventum.tracker.guard import UNREAD, reading
from eventum.tracker.message_view import pieces_of
from eventum.tracker.reading import raw_bytes
from eventum.tracker.report_view import Given
from eventum.tracker.shortcomings import Shortcoming, seals, shortcomings
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._=-]{0,199}", re.ASCII)
_LEAF = r"(?:[0-9]{1,5}(?:\.[0-9]{1,5}){0,30}|rest)"
PART = re.compile(f"{_LEAF}(?:/{_LEAF}){{0,8}}", re.ASCII)
LONGEST_HEAD = 200_000  # Bytes of raw headers that are shown; all of them are in the raw mail.
LONGEST_TEXT = 200_000  # Characters of text that are shown at once.
MISSING = N_("There is no such mail.")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a mail is: in an issue, or (0) in a pool under an outcome, of a project; and whether the user is staff."""

    filing: Filing
    path: Path
    issue: int = 0
    summary: str = ""
    outcome: str = ""
    account: str = ""
    project: str = ""
    staff: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as a screen shows it. `parts` are its attachments; those in `pictures` can be looked at.

    `inside` is the path of a mail in the one that was filed, "" for that one itself. `is_unread`: it breaks whoever
    reads it, so there is no text and no part, only its bytes. `label` says what a program's mail is, `report` what it
    reports. `troubles` says what of it is not there or a guess.
    """

    place: Place
    inside: str = ""
    text: str
    pieces: tuple[Piece, ...] = ()
    is_cut: bool
    is_unread: bool
    has_html: bool
    head: str
    parts: tuple[Attachment, ...]
    pictures: frozenset[str]
    events: tuple[Invitation, ...] = ()
    seals: tuple[str, ...] = ()
    troubles: tuple[Shortcoming, ...] = ()
    label: str = ""
    report: Given | None = None
    why: str
    reasons: tuple[Reason, ...]

    def path(self, part: str) -> str:
        """The path of one of its parts in the mail that was filed."""
        return f"{self.inside}/{part}" if self.inside else part


def shown(tracker: Tracker, user: User, key: str, say: Say = str, *, with_head: bool = True) -> Shown:
    """One mail. Without its head only what is known of it is asked, and its file is not read. Raises `NotFound`,
    `Damaged`.
    """
    place = place_of(tracker, user, key)
    try:
        message = reading(tracker.cache, place.filing.digest, place.path)
        head = _head(raw_bytes(place.path)) if with_head else ""
    except NotFound as error:
        raise NotFound(MISSING) from error
    trace = place.filing.trace if place.staff else ()
    return msgspec.structs.replace(
        _shown(place, message, head=head, why=headline(trace, say), reasons=reasons(trace, say)),
        label=report_view.label(message, place.filing.automatic, say),
        report=report_view.shown(tracker, message, place.issue, say),
    )


def inner(tracker: Tracker, user: User, key: str, inside: str) -> Shown:
    """A mail that lies in another one, at this path. Raises `NotFound`."""
    place = place_of(tracker, user, key)
    if not PART.fullmatch(inside):
        raise NotFound(MISSING)
    try:
        message = guard.inner(tracker.cache, place.filing.digest, place.path, inside)
        # A child has taken it out of there within its limits, so doing it once more is safe here.
        head = _head(embedded(raw_bytes(place.path), inside))
    except NotFound as error:
        raise NotFound(MISSING) from error
    filing = msgspec.structs.replace(
        place.filing,
        from_=next(iter(message.from_), Address("", "")),
        verified="unverified",
        to=message.to,
        cc=message.cc,
        subject=message.subject,
        date=message.date,
        message_id="" if message.message_id_made else message.message_id,
        automatic=message.automatic,
        outgoing=False,
    )
    return _shown(msgspec.structs.replace(place, filing=filing), message, head=head, inside=inside)


def _shown(
    place: Place, message: Message, *, head: str, inside: str = "", why: str = "", reasons: tuple[Reason, ...] = ()
) -> Shown:
    return Shown(
        place=place,
        inside=inside,
        text=message.text[:LONGEST_TEXT],
        pieces=pieces_of(message, LONGEST_TEXT),
        is_cut=len(message.text) > LONGEST_TEXT,
        is_unread=UNREAD in message.defects,
        has_html=message.html,
        head=head,
        parts=message.attachments,
        pictures=frozenset(one.part for one in message.attachments if one.type.startswith("image/")),
        events=message.events,
        seals=seals(message.seals),
        troubles=shortcomings(message.defects),
        why=why,
        reasons=reasons,
    )


def html(tracker: Tracker, user: User, key: str, inside: str = "", *, remote: bool = False) -> Markup:
    """The HTML of a mail, or of one in it, cleaned; with remote pictures when somebody wants them.

    Raises `NotFound`, also for a mail without any.
    """
    found = html_if_any(tracker, user, key, inside, remote=remote)
    if found is None:
        raise NotFound(MISSING)
    return found


def html_if_any(tracker: Tracker, user: User, key: str, inside: str = "", *, remote: bool = False) -> Markup | None:
    """As `html`; None for a mail without any, or one whose HTML breaks who cleans it."""
    place = place_of(tracker, user, key)
    if inside and not PART.fullmatch(inside):
        raise NotFound(MISSING)
    try:
        return guard.markup(tracker.cache, place.filing.digest, place.path, inside, remote=remote)
    except NotFound as error:
        raise NotFound(MISSING) from error


def place_of(tracker: Tracker, user: User, key: str) -> Place:
    """Where the mail with this key is, for who may see it. Raises `NotFound` for everybody and everything else."""
    if not KEY.fullmatch(key):
        raise NotFound(MISSING)
    tracker.index.catch_up()
    number, pooled = tracker.index.filed(key), tracker.index.pooled(key)
    try:
        found = _in_issue(tracker, user, number, key) if number else _in_pool(tracker, user, pooled, key)
    except NotFound as error:
        raise NotFound(MISSING) from error
    if found is None:
        raise NotFound(MISSING)
    return found


def _in_issue(tracker: Tracker, user: User, number: int, key: str) -> Place | None:
    issue, people = tracker.issues.load(number), tracker.people.load_all()
    staff = may_read_notes(user, issue, people)
    if not may_see(user, issue, people):
        return None
    filing = next((one for one in messages(tracker.issues.events(issue)) if one.key == key), None)
    if filing is None or (filing.internal and not staff):
        return None
    return Place(
        filing=filing,
        path=tracker.issues.mail_path(number, key),
        issue=number,
        summary=issue.summary,
        account=filing.destination,
        project=people.project(issue.project).title,
        staff=staff,
    )


def _in_pool(tracker: Tracker, user: User, where: tuple[str, str] | None, key: str) -> Place | None:
    if where is None:
        return None
    pooled, people = tracker.pool.load(where[0], key), tracker.people.load_all()
    staff = scope_of(user, people).staff
    if staff is not None and pooled.project not in staff:
        return None
    titles = {project.id: project.title for project in people.projects}
    return Place(
        filing=msgspec.structs.replace(pooled.mail, trace=pooled.trace),
        path=tracker.pool.path(where[0], key),
        outcome=tracker.pool.outcome(where[0], key) or where[1],
        account=where[0],
        project=titles.get(pooled.project, ""),
        staff=True,
    )


def _head(raw: bytes) -> str:
    return raw[: min(split_block(raw).body, LONGEST_HEAD)].decode("utf-8", "replace").replace("\r\n", "\n").strip("\n")
