"""Dates of header fields: a Date or Received value in, an aware UTC time out, or None; no exception, no clock."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
}  # fmt: skip
# RFC 5322 section 4.3; a zone that nobody knows is taken for UTC, as that section says.
_ZONES: Final = {
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
    "jst": 540, "kst": 540, "cet": 60, "cest": 120, "met": 60, "mest": 120, "bst": 60, "ist": 330, "msk": 180,
    "eet": 120, "eest": 180, "hkt": 480, "sgt": 480, "aest": 600, "aedt": 660,
}  # fmt: skip
_DAY: Final = re.compile(
    r"""(?<!\d) (\d{1,2}) [\s.-]{1,3}
        ([A-Za-z]{3}) [a-z]{0,6} [\s.,-]{1,3}   # the month, perhaps in full
        (\d{4}|\d{2}) (?!\d)""",
    re.VERBOSE,
)
_ASCTIME: Final = re.compile(
    r"""([A-Za-z]{3}) [a-z]{0,6} \s{1,3} (\d{1,2}) (?!\d) ,?
        \s .{0,20}? (?<!\d) (\d{4}) (?!\d)   # the year stands behind the time and the zone""",
    re.VERBOSE,
)
_ISO: Final = re.compile(
    r"""(?<!\d) (\d{4}) [-/] (\d{1,2}) [-/] (\d{1,2}) (?!\d)""",
    re.VERBOSE,
)
_TIME: Final = re.compile(
    r"""(?<!\d) (\d{1,2}) [:.] (\d{2})
        (?: [:.] (\d{2}) )? (?: [.,] \d{1,9} )? (?!\d)   # seconds and their fraction
        \s{0,3} ([AaPp][Mm])?""",
    re.VERBOSE,
)
_ZONE: Final = re.compile(
    r"""\s{0,3} (?: ([+-]) (\d{2}) :? (\d{2}) | ([A-Za-z]{2,5}) )""",
    re.VERBOSE,
)
_MAX_TEXT: Final = 200


def read_date(text: str) -> datetime | None:
    """The time a Date field names, in UTC, when it is a real one from 1970 to 9999 (RFC 5322 section 3.3 and 4.3)."""
    text = text[:_MAX_TEXT]
    day = _day(text)
    if day is None:
        return None
    year, month, number = day
    hour = minute = second = offset = 0
    time = _TIME.search(text)
    if time is not None:
        hour, minute, second = int(time[1]), int(time[2]), min(int(time[3] or 0), 59)  # 60 is a leap second
        if time[4]:
            hour = hour % 12 + (12 if time[4].lower() == "pm" else 0)
        offset = _offset(text, time.end())
    try:
        found = datetime(year, month, number, hour, minute, second, tzinfo=UTC) - timedelta(minutes=offset)
    except (ValueError, OverflowError):
        return None
    return found if found.year >= 1970 else None


def received_date(text: str) -> datetime | None:
    """The time in a Received field, which stands behind its last semicolon (RFC 5321 section 4.4)."""
    return read_date(text.rpartition(";")[2].strip())


def _day(text: str) -> tuple[int, int, int] | None:
    found = _DAY.search(text)
    if found is not None and found[2].lower() in _MONTHS:
        return _year(found[3]), _MONTHS[found[2].lower()], int(found[1])
    for found in _ASCTIME.finditer(text):
        if found[1].lower() in _MONTHS:
            return _year(found[3]), _MONTHS[found[1].lower()], int(found[2])
    found = _ISO.search(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found is not None else None


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    return year + (2000 if year < 50 else 1900)  # RFC 5322 section 4.3


def _offset(text: str, position: int) -> int:
    zone = _ZONE.match(text, position)
    if zone is None:
        return 0
    if zone[4]:
        return _ZONES.get(zone[4].lower(), 0)
    minutes = int(zone[2]) * 60 + int(zone[3])
    return -minutes if zone[1] == "-" else minutes
