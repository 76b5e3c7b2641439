"""Dates of header fields: a Date or Received value in, an aware UTC time out, or None; no exception, no clock.

The day is looked for in the forms that mail is known to carry, from RFC 5322 to what a desk calendar says; the time
and the zone behind it. Where a form has two readings (1/2/2024) nobody knows what was meant, and there is no date.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
}  # fmt: skip
# Programs that ask their locale: how the names begin in Danish, Dutch, Finnish, French, German, Hungarian, Italian,
# Norwegian, Polish, Portuguese, Romanian, Russian, Spanish, Swedish and Turkish, without their accents.
_LOCAL_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan jen ene gen ian tam sty oca янв", "feb fev fbr hel lut sub фев", "mar mrz maa mrt мар",
            "apr avr abr huh kwi nis апр", "mai maj mag mei may tou маи мая", "jun juin giu kes cze haz iun июн",
            "jul juil lug hei lip tem iul июл", "aug aou ago elo sie agu авг", "sep set syy wrz eyl сен",
            "okt ott out lok paz eki oct окт", "nov noi marra lis kas ноя", "dec dez dic des jou gru ara дек",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
# RFC 5322 section 4.3 and the names that are met; where two zones share one, the one that writes more mail.  A zone
# that nobody knows is taken for UTC, as that section says.
_ZONES: Final = {
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
    "akst": -540, "akdt": -480, "hst": -600, "ast": -240, "adt": -180, "nst": -210, "ndt": -150, "brt": -180,
    "brst": -120, "art": -180, "clt": -240, "clst": -180,
    "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "met": 60, "mez": 60, "mest": 120, "mesz": 120,
    "eet": 120, "eest": 180, "sast": 120, "msk": 180, "msd": 240, "trt": 180, "yekt": 300, "pkt": 300, "ist": 330,
    "ict": 420, "wib": 420, "hkt": 480, "sgt": 480, "awst": 480, "jst": 540, "kst": 540, "acst": 570, "aest": 600,
    "acdt": 630, "aedt": 660, "nzst": 720, "nzdt": 780,
}  # fmt: skip
_ZONE_NAMES: Final = {
    "tokyo": 540, "japan": 540, "korea": 540, "china": 480, "taipei": 480, "singapore": 480, "india": 330,
    "eastern": -300, "central": -360, "mountain": -420, "pacific": -480, "europe": 60, "romance": 60,
    "russian": 180,
}  # fmt: skip
_USUAL: Final = re.compile(
    r"""\s* (?:[A-Z][a-z]{2},\s)? \s? (\d{1,2}) \s ([A-Z][a-z]{2}) \s (\d{4})   # as all but the odd ones write it
        \s (\d\d):(\d\d):(\d\d) \s ([+-]) (0\d|1[0-3]) ([0-5]\d) (?!\d)""",
    re.VERBOSE | re.ASCII,
)
_COMMENT: Final = re.compile(r"\([^()]*\)")
_DAY: Final = re.compile(
    r"""(?<!\d) (\d{1,2}) (?: st|nd|rd|th )? [\s./-]{1,3} (?:de\s|of\s)?
        ([^\W\d_]{3,12}) [\s.,/-]{1,3} (?:de\s)?  # the month, perhaps in full
        (\d{2,4}) (?![\d:])""",
    re.VERBOSE,
)
_MONTH_FIRST: Final = re.compile(
    r"""(?<![^\W_]) ([^\W\d_]{3,12}) [\s.]{1,3}
        (\d{1,2}) (?: st|nd|rd|th )? (?!\d) ,?
        \s .{0,32}? (?<![\d+:-]) (\d{4}) (?![\d:])   # the year stands behind the time and the zone, or at once""",
    re.VERBOSE,
)
_ISO: Final = re.compile(
    r"""(?<!\d) (\d{4}) [-/.] (\d{1,2}) [-/.] (\d{1,2}) (?!\d)
      | (?<!\d) (\d{4}) (\d{2}) (\d{2}) (?= T\d{4} )             # 20240101T1000
      | (?<!\d) (\d{4}) \s?[年년]\s? (\d{1,2}) \s?[月월]\s? (\d{1,2}) \s?[日일]""",
    re.VERBOSE,
)
_NUMBERS: Final = re.compile(
    r"""(?<![\d./-]) (\d{1,2}) ([./-]) (\d{1,2}) \2 (\d{4}) (?![\d./-])""",
    re.VERBOSE,
)
_MONTH_SIGN: Final = re.compile(
    r"""(?<!\d) (\d{1,2}) \s (\d{1,2}) [月월]? \s (\d{4}) (?!\d)   # a day, the number of the month, a year""",
    re.VERBOSE,
)
_TIME: Final = re.compile(
    r"""(?<!\d) (\d{1,2}) \s?[:.時시h]\s? (\d{1,2})
        (?: \s?[:.分분]\s? (\d{1,2}) )? (?: [.,] \d{1,9} )? (?!\d) [分秒분초]?   # seconds and their fraction
        \s{0,3} ([AaPp]\.?[Mm])?""",
    re.VERBOSE,
)
_COMPACT_TIME: Final = re.compile(
    r"""(?: T | \d{4} \s ) (\d{2}) (\d{2}) (\d{2})? (?= Z | \s? [+-]\d{4} | \s? \Z )""",
    re.VERBOSE,
)
_AFTERNOON: Final = re.compile(
    r"""(下午|午後|오후|晚上) \s? \d{1,2} (?! \d) | (上午|午前|오전|凌晨|早上) \s? \d{1,2} (?! \d)""",
    re.VERBOSE,
)
_ZONE: Final = re.compile(
    r"""[\s"(]{0,3} (?: (?:UTC|GMT|Z)? \s? ([+\u2212\u2013-]) (\d{1,2}) (?: :? (\d{2}) )? (?!\d)
                      | ([A-Za-z]{1,10}) (?: [/_]? ([A-Za-z]{1,20}) )? )""",
    re.VERBOSE,
)
_MAX_TEXT: Final = 200
_MAX_DEPTH: Final = 3
_MAX_OFFSET: Final = 14 * 60  # minutes; beyond it is no place on Earth, and no zone


def read_date(text: str) -> datetime | None:
    """The time a Date field names, in UTC, when it is a real one from 1970 to 9999 (RFC 5322 section 3.3 and 4.3).

    A time without a zone is taken for UTC; a leap second and 24:00 are moments, 25:00 and 31 February are none.
    """
    text = text[:_MAX_TEXT]
    usual = _USUAL.match(text)
    if usual is not None and usual[2].lower() in _MONTHS:
        east = (int(usual[8]) * 60 + int(usual[9])) * (1 if usual[7] == "+" else -1)
        day = _Day(int(usual[3]), _MONTHS[usual[2].lower()], int(usual[1]), "")
        return _moment(day, (int(usual[4]), int(usual[5]), int(usual[6]), east))
    bare = text
    for _ in range(_MAX_DEPTH):  # comments may hold comments
        if "(" not in bare:
            break
        bare = _COMMENT.sub(" ", bare)
    found = _day(bare)
    return _moment(found, _time(found.rest, text if text is not bare else "")) if found is not None else None


def received_date(text: str) -> datetime | None:
    """The time in a Received field, which stands behind its last semicolon (RFC 5321 section 4.4)."""
    return read_date(text.rpartition(";")[2].strip())


class _Day(NamedTuple):
    """A day that was found, and the text around it, where the time is."""

    year: int
    month: int
    number: int
    rest: str


def _moment(day: _Day, time: tuple[int, int, int, int]) -> datetime | None:
    hour, minute, second, east = time
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    try:
        midnight = datetime(day.year, day.month, day.number, tzinfo=UTC)
        found = midnight + timedelta(hours=hour, minutes=minute - east, seconds=min(second, 59))
    except (ValueError, OverflowError):
        return None
    return found if found.year >= 1970 else None


def _day(text: str) -> _Day | None:
    found = _DAY.search(text)
    if found is not None and (month := _month(found[2])):
        return _Day(_year(found[3]), month, int(found[1]), text)
    for found in _MONTH_FIRST.finditer(text):
        if month := _month(found[1]):
            return _Day(int(found[3]), month, int(found[2]), text)
    found = _ISO.search(text)
    if found is not None:
        year, month, number = (int(group) for group in found.groups() if group)
        return _Day(year, month, number, _around(found))
    found = _MONTH_SIGN.search(text)
    if found is not None:
        return _Day(int(found[3]), int(found[2]), int(found[1]), _around(found))
    found = _NUMBERS.search(text)
    return _of_numbers(found) if found is not None else None


def _around(found: re.Match[str]) -> str:
    return found.string[: found.start()] + " " + found.string[found.end() :]


def _month(name: str) -> int:
    """The number of a month by its name in one of the languages, 0 for any other word."""
    name = name.lower()
    known = _MONTHS.get(name)
    if known is not None:
        return known
    bare = "".join([char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char)])
    return next((_LOCAL_MONTHS[bare[:size]] for size in (5, 4, 3) if bare[:size] in _LOCAL_MONTHS), 0)


def _of_numbers(found: re.Match[str]) -> _Day | None:
    """A day that is all numbers: points are European, and of slashes one number has to be beyond twelve."""
    first, second, year, rest = int(found[1]), int(found[3]), int(found[4]), _around(found)
    if found[2] == "." or first > 12:
        return _Day(year, second, first, rest)
    return _Day(year, first, second, rest) if second > 12 or first == second else None


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 3:
        return year
    if len(text) == 3:
        return year + 1900  # of a program that counts from 1900 (RFC 5322 section 4.3)
    return year + (2000 if year < 50 else 1900)


def _time(bare: str, commented: str) -> tuple[int, int, int, int]:
    """Hour, minute and second, and minutes east of UTC: a zone in a comment counts where there is no other."""
    time = _TIME.search(bare)
    if time is None:
        compact = _COMPACT_TIME.search(bare)
        if compact is None:
            return 0, 0, 0, 0
        hour, minute, second = int(compact[1]), int(compact[2]), int(compact[3] or 0)
        return hour, minute, second, _offset(bare, compact.end()) or 0
    hour, minute, second = int(time[1]), int(time[2]), int(time[3] or 0)
    half = _AFTERNOON.search(bare) if not time[4] and not bare.isascii() else None
    if time[4] or half:
        late = time[4].lower().startswith("p") if time[4] else half is not None and bool(half[1])
        hour = hour % 12 + (12 if late else 0) if hour <= 12 else hour
    offset = _offset(bare, time.end())
    if offset is None and commented:
        offset = _offset(commented, commented.rfind("(") + 1)
    return hour, minute, second, offset or 0


def _offset(text: str, position: int) -> int | None:
    zone = _ZONE.match(text, position)
    if zone is None:
        return None
    if zone[4]:
        first = zone[4].lower()
        known = _ZONES.get(first) if zone[5] is None or len(first) < 6 else None
        return known if known is not None else _ZONE_NAMES.get((zone[5] or "").lower(), _ZONE_NAMES.get(first))
    digits = zone[2] + (zone[3] or "")
    hours, minutes = (int(digits), 0) if len(digits) < 3 else (int(digits[:-2]), int(digits[-2:]))
    offset = hours * 60 + minutes
    if offset > _MAX_OFFSET or minutes > 59:
        return 0
    return offset if zone[1] == "+" else -offset
