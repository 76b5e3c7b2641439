"""The reader of calendar parts (RFC 5545): lines of components in, an `Invitation` for each event out; never an error.

What is not understood is left out: an invitation without its time still says who asks for what.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from eventum.mail.address import is_address, normalise
from eventum.mail.charsets.charset import decode
from eventum.mail.formats.calendar import Invitation, Moment, Person
from eventum.mail.formats.zones import Zone, read_zone, utc_of
from eventum.mail.words import clean_line

MAX_BYTES: Final = 500_000
MAX_LINES: Final = 20_000
MAX_EVENTS: Final = 21  # One more than is shown: so that somebody sees that there are more.
MAX_PERSONS: Final = 100
MAX_ZONES: Final = 50
_SHORT: Final = 500  # characters of a summary, a place, a name
_LONG: Final = 10_000  # of a description
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_LINE: Final = re.compile(
    r"""([A-Za-z0-9-]{1,60})                          # the name
        ((?: ; (?: "[^"]*" | [^":;]++ )*+ )*+)        # its parameters
        : (.*)""",
    re.VERBOSE | re.DOTALL,
)
_PARAMETER: Final = re.compile(r""";([A-Za-z0-9-]{1,60})=("[^"]*"|[^;]*)""")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_TIME: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T?(\d\d):?(\d\d):?(\d\d)?(Z?))?", re.IGNORECASE | re.ASCII)
_DURATION: Final = re.compile(
    r"""([+-])? P (?:(\d{1,5})W)? (?:(\d{1,5})D)? (?: T (?:(\d{1,5})H)? (?:(\d{1,5})M)? (?:(\d{1,5})S)? )?""",
    re.VERBOSE | re.ASCII,
)
_METHODS: Final = frozenset({"publish", "request", "reply", "add", "cancel", "refresh", "counter", "declinecounter"})
_STATUS: Final = frozenset({"tentative", "confirmed", "cancelled"})
_ANSWERS: Final = frozenset({"accepted", "declined", "tentative", "delegated"})
_REPEATS: Final = frozenset({"secondly", "minutely", "hourly", "daily", "weekly", "monthly", "yearly"})


class Property(NamedTuple):
    """One line of a component."""

    name: str
    parameters: dict[str, str]
    value: str


def invitations(data: bytes, part: str, declared: str | None = None, method: str = "") -> tuple[Invitation, ...]:
    """The events of a calendar that is this part of a mail; `method` is what its Content-Type says."""
    zones: dict[str, Zone] = {}
    events: list[list[Property]] = []
    for name, lines in _components(decode(data[:MAX_BYTES], declared)):
        if name == "vcalendar":
            method = next((line.value for line in lines if line.name == "method"), method)
        elif name == "vtimezone" and len(zones) < MAX_ZONES:
            zone = read_zone([(line.name, line.value) for line in lines])
            zones[zone.name] = zone
        elif name == "vevent" and len(events) < MAX_EVENTS:
            events.append(lines)
    method = method.strip().lower()
    return tuple(_invitation(event, part, method if method in _METHODS else "", zones) for event in events)


def _components(text: str) -> Iterator[tuple[str, list[Property]]]:
    """The events and zones with their lines, those of what stands in a zone too, but not alarms; the calendar last."""
    calendar: list[Property] = []
    found: list[Property] = []
    kind, inner = "", 0
    for line in _FOLD.sub("", text).splitlines()[:MAX_LINES]:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        name, value = match[1].lower(), match[3]
        if name in ("begin", "end") and kind != "vtimezone":
            component = value.strip().lower()
            if name == "end" and component == kind and not inner:
                yield kind, found
                kind = ""
            elif not kind and name == "begin" and component in ("vevent", "vtimezone"):
                kind, found, inner = component, [], 0
            elif kind:
                inner = max(0, inner + (1 if name == "begin" else -1))
            continue
        if kind == "vtimezone" and name == "end" and value.strip().lower() == kind:
            yield kind, found
            kind = ""
        elif not inner:
            said = {key.lower(): text.strip('"') for key, text in _PARAMETER.findall(match[2])} if match[2] else {}
            (found if kind else calendar).append(Property(name, said, value))
    if kind:  # The end is missing.
        yield kind, found
    yield "vcalendar", calendar


def _invitation(lines: Sequence[Property], part: str, method: str, zones: dict[str, Zone]) -> Invitation:
    first: dict[str, Property] = {}
    for line in lines:
        first.setdefault(line.name, line)
    start = _moment(first.get("dtstart"), zones)
    all_day = start is not None and "T" not in start.local
    rule = first["rrule"].value.strip()[:_SHORT] if "rrule" in first else ""
    repeats = next((word[5:].lower() for word in rule.split(";") if word.upper().startswith("FREQ=")), "")
    status = _line(first, "status").lower()
    sequence = _line(first, "sequence")
    organizer = first.get("organizer")
    return Invitation(
        part=part,
        method=method,
        uid=_line(first, "uid"),
        sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 9 else 0,
        summary=_line(first, "summary"),
        start=start,
        end=_end(first, start, zones),
        all_day=all_day,
        location=_line(first, "location"),
        organizer=_person(organizer) if organizer is not None else None,
        attendees=tuple([_person(line) for line in lines if line.name == "attendee"][:MAX_PERSONS]),
        status=status if status in _STATUS else "",
        repeats=repeats if repeats in _REPEATS else "",
        rule=clean_line(rule, _SHORT),
        description=_paragraphs(first["description"].value) if "description" in first else "",
    )


def _plain(value: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def _line(first: dict[str, Property], name: str) -> str:
    return clean_line(_plain(first[name].value), _SHORT) if name in first else ""


def _paragraphs(value: str) -> str:
    lines = _plain(value[: 2 * _LONG]).split("\n")
    return "\n".join(clean_line(line, _LONG) for line in lines)[:_LONG].strip()


def _person(line: Property) -> Person:
    address = line.value.strip()
    if address.lower().startswith("mailto:"):
        address = address[7:].strip()
    answer = line.parameters.get("partstat", "").lower()
    return Person(
        address=normalise(address) if is_address(address) else "",
        name=clean_line(line.parameters.get("cn", ""), _SHORT),
        answer=answer if answer in _ANSWERS else "",
        optional=line.parameters.get("role", "").upper() in ("OPT-PARTICIPANT", "NON-PARTICIPANT"),
    )


def _moment(line: Property | None, zones: dict[str, Zone]) -> Moment | None:
    found = _TIME.match(line.value.strip()) if line is not None else None
    if line is None or found is None:
        return None
    try:
        if found[4] is None or line.parameters.get("value", "").upper() == "DATE":
            return Moment(date(int(found[1]), int(found[2]), int(found[3])).isoformat())
        parts = [int(part or 0) for part in found.groups()[:6]]
        parts[5] = min(parts[5], 59)  # a leap second
        local = datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return None
    zone = "UTC" if found[7] else clean_line(line.parameters.get("tzid", ""), 100)
    return Moment(local.isoformat(), zone, utc_of(local, zone, zones))


def _end(first: dict[str, Property], start: Moment | None, zones: dict[str, Zone]) -> Moment | None:
    """When the event ends: of whole days the last one, which its DTEND is behind."""
    end = _moment(first.get("dtend"), zones)
    try:
        if end is None and start is not None and "duration" in first:
            return _later(start, _duration(first["duration"].value), zones)
        if end is not None and "T" not in end.local and start is not None and end.local > start.local:
            return Moment((date.fromisoformat(end.local) - timedelta(days=1)).isoformat())
    except (OverflowError, ValueError):
        return None
    return end


def _later(start: Moment, duration: timedelta, zones: dict[str, Zone]) -> Moment:
    if "T" not in start.local:
        days = max(duration.days - 1, 0)
        return Moment((date.fromisoformat(start.local) + timedelta(days=days)).isoformat())
    local = datetime.fromisoformat(start.local) + duration
    return Moment(local.isoformat(), start.zone, utc_of(local, start.zone, zones))


def _duration(value: str) -> timedelta:
    found = _DURATION.match(value.strip())
    if found is None:
        raise ValueError(value)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -duration if found[1] == "-" else duration
