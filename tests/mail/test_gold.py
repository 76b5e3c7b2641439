"""The scorer of other projects' statements counts what it says, and excuses only what is written down."""

import json
from pathlib import Path

from tests.mail import gold
from tests.mail.gold_case import Case
from tests.mail.gold_fields import FIELDS
from tests.mail.gold_policy import POLICIES

HEAD = "Message-ID: <1@x.example>\nDate: Mon, 16 Nov 2026 09:15:00 +0100\nTo: a@x.example\n"


def folder_of(place: Path, *rows: tuple[str, dict[str, object]]) -> Path:
    """A folder of mails with what is stated of each."""
    (place / "project").mkdir()
    lines = []
    for number, (raw, stated) in enumerate(rows):
        (place / "project" / f"{number}.eml").write_text(raw)
        lines.append(json.dumps({"source": "project", "file": f"{number}.eml", "upstream": "x", "dup": "", **stated}))
    (place / "GOLD.jsonl").write_text("\n".join(lines) + "\n")
    return place


def test_every_rule_says_why_and_finds_its_mails_in_a_way_that_exists() -> None:
    rules = gold.rules()
    assert len({rule.name for rule in rules}) == len(rules)
    assert set(POLICIES) <= {rule.name for rule in rules}
    for rule in rules:
        assert len(rule.reason.split()) > 15, rule.name
        assert rule.fields and set(rule.fields) <= set(FIELDS), rule.name
        assert rule.mails or rule.name in POLICIES, rule.name


def test_what_holds_and_what_does_not_is_counted_by_field(tmp_path: Path) -> None:
    mail = f"From: Ada <ada@x.example>\nSubject: Hello  there\n{HEAD}\ntext\n"
    folder = folder_of(
        tmp_path,
        (mail, {"subject": "Hello there", "from_addr": "ada@x.example", "n_to": 1}),
        (mail, {"subject": "Good bye", "from_addr": "ADA@x.example", "n_attachments": 0}),
    )
    scores, misses = gold.score(folder)
    assert (scores["subject"].of, scores["subject"].holds, scores["subject"].share) == (2, 1, 0.5)
    assert scores["from_addr"].share == scores["n_to"].share == scores["n_attachments"].share == 1
    assert [(miss.mail, miss.field, miss.ours) for miss in misses] == [("project/1.eml", "subject", "Hello there")]


def test_a_field_that_nobody_knows_does_not_hold(tmp_path: Path) -> None:
    scores, _ = gold.score(folder_of(tmp_path, (f"From: a@x.example\n{HEAD}\n", {"mood": "good"})))
    assert scores["mood"].holds == 0 and scores["mood"].deliberate == 0


def test_a_difference_on_purpose_is_left_out_of_the_count_and_a_fault_is_not(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        (f"From: nsb\n{HEAD}\n", {"from_addr": "nsb"}),
        (f"From: ada@x.example\n{HEAD}\n", {"from_addr": "nsb"}),
        (f"From: ada@x.example (Ada Abel)\n{HEAD}\n", {"from_name": None}),
        (f"From: Ada Abel <ada@x.example>\n{HEAD}\n", {"from_name": None}),
    )
    scores, misses = gold.score(folder)
    assert [miss.rule for miss in misses] == ["bare-local-part", "", "name-in-a-comment", ""]
    assert [scores[field].rest for field in ("from_addr", "from_name")] == [1, 1]


def test_a_run_fails_for_each_field_of_which_too_little_holds(tmp_path: Path) -> None:
    mail = f"From: Ada <ada@x.example>\nSubject: Hello\n{HEAD}\n"
    lines: list[str] = []
    assert gold.run(folder_of(tmp_path, (mail, {"subject": "x", "n_to": 1})), lines.append) == 1
    assert any(line.startswith("subject ") and line.endswith("too little") for line in lines)


def test_no_mail_stands_in_the_list_that_needs_no_excuse_by_its_rule() -> None:
    named = [(rule.name, mail) for rule in gold.rules() for mail in rule.mails]
    assert len(named) == len(set(named))
    assert all(mail.count("/") == 1 and mail.endswith(".eml") for _, mail in named)


def test_a_case_is_named_as_the_list_names_it() -> None:
    assert Case({"source": "project", "file": "a.eml"}, b"").name == "project/a.eml"
