from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from eventum.mail.envelope import HEAD, Envelope, Posting, read, read_head, stamp

NOW = datetime(2026, 11, 22, 15, 0, 53, 774891, tzinfo=UTC)

wordy = st.lists(
    st.sampled_from(["word", "wörter", "障害", " ", "  ", "\\", "\\u0041", "\r\n ", "x" * 120]), max_size=60
)
anything = st.text(st.characters(), max_size=300) | wordy.map(" ".join)  # lone surrogates too
numbers = st.integers(min_value=0, max_value=10**9)
times = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 1), timezones=st.just(UTC))
envelopes = st.builds(
    Envelope,
    destination=anything,
    received=times,
    sender=st.none() | anything,
    recipients=st.lists(anything, max_size=5).map(tuple),
    source=anything,
    quiet=st.booleans(),
)
postings = st.builds(
    Posting,
    key=anything,
    recipient=anything,
    sender=anything,
    type=anything,
    issue=numbers,
    event=numbers,
    message_id=anything,
    subject=anything,
    queued=times,
)
traces = envelopes | postings
raws = st.binary(max_size=300)

ENVELOPE = Envelope(destination="imap-1", received=NOW, sender="", recipients=("issue-42@tracker.example.org",))
POSTING = Posting(
    key="ab" * 32,
    recipient="anna@example.org",
    sender="",
    type="new_issue",
    issue=42,
    event=3,
    message_id="<eventum.42.3.0.x@h>",
    subject="[#42] New Issue: 障害 – the printer burns",
    queued=NOW,
)


@given(traces, raws)
def test_what_was_stamped_is_read_back_byte_for_byte(trace, raw):
    data = stamp(trace, raw)
    assert read(data) == (trace, raw)
    assert read_head(data) == trace


@given(traces, raws)
def test_every_line_of_the_block_is_a_named_header_of_ours(trace, raw):
    data = stamp(trace, raw)
    block = data[: len(data) - len(raw)].decode("utf-8")
    for line in block.removesuffix("\r\n").split("\r\n"):
        assert line.startswith(("X-Eventum-", " "))
        assert line.strip(" ")
        assert "\r" not in line and "\n" not in line
    assert block.endswith("\r\nX-Eventum-End: mail follows\r\n")


@pytest.mark.parametrize("trace", [ENVELOPE, POSTING], ids=["in", "out"])
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b" a continuation line\r\n\r\nbody",
        b"X-Eventum-Sender: admin@example.org\r\nSubject: x\r\n\r\n",
        b"X-Eventum-End: mail follows\r\nX-Eventum-Destination: other\r\n\r\n",
        b"\r\nX-Eventum-End: mail follows\r\n\r\n",
        b"X-Eventum-Trace: in 1\r\nX-Eventum-Destination: other\r\nX-Eventum-End: mail follows\r\n\r\n",
        stamp(ENVELOPE, b"an inner mail"),
        stamp(POSTING, b"an inner mail"),
    ],
)
def test_a_mail_that_begins_with_our_names_stays_the_mail(trace, raw):
    assert read(stamp(trace, raw)) == (trace, raw)


@given(raws)
def test_bytes_without_our_first_line_are_not_touched(raw):
    assert read(raw) == (None, raw)


@given(traces, st.data())
def test_a_damaged_block_gives_the_whole_file_or_a_trace_but_never_an_error(trace, data):
    whole = stamp(trace, b"body")
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:place] + data.draw(st.binary(max_size=3)) + whole[place + 1 :]
    found, rest = read(broken)
    assert found is not None or rest == broken


@pytest.mark.parametrize("trace", [ENVELOPE, POSTING], ids=["in", "out"])
def test_a_block_that_is_cut_is_not_taken_for_ours(trace):
    whole = stamp(trace, b"")
    assert all(read(whole[:length]) == (None, whole[:length]) for length in range(len(whole)))


def test_a_head_is_enough_for_the_longest_subject_there_is():
    long = Posting(
        key="k" * 64,
        recipient=f"{'r' * 64}@{'d' * 185}",
        sender=f"{'s' * 64}@{'d' * 185}",
        type="acknowledgement",
        message_id="<" + "i" * 600 + ">",
        subject="障" * 998,
        queued=NOW,
    )
    assert read_head(stamp(long, b"x" * 100_000)[:HEAD]) == long


def test_a_head_that_does_not_hold_the_block_gives_nothing():
    many = Envelope(destination="a", received=NOW, recipients=tuple(f"{number}@example.org" for number in range(1000)))
    data = stamp(many, b"raw")
    assert read_head(data[:HEAD]) is None
    assert read_head(data) == many


def test_names_that_we_do_not_know_yet_are_passed_over():
    newer = stamp(ENVELOPE, b"raw").replace(b"X-Eventum-Quiet", b"X-Eventum-Colour: red\r\nX-Eventum-Quiet", 1)
    assert read(newer) == (ENVELOPE, b"raw")


def test_a_long_value_is_folded_where_a_reader_of_mail_expects_it():
    long = Posting(**{**structs.asdict(POSTING), "subject": "words and words " * 30})
    data = stamp(long, b"")
    assert max(map(len, data.split(b"\r\n"))) < 140
    assert read(data) == (long, b"")


def test_a_time_without_a_zone_is_not_one_that_we_wrote():
    data = stamp(ENVELOPE, b"raw").replace(b"+00:00", b"")
    assert read(data) == (None, data)


def test_other_time_zones_are_written_as_utc():
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert b"X-Eventum-Received: 2026-11-22T15:00:53.774891+00:00\r\n" in stamp(
        Envelope(destination="a", received=there), b""
    )


def test_a_person_can_read_the_block_and_a_mail_reader_the_mail():
    data = stamp(POSTING, b"Subject: hello\r\nFrom: a@b\r\n\r\nbody\r\n")
    assert "X-Eventum-Subject: [#42] New Issue: 障害 – the printer burns\r\n".encode() in data
    shown = message_from_bytes(data)
    assert shown["Subject"] == "hello"
    assert shown["X-Eventum-Recipient"] == "anna@example.org"
    assert shown.get_payload() == "body\r\n"
