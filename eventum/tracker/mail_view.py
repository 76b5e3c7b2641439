"""One mail as a screen shows it: what it says, what came with it, why it is where it is.

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
from eventum.mail.headers import split_block
from eventum.mail.markup import Markup, picture_type
from eventum.mail.message import part_bytes
from eventum.mail.reading import Attachment
from eventum.mail.safe import disposition, file_label
from eventum.tracker import guard
from eventum.tracker.counts import scope_of
from eventum.tracker.guard import UNREAD, reading
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

__all__ = ["File", "Place", "Shown", "disposition", "html", "html_if_any", "part", "place_of", "raw", "shown"]

KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._=-]{0,199}", re.ASCII)
PART = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){0,30}|rest", re.ASCII)
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

    `is_unread`: it breaks whoever reads it, so there is no text and no part, only its bytes.
    """

    place: Place
    text: str
    is_cut: bool
    is_unread: bool
    has_html: bool
    head: str
    parts: tuple[Attachment, ...]
    pictures: frozenset[str]
    why: str
    reasons: tuple[Reason, ...]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """Something to download: a name that is no path, the bytes, and the type of a picture, "" for all else."""

    name: str
    data: bytes
    picture: str = ""


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
    return Shown(
        place=place,
        text=message.text[:LONGEST_TEXT],
        is_cut=len(message.text) > LONGEST_TEXT,
        is_unread=UNREAD in message.defects,
        has_html=message.html,
        head=head,
        parts=message.attachments,
        pictures=frozenset(one.part for one in message.attachments if one.type.startswith("image/")),
        why=headline(trace, say),
        reasons=reasons(trace, say),
    )


def html(tracker: Tracker, user: User, key: str) -> Markup:
    """The mail's HTML, cleaned. Raises `NotFound`, also for a mail without any."""
    place = place_of(tracker, user, key)
    try:
        found = guard.markup(tracker.cache, place.filing.digest, place.path)
    except NotFound as error:
        raise NotFound(MISSING) from error
    if found is None:
        raise NotFound(MISSING)
    return found


def html_if_any(tracker: Tracker, user: User, key: str) -> Markup | None:
    """As `html`; None for a mail without any, and for one whose HTML breaks whoever cleans it: it is shown as text."""
    try:
        return html(tracker, user, key)
    except NotFound:
        return None


def raw(tracker: Tracker, user: User, key: str) -> File:
    """The mail as it was received. Raises `NotFound`."""
    place = place_of(tracker, user, key)
    return File(name=f"{file_label(place.filing.subject or 'mail', 60)}.eml", data=_bytes(place))


def part(tracker: Tracker, user: User, key: str, number: str) -> File:
    """One attachment. Raises `NotFound`."""
    place = place_of(tracker, user, key)
    if not PART.fullmatch(number):
        raise NotFound(MISSING)
    try:
        message = reading(tracker.cache, place.filing.digest, place.path)
        if UNREAD in message.defects:
            raise NotFound(MISSING)
        # Its parts were found by a child within its limits, so finding them once more is safe here.
        data = part_bytes(_bytes(place), number)
    except NotFound as error:
        raise NotFound(MISSING) from error
    name = next((one.name for one in message.attachments if one.part == number), f"part-{number}.bin")
    return File(name=file_label(name), data=data, picture=picture_type(data))


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


def _bytes(place: Place) -> bytes:
    try:
        return raw_bytes(place.path)
    except NotFound as error:
        raise NotFound(MISSING) from error


def _head(raw: bytes) -> str:
    return raw[: min(split_block(raw).body, LONGEST_HEAD)].decode("utf-8", "replace").replace("\r\n", "\n").strip("\n")
