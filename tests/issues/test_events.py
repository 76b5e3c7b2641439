"""An event and its JSON, both ways."""

from datetime import UTC, datetime, timezone
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventum.issues import events
from eventum.issues.events import Event, Filed, Filing, What, by_machine, decode, encode
from eventum.issues.trace import Row
from eventum.mail.address import Address
from eventum.mail.reading import Attachment

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))
ADDRESSES = st.builds(Address, TEXT, TEXT)
FILINGS = st.builds(
    Filing,
    key=TEXT,
    kind=st.sampled_from(("email", "note", "draft")),
    message_id=TEXT,
    digest=TEXT,
    from_=ADDRESSES,
    verified=TEXT,
    to=st.lists(ADDRESSES, max_size=2).map(tuple),
    cc=st.lists(ADDRESSES, max_size=2).map(tuple),
    subject=TEXT,
    date=st.none() | TIMES,
    received=TIMES,
    attachments=st.lists(st.builds(Attachment, TEXT, TEXT, TEXT, st.integers(0, 2**40)), max_size=2).map(tuple),
    outgoing=st.booleans(),
    blocked=TEXT,
    automatic=TEXT,
    duplicate_of=TEXT,
    parent=TEXT,
    trace=st.lists(st.builds(Row, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    destination=TEXT,
)
PLAIN = [st.builds(kind) for kind in get_args(What) if kind is not Filed]
EVENTS = st.builds(
    Event,
    number=st.integers(1, 2**31),
    when=TIMES,
    who=TEXT,
    what=st.one_of(st.builds(Filed, FILINGS, st.booleans()), *PLAIN),
    quiet=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_an_event_comes_back_from_its_json_as_it_was(event: Event) -> None:
    assert decode(encode(event)) == event


def test_the_json_names_what_happened_and_the_sender_as_people_do(world: Any) -> None:
    told = msgspec.json.decode(encode(world.event(Filed(world.filing()))))
    assert told["what"]["type"] == "filed"
    assert told["what"]["message"]["from"] == {"name": "Customer", "address": "customer@else.example"}
    assert "from_" not in told["what"]["message"]


def test_every_kind_of_event_has_a_name_of_its_own() -> None:
    tags = {kind.__struct_config__.tag for kind in get_args(What)}
    assert len(tags) == len(get_args(What)) == 15
    assert all(tag == tag.lower() for tag in tags)


def test_a_time_of_another_zone_is_the_same_moment_afterwards(world: Any) -> None:
    there = world.now.astimezone(timezone(offset=world.now.utcoffset()))
    event = Event(number=1, when=there, what=events.Reopened())
    assert decode(encode(event)).when == world.now


@pytest.mark.parametrize("data", [b"{}", b"[]", b"nonsense", b'{"number":1,"when":"x","what":{"type":"reopened"}}'])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(data)


@pytest.mark.parametrize(
    ("kind", "blocked", "internal"),
    [
        ("email", "", False),
        ("email", "automatic", True),
        ("note", "", True),
        ("note", "bounce", True),
        ("draft", "", True),
    ],
)
def test_notes_drafts_and_blocked_mails_are_internal(world: Any, kind: str, blocked: str, internal: bool) -> None:
    assert world.filing(kind, blocked=blocked).internal is internal


@pytest.mark.parametrize(
    ("automatic", "machine"),
    [("", False), ("list", False), ("bulk", True), ("bounce", True), ("auto-reply", True), ("auto-generated", True)],
)
def test_mail_of_a_discussion_list_was_written_by_a_person(automatic: str, machine: bool) -> None:
    assert by_machine(automatic) is machine
