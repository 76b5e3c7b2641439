"""What stands in a canned response when it is put into an answer."""

from typing import Any

import pytest

from eventum.issues.responses import PLACES, filled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dear {{ reporter_name }},", "Dear Ana,"),
        ("{{reporter_name}}", "Ana"),
        ("#{{ number }}: {{ summary }}", "#42: The printer is on fire"),
        ("{{ project }}, {{ my_name }}", "Support, Bob"),
        (
            "{{ 7*7 }} {{ config }} {% if x %} {{ my_name|upper }}",
            "{{ 7*7 }} {{ config }} {% if x %} {{ my_name|upper }}",
        ),
        ("{{ my_name.__class__ }}", "{{ my_name.__class__ }}"),
    ],
)
def test_places_are_filled_and_everything_else_stays(world: Any, text: str, said: str) -> None:
    bob = world.user("bob")
    assert filled(text, world.issue(), world.people(bob), bob, reporter_name="Ana") == said


def test_a_value_is_not_looked_at_for_places(world: Any) -> None:
    bob = world.user("bob")
    issue = world.issue(summary="{{ my_name }}")
    assert filled("{{ summary }}", issue, world.people(bob), bob) == "{{ my_name }}"


def test_a_reporter_who_is_a_user_is_called_by_his_name_and_a_stranger_by_his_address(world: Any) -> None:
    bob = world.user("bob")
    known, stranger = world.issue(reporter=bob.email), world.issue(reporter="ana@customer.example")
    assert filled("{{ reporter_name }}", known, world.people(bob), bob) == bob.name
    assert filled("{{ reporter_name }}", stranger, world.people(bob), bob) == "ana@customer.example"


def test_each_place_that_is_offered_is_filled(world: Any) -> None:
    bob = world.user("bob")
    for place in PLACES:
        assert "{" not in filled("{{ " + place + " }}", world.issue(), world.people(bob), bob)
