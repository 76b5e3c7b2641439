"""Zones of calendars: a local time and a zone's name in, the time in UTC out, None where nobody can know it.

A name of the IANA is looked up: some calendars bring wrong rules along for it.  For all other names the rules in the
calendar count (VTIMEZONE, RFC 5545 section 3.6.5), and where it has none, what Microsoft means by that name.
"""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

_MAX_OBSERVANCES: Final = 200
_MAX_DATES: Final = 500
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d):?(\d\d)?", re.ASCII)
_STAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?", re.ASCII)
_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_WEEK: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_IANA: Final = re.compile(
    r"""(?: /[^/]{1,60}/[^/]{1,60}/ )?           # who describes it, as some programs write: /example.org/2026/
        ([A-Z][A-Za-z_]{1,20} (?: /[A-Z][A-Za-z0-9_+-]{1,30} ){1,2})""",
    re.VERBOSE | re.ASCII,
)
_MICROSOFT: Final = {
    "utc": "UTC", "gmt": "UTC", "gmt standard time": "Europe/London", "greenwich standard time": "Atlantic/Reykjavik",
    "w. europe standard time": "Europe/Berlin", "romance standard time": "Europe/Paris",
    "central europe standard time": "Europe/Budapest", "central european standard time": "Europe/Warsaw",
    "e. europe standard time": "Europe/Chisinau", "fle standard time": "Europe/Kiev",
    "gtb standard time": "Europe/Bucharest", "turkey standard time": "Europe/Istanbul",
    "russian standard time": "Europe/Moscow", "israel standard time": "Asia/Jerusalem",
    "egypt standard time": "Africa/Cairo", "south africa standard time": "Africa/Johannesburg",
    "arabian standard time": "Asia/Dubai", "arab standard time": "Asia/Riyadh", "iran standard time": "Asia/Tehran",
    "india standard time": "Asia/Kolkata", "se asia standard time": "Asia/Bangkok",
    "china standard time": "Asia/Shanghai", "singapore standard time": "Asia/Singapore",
    "taipei standard time": "Asia/Taipei", "tokyo standard time": "Asia/Tokyo", "korea standard time": "Asia/Seoul",
    "aus eastern standard time": "Australia/Sydney", "e. australia standard time": "Australia/Brisbane",
    "new zealand standard time": "Pacific/Auckland", "hawaiian standard time": "Pacific/Honolulu",
    "alaskan standard time": "America/Anchorage", "pacific standard time": "America/Los_Angeles",
    "mountain standard time": "America/Denver", "us mountain standard time": "America/Phoenix",
    "central standard time": "America/Chicago", "eastern standard time": "America/New_York",
    "atlantic standard time": "America/Halifax", "newfoundland standard time": "America/St_Johns",
    "e. south america standard time": "America/Sao_Paulo", "argentina standard time": "America/Buenos_Aires",
    "sa pacific standard time": "America/Bogota", "central standard time (mexico)": "America/Mexico_City",
}  # fmt: skip


class Observance(msgspec.Struct):
    """A part of a year, or of history, with one distance from UTC; `begins` and `dates` are local times."""

    begins: datetime | None = None
    before: int = 0  # seconds
    after: int = 0
    rule: dict[str, str] = {}
    dates: list[datetime] = []

    def latest(self, local: datetime) -> datetime | None:
        """When this part last began before that time, None when it had not begun at all."""
        if self.begins is None or self.begins > local:
            return None
        known = [when for when in (self.begins, *self.dates) if when <= local]
        if self.rule.get("FREQ") == "YEARLY":
            until = _stamp(self.rule.get("UNTIL", ""))
            for year in (local.year, local.year - 1):
                when = _in_year(year, self.begins, self.rule)
                # UNTIL is written in UTC; a day more or less is no matter for what happens once a year.
                if when and self.begins <= when <= local and (until is None or when <= until + timedelta(days=1)):
                    known.append(when)
        return max(known)


class Zone(msgspec.Struct):
    """A zone as a calendar describes it."""

    name: str
    observances: list[Observance]

    def offset(self, local: datetime) -> int | None:
        """Seconds from UTC at that local time, None when the calendar does not say."""
        found: tuple[datetime, int] | None = None
        for one in self.observances:
            when = one.latest(local)
            if when is not None and (found is None or when >= found[0]):
                found = when, one.after
        if found is not None:
            return found[1]
        return self.observances[0].before if self.observances else None


def read_zone(lines: Sequence[tuple[str, str]]) -> Zone:
    """The zone in the lines of a VTIMEZONE, which are pairs of a name in small letters and a value."""
    zone = Zone("", [])
    for name, value in lines:
        value = value.strip()
        if name == "tzid":
            zone.name = value.strip('"')[:100]
        elif name == "begin" and len(zone.observances) < _MAX_OBSERVANCES:
            zone.observances.append(Observance(rule={}, dates=[]))
        elif zone.observances:
            _take(zone.observances[-1], name, value)
    return zone


def _take(one: Observance, name: str, value: str) -> None:
    if name == "dtstart":
        one.begins = _stamp(value)
    elif name == "tzoffsetfrom":
        one.before = _seconds(value)
    elif name == "tzoffsetto":
        one.after = _seconds(value)
    elif name == "rrule":
        one.rule = dict(word.upper().split("=", 1) for word in value.split(";") if "=" in word)
    elif name == "rdate" and len(one.dates) < _MAX_DATES:
        one.dates += [when for text in value.split(",")[:_MAX_DATES] if (when := _stamp(text)) is not None]


def utc_of(local: datetime, name: str, zones: Mapping[str, Zone]) -> datetime | None:
    """The time in UTC, None for a zone that is not known and for times without one."""
    if name == "UTC":
        return local.replace(tzinfo=UTC)
    found = _IANA.fullmatch(name)
    known = _by_name(local, found[1]) if found else None
    if known is not None:
        return known
    zone = zones.get(name)
    offset = zone.offset(local) if zone is not None else None
    try:
        if offset is not None:
            return (local - timedelta(seconds=offset)).replace(tzinfo=UTC)
    except OverflowError:
        return None
    key = _MICROSOFT.get(name.lower())
    return _by_name(local, key) if key else None


def _by_name(local: datetime, key: str) -> datetime | None:
    from zoneinfo import ZoneInfo

    try:
        return local.replace(tzinfo=ZoneInfo(key)).astimezone(UTC)
    except (LookupError, ValueError, OSError, OverflowError):
        return None


def _in_year(year: int, begins: datetime, rule: Mapping[str, str]) -> datetime | None:
    """When a yearly rule falls in that year: by its month, and its day of the week or of the month."""
    month = rule.get("BYMONTH", str(begins.month))
    number = int(month) if month.isascii() and month.isdigit() and 1 <= int(month) <= 12 else begins.month
    last = monthrange(year, number)[1]
    days = list(range(1, last + 1))
    if "BYMONTHDAY" in rule:
        wanted = {text.strip() for text in rule["BYMONTHDAY"].split(",")[:31]}
        days = [day for day in days if str(day) in wanted or str(day - last - 1) in wanted]
    weekday = _DAY.fullmatch(rule.get("BYDAY", ""))
    if weekday is not None:
        days = [day for day in days if datetime(year, number, day).weekday() == _WEEK.index(weekday[2])]
        place = int(weekday[1] or 1)
        days = days[place - 1 : place] if place > 0 else days[place : place + 1 or None]
    else:
        days = days[:1] if "BYMONTHDAY" in rule else [min(begins.day, last)]
    return begins.replace(year=year, month=number, day=days[0]) if days else None


def _stamp(text: str) -> datetime | None:
    found = _STAMP.match(text.strip())
    try:
        return datetime(*(int(part or 0) for part in found.groups())) if found else None  # type: ignore[arg-type]
    except ValueError:
        return None


def _seconds(text: str) -> int:
    found = _OFFSET.match(text)
    if found is None:
        return 0
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4] or 0)
    return -seconds if found[1] == "-" else seconds
