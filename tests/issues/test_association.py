"""Which issue a mail belongs to."""

from typing import Any

import pytest

from eventum.issues.association import ASSOCIATION, Answer, Facts, Match, NewIssue, ToIssue, ToPool, associate
from eventum.issues.routing import Route, Tag


def ours(issue: int = 5, **fields: Any) -> Match:
    return Match(message_id=f"<ours-{issue}>", how="ours", issue=issue, **fields)


def indexed(issue: int = 6, **fields: Any) -> Match:
    return Match(message_id=f"<mail-{issue}>", how="index", issue=issue, **fields)


def waiting(key: str = "k1") -> Match:
    return Match(message_id=f"<waits-{key}>", how="pool", pool_key=key)


UNASSOCIATED, IGNORED = ToPool("unassociated"), ToPool("ignored")


@pytest.mark.parametrize(
    ("facts", "answer", "rule"),
    [
        # In the order of the table, one of each.
        ({}, UNASSOCIATED, "auto_creation"),
        ({"auto_create": True}, NewIssue(), "new"),
        ({"routes": (Route("email", 3),)}, ToIssue(3), "address"),
        ({"routes": (Route("note", 3), Route("email", 4))}, ToIssue(3, "note"), "address"),
        ({"routes": (Route("draft", 3),)}, ToIssue(3, "draft"), "address"),
        ({"tag": Tag(4), "tag_exists": True, "tag_enabled": True}, ToIssue(4), "subject_tag"),
        ({"candidates": (ours(),)}, ToIssue(5, "email", "<ours-5>"), "headers"),
        ({"candidates": (indexed(),)}, ToIssue(6, "email", "<mail-6>"), "headers"),
        ({"candidates": (waiting(),), "auto_create": True}, NewIssue(("k1",), "<waits-k1>"), "parent_in_pool"),
        # Each before the next.
        (
            {
                "routes": (Route("email", 3),),
                "tag": Tag(4),
                "tag_exists": True,
                "tag_enabled": True,
                "candidates": (ours(),),
            },
            ToIssue(3),
            "address",
        ),
        (
            {"tag": Tag(4), "tag_exists": True, "tag_enabled": True, "candidates": (ours(),)},
            ToIssue(4),
            "subject_tag",
        ),
        ({"candidates": (indexed(6), ours(5))}, ToIssue(6, "email", "<mail-6>"), "headers"),
        ({"candidates": (waiting(), ours(5)), "auto_create": True}, ToIssue(5, "email", "<ours-5>"), "headers"),
        # The subject's tag.
        ({"tag": Tag(4), "tag_exists": True}, UNASSOCIATED, "auto_creation"),
        ({"tag": Tag(4), "tag_enabled": True, "candidates": (ours(),)}, ToIssue(5, "email", "<ours-5>"), "headers"),
        ({"tag": Tag(4), "tag_enabled": True, "auto_create": True}, NewIssue(), "new"),
        (
            {"tag": Tag(5), "tag_exists": True, "tag_enabled": True, "candidates": (ours(5),)},
            ToIssue(5, "email", "<ours-5>"),
            "subject_tag",
        ),
        # Notes stay notes for staff, and for nobody else.
        ({"candidates": (ours(internal=True, staff=True),)}, ToIssue(5, "note", "<ours-5>"), "headers"),
        ({"candidates": (ours(internal=True),)}, ToIssue(5, "email", "<ours-5>"), "headers"),
        ({"candidates": (ours(staff=True),)}, ToIssue(5, "email", "<ours-5>"), "headers"),
        (
            {"tag": Tag(4, True), "tag_exists": True, "tag_enabled": True, "tag_staff": True},
            ToIssue(4, "note"),
            "subject_tag",
        ),
        ({"tag": Tag(4, True), "tag_exists": True, "tag_enabled": True}, ToIssue(4), "subject_tag"),
        (
            {"routes": (Route("email", 5),), "candidates": (ours(internal=True, staff=True),)},
            ToIssue(5, "note", "<ours-5>"),
            "address",
        ),
        (
            {"routes": (Route("email", 3),), "candidates": (ours(internal=True, staff=True),)},
            ToIssue(3),
            "address",
        ),
        # Machines and ourselves open nothing, and are filed where they belong.
        ({"automatic": "auto-reply", "auto_create": True}, UNASSOCIATED, "machine"),
        ({"automatic": "bounce", "auto_create": True}, UNASSOCIATED, "machine"),
        ({"automatic": "bulk", "auto_create": True}, UNASSOCIATED, "machine"),
        ({"automatic": "bounce", "auto_create": True, "candidates": (waiting(),)}, UNASSOCIATED, "machine"),
        ({"automatic": "bounce", "candidates": (ours(),)}, ToIssue(5, "email", "<ours-5>"), "headers"),
        ({"automatic": "list", "auto_create": True}, NewIssue(), "new"),
        ({"sender_is_own": True, "auto_create": True}, UNASSOCIATED, "own_sender"),
        (
            {"sender_is_own": True, "automatic": "ours", "auto_create": True, "candidates": (ours(),)},
            IGNORED,
            "own_notice",
        ),
        ({"sender_is_own": True, "automatic": "ours", "routes": (Route("email", 3),)}, IGNORED, "own_notice"),
        ({"automatic": "ours", "auto_create": True}, UNASSOCIATED, "machine"),
        # A person at another company that uses Eventum, too.
        ({"automatic": "sent-on", "auto_create": True}, NewIssue(), "new"),
        ({"automatic": "sent-on", "sender_is_own": True, "routes": (Route("email", 3),)}, IGNORED, "own_notice"),
        # Mail that waits.
        ({"candidates": (waiting(),)}, UNASSOCIATED, "auto_creation"),
        (
            {"candidates": (waiting("k1"), waiting("k2"), waiting("k1")), "auto_create": True},
            NewIssue(("k1", "k2"), "<waits-k1>"),
            "parent_in_pool",
        ),
        # A forward is a matter of its own.
        ({"forwarded": True, "candidates": (ours(),), "auto_create": True}, NewIssue(), "new"),
        ({"forwarded": True, "candidates": (waiting(),), "auto_create": True}, NewIssue(), "new"),
        ({"forwarded": True, "routes": (Route("email", 3),)}, ToIssue(3), "address"),
    ],
)
def test_where_a_mail_belongs(facts: dict[str, Any], answer: Answer, rule: str) -> None:
    said, rows = associate(Facts(**facts))
    assert said == answer
    assert rows[-1].rule == rule and rows[-1].answer != "pass"
    names = [one.name for one in ASSOCIATION.rules]
    assert [row.rule for row in rows] == names[: names.index(rule) + 1], "every rule that was asked has its row"
    assert all(row.answer == "pass" for row in rows[:-1])


def test_a_rule_that_passed_says_what_it_saw() -> None:
    _, rows = associate(Facts(tag=Tag(99), tag_enabled=True, asked=3, auto_create=True))
    seen = {row.rule: row.saw for row in rows}
    assert seen["subject_tag"] == "unknown:99" and seen["headers"] == "asked:3"


def test_the_rows_name_the_issue_and_the_kind() -> None:
    _, rows = associate(Facts(candidates=(ours(internal=True, staff=True),)))
    assert (rows[-1].saw, rows[-1].answer) == ("ours:<ours-5>", "note:5")
