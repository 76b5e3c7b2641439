"""Every row of every table has an English sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.issues import acknowledgement, admission, association, recipients, subscriptions
from eventum.issues.explain import sentence, sentences
from eventum.issues.trace import Row

RULES = [
    (table.name, rule.name, rule is table.rules[-1])
    for table in (
        association.ASSOCIATION,
        admission.ADMISSION,
        acknowledgement.ACKNOWLEDGEMENT,
        subscriptions.SUBSCRIPTIONS,
        recipients.RECIPIENTS,
    )
    for rule in table.rules
]


@pytest.mark.parametrize(("table", "rule", "last"), RULES)
def test_every_rule_has_a_sentence_for_answering_and_for_passing(table: str, rule: str, last: bool) -> None:
    for answer in ["email:42"] if last else ["email:42", "pass"]:
        said = sentence(Row(table, rule, "x@y.example", answer))
        assert said and not said.startswith(f"{rule} saw") and "{" not in said and "\n" not in said
        assert said[0].isupper() or said.startswith("x@y.example")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            Row("association", "headers", "ours:<a@b>", "email:42"),
            "It answers a mail of issue 42 (ours:<a@b>). -> issue 42, as email",
        ),
        (Row("association", "headers", "asked:0", "pass"), "It answers no mail of an issue (asked:0)."),
        (
            Row("association", "new", "", "new_issue"),
            "It belongs to nothing we have, so it opens an issue. -> a new issue",
        ),
        (
            Row("admission", "stranger", "eve@evil.example", "blocked:not_entitled"),
            "eve@evil.example has no part in this issue. -> blocked: not entitled",
        ),
        (
            Row("recipients", "all_new", "all_new", "new_issue_assigned"),
            "They asked for all new issues. -> new issue assigned",
        ),
        (Row("some", "old_rule", "{x}", "yes"), "old_rule saw {x}. -> yes"),
    ],
)
def test_what_a_row_says(row: Row, said: str) -> None:
    assert sentence(row) == said
    assert sentences((row, row)) == (said, said)


@given(st.builds(Row, st.sampled_from(["association", "x"]), st.sampled_from(["address", "y"]), st.text(), st.text()))
def test_any_row_of_a_file_makes_a_sentence(row: Row) -> None:
    assert isinstance(sentence(row), str)
