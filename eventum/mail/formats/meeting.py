"""A meeting that Outlook packed into winmail.dat: the properties of a message in, its `Invitation` out.

The names are those of MS-OXPROPS; times there are in UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from eventum.mail.address import is_address, normalise
from eventum.mail.formats.calendar import Invitation, Moment, Person
from eventum.mail.words import clean_line

Properties = Mapping[int, tuple[int, bytes]]

_NAMED: Final = 0x10000  # what `tnef.properties` adds to the number of a property that has a name
_START: Final = (_NAMED | 0x820D, 0x0060)
_END: Final = (_NAMED | 0x820E, 0x0061)
_PLACE: Final = _NAMED | 0x8208
_TIME, _UNICODE = 0x40, 0x1F
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_CLASSES: Final = (  # how the class of a message begins, as Outlook and as its ancestor wrote it
    ("ipm.schedule.meeting.request", "request", ""),
    ("ipm.schedule.meeting.canceled", "cancel", ""),
    ("ipm.schedule.meeting.resp.pos", "reply", "accepted"),
    ("ipm.schedule.meeting.resp.neg", "reply", "declined"),
    ("ipm.schedule.meeting.resp.tent", "reply", "tentative"),
    ("ipm.microsoft schedule.mtgreq", "request", ""),
    ("ipm.microsoft schedule.mtgcncl", "cancel", ""),
    ("ipm.microsoft schedule.mtgrespp", "reply", "accepted"),
    ("ipm.microsoft schedule.mtgrespn", "reply", "declined"),
    ("ipm.microsoft schedule.mtgrespa", "reply", "tentative"),
)
_LONGEST: Final = 500


def time_of(found: tuple[int, bytes] | None) -> datetime | None:
    """The time in a property, None where it has none (tenths of a microsecond since 1601)."""
    if found is None or found[0] != _TIME or len(found[1]) != 8:
        return None
    try:
        return _EPOCH + timedelta(microseconds=int.from_bytes(found[1], "little") // 10)
    except OverflowError:
        return None


def meeting(kind: str, own: Properties, subject: str, sender: tuple[str, str]) -> Invitation | None:
    """The meeting a message of this class is about, None for all others; `sender` is a name and an address."""
    row = next((row for row in _CLASSES if kind.lower().startswith(row[0])), None)
    if row is None:
        return None
    name, address = clean_line(sender[0], _LONGEST), sender[1]
    person = Person(normalise(address) if is_address(address) else "", name, row[2])
    place = own.get(_PLACE, (0, b""))
    is_answer = row[1] == "reply"
    return Invitation(
        part="",
        method=row[1],
        summary=clean_line(subject, _LONGEST),
        start=_moment(own, _START),
        end=_moment(own, _END),
        location=clean_line(place[1].decode("utf-16-le", "replace").rstrip("\0"), _LONGEST)
        if place[0] == _UNICODE
        else "",
        organizer=None if is_answer else person,
        attendees=(person,) if is_answer else (),
    )


def _moment(own: Properties, keys: tuple[int, ...]) -> Moment | None:
    for key in keys:
        when = time_of(own.get(key))
        if when is not None:
            return Moment(when.replace(tzinfo=None, microsecond=0).isoformat(), "UTC", when.replace(microsecond=0))
    return None
