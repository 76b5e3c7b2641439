"""Whom a message puts on the notification list."""

from typing import Any

import pytest

from eventum.issues.issue import ACTIONS, Subscription
from eventum.issues.people import Role
from eventum.issues.subscriptions import MOST, from_message
from eventum.mail.address import Address


def added(world: Any, message: Any, issue: Any, *users: Any) -> dict[str, tuple[str, ...]]:
    entries, rows = from_message(message, issue, world.people(*users), world.own)
    assert len(rows) <= MOST and len({entry.address for entry in entries}) == len(entries)
    return {entry.address: entry.actions for entry in entries}


def test_the_reporter_and_the_people_he_wrote_to_are_put_on_the_list(world: Any) -> None:
    message = world.filing(cc=(Address("Friend", "friend@else.example"), Address("", "help@example.org")))
    assert added(world, message, world.issue()) == {"customer@else.example": ACTIONS, "friend@else.example": ACTIONS}


def test_another_sender_is_told_of_emails(world: Any) -> None:
    message = world.filing(from_=Address("", "friend@else.example"))
    issue = world.issue(repliers=("friend@else.example",))
    assert added(world, message, issue) == {"friend@else.example": ("emails",)}


@pytest.mark.parametrize(
    "fields",
    [
        {"blocked": "not_entitled", "kind": "note"},
        {"automatic": "auto-reply"},
        {"automatic": "bounce"},
        {"kind": "draft"},
    ],
)
def test_blocked_mail_machines_and_drafts_put_nobody_on_the_list(world: Any, fields: dict[str, Any]) -> None:
    fields = {"kind": "email", **fields}
    message = world.filing(fields.pop("kind"), cc=(Address("", "accomplice@evil.example"),), **fields)
    assert added(world, message, world.issue()) == {}


def test_a_sender_that_is_not_clear_is_not_put_on_the_list(world: Any) -> None:
    message = world.filing(verified="none", cc=(Address("", ""), Address("", "friend@else.example")))
    assert added(world, message, world.issue()) == {"friend@else.example": ACTIONS}


def test_our_own_addresses_are_never_on_a_list(world: Any) -> None:
    ours = tuple(Address("", one) for one in ("support@example.org", "issue-42@example.org", "issue-9@example.org"))
    assert list(added(world, world.filing(to=ours, cc=ours), world.issue())) == ["customer@else.example"]


def test_who_is_on_the_list_keeps_his_choice(world: Any) -> None:
    bob = world.user("bob", aliases=("bob@home.example",))
    message = world.filing(cc=(Address("", "bob@home.example"), Address("", "friend@else.example")))
    issue = world.issue(
        subscriptions=(Subscription(bob.email, bob.id, ()), Subscription("friend@else.example", "", ("closed",)))
    )
    assert added(world, message, issue, bob) == {"customer@else.example": ACTIONS}


def test_a_user_is_listed_under_his_own_address(world: Any) -> None:
    bob = world.user("bob", aliases=("bob@home.example",))
    message = world.filing(to=(Address("", "bob@home.example"), Address("", bob.email)))
    entries, _ = from_message(message, world.issue(reporter=""), world.people(bob), world.own)
    assert Subscription(bob.email, bob.id, ACTIONS) in entries
    assert [entry.user for entry in entries].count(bob.id) == 1


@pytest.mark.parametrize(
    ("role", "active", "listed"), [(None, True, False), (Role.viewer, True, True), (Role.standard, False, False)]
)
def test_users_who_may_not_see_the_issue_are_not_listed(
    world: Any, role: Role | None, active: bool, listed: bool
) -> None:
    bob = world.user("bob", role, active=active)
    message = world.filing(cc=(Address("", bob.email),))
    assert (bob.email in added(world, message, world.issue(), bob)) is listed


def test_a_note_puts_only_staff_on_the_list(world: Any) -> None:
    ann, bob, eve = world.user("ann"), world.user("bob"), world.user("eve", Role.reporter)
    message = world.filing(
        "note",
        from_=Address("", ann.email),
        to=(Address("", bob.email), Address("", eve.email), Address("", "customer@else.example")),
    )
    assert added(world, message, world.issue(), ann, bob, eve) == {ann.email: ACTIONS, bob.email: ACTIONS}


def test_a_mail_to_hundreds_does_not_fill_the_list(world: Any) -> None:
    crowd = tuple(Address("", f"p{number}@else.example") for number in range(500))
    assert len(added(world, world.filing(cc=crowd), world.issue())) <= MOST


def test_each_address_has_one_row_that_says_why(world: Any) -> None:
    message = world.filing(cc=(Address("", "friend@else.example"),))
    _, rows = from_message(message, world.issue(), world.people(), world.own)
    assert [(row.rule, row.saw) for row in rows] == [
        ("takes_part", "customer@else.example"),
        ("own_address", "support@example.org"),
        ("takes_part", "friend@else.example"),
    ]
