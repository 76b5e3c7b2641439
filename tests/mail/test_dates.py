"""Dates of header fields become times in UTC, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.dates import read_date, received_date


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("Mon, 16 Nov 2026 09:15:00 +0100", "2026-11-16T08:15:00"),
        ("16 Nov 2026 09:15 -0330 (NST)", "2026-11-16T12:45:00"),
        ("Mon, 16 Nov 2026 09:15:00 GMT", "2026-11-16T09:15:00"),
        ("Mon, 16 Nov 2026 09:15:00 EST", "2026-11-16T14:15:00"),
        ("Mon, 16 Nov 2026 09:15:00 XYZ", "2026-11-16T09:15:00"),
        ("Mon, 16 Nov 2026 09:15:00", "2026-11-16T09:15:00"),
        ("Mon, 16 November 2026 09:15:60 +0000", "2026-11-16T09:15:59"),
        ("16-Nov-2026 09:15:00 +0000", "2026-11-16T09:15:00"),
        ("Mon Nov 16 09:15:00 2026", "2026-11-16T09:15:00"),
        ("Mon Nov 16 09:15:00 JST 2026", "2026-11-16T00:15:00"),
        ("2026-11-16T09:15:00+01:00", "2026-11-16T08:15:00"),
        ("2026-11-16 09:15:00", "2026-11-16T09:15:00"),
        ("Mon, 16 Nov 26 9.15.00 PM +0000", "2026-11-16T21:15:00"),
        ("1 Jan 97 00:00:00 +0000", "1997-01-01T00:00:00"),
        ("1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00"),
        ("31 Dec 1969 23:59:59 +0000", None),
        ("31 Dec 9999 23:59:59 -1200", None),
        ("Mon, 31 Feb 2026 09:15:00 +0000", None),
        ("Mon, 16 Nov 2026 25:15:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_a_time_in_utc_or_nothing(text: str, time: str | None) -> None:
    found = read_date(text)
    assert (found.isoformat() if found else None) == (time and time + "+00:00")


def test_the_time_of_a_hop_stands_behind_the_last_semicolon() -> None:
    found = received_date("from a (b; c) by d with SMTP id 1 Jan 2001; Mon, 16 Nov 2026 09:15:00 +0100 (CET)")
    assert found is not None and found.isoformat() == "2026-11-16T08:15:00+00:00"


@given(st.text("0123456789 :.-+/,JanFebMonT", max_size=60))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = read_date(text)
    assert found is None or 1970 <= found.year <= 9999
