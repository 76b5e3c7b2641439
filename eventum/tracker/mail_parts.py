"""The pieces of a mail as files: an attachment, the mail as it came, and its source as text that is read in pages.

Flows in: a user, the id of a mail, a path in it. Flows out: bytes under a name that is no path, with what a browser may
show them as; or `NotFound`, as in `mail_view`.
"""

from typing import Final

import msgspec

from eventum.errors import NotFound
from eventum.issues.people import User
from eventum.mail.formats.pdf import is_at_rest
from eventum.mail.html.pictures import picture_type
from eventum.mail.message import embedded, part_bytes
from eventum.mail.safe import disposition, file_label
from eventum.tracker import guard
from eventum.tracker.guard import UNREAD, reading
from eventum.tracker.mail_view import MISSING, PART, Place, place_of
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker

__all__ = ["File", "Source", "disposition", "part", "raw", "source"]

SOURCE_PAGE: Final = 60_000  # bytes of a mail's source on one page
_LONGEST_LINE: Final = 2_000  # bytes that a page goes on to look for the end of a line
# Signs that nobody sees, or that turn the direction of what follows, as something that is seen.
_SEEN: Final[dict[int, int | str]] = {
    **{code: 0x2400 + code for code in range(32) if code not in (9, 10)},
    0x7F: 0x2421,
    **{code: f"<U+{code:04X}>" for code in (*range(0x80, 0xA0), *range(0x200B, 0x2010), 0x61C, 0x2028, 0x2029, 0xFEFF)},
    **{code: f"<U+{code:04X}>" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}


class File(msgspec.Struct, frozen=True, kw_only=True):
    """Something to download. `shows` is the type a browser may show it as, by its bytes: a picture's, "application/pdf"
    for one that can do nothing, "" for all else.
    """

    name: str
    data: bytes
    shows: str = ""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a mail as it came; `size` is that of all, in bytes."""

    place: Place
    inside: str
    text: str
    page: int
    last: int
    size: int


def raw(tracker: Tracker, user: User, key: str) -> File:
    """The mail as it was received. Raises `NotFound`."""
    place = place_of(tracker, user, key)
    return File(name=f"{file_label(place.filing.subject or 'mail', 60)}.eml", data=_bytes(place))


def part(tracker: Tracker, user: User, key: str, path: str, *, to_show: bool = False) -> File:
    """One attachment, of the mail or of one in it, to be saved or, when it can be, shown. Raises `NotFound`."""
    place = place_of(tracker, user, key)
    if not PART.fullmatch(path):
        raise NotFound(MISSING)
    try:
        message = reading(tracker.cache, place.filing.digest, place.path)
        if UNREAD in message.defects:
            raise NotFound(MISSING)
        name = next((one.name for one in message.attachments if one.part == path), "")
        name = name or _name_inside(tracker, place, path)
        # A child found the parts, also those of a mail inside, within its limits: finding them once more is safe here.
        data = part_bytes(_bytes(place), path)
    except NotFound as error:
        raise NotFound(MISSING) from error
    name = name or f"part-{path.replace('/', '-')}.bin"
    return File(name=file_label(name), data=data, shows=_shown_as(data) if to_show else "")


def _shown_as(data: bytes) -> str:
    return picture_type(data) or ("application/pdf" if is_at_rest(data) else "")


def _name_inside(tracker: Tracker, place: Place, path: str) -> str:
    """What a file is called by the mail in this mail that it lies in; "" when there is no such mail."""
    parts = path.split("/")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            message = guard.inner(tracker.cache, place.filing.digest, place.path, "/".join(parts[:cut]))
        except NotFound:
            continue
        if UNREAD in message.defects:
            raise NotFound(MISSING)
        own = "/".join(parts[cut:])
        return next((one.name for one in message.attachments if one.part == own), "")
    return ""


def source(tracker: Tracker, user: User, key: str, inside: str = "", *, page: int = 1) -> Source:
    """A page of the source of a mail, or of one in it. Raises `NotFound`."""
    place = place_of(tracker, user, key)
    data = _bytes(place)
    if inside:
        if not PART.fullmatch(inside):
            raise NotFound(MISSING)
        try:
            guard.inner(tracker.cache, place.filing.digest, place.path, inside)
            data = embedded(data, inside)
        except NotFound as error:
            raise NotFound(MISSING) from error
    last = max(1, -(-len(data) // SOURCE_PAGE))
    page = min(max(page, 1), last)
    begin, end = _line_after(data, (page - 1) * SOURCE_PAGE), _line_after(data, page * SOURCE_PAGE)
    # What is no UTF-8 is shown byte by byte: this is the mail as it came, not as it reads.
    text = data[begin:end].decode("utf-8", "backslashreplace").replace("\r\n", "\n").translate(_SEEN)
    return Source(place=place, inside=inside, text=text, page=page, last=last, size=len(data))


def _line_after(data: bytes, at: int) -> int:
    """Where the line ends in which a page would be cut."""
    if at <= 0 or at >= len(data):
        return min(max(at, 0), len(data))
    found = data.find(b"\n", at, at + _LONGEST_LINE)
    return found + 1 if found >= 0 else at


def _bytes(place: Place) -> bytes:
    try:
        return raw_bytes(place.path)
    except NotFound as error:
        raise NotFound(MISSING) from error
