"""Who may mail an issue."""

from typing import Any

import pytest
from msgspec.structs import replace

from eventum.issues.admission import Accept, Answer, Block, Facts, admit, facts_of
from eventum.issues.people import Role

ACCEPT, STRANGER = Accept(), Block("not_entitled")


@pytest.mark.parametrize(
    ("facts", "answer", "rule"),
    [
        ({}, STRANGER, "stranger"),
        ({"reporter": True}, ACCEPT, "reporter"),
        ({"replier": True}, ACCEPT, "authorised_replier"),
        ({"assignee": True, "role": Role.viewer}, ACCEPT, "assignee"),
        ({"assignee": True}, STRANGER, "stranger"),
        ({"role": Role.administrator}, STRANGER, "stranger"),
        ({"role": Role.standard, "staff_may_mail": True}, ACCEPT, "staff_may_mail"),
        ({"role": Role.reporter, "staff_may_mail": True}, STRANGER, "stranger"),
        ({"staff_may_mail": True}, STRANGER, "stranger"),
        ({"reporter": True, "automatic": "bounce"}, Block("bounce"), "bounce"),
        ({"reporter": True, "automatic": "auto-reply"}, Block("automatic"), "automatic"),
        ({"reporter": True, "automatic": "bulk"}, Block("automatic"), "automatic"),
        ({"reporter": True, "automatic": "list"}, ACCEPT, "reporter"),
        ({"reporter": True, "sender": ""}, Block("sender_not_clear"), "sender_not_clear"),
        ({"reporter": True, "own": True}, STRANGER, "own_address"),
        ({"reporter": True, "replier": True, "inactive": True}, STRANGER, "inactive"),
        ({"kind": "note", "role": Role.standard}, ACCEPT, "note_by_staff"),
        ({"kind": "note", "role": Role.reporter, "reporter": True}, STRANGER, "note_by_staff"),
        ({"kind": "note", "reporter": True}, STRANGER, "note_by_staff"),
        ({"kind": "draft", "role": Role.developer}, ACCEPT, "note_by_staff"),
        ({"kind": "draft"}, STRANGER, "note_by_staff"),
        ({"kind": "note", "role": Role.standard, "inactive": True}, STRANGER, "inactive"),
    ],
)
def test_who_may_mail_an_issue(facts: dict[str, Any], answer: Answer, rule: str) -> None:
    said, rows = admit(Facts(**{"sender": "a@b.example", **facts}))
    assert (said, rows[-1].rule) == (answer, rule)


def test_the_facts_are_found_under_any_address_of_a_user(world: Any) -> None:
    bob = world.user("bob", Role.viewer, aliases=("bob@home.example",))
    people = world.people(bob)
    issue = world.issue(reporter="bob@home.example", assignees=(bob.id,), repliers=("bob@example.org",))
    facts = facts_of("bob@example.org", issue, people, kind="email", automatic="", own=False)
    assert facts.reporter and facts.assignee and facts.replier and facts.role is Role.viewer
    assert not (facts.inactive or facts.staff_may_mail or facts.own)


@pytest.mark.parametrize("kind", ["email", "note", "draft"])
def test_a_sender_that_is_not_clear_is_nobody(world: Any, kind: Any) -> None:
    issue = world.issue(reporter="", repliers=("",))
    facts = facts_of("", issue, world.people(), kind=kind, automatic="", own=False)
    assert not facts.reporter and not facts.replier
    assert admit(facts)[0] == Block("sender_not_clear")


def test_the_project_may_let_all_its_staff_mail(world: Any) -> None:
    bob = world.user("bob")
    world.project = replace(world.project, staff_may_mail=True)
    facts = facts_of(bob.email, world.issue(), world.people(bob), kind="email", automatic="", own=False)
    assert admit(facts)[0] == ACCEPT


def test_a_stranger_with_the_right_number_is_blocked(world: Any) -> None:
    facts = facts_of("eve@evil.example", world.issue(), world.people(), kind="email", automatic="", own=False)
    said, rows = admit(facts)
    assert said == STRANGER
    assert (rows[-1].saw, rows[-1].answer) == ("eve@evil.example", "blocked:not_entitled")
