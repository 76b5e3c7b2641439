"""Invitations: what, when and with whom is read out of a calendar, and rubbish in it does no harm."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.formats.calendar import Invitation
from eventum.mail.formats.icalendar import MAX_PERSONS, invitations
from eventum.mail.formats.zones import read_zone

ZONE = """TZID:Our Zone
BEGIN:STANDARD
DTSTART:19671029T020000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19870405T020000
RRULE:FREQ=YEARLY;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU;BYMONTH=3
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT"""


def event(*lines: str, zone: str = "") -> Invitation:
    around = f"BEGIN:VTIMEZONE\n{zone}\nEND:VTIMEZONE\n" if zone else ""
    text = (
        f"BEGIN:VCALENDAR\nMETHOD:REQUEST\n{around}BEGIN:VEVENT\n" + "\n".join(lines) + "\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    (found,) = invitations(text.encode(), "2")
    return found


def start(*lines: str, zone: str = "") -> tuple[str, str, datetime | None]:
    moment = event(*lines, zone=zone).start
    assert moment is not None
    return moment.local, moment.zone, moment.utc


@pytest.mark.parametrize(
    ("line", "local", "zone", "utc"),
    [
        ("DTSTART:20260715T100000Z", "2026-07-15T10:00:00", "UTC", datetime(2026, 7, 15, 10)),
        ("DTSTART:2026-07-15T10:00:00Z", "2026-07-15T10:00:00", "UTC", datetime(2026, 7, 15, 10)),
        ("DTSTART:20260715T100000", "2026-07-15T10:00:00", "", None),
        ("DTSTART;VALUE=DATE:20260715", "2026-07-15", "", None),
        ("DTSTART;TZID=Europe/Berlin:20260715T100000", "2026-07-15T10:00:00", "Europe/Berlin",
         datetime(2026, 7, 15, 8)),
        ("DTSTART;TZID=/x.example/2/Asia/Tokyo:20260715T100000", "2026-07-15T10:00:00", "/x.example/2/Asia/Tokyo",
         datetime(2026, 7, 15, 1)),
        ('DTSTART;TZID="W. Europe Standard Time":20261215T100000', "2026-12-15T10:00:00", "W. Europe Standard Time",
         datetime(2026, 12, 15, 9)),
        ("DTSTART;TZID=../../etc/passwd:20260715T100000", "2026-07-15T10:00:00", "../../etc/passwd", None),
        ("DTSTART;TZID=No/Where:20260715T100000", "2026-07-15T10:00:00", "No/Where", None),
        ("DTSTART;TZID=Asia/Tokyo:00010101T000000", "0001-01-01T00:00:00", "Asia/Tokyo", None),
        ("DTSTART;TZID=Our Zone:20260715T100000", "2026-07-15T10:00:00", "Our Zone", datetime(2026, 7, 15, 14)),
        ("DTSTART;TZID=Our Zone:20261215T100000", "2026-12-15T10:00:00", "Our Zone", datetime(2026, 12, 15, 15)),
        ("DTSTART;TZID=Our Zone:20260308T015959", "2026-03-08T01:59:59", "Our Zone", datetime(2026, 3, 8, 6, 59, 59)),
        ("DTSTART;TZID=Our Zone:20260308T030000", "2026-03-08T03:00:00", "Our Zone", datetime(2026, 3, 8, 7)),
        ("DTSTART;TZID=Our Zone:19600101T000000", "1960-01-01T00:00:00", "Our Zone", datetime(1960, 1, 1, 4)),
    ],
)  # fmt: skip
def test_a_time_is_read_with_its_zone(line: str, local: str, zone: str, utc: datetime | None) -> None:
    assert start(line, zone=ZONE) == (local, zone, utc.replace(tzinfo=UTC) if utc else None)


@pytest.mark.parametrize("line", ["DTSTART:", "DTSTART:tomorrow", "DTSTART:20261399T000000", "DTSTART;X", "SUMMARY:x"])
def test_a_time_that_is_none_is_left_out(line: str) -> None:
    assert event(line).start is None


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (("DTSTART:20260715T100000Z", "DURATION:PT1H30M"), "2026-07-15T11:30:00"),
        (("DTSTART:20260715T100000Z", "DURATION:P1W"), "2026-07-22T10:00:00"),
        (("DTSTART;VALUE=DATE:20260715", "DTEND;VALUE=DATE:20260716"), "2026-07-15"),
        (("DTSTART;VALUE=DATE:20260715", "DTEND;VALUE=DATE:20260718"), "2026-07-17"),
        (("DTSTART;VALUE=DATE:20260715", "DURATION:P2D"), "2026-07-16"),
        (("DTSTART;VALUE=DATE:20260715", "DTEND;VALUE=DATE:20260715"), "2026-07-15"),
    ],
)
def test_the_end_is_when_it_ends(lines: tuple[str, str], end: str) -> None:
    moment = event(*lines).end
    assert moment is not None and moment.local == end


def test_an_end_beyond_all_times_is_left_out() -> None:
    assert event("DTSTART:99991231T235959Z", "DURATION:P99999W").end is None
    assert event("DTSTART:20260715T100000Z", "DURATION:soon").end is None


def test_persons_have_names_addresses_and_answers() -> None:
    found = event(
        'ORGANIZER;CN="Doe: Jane; X":mailto:Jane@X.example',
        "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE;CN=Bob:MAILTO:bob@x.example",
        "ATTENDEE:invalid:nobody",
    )
    assert found.organizer is not None
    assert (found.organizer.name, found.organizer.address) == ("Doe: Jane; X", "jane@x.example")
    assert [(one.address, one.answer, one.optional) for one in found.attendees] == [
        ("bob@x.example", "tentative", True),
        ("", "", False),
    ]


def test_folded_lines_and_escapes_are_read_and_alarms_are_not() -> None:
    alarm = ("BEGIN:VALARM", "DESCRIPTION:no", "END:VALARM")
    found = event("SUMMARY:One\\, two\\; th", " ree", "DESCRIPTION:a\\nb", *alarm, "STATUS:TENTATIVE")
    assert (found.summary, found.description, found.status) == ("One, two; three", "a\nb", "tentative")


def test_an_event_without_its_end_is_an_event() -> None:
    assert [one.summary for one in invitations(b"BEGIN:VEVENT\nSUMMARY:x", "1", None, "REPLY")] == ["x"]


def test_there_are_only_so_many_persons() -> None:
    assert len(event(*["ATTENDEE:mailto:a@x.example"] * 200).attendees) == MAX_PERSONS


def test_a_zone_without_rules_has_no_distance() -> None:
    assert read_zone([]).offset(datetime(2026, 1, 1)) is None


LINES = st.lists(
    st.sampled_from(
        [
            "BEGIN:VEVENT",
            "END:VEVENT",
            "BEGIN:VTIMEZONE",
            "END:VTIMEZONE",
            "BEGIN:STANDARD",
            "END:STANDARD",
            "DTSTART:x",
        ]
        + ["DTSTART;TZID=Z:20260101T000000", "TZID:Z", "TZOFFSETTO:+9999", "TZOFFSETFROM:-01", "DTEND:99991231T000000"]
        + [
            "RRULE:FREQ=YEARLY;BYMONTH=99;BYDAY=-9MO",
            "RRULE:FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2",
            ";:",
            "DURATION:-P1D",
        ]
        + ["DTSTART:00010101T000000", "ATTENDEE;=;:", 'ORGANIZER;CN="x', " folded", "RDATE:20260101T000000,x"]
    ),
    max_size=25,
)


@given(LINES)
def test_any_lines_are_read_without_an_error(lines: list[str]) -> None:
    invitations("\r\n".join(lines).encode(), "1")


@pytest.mark.parametrize(
    "piece", [";X=y", ';"', '"', ";", "a:", " \n ", "\n ", "\\n", "BEGIN:VEVENT\n", "\nATTENDEE;CN=x:y"]
)
def test_a_hostile_calendar_takes_no_time(piece: str) -> None:
    start = time.process_time()
    invitations(b"BEGIN:VEVENT\nSUMMARY" + piece.encode() * 100_000, "1")
    assert time.process_time() - start < 3
