"""Who is thanked for a new issue."""

from typing import Any

import pytest

from eventum.issues.acknowledgement import LIMIT, Facts, acknowledge


@pytest.mark.parametrize(
    ("facts", "thanked", "rule"),
    [
        ({}, True, "thanks"),
        ({"address": ""}, False, "no_address"),
        ({"quiet": True}, False, "quiet"),
        ({"own": True}, False, "own_address"),
        ({"may_answer": False}, False, "may_not_answer"),
        ({"inactive": True}, False, "inactive"),
        ({"by_reporter": True}, False, "own_action"),
        ({"today": LIMIT - 1}, True, "thanks"),
        ({"today": LIMIT}, False, "limit"),
        ({"today": 1000}, False, "limit"),
    ],
)
def test_who_is_thanked(facts: dict[str, Any], thanked: bool, rule: str) -> None:
    address, rows = acknowledge(Facts(**{"address": "a@b.example", **facts}))
    assert address == ("a@b.example" if thanked else "")
    assert rows[-1].rule == rule and rows[-1].answer == ("acknowledged" if thanked else "nobody")


def test_a_thousand_mails_in_one_name_are_answered_five_times() -> None:
    sent = 0
    for _ in range(1000):
        sent += bool(acknowledge(Facts(address="victim@else.example", today=sent))[0])
    assert sent == LIMIT == 5
