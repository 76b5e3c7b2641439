"""The issue's number in addresses and subjects, both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.issues.accounts import Account
from eventum.issues.routing import (
    Route,
    Tag,
    issue_address,
    own_addresses,
    read_tag,
    routes,
    tagged_subject,
)
from eventum.issues.settings import AddressRouting, General, Smtp

ON = General(
    email_routing=AddressRouting(enabled=True, prefix="issue-", host="example.org", host_aliases=("old.example",)),
    note_routing=AddressRouting(enabled=True, prefix="note-", host="example.org"),
    draft_routing=AddressRouting(enabled=True, prefix="Draft+", host="Example.org"),
)
NUMBERS = st.integers(1, 999_999_999)
KINDS = st.sampled_from(("email", "note", "draft"))


@given(NUMBERS, KINDS, st.booleans())
def test_the_address_we_write_is_the_address_we_read(number: int, kind: Any, upper: bool) -> None:
    address = issue_address(number, kind, ON)
    assert routes([address.upper() if upper else address], ON) == (Route(kind, number),)
    assert address in own_addresses(ON, [], [])


@given(NUMBERS, st.text(max_size=40))
def test_the_tag_we_write_is_the_tag_we_read(number: int, subject: str) -> None:
    written = tagged_subject(number, subject)
    assert read_tag(written) == Tag(
        number, internal=written.startswith((f"[#{number}] Note:", f"[#{number}] BLOCKED:"))
    )
    assert tagged_subject(number, written) == written
    assert written.count(f"[#{number}]") == 1


@pytest.mark.parametrize(
    "address",
    [
        "tissue-42@example.org",
        "issue-42@example.org.evil.example",
        "issue-42@sub.example.org",
        "issue-@example.org",
        "issue-0@example.org",
        "issue-４２@example.org",
        "issue--1@example.org",
        "issue-42x@example.org",
        "issue-1234567890@example.org",
        "issue-42",
        "@example.org",
        "",
        "issue-42@@example.org",
        "draft-42@example.org",
        "note-42@old.example",
    ],
)
def test_the_whole_address_must_match(address: str) -> None:
    assert routes([address], ON) == ()


def test_every_address_counts_in_its_order_and_once() -> None:
    addresses = [
        "support@example.org",
        "issue-7@OLD.example",
        "note-3@example.org",
        "ISSUE-7@example.org",
        "issue-007@old.example",
    ]
    assert routes(addresses, ON) == (Route("email", 7), Route("note", 3))


def test_what_is_off_or_has_no_host_has_no_address() -> None:
    assert issue_address(42, "email", General()) == ""
    no_host = General(email_routing=AddressRouting(enabled=True, prefix="issue-"))
    assert issue_address(42, "email", no_host) == "" and routes(["issue-42@"], no_host) == ()
    off = General(email_routing=AddressRouting(enabled=False, prefix="issue-", host="example.org"))
    assert issue_address(42, "email", off) == "" and routes(["issue-42@example.org"], off) == ()


@pytest.mark.parametrize(
    ("subject", "tag"),
    [
        ("Re: [#42] broken", Tag(42)),
        ("[#42]", Tag(42)),
        ("AW: [#42] Note: broken", Tag(42, internal=True)),
        ("Re: [#42] BLOCKED: broken", Tag(42, internal=True)),
        ("[#42] Notebook broken", Tag(42)),
        ("[#1] and [#2]", Tag(1)),
        ("[#0] broken", None),
        ("[#-1] broken", None),
        ("[#1２] broken", None),
        ("[#１２] broken", None),
        ("[#100000000000000000000] broken", None),
        ("[# 42] broken", None),
        ("#42 broken", None),
        ("[#../1] broken", None),
        ("", None),
    ],
)
def test_a_tag_is_only_ascii_digits_in_brackets(subject: str, tag: Tag | None) -> None:
    assert read_tag(subject) == tag


@pytest.mark.parametrize(
    ("subject", "tagged"),
    [
        ("broken", "[#42] broken"),
        ("Re: [#42] broken", "[#42] Re: broken"),
        ("[#42] Re: [#42] broken", "[#42] Re: broken"),
        ("Re: [#7] broken", "[#42] Re: [#7] broken"),
        ("", "[#42]"),
    ],
)
def test_a_tagged_subject_has_its_own_tag_once_and_in_front(subject: str, tagged: str) -> None:
    assert tagged_subject(42, subject) == tagged


def test_our_own_addresses_are_those_we_send_and_receive_under(world: Any) -> None:
    general = General(
        smtp=Smtp(from_="Eventum <eventum@example.org>"),
        email_routing=AddressRouting(enabled=False, prefix="issue-", host="example.org"),
    )
    account = Account(
        id="a",
        project="support",
        type="imap",
        username="Box@example.org",
        addresses=("in@example.org",),
        created=world.now,
    )
    own = own_addresses(general, [world.project], [account])
    for address in (
        "eventum@example.org",
        "support@example.org",
        "HELP@example.org",
        "box@example.org",
        "in@example.org",
        "issue-42@example.org",
    ):
        assert address in own
    for other in ("customer@else.example", "", "issue-x@example.org", 42):
        assert other not in own


def test_an_address_a_mail_came_in_under_is_ours_for_that_mail(world: Any) -> None:
    own = world.own
    more = own.plus(["Alias@example.org", ""])
    assert "alias@example.org" in more and "support@example.org" in more and "issue-9@example.org" in more
    assert "alias@example.org" not in own and "" not in more
